"""A copy as a folder: for each set one of Parquet files, with a manifest that names them.

Parts from which rows go are written anew, under other names; then the manifest changes in one step.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path

import msgspec

from jibble_async.api.set_names import SetName
from jibble_async.errors import OutputError
from jibble_async.export.copies.base import Kept, Source
from jibble_async.export.files.atomic import PartFile, reason_of, writing
from jibble_async.export.journal.finishing import FinalPart, opened, rewritten, swept_parts, written
from jibble_async.export.journal.held import HeldParts
from jibble_async.export.journal.manifest import (
    MANIFEST,
    Manifest,
    ManifestPart,
    publish,
    read_manifest,
)
from jibble_async.export.journal.parts import id_line
from jibble_async.export.journal.records import Header
from jibble_async.export.journal.working_folder import WorkingFolder
from jibble_async.export.proof.verdicts import Outcome, SweptRow, Verdict
from jibble_async.export.sinks import FileFormat, Format, Sink
from jibble_async.tables.schema import arrow

__all__ = ["FolderCopy"]

_FORMAT = FileFormat(Format.PARQUET)
# A part comes with each run, and so small ones are joined when there are so many.
_SMALL, _MOST_SMALL = 50_000, 16


class FolderCopy:
    """A folder with a folder for each set.

    Args:
        path: The folder; it is made if it is not there.

    Raises:
        OutputError: It can't be made.
        ConfigurationError: pyarrow is not installed.
    """

    def __init__(self, path: Path) -> None:
        arrow("pyarrow.parquet")
        self._path = path
        try:
            path.mkdir(0o700, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{path} can't be made: {reason_of(error)}") from None

    def kept(self, source: Source) -> Kept | None:
        """What there is of a set; None if a file of it is missing, or cut short.

        Raises:
            ConfigurationError: There is a manifest of something else.
        """
        folder = self._path / source.set
        manifest = read_manifest(folder)
        if manifest is None:
            return None
        for part in manifest.parts:
            path = folder / part.name
            if not path.is_file() or path.stat().st_size != part.bytes:
                return None
        schemas = (
            arrow("pyarrow.parquet").read_schema(folder / part.name) for part in manifest.parts
        )
        return Kept(
            request=manifest.request,
            account=manifest.account,
            mark=manifest.mark,
            reconciled=manifest.reconciled or manifest.mark,
            rows=manifest.rows,
            is_current=all(schema.equals(source.schema) for schema in schemas),
        )

    def staging(self, set: SetName) -> Path:
        """The folder of the set: an export into it replaces what it has in one step."""
        return self._path / set

    def adopt(self, source: Source, outcome: Outcome) -> None:
        """Remove what killed runs had left; the export itself is the copy by now."""
        with self._locked(source):
            pass

    @contextlib.contextmanager
    def _locked(self, source: Source) -> Generator[tuple[WorkingFolder, Manifest]]:
        """The folder of a set, without what its manifest does not name, for one program."""
        out = self._path / source.set
        before = read_manifest(out)
        run = None if before is None else before.run
        with WorkingFolder(out / ".export", out, run) as folder:
            # Another program may have come between.
            manifest = read_manifest(out)
            assert manifest is not None
            if folder.is_used:
                folder.clear()
            names = {part.name for part in manifest.parts}
            for each in out.glob(f"{source.set}-*{_FORMAT.suffix}"):
                if each.name not in names:
                    with contextlib.suppress(OSError):
                        each.unlink()
            yield folder, manifest

    @contextlib.contextmanager
    def updating(self, source: Source) -> Generator[_FolderUpdate]:
        """The rows of a set, which stay as they are unless they are committed.

        Raises:
            ExportError: Another program works there.
        """
        out = self._path / source.set
        with self._locked(source) as (folder, manifest):
            run = secrets.token_hex(4)
            # With it, who comes after a killed run finds what that was about to publish.
            header = Header(
                library=source.library,
                run=run,
                request={"update": manifest.run},
                account=source.account,
                mark=manifest.mark,
                partitions=[],
            )
            folder.begin(header)
            parts = [FinalPart(out / part.name, part) for part in manifest.parts]
            with contextlib.closing(_FolderUpdate(folder, manifest, parts, source, out)) as update:
                yield update

    def close(self) -> None:
        """There is nothing to close: each set is locked while it changes."""


class _FolderUpdate:
    """The parts of a set, less what changed."""

    def __init__(
        self,
        folder: WorkingFolder,
        manifest: Manifest,
        parts: Sequence[FinalPart],
        source: Source,
        out: Path,
    ) -> None:
        self._folder = folder
        self._manifest = manifest
        self._parts = parts
        self._source = source
        self._out = out
        counted = [(part.path, part.entry.rows) for part in parts]
        self._held = HeldParts(counted, folder.path / "swept.rows", out, _id_lines)

    def count(self) -> int:
        """How many rows there are."""
        return self._held.count()

    def replace(self, rows: Sequence[SweptRow]) -> None:
        """Let every copy of these rows go, and those in scope come in."""
        self._held.replace(rows)

    def retain(self, present: Callable[[str], bool]) -> int:
        """Drop rows that are not present, and tell how many went."""
        return self._held.retain(present)

    def close(self) -> None:
        """Need the file of swept rows no more."""
        self._held.close()

    def commit(self, verdict: Verdict, reconciled: str) -> int:
        """Publish it; see `Update.commit`."""
        with writing(self._out):
            finals = self._joined(self._finals())
        rows = sum(final.entry.rows for final in finals)
        manifest = msgspec.structs.replace(
            self._manifest,
            library=self._source.library,
            run=self._folder.header.run,
            account=self._source.account,
            outcome=verdict.outcome,
            reason=verdict.reason,
            mark=verdict.mark,
            reconciled=reconciled,
            rows=rows,
            parts=[final.entry for final in finals],
        )
        new = [final.path for final in finals if final.path.parent == self._folder.path]
        with PartFile(self._out / MANIFEST) as file:
            publish(file, manifest, new)
        self._folder.remove()
        return rows

    def _new_name(self, number: int) -> Path:
        name = f"{self._source.set}-{self._folder.header.run}-{number:05}{_FORMAT.suffix}"
        return self._folder.path / name

    def _new_sink(self) -> Sink:
        return _FORMAT.sink(self._source.shape, secrets=self._source.secrets)

    def _finals(self) -> list[FinalPart]:
        finals: list[FinalPart] = []
        gone = self._held.gone
        for number, part in enumerate(self._parts):
            away = self._held.gone_of(part.path)
            if away == part.entry.rows:
                continue
            if away:
                entry = msgspec.structs.replace(part.entry, rows=part.entry.rows - away)
                keep = (line not in gone for line in _id_lines(part.path))
                changed = FinalPart(part.path, entry)
                part = rewritten(changed, self._new_name(number), _FORMAT, keep)
            finals.append(part)
        finals.extend(swept_parts(self._new_name(len(self._parts)), self._held, self._new_sink))
        return finals

    def _joined(self, finals: list[FinalPart]) -> list[FinalPart]:
        """The same with small parts made one, if they are many."""
        small = [final for final in finals if final.entry.rows < _SMALL]
        if len(small) <= _MOST_SMALL:
            return finals
        new = self._new_name(len(self._parts) + 1)
        entry = ManifestPart(
            name=new.name, rows=sum(final.entry.rows for final in small), bytes=0, sha256=""
        )
        with contextlib.closing(opened(final.path for final in small)) as files:
            joined = written(new, _FORMAT.joined(files), entry)
        for final in small:
            if final.path.parent == self._folder.path:
                final.path.unlink()
        return [*(final for final in finals if final.entry.rows >= _SMALL), joined]


def _id_lines(part: Path) -> Iterator[bytes]:
    """The lines of the ids of a part's rows, in their order."""
    with part.open("rb") as file:
        for batch in arrow("pyarrow.parquet").ParquetFile(file).iter_batches(columns=["id"]):
            yield from map(id_line, batch.column(0).to_pylist())
