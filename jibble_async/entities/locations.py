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
    """Degrees north of the equator, from -90 to 90."""
    longitude: float
    """Degrees east of Greenwich, from -180 to 180."""


class GeoUnits(OpenEnum):
    """The unit of a geofence's radius."""

    METERS = "Meters"
    FEET = "Feet"


class GeoFence(ValueObject):
    """The circle within which people may clock in."""

    radius: float | None = None
    """Its radius, in `units`."""
    units: GeoUnits | None = None
    """Metres or feet."""
    radius_in_meters: float | None = None
    """The same radius in metres, which the server finds by itself."""


class LocationSchedule(ValueObject):
    """That a schedule is bound to a location."""

    schedule_id: Guid | None = None
    """The schedule."""
    location_id: Guid | None = None
    """The location."""


class Location(Entity):
    """A place where work is done."""

    name: str | None = None
    """What it is called."""
    code: str | None = None
    """The organisation's own code for it."""
    address: str | None = None
    """Where it is, in words."""
    status: CommonStatus | None = None
    """Whether it is in use or archived."""
    organization_id: Guid | None = None
    """The organisation that it belongs to."""
    geo_fence: GeoFence | None = None
    """The circle around it within which people may clock in."""
    coordinates: Coordinates | None = None
    """Where it is on the earth."""
    schedules: list[LocationSchedule] | None = None
    """The schedules that are bound to it."""
    created_at: datetime | None = None
    """When it was made, in UTC."""
    updated_at: datetime | None = None
    """When it was last changed, in UTC."""
