"""The time-tracking host: when people work."""

from __future__ import annotations

import builtins
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar, Unpack, overload

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from jibble_async.api.listing import Deletable, ListOptions, Routes, WholeRows
from jibble_async.api.punches import sent
from jibble_async.api.writing import call_once, new, noting_cancellation
from jibble_async.core.operation import Operation, Safety
from jibble_async.core.pager import Pager
from jibble_async.core.wire import optional_reader
from jibble_async.entities import (
    EntryStatus,
    EntryType,
    FullTimeEntry,
    OpenEnum,
    Person,
    TimeEntry,
    WorkingNow,
)
from jibble_async.odata.parameters import optional_guid, require_guid
from jibble_async.query.expressions import Expression
from jibble_async.query.values import IdLike, require_aware, require_date
from jibble_async.query.vocabulary import fields
from jibble_async.resources.base import Resource, routes_of, rows_of
from jibble_async.resources.punches import EntryPunch, PunchOptions, clock_offset

__all__ = ["TimeEntries"]

_FIELDS = fields(TimeEntry)
_LATEST = Operation(
    "time-tracking",
    "GET",
    "/v1/People({id})/LatestTimeEntry",
    Safety.READ,
    name="time_entries.latest",
)
_ROUTES = replace(
    # The documentation addresses a time entry so when it changes one, not in parentheses.
    Routes.of("time-tracking", "/v1/TimeEntries", "/v1/TimeEntries/{id}", name="time_entries"),
    # In parentheses: so it was seen to be done.
    deletion=routes_of("time-tracking", "TimeEntries", "time_entries").deletion,
)
_WORKING = Operation(
    "time-tracking", "GET", "/v1/WhoIsWorkingNow", Safety.READ, name="time_entries.working_now"
)
# How many of a person's latest entries are looked through for a nonce.
_NEWEST = 50
_SENDING = replace(_ROUTES.creation.called("send"), safety=Safety.FINDABLE)


