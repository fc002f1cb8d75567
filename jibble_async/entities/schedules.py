"""Schedules: when people are expected to work, and what counts as overtime.

Source: the workspace host's metadata (metadata: calendars), unless a class names another.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

import msgspec

from jibble_async.entities.base import Entity, Guid, OpenEnum, ValueObject
from jibble_async.entities.locations import LocationSchedule

__all__ = [
    "AutoDeduction",
    "BreakType",
    "DayOfWeek",
    "DaySchedule",
    "Overtime",
    "Schedule",
    "ScheduledBreak",
    "TimeRangeStyle",
    "WorkArrangement",
]


class WorkArrangement(OpenEnum):
    """How the hours of a schedule are given."""

    FIXED = "Fixed"
    FLEXIBLE = "Flexible"
    WEEKLY = "Weekly"


class BreakType(OpenEnum):
    """Whether breaks are paid."""

    UNPAID = "Unpaid"
    PAID = "Paid"


class DayOfWeek(OpenEnum):
    """A day of the week."""

    SUNDAY = "Sunday"
    MONDAY = "Monday"
    TUESDAY = "Tuesday"
    WEDNESDAY = "Wednesday"
    THURSDAY = "Thursday"
    FRIDAY = "Friday"
    SATURDAY = "Saturday"


class TimeRangeStyle(OpenEnum):
    """Whether overtime begins after some hours or at a time of day."""

    HOURS = "Hours"
    TIME = "Time"


class DaySchedule(ValueObject):
    """The expected hours of one weekday."""

    day: DayOfWeek | None = None
    """The weekday."""
    start: time | None = msgspec.field(default=None, name="from")
    """When work begins, on the person's clock; `from` on the wire."""
    end: time | None = msgspec.field(default=None, name="to")
    """When it ends; `to` on the wire. Before `start` in a night shift."""
    duration: timedelta | None = None
    """How long is worked."""


class AutoDeduction(ValueObject):
    """A break that is taken off by itself."""

    name: str | None = None
    """What the break is called."""
    duration: timedelta | None = None
    """How long it is."""
    threshold: timedelta | None = None
    """The length of work after which it is taken off."""


class ScheduledBreak(ValueObject):
    """A break that a schedule provides for."""

    id: Guid | None = None
    """What entries name it by: see `TimeEntry.break_id`."""
    start: time | None = msgspec.field(default=None, name="from")
    """`from` on the wire."""
    end: time | None = msgspec.field(default=None, name="to")
    """`to` on the wire."""
    allow_to_be_taken_from_to: bool | None = None
    """Whether it has to lie between the two."""
    name: str | None = None
    """What it is called."""
    duration: timedelta | None = None
    """How long it is."""


class Overtime(ValueObject):
    """What counts as overtime."""

    time_range_style: TimeRangeStyle | None = None
    """Whether it begins after some hours or at a time of day."""
    daily_overtime: bool | None = None
    """Whether there is overtime on a day."""
    daily_from: time | None = None
    """The time of day at which it begins, if the style is `Time`."""
    daily_duration: timedelta | None = None
    """The length of work after which it begins, if the style is `Hours`."""
    daily_overtime_multiplier: float | None = None
    """How much it is paid, as a multiple."""
    daily_double_overtime: bool | None = None
    """Whether there is a second degree of it."""
    daily_double_from: time | None = None
    """The time of day at which that begins, if the style is `Time`."""
    daily_double_duration: timedelta | None = None
    """The length of work after which that begins, if the style is `Hours`."""
    daily_double_overtime_multiplier: float | None = None
    """How much that is paid, as a multiple."""
    weekly_overtime: bool | None = None
    """Whether there is overtime in a week."""
    weekly_duration: timedelta | None = None
    """The length of work in a week after which it begins."""
    weekly_overtime_multiplier: float | None = None
    """How much it is paid, as a multiple."""
    rest_day_overtime: bool | None = None
    """Whether work on a day of rest is overtime."""
    rest_day_overtime_multiplier: float | None = None
    """How much that is paid, as a multiple."""
    public_holiday_overtime: bool | None = None
    """Whether work on a holiday is overtime."""
    public_holiday_overtime_multiplier: float | None = None
    """How much that is paid, as a multiple."""
    end_work_day_at: time | None = None
    """The time of day at which a working day ends."""


class Schedule(Entity):
    """When people are expected to work."""

    name: str | None = None
    """What it is called."""
    work_arrangement: WorkArrangement | None = None
    """How its hours are given."""
    default: bool | None = None
    """Whether it is that of everybody who has no other."""
    day_schedules: list[DaySchedule] | None = None
    """The expected hours of each weekday."""
    auto_deductions: list[AutoDeduction] | None = None
    """Breaks that are taken off by themselves."""
    breaks: list[ScheduledBreak] | None = None
    """Breaks that it provides for."""
    breaks_type: BreakType | None = None
    """Whether breaks are paid."""
    locations: list[LocationSchedule] | None = None
    """The locations that it is bound to."""
    overtime: Overtime | None = None
    """What counts as overtime."""
    weekly_hours: timedelta | None = None
    """What is expected in a week."""
    exclude_early_clock_in: bool | None = None
    """Whether time before the start does not count."""
    organization_id: Guid | None = None
    """The organisation that it belongs to."""
    created_at: datetime | None = None
    """When it was made, in UTC."""
    updated_at: datetime | None = None
    """When it was last changed, in UTC."""
