"""What every format of files does: rows to bytes a page at a time, and parts of files to files."""

from __future__ import annotations

import abc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import BinaryIO, ClassVar, TypeVar

import msgspec

from jibble_async.core.pages import RawRow
from jibble_async.core.paging import BadRowHandler
from jibble_async.errors import DecodeError, ExportError
from jibble_async.tables.columns import table_of
from jibble_async.tables.rows import unreadable

__all__ = ["OTHER_ROWS", "FormatSink", "Names", "Sink", "chunks_of", "flagged", "gathered"]

Names = Mapping[str, Mapping[str, str]]
"""For fields with ids, such as `personId`, the names that belong to the ids."""

T = TypeVar("T")

OTHER_ROWS = "a part has other rows than its ids: somebody changed it; export without resume"
_CHUNK = 256 * 1024


class Sink(abc.ABC):
    """Turns the rows of one file into its bytes.

    Attributes:
        unknown_fields: Fields that the file has no place for, and in how many rows they had a
            value.
    """

    unknown_fields: Counter[str]

    def head(self) -> bytes:
        """What a file begins with."""
        return b""

    @abc.abstractmethod
    def encode(self, rows: Sequence[RawRow]) -> bytes:
        """The bytes of these rows, as far as they are ready; that may be none.

        Raises:
            DecodeError: A row can't be read, and nobody gets it.
        """

    def finish(self) -> bytes:
        """What a file ends with; nothing is encoded after it."""
        return b""


class FormatSink(Sink):
    """A sink of one format, and what is done to finished files of it.

    Attributes:
        as_sent: Whether it wants rows as the server wrote them; else they have the fields of
            `shape`, and whatever else the server sent.
        has_head: Whether files begin with something that stands before the first row.
        is_packed: Whether the format compresses by itself.

    Args:
        shape: The class whose fields are the columns of a table of the rows, such as an entity.
        columns: The names on the wire of the columns that are wanted, in their order; by default
            all. Names such as `coordinates.latitude` are those of fields of objects.
        names: Adds columns with names, such as `personName` beside `personId`; of fields that
            rows do not have nothing is made.
        spreadsheet_safe: Put `'` before what a spreadsheet would run as a formula, where
            spreadsheets read such files.
        mark: Begin with the mark of UTF-8 that Excel needs, where spreadsheets read such files;
            by default if it shall be safe for them.
        secrets: Keep what opens a kiosk, such as a person's PIN.
        on_bad_row: Gets each row that can't be read, which is then left out; the error's `row` is
            its place among the rows that were to be encoded. Without it the first one is raised.

    Raises:
        ConfigurationError: There is no such column, or what the format needs is not installed.
    """

    as_sent: ClassVar[bool] = False
    has_head: ClassVar[bool] = False
    is_packed: ClassVar[bool] = False

    def __init__(
        self,
        shape: type[msgspec.Struct],
        *,
        columns: Sequence[str] | None = None,
        names: Names | None = None,
        spreadsheet_safe: bool = True,
        mark: bool | None = None,
        secrets: bool = False,
        on_bad_row: BadRowHandler | None = None,
    ) -> None:
        self.unknown_fields: Counter[str] = Counter()
        self._names: Names = names or {}
        self._table = table_of(shape, columns=columns, names=self._names, secrets=secrets)
        self._on_bad_row = on_bad_row

    @classmethod
    def read_head(cls, part: BinaryIO) -> bytes:
        """What a file begins with, read from one.

        Args:
            part: The file, from its beginning on; then it stands before the first row.
        """
        return b""

    @classmethod
    @abc.abstractmethod
    def kept(cls, part: BinaryIO, keep: Iterable[bool]) -> Iterator[bytes]:
        """The rows of a file, and its end, without the rows whose flag is False.

        Args:
            part: The file, from its first row on.
            keep: A flag for each row, in their order.

        Raises:
            ExportError: There are more rows than flags, or fewer.
        """

    @classmethod
    def without(cls, part: BinaryIO, keep: Iterable[bool]) -> Iterator[bytes]:
        """The same file without the rows whose flag is False.

        Args:
            part: The file, from its beginning on.
            keep: A flag for each row, in their order.

        Raises:
            ExportError: There are more rows than flags, or fewer.
        """
        if head := cls.read_head(part):
            yield head
        yield from cls.kept(part, keep)

    @classmethod
    def joined(cls, parts: Iterable[BinaryIO]) -> Iterator[bytes]:
        """One file out of several of the same columns, in their order.

        Args:
            parts: The files, each from its beginning on; each is read before the next is asked for.
        """
        for number, part in enumerate(parts):
            head = cls.read_head(part)
            if head and number == 0:
                yield head
            yield from chunks_of(part)

    def _readable(
        self, rows: Sequence[RawRow], read: Callable[[msgspec.Raw], T], first: int = 0
    ) -> list[T]:
        """What is read of each row, but of those that can't be read.

        Args:
            rows: The rows.
            read: Reads one.
            first: The place of the first of them.

        Raises:
            DecodeError: A row can't be read, and nobody gets it.
        """
        found: list[T] = []
        for place, row in enumerate(rows, first):
            try:
                found.append(read(row[1]))
            except (ValueError, RecursionError) as error:
                reason = str(error) if isinstance(error, ValueError) else type(error).__name__
                self._refuse(place, row, reason)
        return found

    def _refuse(self, place: int, row: RawRow, reason: str) -> None:
        """Tell of a row that can't be read.

        Raises:
            DecodeError: Nobody gets it.
        """
        error = DecodeError(unreadable(row, reason), row=place)
        if self._on_bad_row is None:
            raise error
        self._on_bad_row(error, bytes(row[1]))

    def _note(self, name: str, rows: int = 1) -> None:
        """Count rows in which a field had a value that the file has no place for."""
        # OData's own remarks, such as `@odata.etag`, are no fields.
        if rows and "@" not in name:
            self.unknown_fields[name] += rows


def chunks_of(part: BinaryIO) -> Iterator[bytes]:
    """A file from where it stands, a piece at a time."""
    while chunk := part.read(_CHUNK):
        yield chunk


def flagged(rows: Iterable[T], keep: Iterable[bool]) -> Iterator[tuple[T, bool]]:
    """Each row with its flag.

    Raises:
        ExportError: There are more of one than of the other.
    """
    missing: object = object()
    for row, flag in zip_longest(rows, keep, fillvalue=missing):
        if row is missing or flag is missing:
            raise ExportError(OTHER_ROWS)
        yield row, flag  # type: ignore[misc]


def gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in fewer pieces."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= _CHUNK:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)
