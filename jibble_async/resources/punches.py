"""Punches of the current API: an id and a nonce are sent, and the entry is found again by either.

See `jibble_async.api.punches`.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import ClassVar, Self, TypedDict

import msgspec

from jibble_async.api.listing import require_known
from jibble_async.api.punches import Punch, recovered, unknown_fate
from jibble_async.api.writing import (
    given,
    moment,
    place,
)
from jibble_async.entities import ClientType, Coordinates, EntryType, Platform, TimeEntry
from jibble_async.errors import (
    ConfigurationError,
    ConflictError,
    JibbleError,
    NotFoundError,
)
from jibble_async.odata.names import wire_values
from jibble_async.odata.parameters import optional_guid, require_guid
from jibble_async.query.values import require_aware, require_date

__all__ = ["LATEST", "EntryPunch", "PunchOptions", "found_again", "settled_conflict"]

# What the documented requests say of themselves; which of it the server insists on is unknown.
_PLATFORM = {
    "client_version": "jibble-async",
    "os": sys.platform,
    "device_model": None,
    "device_name": "jibble-async",
}
LATEST = 50
"""How many of a person's latest entries are looked through for a nonce."""


class PunchOptions(TypedDict, total=False):
    """What any punch may say beside who and what.

    Attributes:
        activity_id: The kind of work.
        project_id: What the work is for.
        location_id: Where it is done.
        note: A note.
        coordinates: Where on the earth.
        platform: What it is made with; by default this library on this system. Its `event_id` is
            not for choosing: by that a punch is found again.
        id: The id that the entry should have, a GUID; by default a new one. The server need not
            keep it.
    """

    activity_id: str | None
    project_id: str | None
    location_id: str | None
    note: str | None
    coordinates: Coordinates | None
    platform: Platform | None
    id: str | None


class EntryPunch(Punch[TimeEntry], frozen=True, kw_only=True):
    """A punch of the current API.

    Attributes:
        id: The id that is sent.
        ours: Whether the id is made here, for this punch, so that it alone proves the entry.
    """

    nonce_place: ClassVar[str] = "platform.event_id"

    id: str
    ours: bool

    @classmethod
    def make(
        cls,
        type: EntryType | str,
        person_id: str,
        now: datetime,
        options: PunchOptions,
        *,
        at: datetime | None = None,
        belongs_to_date: date | None = None,
        auto_clock_out_at: datetime | None = None,
    ) -> Self:
        """A punch with an id and a nonce.

        Args:
            type: What it marks.
            person_id: Whose it is.
            now: The present, by this machine.
            options: What else it says.
            at: Its moment; without it the server takes its own.
            belongs_to_date: Its working day; without it the server finds one.
            auto_clock_out_at: When the server is to clock out by itself.

        Raises:
            ConfigurationError: An option that there is not, an id that is no GUID, a moment
                without a time zone, a platform with an event.
        """
        require_known(options, PunchOptions)
        if belongs_to_date is not None:
            require_date(belongs_to_date, "belongs_to_date")
        if auto_clock_out_at is not None:
            require_aware(auto_clock_out_at, "auto_clock_out_at")
        chosen, nonce = options.get("id"), str(uuid.uuid4())
        entry_id = str(uuid.uuid4()) if chosen is None else require_guid(chosen, "id").lower()
        time = None if at is None else moment(at, "at")
        values = wire_values(
            TimeEntry,
            id=entry_id,
            type=str(type),
            person_id=require_guid(person_id, "person_id"),
            client_type=ClientType.WEB,
            time=given(time),
            belongs_to_date=given(belongs_to_date),
            auto_clock_out_time=given(auto_clock_out_at),
            coordinates=place(options.get("coordinates")),
            note=given(options.get("note")),
            platform=_made_with(options.get("platform"), nonce),
            activity_id=given(optional_guid(options.get("activity_id"), "activity_id")),
            project_id=given(optional_guid(options.get("project_id"), "project_id")),
            location_id=given(optional_guid(options.get("location_id"), "location_id")),
        )
        return cls(
            id=entry_id,
            nonce=nonce,
            ours=chosen is None,
            person_id=person_id,
            type=EntryType(type),
            at=time,
            now=now,
            values=values,
        )

    @property
    def sent_id(self) -> str:
        """The id that is sent."""
        return self.id

    def nonce_of(self, entry: TimeEntry) -> str | None:
        """The nonce that an entry carries, if it carries one."""
        sent_as = None if entry.platform is None else entry.platform.event_id
        return None if sent_as is None else sent_as.lower()

    def proven_by_id(self, entry: TimeEntry) -> bool:
        """Whether an entry is this punch because of its id, having no nonce to say otherwise."""
        return self.ours and self.nonce_of(entry) is None and entry.id.lower() == self.id


async def found_again(
    punch: EntryPunch,
    error: JibbleError,
    get: Callable[[str], Awaitable[TimeEntry]],
    latest: Callable[[], Awaitable[list[TimeEntry]]],
) -> TimeEntry:
    """The entry that a punch made whose answer was lost.

    Args:
        punch: What was sent.
        error: What its answer was lost with.
        get: Gives the entry with an id.
        latest: Gives the person's latest entries.

    Raises:
        AmbiguousWriteError: It was not found, or the lookup failed.
    """
    seen: dict[str, TimeEntry] = {}
    known = "nothing carries the id or the nonce that was sent"
    try:
        entry = await get(punch.id)
    except NotFoundError:
        pass
    except JibbleError as trouble:
        known = f"nothing carries its nonce, and its id could not be asked for ({trouble.message})"
    else:
        if punch.made(entry) or punch.proven_by_id(entry):
            return entry
        seen[entry.id] = entry
    return await recovered(punch, error, latest, seen, known)


async def settled_conflict(
    punch: EntryPunch,
    error: ConflictError,
    get: Callable[[str], Awaitable[TimeEntry]],
    latest: Callable[[], Awaitable[list[TimeEntry]]],
) -> TimeEntry:
    """The entry with which a punch collides, if it is the punch itself, sent twice on its way.

    Args:
        punch: What was sent.
        error: The server's refusal.
        get: Gives the entry with an id.
        latest: Gives the person's latest entries.

    Raises:
        ConflictError: It is another entry.
        AmbiguousWriteError: The lookup failed.
    """
    try:
        try:
            rows = [await get(punch.id)]
        except NotFoundError:
            rows = await latest()
    except JibbleError as trouble:
        known = f"looking up what it collides with failed ({trouble.message})"
        raise unknown_fate(punch, error, known, {}) from error
    for entry in rows:
        if punch.made(entry):
            return entry
    raise error


def _made_with(platform: Platform | None, nonce: str) -> dict[str, str | None]:
    said: dict[str, str | None] = _PLATFORM
    if platform is not None:
        if platform.event_id is not None:
            raise ConfigurationError("platform.event_id is set by the client, to find the punch by")
        chosen = msgspec.structs.asdict(platform)
        said = {name: value for name, value in chosen.items() if value is not None}
    return wire_values(Platform, **{**said, "event_id": nonce})
