"""The time-tracking host: when people work."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Unpack

from jibble_async.core.operation import Operation, Safety
from jibble_async.core.pager import Pager
from jibble_async.entities import Entity, EntryStatus, TimeEntry
from jibble_async.odata.envelope import optional_reader
from jibble_async.query.expressions import Expression
from jibble_async.query.vocabulary import fields
from jibble_async.resources.base import ListOptions, Resource, addressed, list_of
from jibble_async.resources.parameters import days_between

__all__ = ["TimeEntries", "entries_between"]

_FIELDS = fields(TimeEntry)
_LATEST = Operation("time-tracking", "GET", "/v1/People({id})/LatestTimeEntry", Safety.READ)
_NOT_ARCHIVED = _FIELDS.status != EntryStatus.ARCHIVED


class TimeEntries(Resource[TimeEntry]):
    """The punches: every clocking in, out, and going on a break."""

    entity: ClassVar[type[Entity]] = TimeEntry
    list_operation: ClassVar[Operation] = list_of("time-tracking", "TimeEntries")
    # The documentation addresses a time entry so when it changes one, not in parentheses.
    get_operation: ClassVar[Operation] = Operation(
        "time-tracking", "GET", "/v1/TimeEntries/{id}", Safety.READ
    )

    def list(
        self,
        *,
        since: date | None = None,
        until: date | None = None,
        where: Expression | None = None,
        include_archived: bool = False,
        **options: Unpack[ListOptions],
    ) -> Pager[TimeEntry]:
        """The time entries of a span of working days, archived ones left out unless asked for.

        Args:
            since: The first day, by `belongs_to_date`: the working day, not the UTC date.
            until: The last day, included.
            where: A further condition.
            include_archived: Whether deleted entries come along.
            **options: See `ListOptions`.

        Raises:
            ConfigurationError: An argument that can't be used, such as `since` after `until`.

        Example:
            >>> T = fields(TimeEntry)
            >>> pager = jibble.time_entries.list(
            ...     since=date(2026, 10, 1), until=date(2026, 10, 31), expand=["project"]
            ... )
            >>> async for entry in pager:
            ...     print(entry.local_time, entry.type)
        """
        archived = None if include_archived else _NOT_ARCHIVED
        return self._pager([entries_between(since, until), where, archived], **options)

    async def latest(self, person_id: str) -> TimeEntry | None:
        """A person's latest entry, which says whether they are at work; None if there is none.

        Args:
            person_id: A GUID.

        Raises:
            ConfigurationError: It is not a GUID.
            NotFoundError: There is no such person.

        Example:
            >>> entry = await jibble.time_entries.latest(person.id)
            >>> at_work = entry is not None and entry.type == EntryType.IN
        """
        request = addressed(self._session, _LATEST, person_id, "Person")
        entry: TimeEntry | None = await self._session.call(request, optional_reader(TimeEntry))
        return entry


def entries_between(since: date | None, until: date | None) -> Expression | None:
    """The condition that an entry's working day is in a span; None without bounds.

    Args:
        since: The first day.
        until: The last day, included.

    Raises:
        ConfigurationError: One is no date, or they are the wrong way round.
    """
    return days_between(_FIELDS.belongs_to_date, since, until)