class TimeEntries(
    Resource[FullTimeEntry],
    Deletable[FullTimeEntry],
    routes=_ROUTES,
    exportable=True,
    day="belongs_to_date",
):
    """The punches: every clocking in, out, and going on a break."""

    archived: ClassVar[OpenEnum | None] = EntryStatus.ARCHIVED

    @overload
    def list(
        self,
        *,
        since: date | None = None,
        until: date | None = None,
        where: Expression | None = None,
        include_archived: bool = False,
        **options: Unpack[WholeRows],
    ) -> Pager[FullTimeEntry]: ...

    @overload
    def list(
        self,
        *,
        since: date | None = None,
        until: date | None = None,
        where: Expression | None = None,
        include_archived: bool = False,
        **options: Unpack[ListOptions],
    ) -> Pager[TimeEntry]: ...

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
        current = None if include_archived else self.current()
        return self._pager([self._between(since, until), where, current], options)

    async def latest(self, person_id: IdLike) -> TimeEntry | None:
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
        request = self._addressed(_LATEST, person_id, Person)
        return await self._session.call(request, optional_reader(TimeEntry))

    def working_now(self) -> Pager[WorkingNow]:
        """The people who are at work now, in the server's order.

        What a row holds is not documented: see `WorkingNow`.

        Example:
            >>> async for person in jibble.time_entries.working_now():
            ...     print(person.full_name, person.time)
        """
        return rows_of(self._session, _WORKING, WorkingNow)

    async def clock_in(
        self,
        person_id: IdLike,
        *,
        at: datetime | None = None,
        auto_clock_out_at: datetime | None = None,
        **options: Unpack[PunchOptions],
    ) -> TimeEntry:
        """The entry with which a person begins work, or ends a break.

        It is sent once. If the answer is lost, the entry is looked up by what only it can have;
        that takes as long again as a call may take.

        Args:
            person_id: Who.
            at: The moment, in any time zone; by default the server's now.
            auto_clock_out_at: When the server is to clock out by itself; was not seen with `at`.
            **options: See `PunchOptions`.

        Raises:
            ConfigurationError: An id that is no GUID, a moment without a time zone.
            ConflictError: Another entry has the id that was given.
            AmbiguousWriteError: The answer was lost, and so is what became of it.

        Example:
            >>> entry = await jibble.time_entries.clock_in(person.id, project_id=project.id)
        """
        return await self._punch(
            "clock_in",
            EntryType.IN,
            person_id,
            at,
            options,
            auto_clock_out_at=auto_clock_out_at,
        )

    async def clock_out(
        self, person_id: IdLike, *, at: datetime | None = None, **options: Unpack[PunchOptions]
    ) -> TimeEntry:
        """The entry with which a person ends work; all is as with `clock_in`."""
        return await self._punch("clock_out", EntryType.OUT, person_id, at, options)

    async def start_break(
        self, person_id: IdLike, *, at: datetime | None = None, **options: Unpack[PunchOptions]
    ) -> TimeEntry:
        """The entry with which a person goes on a break until `clock_in`, as which it is sent."""
        return await self._punch("start_break", EntryType.START_BREAK, person_id, at, options)

    async def create(
        self,
        person_id: IdLike,
        type: EntryType | str,
        at: datetime,
        belongs_to_date: date,
        **options: Unpack[PunchOptions],
    ) -> TimeEntry:
        """A back-dated entry; sent as `clock_in` is, whose errors it may raise.

        Args:
            person_id: Who.
            type: What it marks.
            at: The moment, in any time zone.
            belongs_to_date: The working day it counts for.
            **options: See `PunchOptions`.
        """
        # Without them the server would take its own now.
        at, day = require_aware(at, "at"), require_date(belongs_to_date, "belongs_to_date")
        return await self._punch("create", type, person_id, at, options, belongs_to_date=day)

    def prepare(
        self,
        person_id: IdLike,
        type: EntryType | str,
        at: datetime,
        belongs_to_date: date,
        *,
        offset: timedelta,
        nonce: IdLike | None = None,
        **options: Unpack[PunchOptions],
    ) -> EntryPunch:
        """A back-dated entry to be sent with `send`, whose marks can be kept before it is.

        Equal arguments with an `id` make equal requests, so whatever was kept of them is enough to
        make it again after a crash. It says what back-dated entries were seen to be taken with
        (observed: punches): `time`, `offset`, `belongsToDate`, `isManual` and `status`.

        Args:
            person_id: Who.
            type: What it marks.
            at: The moment, in any time zone.
            belongs_to_date: The working day it counts for.
            offset: What the person's clock was ahead of UTC.
            nonce: The GUID that is sent as `platform.event_id`; by default the id.
            **options: See `PunchOptions`. An `id` must be one that no other entry was given.

        Raises:
            ConfigurationError: An id that is no GUID, a moment without a time zone, an offset that
                no clock has.

        Example:
            >>> key = uuid5(namespace, old_id)
            >>> punch = jibble.time_entries.prepare(
            ...     person.id, "In", moment, day, offset=timedelta(hours=2), id=key
            ... )
        """
        entry_id = require_guid(options.get("id") or uuid.uuid4(), "id")
        options["id"] = entry_id
        return EntryPunch.make(
            type,
            person_id,
            datetime.now(UTC),
            options,
            at=require_aware(at, "at"),
            belongs_to_date=require_date(belongs_to_date, "belongs_to_date"),
            nonce=require_guid(entry_id if nonce is None else nonce, "nonce").lower(),
            offset=clock_offset(offset),
            is_manual=True,
            status=EntryStatus.ACTIVE,
        )

    async def send(self, punch: EntryPunch) -> TimeEntry:
        """The entry that a prepared punch makes; it is sent once, and not looked up.

        It goes on a kept connection (`Safety.FINDABLE`), which costs two round trips less than one
        of its own, and is lost more often. Whether it is sent again is for the caller to decide:
        `near` shows what is there, and `punch.made(entry)` says whether an entry is this one. Not
        finding it proves nothing as long as the server may still be at it.

        Args:
            punch: What `prepare` made.

        Raises:
            ConflictError: An entry has its id; perhaps this one, from another time that it was
                sent.
            AmbiguousWriteError: The answer was lost; it has the id and the nonce.
            JibbleError: With `maybe_processed` False, it was surely not done.

        Example:
            >>> try:
            ...     entry = await jibble.time_entries.send(punch)
            ... except (AmbiguousWriteError, ConflictError):
            ...     there = await jibble.time_entries.near(person.id, moment)
            ...     found = [each for each in there if punch.made(each)]
        """
        request = new(self._session, _SENDING, punch.values)
        with noting_cancellation(punch.trace):
            return await call_once(
                self._session, request, self._reader(), nonce=punch.nonce, sent_id=punch.id
            )

    async def near(
        self, person_id: IdLike, at: datetime, *, within: timedelta = timedelta(seconds=1)
    ) -> builtins.list[TimeEntry]:
        """A person's entries at a moment, archived ones too: what tells entries without marks.

        One request, however many entries the person has.

        Args:
            person_id: Who.
            at: The moment, in any time zone.
            within: How far from it an entry may be, as the server may keep whole seconds only.

        Raises:
            ConfigurationError: An id that is no GUID, a moment without a time zone.
            DecodeError: A row that can't be read: without it nothing could be said of what is
                there.

        Example:
            >>> twins = [
            ...     entry
            ...     for entry in await jibble.time_entries.near(person.id, moment)
            ...     if entry.type == "In"
            ... ]
        """
        moment = require_aware(at, "at")
        mine = _FIELDS.person_id == require_guid(person_id, "person_id")
        then = _FIELDS.time.between(moment - within, moment + within)
        return [*await self.list(where=mine & then, include_archived=True).collect()]

    async def update(
        self,
        id: IdLike,
        *,
        activity_id: IdLike | UnsetType | None = UNSET,
        project_id: IdLike | UnsetType | None = UNSET,
        note: str | UnsetType | None = UNSET,
    ) -> None:
        """Change what is given of an entry; None clears it, and the rest is left.

        Args:
            id: The entry's.
            activity_id: The kind of work.
            project_id: What the work was for.
            note: The note.

        Raises:
            ConfigurationError: Nothing is given, or an id is no GUID.
            NotFoundError: There is no such entry.
        """
        await self._change(
            id,
            activity_id=optional_guid(activity_id, "activity_id"),
            project_id=optional_guid(project_id, "project_id"),
            note=note,
        )

    async def archive(self, id: IdLike) -> None:
        """Put an entry away as Jibble does when it deletes one: it is kept, and no longer counts.

        Args:
            id: The entry's.

        Raises:
            ConfigurationError: It is not a GUID.
            NotFoundError: There is no such entry.
        """
        await self._change(id, method="archive", status=self.archived)

    async def _punch(
        self,
        method: str,
        type: EntryType | str,
        person_id: IdLike,
        at: datetime | None,
        options: PunchOptions,
        **more: Any,
    ) -> TimeEntry:
        punch = EntryPunch.make(type, person_id, datetime.now(UTC), options, at=at, **more)
        # By when the server made them, so that neither a back-dated one nor a wrong clock here
        # matters. In full, for `platform`; a row that can't be read must not hide the others.
        newest = self.list(
            where=_FIELDS.person_id == punch.person_id,
            include_archived=True,
            order_by=_FIELDS.created_at.desc(),
            page_size=_NEWEST,
            limit=_NEWEST,
            on_bad_row=lambda _, __: None,
        )
        operation = self.routes.creation.called(method)
        return await sent(self._session, operation, punch, self._reader(), newest, self.get)
