"""The vocabulary: what Jibble talks about, whichever of its APIs answers. No I/O."""

from __future__ import annotations

from jibble_async.entities.base import Entity, Guid, OpenEnum, ValueObject
from jibble_async.entities.locations import (
    Coordinates,
    GeoFence,
    GeoUnits,
    Location,
    LocationSchedule,
)
from jibble_async.entities.organization import CommonStatus, Organization
from jibble_async.entities.people import (
    FileData,
    Group,
    GroupApprover,
    ManagedUnit,
    Person,
    PersonKiosk,
    PersonStatus,
    Position,
    UnitManager,
    UnitProject,
    UnitTimeOffPolicy,
    UnitWorkType,
)
from jibble_async.entities.projects import (
    Activity,
    ActivityGroup,
    Client,
    Project,
    ProjectAssignee,
)
from jibble_async.entities.time_entries import (
    ClientType,
    EntryStatus,
    EntryType,
    Platform,
    TimeEntry,
)

__all__ = [
    "Activity",
    "ActivityGroup",
    "Client",
    "ClientType",
    "CommonStatus",
    "Coordinates",
    "Entity",
    "EntryStatus",
    "EntryType",
    "FileData",
    "GeoFence",
    "GeoUnits",
    "Group",
    "GroupApprover",
    "Guid",
    "Location",
    "LocationSchedule",
    "ManagedUnit",
    "OpenEnum",
    "Organization",
    "Person",
    "PersonKiosk",
    "PersonStatus",
    "Platform",
    "Position",
    "Project",
    "ProjectAssignee",
    "TimeEntry",
    "UnitManager",
    "UnitProject",
    "UnitTimeOffPolicy",
    "UnitWorkType",
    "ValueObject",
]
