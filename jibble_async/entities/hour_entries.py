"""Hour entries: hours of a day that are written down instead of clocked."""

from __future__ import annotations

import datetime

from jibble_async.entities.base import Entity, Guid
from jibble_async.entities.people import Person
from jibble_async.entities.projects import Activity, Project
from jibble_async.entities.time_entries import ClientType, EntryStatus, Platform

__all__ = ["HourEntry"]


class HourEntry(Entity):
    """Hours of one person on one day (observed: hour-entries).

    `person`, `activity` and `project` are there only when expanded.

    Attributes:
        date: The working day that they count for.
        duration: How long.
    """

    date: datetime.date | None = None
    duration: datetime.timedelta | None = None
    status: EntryStatus | None = None
    person_id: Guid | None = None
    activity_id: Guid | None = None
    project_id: Guid | None = None
    note: str | None = None
    client_type: ClientType | None = None
    platform: Platform | None = None
    created_at: datetime.datetime | None = None
    person: Person | None = None
    activity: Activity | None = None
    project: Project | None = None
