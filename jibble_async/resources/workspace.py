"""The workspace host: the organisation, what is worked on, and where."""

from __future__ import annotations

from typing import ClassVar, Unpack

from jibble_async.api.listing import ListOptions
from jibble_async.api.writing import (
    create,
    given,
    place,
    require_text,
)
from jibble_async.core.pager import Pager
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
from jibble_async.odata.operations import creation_in
from jibble_async.query.expressions import Expression
from jibble_async.resources.base import ArchivableResource, Resource

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

_WORKSPACE = "workspace"
_CREATE_PROJECT = creation_in(_WORKSPACE, "Projects")
_CREATE_CLIENT = creation_in(_WORKSPACE, "Clients")
_CREATE_LOCATION = creation_in(_WORKSPACE, "Locations")


class Organizations(Resource[Organization], path="Organizations"):
    """The organisations that the credentials may see."""

    exportable: ClassVar[bool] = True

    def list(
        self, *, where: Expression | None = None, **options: Unpack[ListOptions]
    ) -> Pager[Organization]:
        """The organisations; one credential may see several (observed: organizations).

        Args:
            where: A condition.
            **options: See `ListOptions`.

        Raises:
            ConfigurationError: An argument that can't be used.
        """
        return self._pager([where], options)


class Groups(ArchivableResource[Group], path="Groups"):
    """The groups that people are in."""

    exportable: ClassVar[bool] = True


class Activities(ArchivableResource[Activity], path="Activities"):
    """The kinds of work that time is booked on; not the time entries."""

    exportable: ClassVar[bool] = True


class Projects(ArchivableResource[Project], path="Projects"):
    """The projects that time is booked on."""

    exportable: ClassVar[bool] = True

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
        values = wire_values(
            Project, name=require_text(name, "name"), description=given(description)
        )
        project: Project = await create(self._session, _CREATE_PROJECT, values, Project)
        return project


class Clients(ArchivableResource[Client], path="Clients"):
    """The clients that projects are done for."""

    exportable: ClassVar[bool] = True

    async def create(self, name: str) -> Client:
        """A new client.

        Args:
            name: Its name.

        Raises:
            ConfigurationError: The name is empty.
            FeatureRestrictedError: The plan does not include clients (documented: workspace).
            AmbiguousWriteError: The answer was lost; it was not sent again.
        """
        values = wire_values(Client, name=require_text(name, "name"))
        client: Client = await create(self._session, _CREATE_CLIENT, values, Client)
        return client


class Locations(ArchivableResource[Location], path="Locations"):
    """The places where work is done."""

    exportable: ClassVar[bool] = True

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
        values = wire_values(
            Location,
            name=require_text(name, "name"),
            address=require_text(address, "address"),
            coordinates=place(coordinates),
            geo_fence=given(fence),
        )
        location: Location = await create(self._session, _CREATE_LOCATION, values, Location)
        return location


class Positions(ArchivableResource[Position], path="Positions"):
    """The job titles."""


class EmploymentTypes(ArchivableResource[EmploymentType], path="EmploymentTypes"):
    """The ways in which people are employed."""
