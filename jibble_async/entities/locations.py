"""Places, and where they are on the earth.

Source: the workspace host's metadata (metadata: workspace), unless a class names another.
"""

from __future__ import annotations

from datetime import datetime

from jibble_async.entities.base import Entity, Guid, OpenEnum, ValueObject
from jibble_async.entities.organization import CommonStatus

__all__ = ["Coordinates", "GeoFence", "GeoUnits", "Location", "LocationSchedule"]


class Coordinates(ValueObject):
    """A point on the earth, in degrees (documented: workspace)."""

    latitude: float
    longitude: float


class GeoUnits(OpenEnum):
    """The unit of a geofence's radius."""

    METERS = "Meters"
    FEET = "Feet"


class GeoFence(ValueObject):
    """The circle within which people may clock in."""

    radius: float | None = None
    units: GeoUnits | None = None
    radius_in_meters: float | None = None


class LocationSchedule(ValueObject):
    """That a schedule is bound to a location."""

    schedule_id: Guid | None = None
    location_id: Guid | None = None


class Location(Entity):
    """A place where work is done."""

    name: str | None = None
    code: str | None = None
    address: str | None = None
    status: CommonStatus | None = None
    organization_id: Guid | None = None
    geo_fence: GeoFence | None = None
    coordinates: Coordinates | None = None
    schedules: list[LocationSchedule] | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
