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
    """Whose timesheet it is, with names instead of ids.

    Attributes:
        managers: Their names.
        time_zone: The name of the person's zone.
    """

    id: Guid | None = None
    full_name: str | None = None
    code: str | None = None
    group_name: str | None = None
    position_name: str | None = None
    employment_type_name: str | None = None
    managers: list[str] | None = None
    time_zone: str | None = None
    status: str | None = None


class TrackedBreak(ValueObject):
    """A break; one without an end is going on.

    Attributes:
        start: As the server writes it: whether as a time of day or a moment was not published.
        end: The same.
    """

    start: str | None = None
    end: str | None = None


class TrackedHours(ValueObject):
    """What was clocked on a day.

    Attributes:
        worked: Without breaks.
        total: With breaks.
    """

    worked: datetime.timedelta | None = None
    total: datetime.timedelta | None = None
    total_break_time: datetime.timedelta | None = None
    paid_break_time: datetime.timedelta | None = None
    unpaid_break_time: datetime.timedelta | None = None
    total_auto_deduction_time: datetime.timedelta | None = None
    breaks: list[TrackedBreak] | None = None


class PayrollPart(ValueObject):
    """One kind of paid hours."""

    time: datetime.timedelta | None = None


class PayrollHours(ValueObject):
    """The hours of a day that are paid, by kind."""

    total: datetime.timedelta | None = None
    regular: PayrollPart | None = None
    daily_overtime: PayrollPart | None = None
    daily_double_overtime: PayrollPart | None = None
    rest_day_overtime: PayrollPart | None = None
    public_holiday_overtime: PayrollPart | None = None
    weekly_overtime: PayrollPart | None = None


class TakenTimeOff(ValueObject):
    """A kind of time off that was taken."""

    name: str | None = None
    compensation: Compensation | None = None


class DayTimeOff(ValueObject):
    """What of a day was time off."""

    paid_time_off: datetime.timedelta | None = None
    unpaid_time_off: datetime.timedelta | None = None
    is_rest_day: bool | None = None
    types: list[TakenTimeOff] | None = None


class TimesheetDay(ValueObject):
    """A day of a timesheet.

    Attributes:
        first_in: The time of day of the first clocking in, on the person's clock.
        last_out: The same of the last clocking out; None while the person is at work.
        first_in_offset: The moment, on the person's clock.
        first_in_timestamp: The moment.
    """

    date: datetime.date | None = None
    first_in: datetime.time | None = None
    last_out: datetime.time | None = None
    first_in_offset: datetime.datetime | None = None
    last_out_offset: datetime.datetime | None = None
    first_in_timestamp: datetime.datetime | None = None
    last_out_timestamp: datetime.datetime | None = None
    tracked_hours: TrackedHours | None = None
    payroll_hours: PayrollHours | None = None
    time_off: DayTimeOff | None = None
    has_archived_screenshots: bool | None = None
    updated_at: datetime.datetime | None = None

    # Moments on the person's clock, whose offset an export leaves out.
    local_fields: ClassVar[tuple[str, ...]] = ("first_in_offset", "last_out_offset")


class Timesheet(ValueObject):
    """A person's days in full; a row has no id but the person's.

    `person` is there only when expanded.
    """

    person_id: Guid | None = None
    total: datetime.timedelta | None = None
    total_tracked: datetime.timedelta | None = None
    total_payroll: datetime.timedelta | None = None
    daily: list[TimesheetDay] | None = None
    person: TimesheetPerson | None = None


class TimesheetSummaryDay(ValueObject):
    """A day of a summary: the words of `TimesheetDay`, other kinds of value.

    Attributes:
        first_in: The moment of the first clocking in, on the person's clock.
        last_out: The moment of the last clocking out; None while the person is at work.
        tracked: What was clocked, breaks included.
        payroll_hours: What is paid: without unpaid breaks.
    """

    date: datetime.date | None = None
    first_in: datetime.datetime | None = None
    last_out: datetime.datetime | None = None
    tracked: datetime.timedelta | None = None
    payroll_hours: datetime.timedelta | None = None
    regular: datetime.timedelta | None = None
    daily_overtime: datetime.timedelta | None = None
    daily_double_overtime: datetime.timedelta | None = None
    rest_day_overtime: datetime.timedelta | None = None
    public_holiday_overtime: datetime.timedelta | None = None
    paid_break: datetime.timedelta | None = None
    unpaid_break: datetime.timedelta | None = None

    # Moments on the person's clock, whose offset an export leaves out.
    local_fields: ClassVar[tuple[str, ...]] = ("first_in", "last_out")


class TimesheetSummary(ValueObject):
    """A person's days as sums; a row has no id but the person's."""

    person_id: Guid | None = None
    daily: list[TimesheetSummaryDay] | None = None
    person: TimesheetPerson | None = None
