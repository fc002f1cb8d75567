"""Rows that nobody takes apart, as lines in one text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import SupportsIndex, overload

import msgspec

from jibble_async.core.pages import RawRow

__all__ = ["RawRows"]


class RawRows(Sequence[RawRow]):
    """Rows as the server wrote them, each an object on a line of its own.

    They are split only for whoever asks for one of them.

    Attributes:
        ids: Their ids.
        lines: The rows; each line ends in a line break.
    """

    __slots__ = ("ids", "lines")

    def __init__(self, ids: list[str], lines: bytes) -> None:
        self.ids: list[str] = ids
        self.lines: bytes = lines

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[RawRow]:
        return zip(self.ids, map(msgspec.Raw, self.lines.splitlines()), strict=True)

    @overload
    def __getitem__(self, index: SupportsIndex, /) -> RawRow: ...
    @overload
    def __getitem__(self, index: slice, /) -> Sequence[RawRow]: ...
    def __getitem__(self, index: SupportsIndex | slice, /) -> RawRow | Sequence[RawRow]:
        """A row, or some: those that follow one another stay in one text."""
        if not isinstance(index, slice):
            row: RawRow = [*self][index]
            return row
        begin, end, step = index.indices(len(self.ids))
        if step != 1 or begin > end:
            some: list[RawRow] = [*self][index]
            return some
        first = self._offset(begin)
        last = len(self.lines) if end == len(self.ids) else self._offset(end)
        return RawRows(self.ids[begin:end], self.lines[first:last])

    def _offset(self, row: int) -> int:
        """Where a row begins; most often it is among the first."""
        offset = 0
        for _ in range(row):
            offset = self.lines.index(b"\n", offset) + 1
        return offset
