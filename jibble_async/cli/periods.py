"""Spans of days by their names: `last-month`, `yesterday`, `2026-W31`, `2026-07`, `2026-Q3`."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeAlias

from jibble_async.errors import ConfigurationError

__all__ = ["NAMES", "Period", "Span", "period_of"]

Span: TypeAlias = tuple[date, date]
"""The first day, and the last one, which is included."""

_DAY = timedelta(days=1)
_WEEK = re.compile(r"(\d{4})-W(\d{2})", re.IGNORECASE | re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_QUARTER = re.compile(r"(\d{4})-Q([1-4])", re.IGNORECASE | re.ASCII)
_THAT_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)


@dataclass(frozen=True)
class Period:
    """A span of days that was named.

    Attributes:
        name: The name, as it is written in documents.
        fixed: The days, if they are the same whenever they are asked for.
    """

    name: str
    fixed: Span | None = None

    def days(self, today: date) -> Span:
        """The first day and the last one, which is included and may be yet to come.

        Args:
            today: The day it is, where people work.
        """
        return _RELATIVE[self.name](today) if self.fixed is None else self.fixed


def period_of(text: str) -> Period:
    """The period with this name.

    Weeks are those of ISO 8601, from Monday to Sunday: the API says nothing of an organisation's
    own first day of the week.

    Args:
        text: `today`, `yesterday`, `this-` or `last-` with `week`, `month` or `quarter`; or
            `2026-W31`, `2026-07`, `2026-Q3`, or a day, such as `2026-07-01`.

    Raises:
        ConfigurationError: There is no such period.
    """
    name = "-".join(text.casefold().replace("_", "-").split())
    if name in _RELATIVE:
        return Period(name)
    for pattern, days in _FIXED.items():
        found = pattern.fullmatch(name)
        if found is None:
            continue
        try:
            return Period(name.upper(), days([int(each) for each in found.groups()]))
        except (ValueError, OverflowError):
            # Such as a thirteenth month, or week 53 of a year that has 52.
            raise ConfigurationError(f"there is no period {text!r}") from None
    raise ConfigurationError(
        f"{text!r} is no period: write {', '.join(NAMES)}, a week as 2026-W31, a month as "
        "2026-07, a quarter as 2026-Q3, or a day as 2026-07-01"
    )


def _day(day: date) -> Span:
    return day, day


def _week(day: date) -> Span:
    monday = day - day.weekday() * _DAY
    return monday, monday + 6 * _DAY


def _month(day: date) -> Span:
    return _months(day.year, day.month, day.month)


def _quarter(day: date) -> Span:
    last = day.month + -day.month % 3
    return _months(day.year, last - 2, last)


def _months(year: int, first: int, last: int) -> Span:
    return date(year, first, 1), date(year, last, calendar.monthrange(year, last)[1])


def _before(unit: Callable[[date], Span]) -> Callable[[date], Span]:
    return lambda today: unit(unit(today)[0] - _DAY)


_RELATIVE: Mapping[str, Callable[[date], Span]] = {
    "today": _day,
    "yesterday": _before(_day),
    "this-week": _week,
    "last-week": _before(_week),
    "this-month": _month,
    "last-month": _before(_month),
    "this-quarter": _quarter,
    "last-quarter": _before(_quarter),
}

NAMES = tuple(_RELATIVE)
"""The names of periods that go by the day it is."""

_FIXED: Mapping[re.Pattern[str], Callable[[list[int]], Span]] = {
    _WEEK: lambda at: _week(date.fromisocalendar(at[0], at[1], 1)),
    _MONTH: lambda at: _month(date(at[0], at[1], 1)),
    _QUARTER: lambda at: _quarter(date(at[0], 3 * at[1], 1)),
    _THAT_DAY: lambda at: _day(date(at[0], at[1], at[2])),
}
