"""The time-tracking host: when people are away."""

from __future__ import annotations

import builtins
from datetime import date, datetime
from typing import Any

from jibble_async.api.listing import paging_of
from jibble_async.api.outcomes import ItemOutcome, each_of
from jibble_async.api.writing import call_once, change, moment, new
from jibble_async.core.pager import Pager
from jibble_async.core.wire import acknowledgement, reader
from jibble_async.entities import TimeOff, TimeOffInterval, TimeOffStatus
from jibble_async.errors import ConfigurationError
from jibble_async.odata.names import wire_values
from jibble_async.odata.parameters import require_guid
from jibble_async.query.days import require_span
from jibble_async.query.expressions import Expression, all_given
from jibble_async.query.values import IdLike, require_date
from jibble_async.query.vocabulary import fields
from jibble_async.resources.base import DatedListing, routes_of, rows_of

__all__ = ["TimeOffRequests"]

_ROW = fields(TimeOff)
_SERVICE = "time-tracking"
# Another set than the one that is listed.
_INTERVALS = routes_of(_SERVICE, "TimeOffIntervals", "time_off")
_BALANCES = routes_of(_SERVICE, "LeaveBalances", "time_off").listing.called("balances")


class TimeOffRequests(
    DatedListing[TimeOff],
    service=_SERVICE,
    path="TimeOffOverview",
    name="time_off",
    exportable=True,
    spans=True,
):
    """Time off: asked for, granted and refused.

    What is listed touches a span of days, whatever became of it. What begins before the span and
    ends after it is part of it; the filter that the documentation shows, by start or by end within
    the span, misses that. `person` and `policy` can be expanded.

    It is exported whole, for a span of days or for all: what lasts from one into another would
    come with both.

    Example:
        >>> pager = jibble.time_off.list(
        ...     since=monday, until=sunday, where=fields(TimeOff).status == "Approved"
        ... )
        >>> async for absence in pager:
        ...     print(absence.person_id, absence.start_date, absence.duration)
    """

    async def get(self, id: IdLike) -> TimeOffInterval:
        """The time off with this id.

        Args:
            id: A GUID; that of a listed row serves.

        Raises:
            ConfigurationError: It is not a GUID.
            NotFoundError: There is no such time off.
        """
        request = self._addressed(_INTERVALS.member, id, TimeOffInterval)
        return await self._session.call(request, reader(TimeOffInterval))

    async def request(
        self,
        person_id: IdLike,
        policy_id: IdLike,
        start: date | datetime,
        end: date | datetime | None = None,
        *,
        note: str | None = None,
    ) -> TimeOffInterval:
        """A new request for time off, by days or by hours as its policy has it.

        Args:
            person_id: For whom.
            policy_id: Under which policy.
            start: The first day; or the moment at which it begins.
            end: The last day, included, by default the first; or the moment at which it ends.
            note: A note.

        Raises:
            ConfigurationError: An id that is no GUID, a moment without a time zone or an end.
            AmbiguousWriteError: The answer was lost; it was not sent again.

        Example:
            >>> await jibble.time_off.request(person.id, policy.id, date(2026, 8, 3))
        """
        values = wire_values(
            TimeOffInterval,
            person_id=require_guid(person_id, "person_id"),
            policy_id=require_guid(policy_id, "policy_id"),
            **_span(start, end),
            note=note,
        )
        request = new(self._session, _INTERVALS.creation.called("request"), values)
        return await call_once(self._session, request, reader(TimeOffInterval))

    async def approve(self, *ids: IdLike) -> builtins.list[ItemOutcome]:
        """Grant requests, one after the other, and say what became of each.

        If the server is away or refuses for speed, the rest is not tried. A cancellation has the
        outcomes so far in its notes.

        Args:
            *ids: The requests.

        Raises:
            ConfigurationError: An id is no GUID; nothing was sent.

        Example:
            >>> for outcome in await jibble.time_off.approve(*ids):
            ...     print(outcome.id, outcome.state, outcome.error or "")
        """
        return await self._decide("approve", ids, TimeOffStatus.APPROVED)

    async def reject(self, *ids: IdLike) -> builtins.list[ItemOutcome]:
        """Refuse requests; all is as with `approve`."""
        return await self._decide("reject", ids, TimeOffStatus.REJECTED)

    async def cancel(self, *ids: IdLike) -> builtins.list[ItemOutcome]:
        """Withdraw requests; all is as with `approve`."""
        return await self._decide("cancel", ids, TimeOffStatus.CANCELLED)

    async def _decide(
        self, method: str, ids: tuple[IdLike, ...], status: TimeOffStatus
    ) -> builtins.list[ItemOutcome]:
        operation = _INTERVALS.change.called(method)
        checked = [require_guid(each, "id") for each in ids]
        decided = wire_values(TimeOffInterval, status=status)
        return await each_of(
            checked,
            lambda each: change(self._session, operation, each, decided, acknowledgement),
        )

    def _between(self, since: date | None, until: date | None) -> Expression | None:
        """The condition that something lies in a span at least in part.

        One of the two dates may be null where it is a single day (observed: time-off); the other is
        meant then.
        """
        require_span(since, until)
        first, last = _ROW.start_date, _ROW.end_date
        return all_given(
            None if until is None else (first <= until) | (first.is_null() & (last <= until)),
            None if since is None else (last >= since) | (last.is_null() & (first >= since)),
        )

    def balances(self) -> Pager[dict[str, Any]]:
        """What people have left of each kind of time off, as the server writes it.

        The set is documented, the names of its fields are not: rows come as they are.
        """
        paging = paging_of({}, self._session)
        return rows_of(self._session, _BALANCES, dict[str, Any], paging=paging)


def _span(start: date | datetime, end: date | datetime | None) -> dict[str, date]:
    if isinstance(start, datetime):
        if not isinstance(end, datetime):
            raise ConfigurationError("start= is a moment, so end= must be one, too")
        begins, ends = moment(start, "start"), moment(end, "end")
        if begins >= ends:
            raise ConfigurationError(f"start={start} is not before end={end}")
        return {"start_time": begins, "end_time": ends}
    first = require_date(start, "start")
    last = first if end is None else require_date(end, "end")
    if first > last:
        raise ConfigurationError(f"start={first} is after end={last}: exchange them")
    return {"start_date": first, "end_date": last}
