"""A table: rows under columns, and what they add up to, in values and not in words."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

import msgspec

__all__ = ["SIGNATURES", "Column", "ColumnKind", "Table"]

SIGNATURES = ("Made by: name, date, signature", "Checked by: name, date, signature")
"""What stands where tables are signed, for each who signs."""

_WORDS = {"daily_double_overtime": "double overtime", "public_holiday_overtime": "holiday overtime"}


class ColumnKind(enum.StrEnum):
    """What stands in a column; each value may be None."""

    TEXT = "text"
    """A str, which is never a number or a formula."""
    NUMBER = "number"
    """An int."""
    DAY = "day"
    """A date."""
    CLOCK = "clock"
    """A time of day or a moment, on the person's clock."""
    HOURS = "hours"
    """A timedelta."""
    MONEY = "money"
    """A Decimal."""


class Column(msgspec.Struct, frozen=True):
    """A column of a table.

    Attributes:
        name: What programs call it.
        kind: What stands in it.
        is_optional: Whether people can do without it where all of it is nothing.
    """

    name: str
    kind: ColumnKind = ColumnKind.TEXT
    is_optional: bool = False

    @property
    def head(self) -> str:
        """What people call it."""
        words = _WORDS.get(self.name, self.name.replace("_", " "))
        return words[:1].upper() + words[1:]


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Rows under columns, and what they add up to.

    Attributes:
        name: What programs call it.
        title: What people call it.
        columns: Its columns.
        rows: Makes the rows, each of as many values.
        size: How many rows there are.
        total: The last row; None where rows don't add up to something.
        notes: What has to be known to read it.
        is_signed: Whether it is one that somebody signs.
    """

    name: str
    title: str
    columns: Sequence[Column]
    rows: Callable[[], Iterator[Sequence[Any]]]
    size: int
    total: Sequence[Any] | None = None
    notes: Sequence[str] = ()
    is_signed: bool = False

    def shown(self) -> Table:
        """The same without the optional columns in which nothing is."""
        used = [not column.is_optional for column in self.columns]
        for row in self.rows():
            for place, value in enumerate(row):
                used[place] = used[place] or bool(value)
        return self._with(used)

    def without_span(self, since: date, until: date) -> Table:
        """The same without the columns of periods, if all of it is of one that stands above it."""
        names = [column.name for column in self.columns]
        if "since" not in names:
            return self
        first, last = names.index("since"), names.index("until")
        if any((row[first], row[last]) != (since, until) for row in self.rows()):
            return self
        return self._with([name not in {"since", "until"} for name in names])

    def _with(self, used: Sequence[bool]) -> Table:
        if all(used):
            return self
        kept = [place for place, is_used in enumerate(used) if is_used]
        return msgspec.structs.replace(
            self,
            columns=[self.columns[place] for place in kept],
            rows=lambda: ([row[place] for place in kept] for row in self.rows()),
            total=None if self.total is None else [self.total[place] for place in kept],
        )
