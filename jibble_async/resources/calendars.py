"""The workspace host's rules of time: schedules, holidays, policies, pay periods."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Unpack

from jibble_async.api.listing import ListOptions
from jibble_async.core.pager import Pager
from jibble_async.entities import (
    Calendar,
    CalendarDay,
    PayPeriodDefinition,
    Schedule,
    TimeOffPolicy,
)
from jibble_async.query.expressions import Expression
from jibble_async.resources.base import ArchivableResource, PlainResource, Resource

__all__ = [
    "CalendarDays",
    "Calendars",
    "PayPeriodDefinitions",
    "Schedules",
    "TimeOffPolicies",
]


class Schedules(PlainResource[Schedule], path="Schedules"):
    """When people are expected to work."""

    exportable: ClassVar[bool] = True


class Calendars(PlainResource[Calendar], path="Calendars"):
    """The sets of holidays."""

    exportable: ClassVar[bool] = True


class CalendarDays(Resource[CalendarDay], path="CalendarDays"):
    """The holidays and short days of all calendars."""

    exportable: ClassVar[bool] = True
    day: ClassVar[str | None] = "date"

    def list(
        self,
        *,
        since: date | None = None,
        until: date | None = None,
        where: Expression | None = None,
        **options: Unpack[ListOptions],
    ) -> Pager[CalendarDay]:
        """The holidays of a span of days.

        Args:
            since: The first day.
            until: The last day, included.
            where: A further condition, such as `fields(CalendarDay).calendar_id == calendar.id`.
            **options: See `ListOptions`.

        Raises:
            ConfigurationError: An argument that can't be used, such as `since` after `until`.

        Example:
            >>> year = jibble.calendar_days.list(since=date(2026, 1, 1), until=date(2026, 12, 31))
            >>> async for day in year:
            ...     print(day.date, day.name)
        """
        return self._pager([self._between(since, until), where], options)


class TimeOffPolicies(ArchivableResource[TimeOffPolicy], path="TimeOffPolicies"):
    """The kinds of time off."""

    exportable: ClassVar[bool] = True


class PayPeriodDefinitions(PlainResource[PayPeriodDefinition], path="PayPeriodDefinitions"):
    """The periods that people are paid by."""

    exportable: ClassVar[bool] = True
