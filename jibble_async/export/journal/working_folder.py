"""The folder in which an export gathers its parts, and which the next one can go on with.

One program at a time works in it: it holds the lock of the journal, which the kernel takes from a
dead one.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import msgspec

from jibble_async.errors import ConfigurationError, ExportBusyError, ExportError, OutputError
from jibble_async.export.files.atomic import make_private, reason_of, sync_folder, writing
from jibble_async.export.files.locks import HAS_LOCKS, is_still, lock
from jibble_async.export.journal.parts import PartWriter, ids_beside, require_unchanged
from jibble_async.export.journal.records import (
    Header,
    History,
    PageRead,
    Record,
    Window,
    WindowRestarted,
    Written,
    line_of,
    read_lines,
)
from jibble_async.export.sinks import Sink

__all__ = ["WorkingFolder", "new_temporary"]

_JOURNAL = "journal.jsonl"
_TEMPORARY = "jibble-export-"
_RUN = re.compile("[0-9a-f]{8}")
_OPEN = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class WorkingFolder:
    """A locked folder with a journal and parts.

    Args:
        path: The folder; it is made if it is not there.
        out: What is exported to, for errors.
        published: The run whose parts are an output already, if there is one.

    Attributes:
        path: The folder.
        history: What the journal tells; None before an export begins.
        is_used: Whether somebody left something in it.

    Raises:
        OutputError: It can't be made, or something else has its name.
        ExportBusyError: Another export works in it.
    """

    def __init__(self, path: Path, out: Path, published: str | None = None) -> None:
        self.path = path
        self._published = published
        self.history: History | None = None
        self._out = out
        self._journal = self._locked_journal()
        # The bytes of whole lines, and whether something of another may stand behind them.
        self._whole = 0
        self._is_torn = False
        self.is_used: bool = os.fstat(self._journal).st_size > 0
        # What somebody else began stays until this export has made sure that it is its own.
        self._is_mine = not self.is_used
        if not self.is_used and any(each.name != _JOURNAL for each in self.path.iterdir()):
            # Nothing is written before the journal has its first line.
            (self.path / _JOURNAL).unlink()
            os.close(self._journal)
            raise self._in_the_way()

    def _locked_journal(self) -> int:
        while True:
            try:
                self._make()
                descriptor = self._open_journal()
            except FileNotFoundError:
                # Whoever had it before has just removed it; without a parent this ends below.
                if self.path.parent.is_dir():
                    continue
                raise self._unusable("there is no such folder") from None
            except OSError as error:
                raise self._unusable(reason_of(error)) from None
            locked = lock(descriptor)
            if locked is False:
                os.close(descriptor)
                raise ExportBusyError(
                    f"another export to {self._out} is running: let it end, or write elsewhere"
                )
            if locked is None and HAS_LOCKS and os.fstat(descriptor).st_size:
                os.close(descriptor)
                raise ExportError(
                    f"the file system of {self.path} has no locks, so nobody knows whether the "
                    "export in it still runs: remove the folder if it does not"
                )
            if is_still(self.path / _JOURNAL, descriptor):
                return descriptor
            os.close(descriptor)

    def _make(self) -> None:
        try:
            self.path.mkdir(0o700)
        except FileExistsError:
            found = self.path.lstat()
            is_ours = not hasattr(os, "geteuid") or found.st_uid == os.geteuid()
            if not stat.S_ISDIR(found.st_mode) or not is_ours:
                raise self._in_the_way() from None

    def _open_journal(self) -> int:
        try:
            return os.open(self.path / _JOURNAL, _OPEN)
        except FileNotFoundError:
            pass
        try:
            return make_private(self.path / _JOURNAL)
        except FileExistsError:
            return os.open(self.path / _JOURNAL, _OPEN)

    def _in_the_way(self) -> OutputError:
        return OutputError(
            f"{self.path} is in the way, and no folder of an export of yours: move it"
        )

    def _unusable(self, reason: str) -> OutputError:
        return OutputError(
            f"can't write in {self.path.parent}: {reason}; write to '-' instead, and redirect that"
        )

    # What it holds.

    @property
    def windows(self) -> list[Window]:
        """The windows, and how far each is."""
        assert self.history is not None
        return self.history.windows

    @property
    def header(self) -> Header:
        """What is exported."""
        assert self.history is not None
        return self.history.header

    def parts(self) -> list[tuple[Window, Written, Path]]:
        """The parts with rows, in the order of the windows."""
        return [
            (window, part, self.path / part.name)
            for window in self.windows
            for part in window.parts
            if part.name is not None
        ]

    def clear(self) -> None:
        """Remove what somebody left, that which was about to be published included.

        Raises:
            ExportError: That could not be done.
        """
        with contextlib.suppress(ExportError):
            history = self._told()[0]
            if history is not None:
                self._fetch_back(history.header.run)
        with writing(self._out):
            self._remove_others(set())
            self._cut(0)
        self._is_mine = True

    def resume(self, library: str, request: Mapping[str, Any]) -> None:
        """Go on with what the journal tells, if it tells anything.

        What no line tells of is removed, and windows of which a part has gone begin again.

        Args:
            library: The version of this package.
            request: What is asked for.

        Raises:
            ConfigurationError: It is another export.
            ExportError: The journal can't be read, or a part is not as it was written.
        """
        history, whole = self._told()
        if history is None or history.header.run == self._published:
            self.clear()
            return
        history.header.require_same(self.path, library, request)
        self._fetch_back(history.header.run)
        with writing(self._out):
            self._cut(whole)
        self.history, self._is_mine = history, True
        for window in history.windows:
            self._require_parts(window)
        with writing(self._out):
            names = {path for _, _, path in self.parts()}
            self._remove_others(names | {ids_beside(path) for path in names})

    def _told(self) -> tuple[History | None, int]:
        """What the journal tells, and the bytes that it takes for that."""
        with writing(self._out):
            os.lseek(self._journal, 0, os.SEEK_SET)
            with os.fdopen(os.dup(self._journal), "rb") as file:
                data = file.read()
        records, whole = read_lines(data, self.path)
        return History.of(records, self.path), whole

    def _fetch_back(self, run: str) -> None:
        """Take back what was moved to where it is published, before a manifest named it."""
        if run == self._published or not _RUN.fullmatch(run):
            return
        with writing(self._out):
            for each in self.path.parent.glob(f"*-{run}-*"):
                os.replace(each, self.path / each.name)

    def _require_parts(self, window: Window) -> None:
        for part in window.parts:
            if part.name is None:
                continue
            try:
                path = self.path / part.name
                require_unchanged(path, part.bytes, part.sha256, part.ids_sha256)
            except FileNotFoundError:
                self.restart(window)
                return

    def _remove_others(self, names: set[Path]) -> None:
        for each in self.path.iterdir():
            if each not in names and each.name != _JOURNAL:
                each.unlink()

    # What is added to it.

    def begin(self, header: Header) -> None:
        """Write down what is exported.

        Raises:
            ExportError: It could not be written.
        """
        self._append(header)
        with writing(self._out):
            sync_folder(self.path)
            sync_folder(self.path.parent)
        self.history = History.of([header], self.path)

    def new_part(self, window: Window, suffix: str, sink: Sink) -> PartWriter:
        """A part that follows those of a window.

        Raises:
            ExportError: It could not be made.
        """
        what, index = window.partition.set, window.partition.index
        stem = f"{what}-{self.header.run}-{index:05}-{len(window.parts):03}"
        with writing(self._out):
            for leftover in (self.path / f"{stem}{suffix}", self.path / f"{stem}{suffix}.ids"):
                leftover.unlink(missing_ok=True)
            return PartWriter(self.path / f"{stem}{suffix}", sink)

    def append(self, part: PartWriter, window: Window, rows: Any) -> None:
        """Note that a page came, and add its rows to a part.

        Raises:
            DecodeError: A row can't be read.
            ExportError: They could not be written.
        """
        # First, since a part must not have rows that come again where its window goes on.
        self._note(PageRead(window.partition.index), window, durable=False)
        with writing(self._out):
            part.append(rows)

    def finish(self, part: PartWriter, window: Window, record: Written) -> None:
        """Have a part on the disk, and only then note it.

        Args:
            part: The part.
            window: The one that it is of.
            record: What is to be noted, all but what the part itself knows.

        Raises:
            ExportError: It could not be written.
        """
        with writing(self._out):
            part.finish()
            sync_folder(self.path)
        known = {
            "name": part.path.name,
            "rows": part.rows,
            "bytes": part.file.size,
            "sha256": part.file.sha256,
            "ids_sha256": part.ids.sha256,
            "first": part.first,
            "last": part.last,
            "unknown_fields": part.unknown_fields,
        }
        self.note(window, msgspec.structs.replace(record, **known))

    def note(self, window: Window, record: Written) -> None:
        """Note what a window gave; what a part of it tells of must be on the disk.

        Raises:
            ExportError: It could not be written.
        """
        self._note(record, window, durable=True)

    def restart(self, window: Window) -> None:
        """Begin a window again.

        Raises:
            ExportError: That could not be done.
        """
        before = [part.name for part in window.parts if part.name is not None]
        self._note(WindowRestarted(window.partition.index), window, durable=True)
        with writing(self._out):
            for name in before:
                (self.path / name).unlink(missing_ok=True)
                ids_beside(self.path / name).unlink(missing_ok=True)

    def _note(
        self, record: Written | PageRead | WindowRestarted, window: Window, *, durable: bool
    ) -> None:
        self._append(record, durable=durable)
        window.take(record)

    def _append(self, record: Record, *, durable: bool = True) -> None:
        line = line_of(record)
        left = memoryview(line)
        with writing(self._out):
            if self._is_torn:
                self._cut(self._whole)
            self._is_torn = True
            while left:
                left = left[os.write(self._journal, left) :]
            if durable:
                os.fsync(self._journal)
        self._is_torn = False
        self._whole += len(line)

    def _cut(self, size: int) -> None:
        os.ftruncate(self._journal, size)
        os.lseek(self._journal, size, os.SEEK_SET)
        self._whole, self._is_torn = size, False

    # How it ends.

    def remove(self) -> None:
        """Remove it with all that is in it: what was exported is elsewhere by now."""
        # Where something stays, so does the journal: the next export knows by it that this is ours.
        with contextlib.suppress(OSError):
            self._remove_others(set())
            # Windows removes no file that is open, and has no lock to lose.
            if not HAS_LOCKS:
                self._let_go()
            # Last, so that nobody else begins here meanwhile.
            (self.path / _JOURNAL).unlink()
            self.path.rmdir()

    def close(self) -> None:
        """Let others have it; it goes if there is nothing to go on with."""
        has_parts = self.history is not None and any(window.parts for window in self.windows)
        if self._is_mine and not has_parts:
            self.remove()
        with contextlib.suppress(OSError):
            self._let_go()

    def _let_go(self) -> None:
        descriptor, self._journal = self._journal, -1
        os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def new_temporary(out: Path) -> tuple[Path, list[Path]]:
    """A name for a folder of which nothing is to be kept, and what was removed of killed programs.

    Args:
        out: What is exported to, for errors.
    """
    folder = Path(tempfile.gettempdir())
    removed: list[Path] = []
    for each in folder.glob(f"{_TEMPORARY}????????"):
        with contextlib.suppress(ConfigurationError, ExportError), WorkingFolder(each, out) as dead:
            dead.clear()
            removed.append(each)
    return folder / f"{_TEMPORARY}{secrets.token_hex(4)}", removed
