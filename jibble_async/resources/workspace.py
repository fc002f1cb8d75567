"""The workspace host: the organisation, what is worked on, and where."""

from __future__ import annotations

from typing import ClassVar, Unpack

from jibble_async.api.writing import (
    create,
    given,
    place,
    require_text,
)
from jibble_async.core.operation import Operation
from jibble_async.core.pager import Pager
from jibble_async.entities import (
    Activity,
    Client,
    Coordinates,
    EmploymentType,
    Entity,
    GeoFence,
    Group,
    Location,
    Organization,
    Position,
    Project,
)
from jibble_async.odata.names import wire_values
from jibble_async.odata.operations import creation_in, list_of, member_of
from jibble_async.query.expressions import Expression
from jibble_async.resources.base import ArchivableResource, ListOptions, Resource

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


class Organizations(Resource[Organization]):
    """The organisations that the credentials may see."""

    entity: ClassVar[type[Entity]] = Organization
    list_operation: ClassVar[Operation] = list_of(_WORKSPACE, "Organizations")
    get_operation: ClassVar[Operation] = member_of(_WORKSPACE, "Organizations")
    exportable: ClassVar[bool] = True

    def list(
        self, *, where: Expression | None = None, **options: Unpack[ListOptions]
    ) -> Pager[Organization]:
        """The organisations; one credential may see several (observed).

        Args:
            where: A condition.
            **options: See `ListOptions`.

        Raises:
            ConfigurationError: An argument that can't be used.
        """
        return self._pager([where], options)


class Groups(ArchivableResource[Group]):
    """The groups that people are in."""

    entity: ClassVar[type[Entity]] = Group
    list_operation: ClassVar[Operation] = list_of(_WORKSPACE, "Groups")
    get_operation: ClassVar[Operation] = member_of(_WORKSPACE, "Groups")
    exportable: ClassVar[bool] = True


class Activities(ArchivableResource[Activity]):
    """The kinds of work that time is booked on; not the time entries."""

    entity: ClassVar[type[Entity]] = Activity
    list_operation: ClassVar[Operation] = list_of(_WORKSPACE, "Activities")
    get_operation: ClassVar[Operation] = member_of(_WORKSPACE, "Activities")
    exportable: ClassVar[bool] = True


class Projects(ArchivableResource[Project]):
    """The projects that time is booked on."""

    entity: ClassVar[type[Entity]] = Project
    list_operation: ClassVar[Operation] = list_of(_WORKSPACE, "Projects")
    get_operation: ClassVar[Operation] = member_of(_WORKSPACE, "Projects")
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


class Clients(ArchivableResource[Client]):
    """The clients that projects are done for."""

    entity: ClassVar[type[Entity]] = Client
    list_operation: ClassVar[Operation] = list_of(_WORKSPACE, "Clients")
    get_operation: ClassVar[Operation] = member_of(_WORKSPACE, "Clients")
    exportable: ClassVar[bool] = True

    async def create(self, name: str) -> Client:
        """A new client.

        Args:
            name: Its name.

        Raises:
            ConfigurationError: The name is empty.
            FeatureRestrictedError: The plan does not include clients (documented).
            AmbiguousWriteError: The answer was lost; it was not sent again.
        """
        values = wire_values(Client, name=require_text(name, "name"))
        client: Client = await create(self._session, _CREATE_CLIENT, values, Client)
        return client


class Locations(ArchivableResource[Location]):
    """The places where work is done."""

    entity: ClassVar[type[Entity]] = Location
    list_operation: ClassVar[Operation] = list_of(_WORKSPACE, "Locations")
    get_operation: ClassVar[Operation] = member_of(_WORKSPACE, "Locations")
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


class Positions(ArchivableResource[Position]):
    """The job titles."""

    entity: ClassVar[type[Entity]] = Position
    list_operation: ClassVar[Operation] = list_of(_WORKSPACE, "Positions")
    get_operation: ClassVar[Operation] = member_of(_WORKSPACE, "Positions")


class EmploymentTypes(ArchivableResource[EmploymentType]):
    """The ways in which people are employed."""

    entity: ClassVar[type[Entity]] = EmploymentType
    list_operation: ClassVar[Operation] = list_of(_WORKSPACE, "EmploymentTypes")
    get_operation: ClassVar[Operation] = member_of(_WORKSPACE, "EmploymentTypes")
