"""Punches: how one is sent so that it can be found again, and what is found.

A punch carries an id and a nonce that nobody else has. If its answer is lost it is looked up by
these and by nothing else: an entry that merely looks like it is somebody's telephone. Not finding
it proves nothing, since the server may still be at it, so it is never sent again.
"""

from __future__ import annotations

import sys
import uuid
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Any, Protocol, TypedDict

import msgspec

from jibble_async.api.listing import require_known
from jibble_async.api.writing import (
    given,
    lost,
    moment,
    place,
)
from jibble_async.entities import ClientType, Coordinates, EntryType, Platform, TimeEntry
from jibble_async.errors import (
    AmbiguousWriteError,
    ConfigurationError,
    ConflictError,
    JibbleError,
    NotFoundError,
)
from jibble_async.odata.names import wire_values
from jibble_async.odata.parameters import optional_guid, require_guid
from jibble_async.query.values import require_aware, require_date

__all__ = ["LATEST", "Punch", "PunchOptions", "recovered", "settled_conflict"]

# What the documented requests say of themselves; which of it the server insists on is unknown.
_PLATFORM = {
    "client_version": "jibble-async",
    "os": sys.platform,
    "device_model": None,
    "device_name": "jibble-async",
}
LATEST = 50
"""How many of a person's latest entries are looked through for a nonce."""
# How far from its time an entry of the same kind is still worth showing, in seconds.
_NEAR = 300.0


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


class Punch(msgspec.Struct, frozen=True):
    """A punch as it is sent.

    Attributes:
        id: The id that is sent.
        nonce: What is sent as `platform.eventId`, and comes back in the entry.
        ours: Whether the id is made here, for this punch, so that it alone proves the entry.
        person_id: Whose punch.
        type: What it marks.
        values: The body, by name on the wire.
        near: The moment that it should have.
    """

    id: str
    nonce: str
    ours: bool
    person_id: str
    type: EntryType
    values: dict[str, Any]
    near: datetime

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
    ) -> Punch:
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
        return cls(entry_id, nonce, chosen is None, person_id, EntryType(type), values, time or now)

    @property
    def trace(self) -> str:
        """How it can be found."""
        return f"look for {self.nonce} in `platform.event_id`"

    def made(self, entry: TimeEntry) -> bool:
        """Whether an entry carries the nonce."""
        sent_as = None if entry.platform is None else entry.platform.event_id
        return sent_as is not None and sent_as.lower() == self.nonce

    def proven_by_id(self, entry: TimeEntry) -> bool:
        """Whether an entry is this punch because of its id, having no nonce to say otherwise."""
        silent = entry.platform is None or entry.platform.event_id is None
        return self.ours and silent and entry.id.lower() == self.id

    def resembles(self, entry: TimeEntry) -> bool:
        """Whether an entry could be this punch, were it known to be."""
        if entry.type != self.type or entry.time is None:
            return False
        return abs((entry.time - self.near).total_seconds()) <= _NEAR


class Entries(Protocol):
    """Where a punch is looked up."""

    def get(self, id: str) -> Awaitable[TimeEntry]:
        """The entry with this id."""
        ...


async def recovered(
    punch: Punch,
    error: JibbleError,
    entries: Entries,
    latest: Callable[[], Awaitable[list[TimeEntry]]],
) -> TimeEntry:
    """The entry that a punch made whose answer was lost.

    Args:
        punch: What was sent.
        error: What its answer was lost with.
        entries: Gives the entry with the id that was sent.
        latest: Gives the person's latest entries.

    Raises:
        AmbiguousWriteError: It was not found, or the lookup failed.
    """
    seen: dict[str, TimeEntry] = {}
    failure: JibbleError | None = None
    try:
        entry = await entries.get(punch.id)
    except NotFoundError:
        pass
    except JibbleError as trouble:
        failure = trouble
    else:
        if punch.made(entry) or punch.proven_by_id(entry):
            return entry
        seen[entry.id] = entry
    try:
        rows = await latest()
    except JibbleError as trouble:
        raise _unknown(punch, error, f"looking it up failed ({trouble.message})", seen) from error
    made = [entry for entry in rows if punch.made(entry)]
    if len(made) == 1:
        return made[0]
    if made:
        raise _unknown(
            punch, error, "it is there more than once", {each.id: each for each in made}
        ) from error
    seen |= {entry.id: entry for entry in rows if punch.resembles(entry)}
    known = "nothing carries the id or the nonce that was sent"
    if failure is not None:
        known = f"nothing carries its nonce, and its id could not be asked for ({failure.message})"
    raise _unknown(punch, error, known, seen) from error


async def settled_conflict(
    punch: Punch,
    error: ConflictError,
    entries: Entries,
    latest: Callable[[], Awaitable[list[TimeEntry]]],
) -> TimeEntry:
    """The entry with which a punch collides, if it is the punch itself, sent twice on its way.

    Args:
        punch: What was sent.
        error: The server's refusal.
        entries: Gives the entry with the id that was sent.
        latest: Gives the person's latest entries.

    Raises:
        ConflictError: It is another entry.
        AmbiguousWriteError: The lookup failed.
    """
    try:
        try:
            rows = [await entries.get(punch.id)]
        except NotFoundError:
            rows = await latest()
    except JibbleError as trouble:
        known = f"looking up what it collides with failed ({trouble.message})"
        raise _unknown(punch, error, known, {}) from error
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


def _unknown(
    punch: Punch, error: JibbleError, known: str, seen: dict[str, TimeEntry]
) -> AmbiguousWriteError:
    advice = f"it was not sent again: {punch.trace} before you do"
    candidates = tuple(seen.values())
    return lost(
        error, f"{known}; {advice}", candidates=candidates, sent_id=punch.id, nonce=punch.nonce
    )
