"""The workspace host's rules of time: schedules, holidays, policies, pay periods."""

from __future__ import annotations

from jibble_async.entities import (
    Calendar,
    CalendarDay,
    PayPeriodDefinition,
    Schedule,
    TimeOffPolicy,
)
from jibble_async.resources.base import ArchivableResource, DatedListing, PlainResource, Resource

__all__ = [
    "CalendarDays",
    "Calendars",
    "PayPeriodDefinitions",
    "Schedules",
    "TimeOffPolicies",
]


class Schedules(PlainResource[Schedule], path="Schedules", exportable=True):
    """When people are expected to work."""


class Calendars(PlainResource[Calendar], path="Calendars", exportable=True):
    """The sets of holidays."""


class CalendarDays(
    DatedListing[CalendarDay],
    Resource[CalendarDay],
    path="CalendarDays",
    day="date",
    exportable=True,
):
    """The holidays and short days of all calendars.

    Example:
        >>> year = jibble.calendar_days.list(since=date(2026, 1, 1), until=date(2026, 12, 31))
        >>> async for day in year:
        ...     print(day.date, day.name)
    """


class TimeOffPolicies(ArchivableResource[TimeOffPolicy], path="TimeOffPolicies", exportable=True):
    """The kinds of time off."""


class PayPeriodDefinitions(
    PlainResource[PayPeriodDefinition], path="PayPeriodDefinitions", exportable=True
):
    """The periods that people are paid by."""
