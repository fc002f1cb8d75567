"""CSV after RFC 4180."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO, ClassVar

import msgspec

from jibble_async.core.pages import RawRow
from jibble_async.export.sinks.base import FormatSink, flagged, gathered
from jibble_async.export.sinks.csv_cells import CellReader
from jibble_async.export.sinks.spreadsheets import (
    UTF8_MARK,
    may_separate,
    safe_behind_separators,
)
from jibble_async.tables.rows import lines_of

__all__ = ["CsvSink", "csv_lines"]

# What is read of so much is still in the processor's caches when it is written.
_PIECE = 64 * 1024


class CsvSink(FormatSink):
    """CSV after RFC 4180, in UTF-8, with the documented fields of a class as columns.

    Columns bear the wire's names; the fields of nested objects are columns of their own, such as
    `coordinates.latitude`, and lists are JSON. Numbers have the server's digits. An empty cell is
    null or an empty text.

    What `spreadsheet_safe` asks for is done wherever a spreadsheet would begin a formula, be its
    cells separated by commas, semicolons or tabs. Numbers stay as they are.
    """

    has_head: ClassVar[bool] = True

    def __init__(
        self,
        shape: type[msgspec.Struct],
        *,
        spreadsheet_safe: bool = True,
        mark: bool | None = None,
        **options: Any,
    ) -> None:
        super().__init__(shape, **options)
        self._mark = spreadsheet_safe if mark is None else mark
        self._is_safe = spreadsheet_safe
        self._reader = CellReader(self._table, self._names, self._note, is_safe=spreadsheet_safe)

    def head(self) -> bytes:
        """The mark of UTF-8, if wanted, and the line with the names of the columns."""
        mark = UTF8_MARK if self._mark else b""
        return mark + csv_lines([[leaf.name for leaf in self._table.leaves]])

    def encode(self, rows: Sequence[RawRow]) -> bytes:
        """The rows, a record each.

        Raises:
            DecodeError: A row can't be read, and nobody gets it.
        """
        try:
            pieces = _pieces(lines_of(rows))
        except (ValueError, RecursionError):
            return csv_lines(self._readable(rows, self._record))
        written: list[bytes] = []
        begin = 0
        for piece in pieces:
            end = begin + piece.count(b"\n")
            try:
                written.append(self._written(piece))
            except (ValueError, RecursionError):
                some = self._readable(rows[begin:end], self._record, begin)
                written.append(csv_lines(some))
            begin = end
        return b"".join(written)

    @classmethod
    def read_head(cls, part: BinaryIO) -> bytes:
        """The line with the names of the columns, and what is before it."""
        return next(_records(part), b"")

    @classmethod
    def kept(cls, part: BinaryIO, keep: Iterable[bool]) -> Iterator[bytes]:
        """The records of a file without those whose flag is False.

        Raises:
            ExportError: There are more records than flags, or fewer.
        """
        return gathered(record for record, flag in flagged(_records(part), keep) if flag)

    def _written(self, rows: bytes) -> bytes:
        """The records of rows that have a line each; ValueError if one is not as it should be."""
        page = self._reader.page(rows)
        if page.is_sound:
            return page.data
        commas, lines = len(self._table.leaves) - 1, page.lines
        for place, (line, row) in enumerate(zip(lines, rows.splitlines(), strict=True)):
            if not line or '"' in line or line.count(",") != commas or self._is_odd(row):
                record = self._behind_separators(page.cells(place))
                lines[place] = csv_lines([record]).decode().removesuffix("\r\n")
        return "\r\n".join([*lines, ""]).encode()

    def _is_odd(self, raw: bytes) -> bool:
        """Whether a text may need quotes or what stops a formula, by what stands within it."""
        return may_separate(raw) if self._is_safe else b"\\" in raw

    def _record(self, raw: msgspec.Raw) -> Sequence[str]:
        return self._behind_separators(self._reader.row(raw))

    def _behind_separators(self, record: Sequence[str]) -> Sequence[str]:
        return list(map(safe_behind_separators, record)) if self._is_safe else record


def _pieces(lines: bytes) -> list[bytes]:
    """The same lines in several pieces, each of whole lines."""
    pieces: list[bytes] = []
    begin = 0
    while begin < len(lines):
        end = lines.find(b"\n", begin + _PIECE) + 1 or len(lines)
        pieces.append(lines[begin:end])
        begin = end
    return pieces


def csv_lines(records: Iterable[Iterable[Any]]) -> bytes:
    """Records as CSV after RFC 4180, in UTF-8."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(records)
    return text.getvalue().encode()


def _records(part: BinaryIO) -> Iterator[bytes]:
    """The records of a file, as they are: a line ends one unless it is within quotes."""
    held: list[bytes] = []
    is_open = False
    for line in part:
        held.append(line)
        is_open ^= line.count(b'"') % 2 == 1
        if not is_open:
            yield b"".join(held)
            held.clear()
    if held:
        yield b"".join(held)
