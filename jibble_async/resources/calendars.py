"""The workspace host's rules of time: schedules, holidays, policies, pay periods."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Unpack

from jibble_async.core.operation import Operation
from jibble_async.core.pager import Pager
from jibble_async.entities import (
    Calendar,
    CalendarDay,
    Entity,
    PayPeriodDefinition,
    Schedule,
    TimeOffPolicy,
)
from jibble_async.odata.operations import list_of, member_of
from jibble_async.query.days import days_between
from jibble_async.query.expressions import Expression
from jibble_async.query.vocabulary import fields
from jibble_async.resources.base import (
    ArchivableResource,
    ListOptions,
    PlainResource,
    Resource,
)

__all__ = [
    "CalendarDays",
    "Calendars",
    "PayPeriodDefinitions",
    "Schedules",
    "TimeOffPolicies",
]

_WORKSPACE = "workspace"


class Schedules(PlainResource[Schedule]):
    """When people are expected to work."""

    entity: ClassVar[type[Entity]] = Schedule
    list_operation: ClassVar[Operation] = list_of(_WORKSPACE, "Schedules")
    get_operation: ClassVar[Operation] = member_of(_WORKSPACE, "Schedules")


class Calendars(PlainResource[Calendar]):
    """The sets of holidays."""

    entity: ClassVar[type[Entity]] = Calendar
    list_operation: ClassVar[Operation] = list_of(_WORKSPACE, "Calendars")
    get_operation: ClassVar[Operation] = member_of(_WORKSPACE, "Calendars")


class CalendarDays(Resource[CalendarDay]):
    """The holidays and short days of all calendars."""

    entity: ClassVar[type[Entity]] = CalendarDay
    list_operation: ClassVar[Operation] = list_of(_WORKSPACE, "CalendarDays")
    get_operation: ClassVar[Operation] = member_of(_WORKSPACE, "CalendarDays")

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
        return self._pager([days_between(fields(CalendarDay).date, since, until), where], options)


class TimeOffPolicies(ArchivableResource[TimeOffPolicy]):
    """The kinds of time off."""

    entity: ClassVar[type[Entity]] = TimeOffPolicy
    list_operation: ClassVar[Operation] = list_of(_WORKSPACE, "TimeOffPolicies")
    get_operation: ClassVar[Operation] = member_of(_WORKSPACE, "TimeOffPolicies")


class PayPeriodDefinitions(PlainResource[PayPeriodDefinition]):
    """The periods that people are paid by."""

    entity: ClassVar[type[Entity]] = PayPeriodDefinition
    list_operation: ClassVar[Operation] = list_of(_WORKSPACE, "PayPeriodDefinitions")
    get_operation: ClassVar[Operation] = member_of(_WORKSPACE, "PayPeriodDefinitions")
