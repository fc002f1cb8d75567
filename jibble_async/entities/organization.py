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

    Attributes:
        time_zone: The zone that people live in, by its IANA name.
        time_sheet_time_zone: The zone by which their days are counted.
        allowed_devices: What they may clock in with: `Mobile`, `Kiosk`, `Web`.
        automatic_out_at_time: The time of day at which the server clocks them out.
    """

    time_zone: str | None = msgspec.field(default=None, name="ICultureSettings/TimeZone")
    time_sheet_time_zone: str | None = msgspec.field(
        default=None, name="ICalculationSettings/TimeSheetTimeZone"
    )
    allowed_devices: list[str] | None = msgspec.field(
        default=None, name="ITimeTrackingSettings/AllowedDevices"
    )
    automatic_out_at_time: time | None = msgspec.field(
        default=None, name="ITimeTrackingSettings/AutomaticOutAtTime"
    )


class Organization(Settings):
    """A company; one credential may see several."""

    name: str | None = None
    status: CommonStatus | None = None
    face_recognition_model_id: Guid | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
