"""The time-tracking host: when people are away."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Unpack

from jibble_async.core.operation import Operation
from jibble_async.core.pager import Pager
from jibble_async.entities import TimeOff, TimeOffInterval
from jibble_async.odata.envelope import reader
from jibble_async.odata.pages import ODataPages
from jibble_async.query.expressions import Expression, all_of
from jibble_async.query.vocabulary import fields
from jibble_async.resources.base import (
    Listing,
    ListOptions,
    addressed,
    list_of,
    member_of,
)
from jibble_async.resources.parameters import require_span

__all__ = ["TimeOffRequests"]

_SERVICE = "time-tracking"
_BALANCES = list_of(_SERVICE, "LeaveBalances")


class TimeOffRequests(Listing[TimeOff]):
    """Time off: asked for, granted and refused.

    Attributes:
        get_operation: How one is asked for; it is another set than the one that is listed.
    """

    entity: ClassVar[type[Any]] = TimeOff
    list_operation: ClassVar[Operation] = list_of(_SERVICE, "TimeOffOverview")
    get_operation: ClassVar[Operation] = member_of(_SERVICE, "TimeOffIntervals")

    def list(
        self,
        *,
        since: date | None = None,
        until: date | None = None,
        where: Expression | None = None,
        **options: Unpack[ListOptions],
    ) -> Pager[TimeOff]:
        """The time off that touches a span of days, whatever became of it.

        What begins before the span and ends after it is part of it. The filter that the
        documentation shows, by start or by end within the span, misses that.

        Args:
            since: The first day.
            until: The last day, included.
            where: A further condition, such as `fields(TimeOff).status == "Pending"`.
            **options: See `ListOptions`; `person` and `policy` can be expanded.

        Raises:
            ConfigurationError: An argument that can't be used, such as `since` after `until`.

        Example:
            >>> pager = jibble.time_off.list(
            ...     since=monday, until=sunday, where=fields(TimeOff).status == "Approved"
            ... )
            >>> async for absence in pager:
            ...     print(absence.person_id, absence.start_date, absence.duration)
        """
        return self._pager([_touching(since, until), where], **options)

    async def get(self, id: str) -> TimeOffInterval:  # noqa: A002 - the field's name
        """The time off with this id.

        Args:
            id: A GUID; that of a listed row serves.

        Raises:
            ConfigurationError: It is not a GUID.
            NotFoundError: There is no such time off.
        """
        request = addressed(self._session, self.get_operation, id, "TimeOffInterval")
        interval: TimeOffInterval = await self._session.call(request, reader(TimeOffInterval))
        return interval

    def balances(self) -> Pager[dict[str, Any]]:
        """What people have left of each kind of time off, as the server writes it.

        The set is documented, the names of its fields are not: rows come as they are.
        """
        source: ODataPages[dict[str, Any]] = ODataPages(
            _BALANCES,
            self._session.base(_SERVICE),
            dict[str, Any],
            page_size=self._session.default_page_size,
        )
        return Pager(source, self._session)


def _touching(since: date | None, until: date | None) -> Expression | None:
    """The condition that something lies in a span at least in part.

    One of the two dates may be null where it is a single day (observed); the other is meant then.
    """
    require_span(since, until)
    row = fields(TimeOff)
    bounds: list[Expression] = []
    if until is not None:
        bounds.append(
            (row.start_date <= until) | (row.start_date.is_null() & (row.end_date <= until))
        )
    if since is not None:
        bounds.append(
            (row.end_date >= since) | (row.end_date.is_null() & (row.start_date >= since))
        )
    return all_of(bounds) if bounds else None
