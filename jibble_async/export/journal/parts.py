"""Parts of an output: a file of rows, and beside it the ids of these rows, a line each.

The ids tell which rows of a part are to go without reading the rows, whatever their format is.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import msgspec

from jibble_async.core.pages import RawRow
from jibble_async.errors import ExportError
from jibble_async.export.files.atomic import make_private, reason_of
from jibble_async.export.files.hashed import HashedFile
from jibble_async.export.sinks import Sink
from jibble_async.tables.rows import ids_of

__all__ = [
    "PartWriter",
    "id_line",
    "id_lines",
    "ids_beside",
    "kept",
    "new_file",
    "require_unchanged",
]

_ENCODER = msgspec.json.Encoder()


def ids_beside(part: Path) -> Path:
    """The file of the ids of a part's rows."""
    return part.with_name(f"{part.name}.ids")


def id_line(id: str) -> bytes:
    """An id as its line has it."""
    return _ENCODER.encode(id) + b"\n"


def id_lines(part: Path) -> Iterator[bytes]:
    """The lines of the ids of a part's rows, in their order."""
    with ids_beside(part).open("rb") as lines:
        yield from lines


class PartWriter:
    """Writes a part; what is not finished is nothing that anybody counts on.

    Args:
        path: The part, which must not be there.
        sink: Turns the rows into bytes.

    Attributes:
        path: The part.
        file: What is in it.
        ids: The ids beside it.
        rows: Rows written.
        first: The id of the first row.
        last: That of the last one.
        is_whole: Whether all that was to be written is.

    Raises:
        OSError: It can't be made, here and by what writes.
    """

    def __init__(self, path: Path, sink: Sink) -> None:
        self.path = path
        self.rows: int = 0
        self.first: str | None = None
        self.last: str | None = None
        self.is_whole: bool = True
        self._sink = sink
        self.file: HashedFile = new_file(path)
        try:
            self.ids: HashedFile = new_file(ids_beside(path))
        except BaseException:
            self.file.close()
            raise
        self.file.write(sink.head())

    @property
    def unknown_fields(self) -> dict[str, int]:
        """Fields that the format has no place for, and in how many rows they came."""
        return dict(self._sink.unknown_fields)

    def append(self, rows: Sequence[RawRow]) -> None:
        """Write rows.

        Raises:
            DecodeError: A row can't be read.
        """
        if not rows:
            return
        data, ids = self._sink.encode(rows), ids_of(rows)
        self.is_whole = False
        self.file.write(data)
        self.ids.write(_ENCODER.encode_lines(ids))
        self.is_whole = True
        self.first = ids[0] if self.first is None else self.first
        self.last = ids[-1]
        self.rows += len(rows)

    def finish(self) -> None:
        """Have the whole part on the disk, though not yet its name."""
        self.file.write(self._sink.finish())
        for file in (self.ids, self.file):
            file.sync()
            file.close()

    def discard(self) -> None:
        """Remove it."""
        for file, path in ((self.file, self.path), (self.ids, ids_beside(self.path))):
            # Closing writes what is left, which fails on a full disk.
            with contextlib.suppress(OSError):
                file.close()
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def new_file(path: Path) -> HashedFile:
    """A file that nobody else may read, to be written.

    Raises:
        OSError: It can't be made, or there is one already.
    """
    return HashedFile(os.fdopen(make_private(path), "wb"))


def kept(part: Path, gone: Collection[bytes]) -> Iterator[bool]:
    """For each row of a part, in its order, whether it stays.

    Args:
        part: The part.
        gone: The lines of the ids of rows that do not.
    """
    return (line not in gone for line in id_lines(part))


def require_unchanged(part: Path, size: int, sha256: str | None, ids_sha256: str | None) -> None:
    """Refuse a part that is not as it was written.

    Args:
        part: The part.
        size: Bytes that it had.
        sha256: The hash that it had.
        ids_sha256: That of the ids beside it.

    Raises:
        FileNotFoundError: It has gone, or the ids beside it.
        ExportError: It is another, or can't be read.
    """
    ids = ids_beside(part)
    try:
        is_size = part.stat().st_size == size
        is_same = is_size and _hash_of(part) == sha256 and _hash_of(ids) == ids_sha256
        # Both are looked for, whatever the first is like.
        ids.stat()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ExportError(f"{part} can't be read: {reason_of(error)}") from error
    if not is_same:
        raise ExportError(
            f"{part} is not as it was written: remove it, and its rows are read again, or begin "
            "again without resume"
        )


def _hash_of(part: Path) -> str:
    with part.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
