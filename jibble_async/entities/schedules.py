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
    """The expected hours of one weekday.

    Attributes:
        start: When work begins, on the person's clock; `from` on the wire.
        end: When it ends; `to` on the wire. Before `start` in a night shift.
    """

    day: DayOfWeek | None = None
    start: time | None = msgspec.field(default=None, name="from")
    end: time | None = msgspec.field(default=None, name="to")
    duration: timedelta | None = None


class AutoDeduction(ValueObject):
    """A break that is taken off by itself.

    Attributes:
        threshold: The length of work after which it is taken off.
    """

    name: str | None = None
    duration: timedelta | None = None
    threshold: timedelta | None = None


class ScheduledBreak(ValueObject):
    """A break that a schedule provides for.

    Attributes:
        start: `from` on the wire.
        end: `to` on the wire.
        allow_to_be_taken_from_to: Whether it has to lie between the two.
    """

    id: Guid | None = None
    start: time | None = msgspec.field(default=None, name="from")
    end: time | None = msgspec.field(default=None, name="to")
    allow_to_be_taken_from_to: bool | None = None
    name: str | None = None
    duration: timedelta | None = None


class Overtime(ValueObject):
    """What counts as overtime.

    Attributes:
        daily_from: The time of day at which it begins, if the style is `Time`.
        daily_duration: The length of work after which it begins, if the style is `Hours`.
        end_work_day_at: The time of day at which a working day ends.
    """

    time_range_style: TimeRangeStyle | None = None
    daily_overtime: bool | None = None
    daily_from: time | None = None
    daily_duration: timedelta | None = None
    daily_overtime_multiplier: float | None = None
    daily_double_overtime: bool | None = None
    daily_double_from: time | None = None
    daily_double_duration: timedelta | None = None
    daily_double_overtime_multiplier: float | None = None
    weekly_overtime: bool | None = None
    weekly_duration: timedelta | None = None
    weekly_overtime_multiplier: float | None = None
    rest_day_overtime: bool | None = None
    rest_day_overtime_multiplier: float | None = None
    public_holiday_overtime: bool | None = None
    public_holiday_overtime_multiplier: float | None = None
    end_work_day_at: time | None = None


class Schedule(Entity):
    """When people are expected to work.

    Attributes:
        default: Whether it is that of everybody who has no other.
        weekly_hours: What is expected in a week.
        exclude_early_clock_in: Whether time before the start does not count.
    """

    name: str | None = None
    work_arrangement: WorkArrangement | None = None
    default: bool | None = None
    day_schedules: list[DaySchedule] | None = None
    auto_deductions: list[AutoDeduction] | None = None
    breaks: list[ScheduledBreak] | None = None
    breaks_type: BreakType | None = None
    locations: list[LocationSchedule] | None = None
    overtime: Overtime | None = None
    weekly_hours: timedelta | None = None
    exclude_early_clock_in: bool | None = None
    organization_id: Guid | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
