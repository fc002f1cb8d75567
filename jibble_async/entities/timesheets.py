"""Timesheets: a person's days with their hours, in the two shapes that the server has for them.

Source: programs that run against the API (observed: timesheets); this host's metadata was never
published.
"""

from __future__ import annotations

import datetime
from typing import ClassVar

from jibble_async.entities.base import Guid, OpenEnum, ValueObject
from jibble_async.entities.time_off import Compensation

__all__ = [
    "DayTimeOff",
    "PayrollHours",
    "PayrollPart",
    "Period",
    "TakenTimeOff",
    "Timesheet",
    "TimesheetDay",
    "TimesheetPerson",
    "TimesheetSummary",
    "TimesheetSummaryDay",
    "TrackedBreak",
    "TrackedHours",
]


class Period(OpenEnum):
    """The days that a timesheet covers, around a date or up to another (documented: timesheets)."""

    DAY = "Day"
    WEEK = "Week"
    MONTH = "Month"
    CUSTOM = "Custom"


class TimesheetPerson(ValueObject):
    """Whose timesheet it is, with names instead of ids."""

    id: Guid | None = None
    """The person's id."""
    full_name: str | None = None
    """First and last name, as one."""
    code: str | None = None
    """The organisation's own code for the person."""
    group_name: str | None = None
    """The name of the group."""
    position_name: str | None = None
    """The job title."""
    employment_type_name: str | None = None
    """The form of employment."""
    managers: list[str] | None = None
    """Their names."""
    time_zone: str | None = None
    """The name of the person's zone."""
    status: str | None = None
    """Where the person stands with the organisation."""


class TrackedBreak(ValueObject):
    """A break; one without an end is going on."""

    start: str | None = None
    """As the server writes it: whether as a time of day or a moment was not published."""
    end: str | None = None
    """The same."""


class TrackedHours(ValueObject):
    """What was clocked on a day."""

    worked: datetime.timedelta | None = None
    """Without breaks."""
    total: datetime.timedelta | None = None
    """With breaks."""
    total_break_time: datetime.timedelta | None = None
    """All breaks."""
    paid_break_time: datetime.timedelta | None = None
    """Breaks that are paid."""
    unpaid_break_time: datetime.timedelta | None = None
    """Breaks that are not."""
    total_auto_deduction_time: datetime.timedelta | None = None
    """Breaks that were taken off by themselves."""
    breaks: list[TrackedBreak] | None = None
    """The breaks, one by one."""


class PayrollPart(ValueObject):
    """One kind of paid hours."""

    time: datetime.timedelta | None = None
    """How much."""


class PayrollHours(ValueObject):
    """The hours of a day that are paid, by kind."""

    total: datetime.timedelta | None = None
    """All of them."""
    regular: PayrollPart | None = None
    """Those that are no overtime."""
    daily_overtime: PayrollPart | None = None
    """Overtime of the day."""
    daily_double_overtime: PayrollPart | None = None
    """Its second degree."""
    rest_day_overtime: PayrollPart | None = None
    """Work on a day of rest."""
    public_holiday_overtime: PayrollPart | None = None
    """Work on a holiday."""
    weekly_overtime: PayrollPart | None = None
    """Overtime of the week."""


class TakenTimeOff(ValueObject):
    """A kind of time off that was taken."""

    name: str | None = None
    """What the policy is called."""
    compensation: Compensation | None = None
    """Whether it is paid."""


class DayTimeOff(ValueObject):
    """What of a day was time off."""

    paid_time_off: datetime.timedelta | None = None
    """What of it is paid."""
    unpaid_time_off: datetime.timedelta | None = None
    """What is not."""
    is_rest_day: bool | None = None
    """Whether nobody expects work on that day."""
    types: list[TakenTimeOff] | None = None
    """The kinds of time off."""


class TimesheetDay(ValueObject):
    """A day of a timesheet."""

    date: datetime.date | None = None
    """The day."""
    first_in: datetime.time | None = None
    """The time of day of the first clocking in, on the person's clock."""
    last_out: datetime.time | None = None
    """The same of the last clocking out; None while the person is at work."""
    first_in_offset: datetime.datetime | None = None
    """The moment, on the person's clock."""
    last_out_offset: datetime.datetime | None = None
    """The moment of the last clocking out, on the person's clock."""
    first_in_timestamp: datetime.datetime | None = None
    """The moment."""
    last_out_timestamp: datetime.datetime | None = None
    """The same moment."""
    tracked_hours: TrackedHours | None = None
    """What was clocked."""
    payroll_hours: PayrollHours | None = None
    """What is paid."""
    time_off: DayTimeOff | None = None
    """What of it was time off."""
    has_archived_screenshots: bool | None = None
    """Whether there are pictures of the screen that were put away."""
    updated_at: datetime.datetime | None = None
    """When it was last changed, in UTC."""

    # Moments on the person's clock, whose offset an export leaves out.
    local_fields: ClassVar[tuple[str, ...]] = ("first_in_offset", "last_out_offset")


class Timesheet(ValueObject):
    """A person's days in full; a row has no id but the person's."""

    person_id: Guid | None = None
    """Whose it is."""
    total: datetime.timedelta | None = None
    """All hours of the span."""
    total_tracked: datetime.timedelta | None = None
    """What of them was clocked."""
    total_payroll: datetime.timedelta | None = None
    """What of them is paid."""
    daily: list[TimesheetDay] | None = None
    """The days, one by one."""
    person: TimesheetPerson | None = None
    """Who, with names; only when expanded."""


class TimesheetSummaryDay(ValueObject):
    """A day of a summary: the words of `TimesheetDay`, other kinds of value."""

    date: datetime.date | None = None
    """The day."""
    first_in: datetime.datetime | None = None
    """The moment of the first clocking in, on the person's clock."""
    last_out: datetime.datetime | None = None
    """The moment of the last clocking out; None while the person is at work."""
    tracked: datetime.timedelta | None = None
    """What was clocked, breaks included."""
    payroll_hours: datetime.timedelta | None = None
    """What is paid: without unpaid breaks."""
    regular: datetime.timedelta | None = None
    """Paid hours that are no overtime."""
    daily_overtime: datetime.timedelta | None = None
    """Overtime of the day."""
    daily_double_overtime: datetime.timedelta | None = None
    """Its second degree."""
    rest_day_overtime: datetime.timedelta | None = None
    """Work on a day of rest."""
    public_holiday_overtime: datetime.timedelta | None = None
    """Work on a holiday."""
    paid_break: datetime.timedelta | None = None
    """Breaks that are paid."""
    unpaid_break: datetime.timedelta | None = None
    """Breaks that are not."""

    # Moments on the person's clock, whose offset an export leaves out.
    local_fields: ClassVar[tuple[str, ...]] = ("first_in", "last_out")


class TimesheetSummary(ValueObject):
    """A person's days as sums; a row has no id but the person's."""

    person_id: Guid | None = None
    """Whose it is."""
    daily: list[TimesheetSummaryDay] | None = None
    """The days, one by one."""
    person: TimesheetPerson | None = None
    """Who, with names; only when expanded."""
