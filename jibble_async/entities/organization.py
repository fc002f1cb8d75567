"""The organisation, and the states that its parts share.

Source: the workspace host's metadata (metadata: organizations), unless a class names another.
"""

from __future__ import annotations

from datetime import datetime

from jibble_async.entities.base import Entity, Guid, OpenEnum

__all__ = ["CommonStatus", "Organization"]


class CommonStatus(OpenEnum):
    """The state of an activity, client, group, location, organisation or project."""

    ACTIVE = "Active"
    ARCHIVED = "Archived"


class Organization(Entity):
    """A company; one credential may see several."""

    name: str | None = None
    status: CommonStatus | None = None
    face_recognition_model_id: Guid | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
