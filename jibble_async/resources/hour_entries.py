"""The time-tracking host: hours that are written down instead of clocked."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

from msgspec import UNSET, UnsetType

from jibble_async.api.listing import Deletable
from jibble_async.api.writing import call_once, new
from jibble_async.entities import ClientType, HourEntry, Platform
from jibble_async.entities.durations import duration_text
from jibble_async.errors import ConfigurationError
from jibble_async.odata.names import wire_values
from jibble_async.odata.parameters import optional_guid, require_guid
from jibble_async.query.values import IdLike, require_date
from jibble_async.resources.base import DatedListing, Resource
from jibble_async.resources.punches import made_with

__all__ = ["HourEntries"]


class HourEntries(
    DatedListing[HourEntry],
    Resource[HourEntry],
    Deletable[HourEntry],
    service="time-tracking",
    path="HourEntries",
    day="date",
    exportable=True,
):
    """Hours of a day that people write down; they are no punches.

    `person`, `activity` and `project` can be expanded.
    """

    async def create(
        self,
        person_id: IdLike,
        date: date,
        duration: timedelta,
        *,
        activity_id: IdLike | None = None,
        project_id: IdLike | None = None,
        note: str | None = None,
        platform: Platform | None = None,
    ) -> HourEntry:
        """A new hour entry; it is sent once.

        Args:
            person_id: Who.
            date: The working day.
            duration: How long, more than nothing.
            activity_id: The kind of work.
            project_id: What the work was for.
            note: A note.
            platform: What it is made with; by default this library on this system.

        Raises:
            ConfigurationError: An id that is no GUID, no date, or a length that is none.
            AmbiguousWriteError: The answer was lost; its `nonce` is in the entry's
                `platform.event_id`, if it was made.

        Example:
            >>> await jibble.hour_entries.create(person.id, date(2026, 7, 31), timedelta(hours=2))
        """
        nonce = str(uuid.uuid4())
        values = wire_values(
            HourEntry,
            person_id=require_guid(person_id, "person_id"),
            date=require_date(date, "date"),
            duration=_length(duration),
            client_type=ClientType.WEB,
            platform=made_with(platform, nonce),
            activity_id=optional_guid(activity_id, "activity_id"),
            project_id=optional_guid(project_id, "project_id"),
            note=note,
        )
        request = new(self._session, self.routes.creation, values)
        return await call_once(self._session, request, self._reader(), nonce=nonce)

    async def update(
        self,
        id: IdLike,
        *,
        date: date | UnsetType = UNSET,
        duration: timedelta | UnsetType = UNSET,
        activity_id: IdLike | UnsetType | None = UNSET,
        project_id: IdLike | UnsetType | None = UNSET,
        note: str | UnsetType | None = UNSET,
    ) -> None:
        """Change what is given of an entry; None clears it, and the rest is left.

        Args:
            id: The entry's.
            date: The working day; can't be cleared.
            duration: How long; can't be cleared.
            activity_id: The kind of work.
            project_id: What the work was for.
            note: The note.

        Raises:
            ConfigurationError: Nothing is given, an id is no GUID, no date, or a length that is
                none.
            NotFoundError: There is no such entry.
        """
        await self._change(
            id,
            date=date if isinstance(date, UnsetType) else require_date(date, "date"),
            duration=duration if isinstance(duration, UnsetType) else _length(duration),
            activity_id=optional_guid(activity_id, "activity_id"),
            project_id=optional_guid(project_id, "project_id"),
            note=note,
        )


def _length(value: Any) -> str:
    if not isinstance(value, timedelta) or value <= timedelta(0):
        raise ConfigurationError(
            f"duration={value!r}: give a timedelta above 0, such as timedelta(hours=2)"
        )
    return duration_text(value)
