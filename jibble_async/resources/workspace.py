"""The workspace host: the organisation, what is worked on, and where."""

from __future__ import annotations

from jibble_async.api.writing import place, require_text
from jibble_async.entities import (
    Activity,
    Client,
    Coordinates,
    EmploymentType,
    GeoFence,
    Group,
    Location,
    Organization,
    Position,
    Project,
)
from jibble_async.odata.names import wire_values
from jibble_async.resources.base import ArchivableResource, PlainResource

__all__ = [
    "Activities",
    "Clients",
    "EmploymentTypes",
    "Groups",
    "Locations",
    "Organizations",
    "Positions",
    "Projects",
]


class Organizations(PlainResource[Organization], path="Organizations", exportable=True):
    """The organisations that the credentials see, maybe several (observed: organizations)."""


class Groups(ArchivableResource[Group], path="Groups", exportable=True):
    """The groups that people are in."""


class Activities(ArchivableResource[Activity], path="Activities", exportable=True):
    """The kinds of work that time is booked on; not the time entries."""


class Projects(ArchivableResource[Project], path="Projects", exportable=True):
    """The projects that time is booked on."""

    async def create(self, name: str, *, description: str | None = None) -> Project:
        """A new project.

        Args:
            name: Its name.
            description: What it is about.

        Raises:
            ConfigurationError: The name is empty.
            FeatureRestrictedError: The plan does not include this.
            AmbiguousWriteError: The answer was lost; it was not sent again.
        """
        return await self._create(name=require_text(name, "name"), description=description)


class Clients(ArchivableResource[Client], path="Clients", exportable=True):
    """The clients that projects are done for."""

    async def create(self, name: str) -> Client:
        """A new client.

        Args:
            name: Its name.

        Raises:
            ConfigurationError: The name is empty.
            FeatureRestrictedError: The plan does not include clients (documented: workspace).
            AmbiguousWriteError: The answer was lost; it was not sent again.
        """
        return await self._create(name=require_text(name, "name"))


class Locations(ArchivableResource[Location], path="Locations", exportable=True):
    """The places where work is done."""

    async def create(
        self,
        name: str,
        address: str,
        *,
        coordinates: Coordinates | None = None,
        geo_fence: GeoFence | None = None,
    ) -> Location:
        """A new location.

        Args:
            name: Its name.
            address: Its address.
            coordinates: Where it is on the earth.
            geo_fence: The circle around it; the server finds its radius in metres by itself.

        Raises:
            ConfigurationError: The name or the address is empty, or a place is not on earth.
            FeatureRestrictedError: The plan does not include this.
            AmbiguousWriteError: The answer was lost; it was not sent again.

        Example:
            >>> office = await jibble.locations.create(
            ...     "Office", "Main Street 1", geo_fence=GeoFence(radius=100, units=GeoUnits.METERS)
            ... )
        """
        fence = geo_fence and wire_values(GeoFence, radius=geo_fence.radius, units=geo_fence.units)
        return await self._create(
            name=require_text(name, "name"),
            address=require_text(address, "address"),
            coordinates=place(coordinates),
            geo_fence=fence,
        )


class Positions(ArchivableResource[Position], path="Positions", exportable=True):
    """The job titles."""


class EmploymentTypes(ArchivableResource[EmploymentType], path="EmploymentTypes", exportable=True):
    """The ways in which people are employed."""
