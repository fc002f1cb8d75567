"""When people work, as the old API knows it: clocking in and clocking out."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Unpack

from msgspec import UNSET, UnsetType

from jibble_async.api.listing import ListOptions
from jibble_async.api.punches import NEAR, sent
from jibble_async.core.pager import Pager
from jibble_async.entities import EntryType
from jibble_async.errors import ConfigurationError
from jibble_async.query.expressions import Expression
from jibble_async.query.values import require_aware
from jibble_legacy.days import WorkingDays
from jibble_legacy.entities import LegacyTimeEntry
from jibble_legacy.query_fields import fields
from jibble_legacy.resources.base import LegacyResource, optional_id, refusal, require_id
from jibble_legacy.resources.punches import LegacyPunch, LegacyPunchOptions
from jibble_legacy.resources.workspace import People
from jibble_legacy.session import LegacySession

__all__ = ["LegacyTimeEntries"]

_FIELDS = fields(LegacyTimeEntry)
# How many of a person's entries are looked through for a nonce.
_LATEST = 100


class LegacyTimeEntries(
    LegacyResource[LegacyTimeEntry],
    path="timeentries",
    name="time_entries",
    day="belongs_to_date",
):
    """The punches: every clocking in and out."""

    def list(
        self,
        *,
        since: date | None = None,
        until: date | None = None,
        where: Expression | None = None,
        **options: Unpack[ListOptions],
    ) -> Pager[LegacyTimeEntry]:
        """The time entries of a span of working days, in the order of time unless told.

        With the client's `timezone=` entries have `local_time`, `offset` and `belongs_to_date`,
        none of which the old API knows: see `jibble_legacy.days`.

        Args:
            since: The first day, by `belongs_to_date`: the working day, not the UTC date.
            until: The last day, included.
            where: A further condition. One that hides the Ins of shifts over midnight also hides
                which day their Outs belong to.
            **options: See `ListOptions`, and `PlainLegacyResource.list`.

        Raises:
            ConfigurationError: An argument that can't be used; days, but no `timezone=`.
            NotSupportedError: Something that the old API has no words for.

        Example:
            >>> pager = jibble.time_entries.list(
            ...     since=date(2018, 6, 1), until=date(2018, 6, 30), expand=["person"]
            ... )
        """
        days = self._session.days
        return self._pager([where], options, days=days, between=(since, until))

    def _check(self, days: WorkingDays | None) -> Callable[[], Awaitable[None]] | None:
        """Whether everybody has a zone, if not all have one."""
        if days is None or days.for_everybody:
            return None
        return functools.partial(_require_zones, self._session, days)

    async def latest(self, person_id: str) -> LegacyTimeEntry | None:
        """A person's latest entry, which says whether they are at work; None if there is none.

        Args:
            person_id: The person's.

        Raises:
            ConfigurationError: It is no id of the old API.

        Example:
            >>> entry = await jibble.time_entries.latest(person.id)
            >>> at_work = entry is not None and entry.type == EntryType.IN
        """
        mine = _FIELDS.person_id == require_id(person_id, "person_id")
        # Without working days, which looking backwards can't tell.
        newest = self._pager([mine], {"order_by": _FIELDS.time.desc()})
        return await newest.first()

    async def clock_in(
        self,
        person_id: str | None,
        *,
        at: datetime | None = None,
        **options: Unpack[LegacyPunchOptions],
    ) -> LegacyTimeEntry:
        """The entry with which a person begins work.

        It is sent once. If the answer is lost, the entry is looked up by what only it can have;
        that takes as long again as a call may take.

        Args:
            person_id: Who; None for whom the token belongs to (inferred).
            at: The moment, in any time zone, to the millisecond; by default the server's now.
            **options: See `LegacyPunchOptions`.

        Raises:
            ConfigurationError: An id that is none of the old API's, a moment without a time zone.
            AmbiguousWriteError: The answer was lost, and so is what became of it.

        Example:
            >>> entry = await jibble.time_entries.clock_in(person.id, note="site B")
        """
        return await self._punch(EntryType.IN, person_id, at, options, "clock_in")

    async def clock_out(
        self,
        person_id: str | None,
        *,
        at: datetime | None = None,
        **options: Unpack[LegacyPunchOptions],
    ) -> LegacyTimeEntry:
        """The entry with which a person ends work; all is as with `clock_in`."""
        return await self._punch(EntryType.OUT, person_id, at, options, "clock_out")

    async def create(
        self,
        person_id: str | None,
        type: EntryType | str,
        at: datetime,
        **options: Unpack[LegacyPunchOptions],
    ) -> LegacyTimeEntry:
        """A back-dated entry; sent as `clock_in` is, whose errors it may raise.

        Args:
            person_id: Who; None for whom the token belongs to (inferred).
            type: What it marks: `In` or `Out`.
            at: The moment, in any time zone, to the millisecond.
            **options: See `LegacyPunchOptions`.

        Raises:
            NotSupportedError: The old API has no such kind of entry.
        """
        # Without it the server would take its own now.
        return await self._punch(type, person_id, require_aware(at, "at"), options, "create")

    async def update(
        self,
        id: str,
        *,
        activity_id: str | UnsetType = UNSET,
        client_id: str | UnsetType = UNSET,
        note: str | UnsetType = UNSET,
    ) -> LegacyTimeEntry:
        """An entry after a change of what is given; the rest is left, and can't be changed.

        Args:
            id: The entry's.
            activity_id: The kind of work.
            client_id: For whom it was done.
            note: The note.

        Raises:
            ConfigurationError: Nothing is given, or an id is none of the old API's.
            NotFoundError: There is no such entry.
        """
        return await self._change(
            id,
            activity_id=optional_id(activity_id, "activity_id"),
            client_id=optional_id(client_id, "client_id"),
            note=note,
        )

    start_break: Any = refusal(
        "time_entries.start_break()",
        "the old API knows clocking in and out only: use clock_out()",
    )
    archive: Any = refusal(
        "time_entries.archive()",
        "the old API keeps nothing that is deleted: use delete(), which is for good",
    )

    async def _punch(
        self,
        type: EntryType | str,
        person_id: str | None,
        at: datetime | None,
        options: LegacyPunchOptions,
        method: str,
    ) -> LegacyTimeEntry:
        punch = LegacyPunch.make(type, person_id, datetime.now(UTC), options, at=at)
        # Where the moment is left to the server, among the newest, so that a wrong clock here
        # does not matter. A row that can't be read must not hide the others.
        near = timedelta(seconds=NEAR)
        mine = None if punch.person_id is None else _FIELDS.person_id == punch.person_id
        then = None if punch.at is None else _FIELDS.time.between(punch.at - near, punch.at + near)
        newest: ListOptions = {
            "order_by": _FIELDS.time.desc(),
            "limit": _LATEST,
            "on_bad_row": lambda _, __: None,
        }
        pager = self._pager([mine, then], newest)
        operation = self.routes.creation.called(method)
        return await sent(self._session, operation, punch, self._reader(), pager)


async def _require_zones(session: LegacySession, days: WorkingDays) -> None:
    """Refuse to begin what a person without a zone would end, perhaps hours later."""
    people = await People(session).list().collect()
    missing = days.missing(person.id for person in people)
    if missing:
        raise ConfigurationError(
            f"timezone= has no zone for {len(missing)} of {len(people)} people: "
            f"{', '.join(missing[:10])}{', …' if len(missing) > 10 else ''}; give one for each, "
            "or one for the empty id, which stands for everybody else"
        )
