"""Hour entries: hours of a day that are written down instead of clocked."""

from __future__ import annotations

import datetime

from jibble_async.entities.base import Entity, Guid
from jibble_async.entities.people import Person
from jibble_async.entities.projects import Activity, Project
from jibble_async.entities.time_entries import ClientType, EntryStatus, Platform

__all__ = ["HourEntry"]


class HourEntry(Entity):
    """Hours of one person on one day (observed: hour-entries)."""

    date: datetime.date | None = None
    """The working day that they count for."""
    duration: datetime.timedelta | None = None
    """How long."""
    status: EntryStatus | None = None
    """Whether it counts, or was archived."""
    person_id: Guid | None = None
    """Whose it is."""
    activity_id: Guid | None = None
    """The kind of work."""
    project_id: Guid | None = None
    """What the work was for."""
    note: str | None = None
    """A note."""
    client_type: ClientType | None = None
    """The kind of program that made it."""
    platform: Platform | None = None
    """The program and device that made it."""
    created_at: datetime.datetime | None = None
    """When it was made, in UTC."""
    person: Person | None = None
    """The person; only when expanded."""
    activity: Activity | None = None
    """The activity; only when expanded."""
    project: Project | None = None
    """The project; only when expanded."""
