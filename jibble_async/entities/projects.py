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
    """The activity."""
    group_id: Guid | None = None
    """The group."""


class Activity(Entity):
    """A kind of work, such as "Support"; not an entry."""

    name: str | None = None
    """What it is called."""
    code: str | None = None
    """The organisation's own code for it."""
    description: str | None = None
    """What it is about."""
    color: str | None = None
    """Six hexadecimal digits without a `#`."""
    status: CommonStatus | None = None
    """Whether it is in use or archived."""
    organization_id: Guid | None = None
    """The organisation that it belongs to."""
    assigned_groups: list[ActivityGroup] | None = None
    """The groups that may choose it; all may if there are none."""
    created_at: datetime | None = None
    """When it was made, in UTC."""
    updated_at: datetime | None = None
    """When it was last changed, in UTC."""


class Client(Entity):
    """Somebody for whom projects are done."""

    name: str | None = None
    """What it is called."""
    code: str | None = None
    """The organisation's own code for it."""
    status: CommonStatus | None = None
    """Whether it is in use or archived."""
    organization_id: Guid | None = None
    """The organisation that it belongs to."""
    created_at: datetime | None = None
    """When it was made, in UTC."""
    updated_at: datetime | None = None
    """When it was last changed, in UTC."""


class ProjectAssignee(ValueObject):
    """That a person or group (a unit) works on a project."""

    project_id: Guid | None = None
    """The project."""
    unit_id: Guid | None = None
    """The person or group."""


class Project(Entity):
    """A piece of work, perhaps for a client and at a location."""

    name: str | None = None
    """What it is called."""
    code: str | None = None
    """The organisation's own code for it."""
    description: str | None = None
    """What it is about."""
    status: CommonStatus | None = None
    """Whether it is in use or archived."""
    organization_id: Guid | None = None
    """The organisation that it belongs to."""
    client_id: Guid | None = None
    """Whom it is done for."""
    location_id: Guid | None = None
    """Where it is done."""
    assignees: list[ProjectAssignee] | None = None
    """The people and groups that work on it."""
    created_at: datetime | None = None
    """When it was made, in UTC."""
    updated_at: datetime | None = None
    """When it was last changed, in UTC."""
    client: Client | None = None
    """The client; only when expanded."""
    location: Location | None = None
    """The location; only when expanded."""
