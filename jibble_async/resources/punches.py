"""Punches of the current API: an id and a nonce are sent, and the entry is found again by either.

See `jibble_async.api.punches`.
"""

from __future__ import annotations

import sys
import uuid
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Self, TypedDict

import msgspec

from jibble_async.api.listing import require_known
from jibble_async.api.punches import Punch
from jibble_async.api.writing import moment, place
from jibble_async.entities import ClientType, Coordinates, EntryType, Platform, TimeEntry
from jibble_async.entities.durations import duration_text
from jibble_async.errors import ConfigurationError
from jibble_async.odata.names import wire_values
from jibble_async.odata.parameters import optional_guid, require_guid
from jibble_async.query.values import IdLike, require_aware

__all__ = ["EntryPunch", "PunchOptions", "clock_offset", "made_with"]

# What the documented requests say of themselves; which of it the server insists on is unknown.
_PLATFORM = {
    "client_version": "jibble-async",
    "os": sys.platform,
    "device_model": None,
    "device_name": "jibble-async",
}

# As far as .NET's moments let a clock on the wall be from UTC.
_FARTHEST = timedelta(hours=14)


class PunchOptions(TypedDict, total=False):
    """What any punch may say beside who and what."""

    activity_id: IdLike | None
    """The kind of work."""
    project_id: IdLike | None
    """What the work is for."""
    location_id: IdLike | None
    """Where it is done."""
    note: str | None
    """A note."""
    coordinates: Coordinates | None
    """Where on the earth."""
    platform: Platform | None
    """What it is made with; by default this library on this system. Its `event_id` is not for
    choosing: by that a punch is found again."""
    id: IdLike | None
    """The id that the entry should have, a GUID; by default a new one. The server need not keep it.
    """


class EntryPunch(Punch[TimeEntry], frozen=True, kw_only=True):
    """A punch of the current API."""

    nonce_place: ClassVar[str] = "platform.event_id"

    @classmethod
    def make(
        cls,
        type: EntryType | str,
        person_id: IdLike,
        now: datetime,
        options: PunchOptions,
        *,
        at: datetime | None = None,
        belongs_to_date: date | None = None,
        auto_clock_out_at: datetime | None = None,
        nonce: str | None = None,
        **more: Any,
    ) -> Self:
        """A punch with an id and a nonce; `TimeEntries.create` says what the arguments are.

        Args:
            type: What it marks.
            person_id: Whose it is.
            now: When it is made.
            options: See `PunchOptions`.
            at: Its moment.
            belongs_to_date: Its working day.
            auto_clock_out_at: When the server is to clock out.
            nonce: What it is found again by, if the caller chose that: then the id, too, is one
                that no other entry has.
            **more: Further fields of the entry.

        Raises:
            ConfigurationError: An option that there is not, an id that is no GUID, a moment
                without a time zone, a platform with an event.
        """
        require_known(options, PunchOptions)
        if auto_clock_out_at is not None:
            auto_clock_out_at = require_aware(auto_clock_out_at, "auto_clock_out_at")
        person_id = require_guid(person_id, "person_id")
        chosen = options.get("id")
        entry_id = str(uuid.uuid4()) if chosen is None else require_guid(chosen, "id").lower()
        ours = chosen is None or nonce is not None
        nonce = str(uuid.uuid4()) if nonce is None else nonce
        time = None if at is None else moment(at, "at")
        values = wire_values(
            TimeEntry,
            id=entry_id,
            type=str(type),
            person_id=person_id,
            client_type=ClientType.WEB,
            time=time,
            belongs_to_date=belongs_to_date,
            auto_clock_out_time=auto_clock_out_at,
            coordinates=place(options.get("coordinates")),
            note=options.get("note"),
            platform=made_with(options.get("platform"), nonce),
            activity_id=optional_guid(options.get("activity_id"), "activity_id"),
            project_id=optional_guid(options.get("project_id"), "project_id"),
            location_id=optional_guid(options.get("location_id"), "location_id"),
            **more,
        )
        return cls(
            id=entry_id,
            nonce=nonce,
            nonce_of=_nonce_of,
            ours=ours,
            person_id=person_id,
            type=EntryType(type),
            at=time,
            now=now,
            values=values,
        )


def _nonce_of(entry: TimeEntry) -> str | None:
    sent_as = None if entry.platform is None else entry.platform.event_id
    return None if sent_as is None else sent_as.lower()


def clock_offset(offset: Any) -> str:
    """What a clock is ahead of UTC, as entries were seen to be sent with it (observed: punches).

    Raises:
        ConfigurationError: It is no length of time, or no clock's.
    """
    if not isinstance(offset, timedelta):
        raise ConfigurationError(f"offset is a timedelta, not {type(offset).__name__}")
    if abs(offset) > _FARTHEST or offset % timedelta(minutes=1):
        raise ConfigurationError(
            f"offset={offset} is no clock's: give whole minutes, up to 14 hours from UTC"
        )
    return duration_text(offset)


def made_with(platform: Platform | None, nonce: str) -> dict[str, Any]:
    """What an entry says of the program and device that made it.

    Args:
        platform: What the caller says of them; by default this library on this system.
        nonce: What the entry can be found again by.

    Raises:
        ConfigurationError: The caller names an event, in whose place the nonce stands.
    """
    said: dict[str, Any] = _PLATFORM
    if platform is not None:
        if platform.event_id is not None:
            raise ConfigurationError("platform.event_id is set by the client, to find the punch by")
        chosen = msgspec.structs.asdict(platform)
        said = {name: value for name, value in chosen.items() if value is not None}
    return wire_values(Platform, **{**said, "event_id": nonce})
