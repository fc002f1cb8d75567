"""What time is spent on: activities, projects and the clients they are done for.

Source: the workspace host's metadata (metadata: workspace), unless a class names another.
"""

from __future__ import annotations

from datetime import datetime

from jibble_async.entities.base import Entity, Guid, ValueObject
from jibble_async.entities.locations import Location
from jibble_async.entities.organization import CommonStatus

__all__ = ["Activity", "ActivityGroup", "Client", "Project", "ProjectAssignee"]


class ActivityGroup(ValueObject):
    """That a group may use an activity."""

    activity_id: Guid | None = None
    group_id: Guid | None = None


class Activity(Entity):
    """A kind of work, such as "Support"; not an entry.

    Attributes:
        color: Six hexadecimal digits without a `#`.
    """

    name: str | None = None
    code: str | None = None
    description: str | None = None
    color: str | None = None
    status: CommonStatus | None = None
    organization_id: Guid | None = None
    assigned_groups: list[ActivityGroup] | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Client(Entity):
    """Somebody for whom projects are done."""

    name: str | None = None
    code: str | None = None
    status: CommonStatus | None = None
    organization_id: Guid | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class ProjectAssignee(ValueObject):
    """That a person or group (a unit) works on a project."""

    project_id: Guid | None = None
    unit_id: Guid | None = None


class Project(Entity):
    """A piece of work, perhaps for a client and at a location.

    `client` and `location` are there only when expanded.
    """

    name: str | None = None
    code: str | None = None
    description: str | None = None
    status: CommonStatus | None = None
    organization_id: Guid | None = None
    client_id: Guid | None = None
    location_id: Guid | None = None
    assignees: list[ProjectAssignee] | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    client: Client | None = None
    location: Location | None = None
