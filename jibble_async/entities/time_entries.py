"""Time entries: the moments at which people clock in, out, or go on a break."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import ClassVar

from jibble_async.entities.base import Entity, Guid, OpenEnum, ValueObject
from jibble_async.entities.locations import Coordinates
from jibble_async.entities.people import FileData, Person
from jibble_async.entities.projects import Activity, Project

__all__ = [
    "ClientType",
    "EntryStatus",
    "EntryType",
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
    os: str | None = None
    device_model: str | None = None
    device_id: str | None = None
    device_name: str | None = None
    event_id: str | None = None
    is_qr_kiosk: bool | None = None


class TimeEntry(Entity):
    """One punch. An entry has no duration: a stretch of work lies between two of them.

    Source: examples (documented: time-entries), and types of programs that run against the API
    (observed: time-entries); the time-tracking host's metadata was never published. `person`,
    `activity` and `project` are there only when expanded.

    Attributes:
        time: The moment, in UTC.
        local_time: The same moment on the person's clock.
        offset: What `local_time` is ahead of UTC.
        belongs_to_date: The working day it counts for, which may differ from the date of `time`.
        next_time_entry_id: None on a person's latest entry.
        face_similarity: How alike the pictures are, as the server puts it.
    """

    type: EntryType | None = None
    status: EntryStatus | None = None
    time: datetime | None = None
    local_time: datetime | None = None
    offset: timedelta | None = None
    belongs_to_date: date | None = None
    person_id: Guid | None = None
    organization_id: Guid | None = None
    activity_id: Guid | None = None
    project_id: Guid | None = None
    location_id: Guid | None = None
    kiosk_id: Guid | None = None
    break_id: Guid | None = None
    note: str | None = None
    address: str | None = None
    coordinates: Coordinates | None = None
    picture: FileData | None = None
    client_type: ClientType | None = None
    platform: Platform | None = None
    auto_clock_out_time: datetime | None = None
    clock_in_out_reminder_time: datetime | None = None
    is_offline: bool | None = None
    is_automatic: bool | None = None
    is_manual: bool | None = None
    is_outside_geofence: bool | None = None
    is_manual_location: bool | None = None
    is_unusual: bool | None = None
    is_end_of_day: bool | None = None
    is_from_speed_kiosk: bool | None = None
    is_locked: bool | None = None
    is_face_recognized: bool | None = None
    face_similarity: float | None = None
    previous_time_entry_id: Guid | None = None
    next_time_entry_id: Guid | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    person: Person | None = None
    activity: Activity | None = None
    project: Project | None = None

    # Moments on the person's clock, whose offset an export leaves out.
    local_fields: ClassVar[tuple[str, ...]] = ("local_time",)


class WorkingNow(ValueObject):
    """Somebody who is at work; the names of the fields are two programs' (observed: working-now).

    Attributes:
        time: Of the latest entry.
        time_zone: The zone that the person lives in, by its IANA name.
    """

    id: Guid | None = None
    person_id: Guid | None = None
    full_name: str | None = None
    email: str | None = None
    group_id: Guid | None = None
    time_zone: str | None = None
    time: datetime | None = None
