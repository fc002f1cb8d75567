"""Time entries: the moments at which people clock in, out, or go on a break."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from jibble_async.entities.base import Entity, Guid, OpenEnum, ValueObject
from jibble_async.entities.locations import Coordinates
from jibble_async.entities.people import FileData, Person
from jibble_async.entities.projects import Activity, Project

__all__ = [
    "ClientType",
    "EntryStatus",
    "EntryType",
    "FullTimeEntry",
    "Platform",
    "TimeEntry",
    "WorkingNow",
]


class EntryType(OpenEnum):
    """What a time entry marks. A break ends with another `In` (observed: time-entries)."""

    IN = "In"
    OUT = "Out"
    START_BREAK = "StartBreak"


class EntryStatus(OpenEnum):
    """Whether an entry counts. Deleting an entry archives it (documented: time-entries)."""

    ACTIVE = "Active"
    ARCHIVED = "Archived"


class ClientType(OpenEnum):
    """The kind of program that made an entry; all but `Web` are seen only (observed: punches)."""

    WEB = "Web"
    AUTO_OUT = "AutoOut"
    ZAPIER = "Zapier"


class Platform(ValueObject):
    """The program and device that made an entry (documented: time-entries)."""

    client_version: str | None = None
    """The version of the program."""
    os: str | None = None
    """The operating system."""
    device_model: str | None = None
    """The model of the device."""
    device_id: str | None = None
    """What the program calls the device."""
    device_name: str | None = None
    """What the device is called."""
    event_id: str | None = None
    """A mark that nobody looks at: punches of this package have a nonce there."""
    is_qr_kiosk: bool | None = None
    """Whether it was a kiosk that reads QR codes."""


class TimeEntry(Entity):
    """One punch. An entry has no duration: a stretch of work lies between two of them.

    Source: examples (documented: time-entries), and types of programs that run against the API
    (observed: time-entries); the time-tracking host's metadata was never published.
    """

    type: EntryType | None = None
    """Whether it is an In, an Out or the start of a break."""
    status: EntryStatus | None = None
    """Whether it counts, or was archived."""
    time: datetime | None = None
    """The moment, in UTC."""
    local_time: datetime | None = None
    """The same moment on the person's clock."""
    offset: timedelta | None = None
    """What `local_time` is ahead of UTC."""
    belongs_to_date: date | None = None
    """The working day it counts for, which may differ from the date of `time`."""
    person_id: Guid | None = None
    """Who clocked."""
    organization_id: Guid | None = None
    """The organisation that it belongs to."""
    activity_id: Guid | None = None
    """The kind of work."""
    project_id: Guid | None = None
    """What the work was for."""
    location_id: Guid | None = None
    """Where, if a location was chosen."""
    kiosk_id: Guid | None = None
    """The kiosk at which it was made."""
    break_id: Guid | None = None
    """The break of the schedule that was taken."""
    note: str | None = None
    """What the person wrote; empty in some rows that have none."""
    address: str | None = None
    """Where it was made, in words."""
    coordinates: Coordinates | None = None
    """Where it was made, on the earth."""
    picture: FileData | None = None
    """The picture that was taken."""
    client_type: ClientType | None = None
    """The kind of program that made it."""
    platform: Platform | None = None
    """The program and device that made it."""
    auto_clock_out_time: datetime | None = None
    """When the server clocks the person out, if they asked for it."""
    clock_in_out_reminder_time: datetime | None = None
    """When the server reminds the person."""
    is_offline: bool | None = None
    """Whether it was made without a connection, and sent later."""
    is_automatic: bool | None = None
    """Whether the server made it, as when it clocks somebody out."""
    is_manual: bool | None = None
    """Whether it was written down, and not clocked."""
    is_outside_geofence: bool | None = None
    """Whether it was made outside of where it should be."""
    is_manual_location: bool | None = None
    """Whether the place was written down."""
    is_unusual: bool | None = None
    """Whether the server found it odd."""
    is_end_of_day: bool | None = None
    """Whether it ends the working day."""
    is_from_speed_kiosk: bool | None = None
    """Whether it was made at a kiosk for many people."""
    is_locked: bool | None = None
    """Whether it can't be changed any more, as in a closed pay period."""
    is_face_recognized: bool | None = None
    """Whether the picture was found to be the person's."""
    face_similarity: float | None = None
    """How alike the pictures are, as the server puts it."""
    previous_time_entry_id: Guid | None = None
    """The person's entry before this one."""
    next_time_entry_id: Guid | None = None
    """None on a person's latest entry."""
    created_at: datetime | None = None
    """When it was made, in UTC."""
    updated_at: datetime | None = None
    """When it was last changed, in UTC."""
    person: Person | None = None
    """The person; only when expanded."""
    activity: Activity | None = None
    """The activity; only when expanded."""
    project: Project | None = None
    """The project; only when expanded."""

    # Moments on the person's clock, whose offset an export leaves out.
    local_fields: ClassVar[tuple[str, ...]] = ("local_time",)


if TYPE_CHECKING:
    _THERE: Any = None

    class FullTimeEntry(TimeEntry):
        """An entry that was fetched whole: what every entry has is never None.

        For type checkers; when a program runs it is `TimeEntry` itself. It is what a list of
        entries gives without `select`, and `get()`. The documented answers to clocking in have
        no `time`, so what a write gives is a `TimeEntry`.
        """

        type: EntryType = _THERE
        """Whether it is an In, an Out or the start of a break."""
        status: EntryStatus = _THERE
        """Whether it counts, or was archived."""
        time: datetime = _THERE
        """The moment, in UTC."""
        local_time: datetime = _THERE
        """The same moment on the person's clock."""
        offset: timedelta = _THERE
        """What `local_time` is ahead of UTC."""
        belongs_to_date: date = _THERE
        """The working day it counts for, which may differ from the date of `time`."""
        person_id: Guid = _THERE
        """Who clocked."""

else:
    FullTimeEntry = TimeEntry


class WorkingNow(ValueObject):
    """Somebody at work; the names of the fields are two programs' (observed: working-now)."""

    id: Guid | None = None
    """The id of the row."""
    person_id: Guid | None = None
    """Who."""
    full_name: str | None = None
    """First and last name, as one."""
    email: str | None = None
    """The e-mail address."""
    group_id: Guid | None = None
    """The group that the person is in."""
    time_zone: str | None = None
    """The zone that the person lives in, by its IANA name."""
    time: datetime | None = None
    """Of the latest entry."""
