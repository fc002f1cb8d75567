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
    """A set of holidays."""

    name: str | None = None
    """What it is called."""
    default: bool | None = None
    """Whether it is that of everybody who has no other."""
    import_source_id: Guid | None = None
    """Where its days were imported from."""
    calendar_import_source_extra_option: str | None = None
    """What else was chosen of that source."""
    auto_sync: bool | None = None
    """Whether its days are imported again by themselves."""
    organization_id: Guid | None = None
    """The organisation that it belongs to."""
    created_at: datetime.datetime | None = None
    """When it was made, in UTC."""
    updated_at: datetime.datetime | None = None
    """When it was last changed, in UTC."""
    last_refreshed_at: datetime.datetime | None = None
    """When they were last imported."""


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
    """The id."""
    name: str | None = None
    """The name."""


class DayRule(ValueObject):
    """How a short day changes a schedule."""

    schedule_property: ScheduleProperty | None = None
    """What of a schedule it changes."""
    operation: ScheduleRuleOperation | None = None
    """How it changes it."""
    span_value: datetime.timedelta | None = None
    """The length of time it speaks of, if it speaks of one."""
    time_of_day_value: datetime.time | None = None
    """The time of day it speaks of, if it speaks of one."""
    apply_to: RuleScope | None = None
    """Whether all schedules are meant."""
    schedules: list[NamedReference] | None = None
    """Those that are meant, if not all are."""


class CalendarDay(Entity):
    """A holiday, or a day that is shorter than others."""

    calendar_id: Guid | None = None
    """The calendar that it stands in."""
    date: datetime.date | None = None
    """The day."""
    name: str | None = None
    """What is celebrated."""
    status: CalendarDayStatus | None = None
    """How it came into its calendar."""
    is_short_day: bool | None = None
    """Whether people work, but less."""
    rules: list[DayRule] | None = None
    """What a short day changes."""
    created_at: datetime.datetime | None = None
    """When it was made, in UTC."""
    updated_at: datetime.datetime | None = None
    """When it was last changed, in UTC."""
    calendar: Calendar | None = None
    """The calendar itself; only when expanded."""


class PersonHoliday(ValueObject):
    """A holiday as it holds for one person; it has no id.

    Programs that run ask for it (observed: calendars).
    """

    date: datetime.date | None = None
    """The day."""
    name: str | None = None
    """What is celebrated."""
    is_short_day: bool | None = None
    """Whether the person works, but less."""
    rules: list[DayRule] | None = None
    """What a short day changes."""


class PayPeriodCycle(OpenEnum):
    """How often people are paid."""

    MONTHLY = "Monthly"
    TWICE_IN_MONTH = "TwiceInMonth"
    ONCE_IN_TWO_WEEKS = "OnceInTwoWeeks"
    WEEKLY = "Weekly"


class PayPeriodDefinition(Entity):
    """How the year is cut into the periods that people are paid by."""

    name: str | None = None
    """What it is called."""
    cycle: PayPeriodCycle | None = None
    """How often people are paid."""
    start_at_day_of_week: DayOfWeek | None = None
    """The weekday on which a period begins, if weeks are meant."""
    start_from_date: datetime.date | None = None
    """A day on which a period began; the kind of value is inferred."""
    start_at_day_number_first: int | None = None
    """The day of the month on which one begins."""
    start_at_day_number_second: int | None = None
    """The other one, where there are two a month."""
    default: bool | None = None
    """Whether it is that of everybody who has no other."""
    organization_id: Guid | None = None
    """The organisation that it belongs to."""
    created_at: datetime.datetime | None = None
    """When it was made, in UTC."""
    updated_at: datetime.datetime | None = None
    """When it was last changed, in UTC."""
