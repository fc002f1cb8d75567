"""How a span of days is cut into the periods that people are paid by."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta

from jibble_async.entities import DayOfWeek, PayPeriodCycle, PayPeriodDefinition

__all__ = ["WEEKDAYS", "months", "pay_periods"]

_DAY = timedelta(days=1)
WEEKDAYS = (
    DayOfWeek.MONDAY,
    DayOfWeek.TUESDAY,
    DayOfWeek.WEDNESDAY,
    DayOfWeek.THURSDAY,
    DayOfWeek.FRIDAY,
    DayOfWeek.SATURDAY,
    DayOfWeek.SUNDAY,
)
"""The days of the week in the order of `date.weekday()`."""
_WEEKS = {PayPeriodCycle.WEEKLY: 1, PayPeriodCycle.ONCE_IN_TWO_WEEKS: 2}


def months(since: date, until: date) -> list[tuple[date, date]]:
    """The calendar months of a span, of which the first and the last may be parts.

    Args:
        since: The first day.
        until: The last day, included.
    """
    return _cut(since, until, lambda day: day.day == 1)


def pay_periods(
    since: date, until: date, definition: PayPeriodDefinition | None
) -> list[tuple[date, date]]:
    """The pay periods of a span, of which the first and the last may be parts.

    A day of the month that a month does not have is its last one. What a cycle needs and the
    definition does not say makes it months.

    Args:
        since: The first day.
        until: The last day, included.
        definition: How people are paid; None for months.

    Example:
        >>> pay_periods(date(2026, 7, 1), date(2026, 7, 31), weekly_from_monday)[0]
        (datetime.date(2026, 7, 1), datetime.date(2026, 7, 5))
    """
    if definition is None:
        return months(since, until)
    weeks = _WEEKS.get(definition.cycle) if definition.cycle else None
    if weeks is None:
        begins = {definition.start_at_day_number_first or 1}
        second = definition.start_at_day_number_second
        if definition.cycle == PayPeriodCycle.TWICE_IN_MONTH and second is not None:
            begins.add(second)
        return _cut(since, until, lambda day: day.day in _within(begins, day))
    first = _anchor(definition, weeks)
    if first is None:
        return months(since, until)
    return _cut(since, until, lambda day: (day - first).days % (7 * weeks) == 0)


def _anchor(definition: PayPeriodDefinition, weeks: int) -> date | None:
    """A day on which a period of weeks begins."""
    if definition.start_from_date is not None:
        return definition.start_from_date
    if weeks == 1 and definition.start_at_day_of_week in WEEKDAYS:
        # 5 January 1970 was a Monday.
        place = WEEKDAYS.index(definition.start_at_day_of_week)
        return date(1970, 1, 5) + place * _DAY
    return None


def _within(numbers: set[int], day: date) -> set[int]:
    last = monthrange(day.year, day.month)[1]
    return {min(number, last) for number in numbers}


def _cut(since: date, until: date, begins: Callable[[date], bool]) -> list[tuple[date, date]]:
    """A span in pieces, each of which but the first begins where it is said."""
    pieces: list[tuple[date, date]] = []
    start = since
    for place in range(1, (until - since).days + 1):
        day = since + place * _DAY
        if begins(day):
            pieces.append((start, day - _DAY))
            start = day
    return [*pieces, (start, until)]
