"""Hours that are paid, by kind, and how they add up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import msgspec

from jibble_async.entities import DayTimeOff, PayrollHours, PayrollPart

__all__ = ["KINDS", "NOTHING", "OVERTIME", "Hours", "hours_of"]

NOTHING = timedelta(0)
OVERTIME = (
    "daily_overtime",
    "daily_double_overtime",
    "weekly_overtime",
    "rest_day_overtime",
    "public_holiday_overtime",
)
"""The kinds of hours that may be paid higher, by the names of their fields."""


class Hours(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Lengths of time by what they are paid as; hours of several days are added with `+`.

    Attributes:
        other: What the server counts as paid beside all kinds that it names.
    """

    regular: timedelta = NOTHING
    daily_overtime: timedelta = NOTHING
    daily_double_overtime: timedelta = NOTHING
    weekly_overtime: timedelta = NOTHING
    rest_day_overtime: timedelta = NOTHING
    public_holiday_overtime: timedelta = NOTHING
    other: timedelta = NOTHING
    paid_time_off: timedelta = NOTHING
    unpaid_time_off: timedelta = NOTHING

    @property
    def worked(self) -> timedelta:
        """The paid hours of work: the server's total."""
        return self.regular + self.overtime + self.other

    @property
    def overtime(self) -> timedelta:
        """Overtime of all kinds."""
        return (
            self.daily_overtime
            + self.daily_double_overtime
            + self.weekly_overtime
            + self.rest_day_overtime
            + self.public_holiday_overtime
        )

    @property
    def total(self) -> timedelta:
        """What is paid: the work, and the paid time off."""
        return self.worked + self.paid_time_off

    def __add__(self, more: Hours) -> Hours:
        return Hours(**{kind: getattr(self, kind) + getattr(more, kind) for kind in KINDS})

    @classmethod
    def sum(cls, many: Iterable[Hours]) -> Hours:
        """All of them added up."""
        sums = dict.fromkeys(KINDS, NOTHING)
        for hours in many:
            for kind in KINDS:
                sums[kind] += getattr(hours, kind)
        return cls(**sums)


KINDS: tuple[str, ...] = Hours.__struct_fields__
"""The kinds of hours, by the names of the fields."""


def hours_of(paid: PayrollHours | None, off: DayTimeOff | None) -> Hours:
    """The hours of a day of a timesheet.

    Regular hours that are not said are what of the total is of no other kind: programs that run
    were seen to read the total and the daily overtime alone (observed: timesheets).

    Args:
        paid: What the day's work is paid as.
        off: What of the day was time off.
    """
    paid, off = paid or PayrollHours(), off or DayTimeOff()
    kinds = {kind: _time(getattr(paid, kind)) for kind in OVERTIME}
    overtime = sum(kinds.values(), NOTHING)
    regular = None if paid.regular is None else paid.regular.time
    if regular is None:
        regular = NOTHING if paid.total is None else max(paid.total - overtime, NOTHING)
    total = regular + overtime if paid.total is None else paid.total
    return Hours(
        regular=regular,
        other=total - regular - overtime,
        paid_time_off=off.paid_time_off or NOTHING,
        unpaid_time_off=off.unpaid_time_off or NOTHING,
        **kinds,
    )


def _time(part: PayrollPart | None) -> timedelta:
    return NOTHING if part is None or part.time is None else part.time
