"""The organisation, and the states that its parts share.

Source: the workspace host's metadata (metadata: organizations), unless a class names another.
"""

from __future__ import annotations

from datetime import datetime, time

import msgspec

from jibble_async.entities.base import Entity, Guid, OpenEnum

__all__ = ["CommonStatus", "Organization"]


class CommonStatus(OpenEnum):
    """The state of an activity, client, group, location, organisation or project."""

    ACTIVE = "Active"
    ARCHIVED = "Archived"


class Settings(Entity):
    """What an organisation, a group or a person sets, as their rows have it (observed: settings).

    Its names on the wire have a slash, as `ICultureSettings/TimeZone`.
    """

    time_zone: str | None = msgspec.field(default=None, name="ICultureSettings/TimeZone")
    """The zone that people live in, by its IANA name."""
    time_sheet_time_zone: str | None = msgspec.field(
        default=None, name="ICalculationSettings/TimeSheetTimeZone"
    )
    """The zone by which their days are counted."""
    allowed_devices: list[str] | None = msgspec.field(
        default=None, name="ITimeTrackingSettings/AllowedDevices"
    )
    """What they may clock in with: `Mobile`, `Kiosk`, `Web`."""
    automatic_out_at_time: time | None = msgspec.field(
        default=None, name="ITimeTrackingSettings/AutomaticOutAtTime"
    )
    """The time of day at which the server clocks them out."""


class Organization(Settings):
    """A company; one credential may see several."""

    name: str | None = None
    """What the company is called."""
    status: CommonStatus | None = None
    """Whether it is in use or archived."""
    face_recognition_model_id: Guid | None = None
    """The model by which faces are told apart."""
    created_at: datetime | None = None
    """When it was made, in UTC."""
    updated_at: datetime | None = None
    """When it was last changed, in UTC."""
