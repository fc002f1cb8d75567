"""Calendars of holidays, and the periods that people are paid by.

Source: the workspace host's metadata (metadata: calendars), unless a class names another.
"""

from __future__ import annotations

import datetime

from jibble_async.entities.base import Entity, Guid, OpenEnum, ValueObject
from jibble_async.entities.schedules import DayOfWeek

__all__ = [
    "Calendar",
    "CalendarDay",
    "CalendarDayStatus",
    "DayRule",
    "NamedReference",
    "PayPeriodCycle",
    "PayPeriodDefinition",
    "PersonHoliday",
    "RuleScope",
    "ScheduleProperty",
    "ScheduleRuleOperation",
]


class Calendar(Entity):
    """A set of holidays.

    Attributes:
        default: Whether it is that of everybody who has no other.
        import_source_id: Where its days were imported from.
    """

    name: str | None = None
    default: bool | None = None
    import_source_id: Guid | None = None
    calendar_import_source_extra_option: str | None = None
    auto_sync: bool | None = None
    organization_id: Guid | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
    last_refreshed_at: datetime.datetime | None = None


class CalendarDayStatus(OpenEnum):
    """How a day came into its calendar."""

    MANUAL = "Manual"
    IMPORTED = "Imported"


class ScheduleProperty(OpenEnum):
    """What of a schedule a rule changes."""

    ALL = "All"
    EXPECTED_WORK_HOURS = "ExpectedWorkHours"
    DAILY_OVERTIME = "DailyOvertime"
    DAILY_DOUBLE_OVERTIME = "DailyDoubleOvertime"


class ScheduleRuleOperation(OpenEnum):
    """How a rule changes it."""

    ARE = "Are"
    ARE_UNTIL = "AreUntil"
    REDUCED_BY = "ReducedBy"
    STARTS_AT = "StartsAt"
    STARTS_AFTER = "StartsAfter"


class RuleScope(OpenEnum):
    """Whom a rule concerns."""

    ALL_SCHEDULES = "AllSchedules"
    SELECTED_SCHEDULES = "SelectedSchedules"


class NamedReference(ValueObject):
    """An id with its name."""

    id: Guid | None = None
    name: str | None = None


class DayRule(ValueObject):
    """How a short day changes a schedule.

    Attributes:
        span_value: The length of time it speaks of, if it speaks of one.
        time_of_day_value: The time of day it speaks of, if it speaks of one.
    """

    schedule_property: ScheduleProperty | None = None
    operation: ScheduleRuleOperation | None = None
    span_value: datetime.timedelta | None = None
    time_of_day_value: datetime.time | None = None
    apply_to: RuleScope | None = None
    schedules: list[NamedReference] | None = None


class CalendarDay(Entity):
    """A holiday, or a day that is shorter than others."""

    calendar_id: Guid | None = None
    date: datetime.date | None = None
    name: str | None = None
    status: CalendarDayStatus | None = None
    is_short_day: bool | None = None
    rules: list[DayRule] | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
    calendar: Calendar | None = None


class PersonHoliday(ValueObject):
    """A holiday as it holds for one person; it has no id.

    Programs that run ask for it (observed: calendars).
    """

    date: datetime.date | None = None
    name: str | None = None
    is_short_day: bool | None = None
    rules: list[DayRule] | None = None


class PayPeriodCycle(OpenEnum):
    """How often people are paid."""

    MONTHLY = "Monthly"
    TWICE_IN_MONTH = "TwiceInMonth"
    ONCE_IN_TWO_WEEKS = "OnceInTwoWeeks"
    WEEKLY = "Weekly"


class PayPeriodDefinition(Entity):
    """How the year is cut into the periods that people are paid by.

    Attributes:
        start_from_date: A day on which a period began; the kind of value is inferred.
        start_at_day_number_first: The day of the month on which one begins.
        start_at_day_number_second: The other one, where there are two a month.
    """

    name: str | None = None
    cycle: PayPeriodCycle | None = None
    start_at_day_of_week: DayOfWeek | None = None
    start_from_date: datetime.date | None = None
    start_at_day_number_first: int | None = None
    start_at_day_number_second: int | None = None
    default: bool | None = None
    organization_id: Guid | None = None
    created_at: datetime.datetime | None = None
    updated_at: datetime.datetime | None = None
