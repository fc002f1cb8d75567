"""The workspace host: who works here, where, and on what."""

from __future__ import annotations

from typing import ClassVar, Unpack

from jibble_async.core.operation import Operation, Safety
from jibble_async.core.pager import Pager
from jibble_async.entities import (
    Activity,
    Client,
    CommonStatus,
    Entity,
    Group,
    Location,
    Organization,
    Person,
    PersonStatus,
    Project,
)
from jibble_async.odata.pages import query_pages
from jibble_async.query.expressions import Expression
from jibble_async.query.options import Query, selection
from jibble_async.query.vocabulary import fields
from jibble_async.resources.base import (
    ArchivableResource,
    ListOptions,
    Resource,
    list_of,
    member_of,
)

__all__ = [
    "Activities",
    "Clients",
    "Groups",
    "Locations",
    "Organizations",
    "People",
    "Projects",
]

_WORKSPACE = "workspace"
_PEOPLE_AT_WORK = Operation("time-tracking", "GET", "/v1/People", Safety.READ)


class Organizations(Resource[Organization]):
    """The organisations that the credentials may see."""

    entity: ClassVar[type[Entity]] = Organization
    list_operation: ClassVar[Operation] = list_of(_WORKSPACE, "Organizations")
    get_operation: ClassVar[Operation] = member_of(_WORKSPACE, "Organizations")

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
        return self._pager([where], **options)


class People(Resource[Person]):
    """The people of the organisation."""

    entity: ClassVar[type[Entity]] = Person
    list_operation: ClassVar[Operation] = list_of(_WORKSPACE, "People")
    get_operation: ClassVar[Operation] = member_of(_WORKSPACE, "People")

    def list(
        self,
        *,
        where: Expression | None = None,
        include_removed: bool = False,
        **options: Unpack[ListOptions],
    ) -> Pager[Person]:
        """The people, removed ones left out unless asked for.

        Args:
            where: A condition, such as `fields(Person).email == "ann@example.com"`.
            include_removed: Whether people who were removed come along.
            **options: See `ListOptions`.

        Raises:
            ConfigurationError: An argument that can't be used.

        Example:
            >>> async for person in jibble.people.list(select=["id", "full_name"]):
            ...     print(person.full_name)
        """
        here = None if include_removed else fields(Person).status != PersonStatus.REMOVED
        return self._pager([where, here], **options)

    def clocked_in(self) -> Pager[Person]:
        """The people who are at work now, with `id` and `full_name`.

        The request is documented, its answer is not: that `isActive` means clocked in rests on
        the documentation's title for it. Asked of the time-tracking host.
        """
        query = Query(
            entity=Person,
            where=fields(Person).is_active == True,  # noqa: E712 - an expression, not a truth
            select=selection(Person, ["id", "full_name"]),
        )
        source = query_pages(
            _PEOPLE_AT_WORK,
            self._session.base(_PEOPLE_AT_WORK.service),
            query,
            page_size=None,
            stable=False,
            on_bad_row=None,
        )
        return Pager(source, self._session)


class Groups(ArchivableResource[Group]):
    """The groups that people are in."""

    entity: ClassVar[type[Entity]] = Group
    not_archived: ClassVar[Expression] = fields(Group).status != CommonStatus.ARCHIVED
    list_operation: ClassVar[Operation] = list_of(_WORKSPACE, "Groups")
    get_operation: ClassVar[Operation] = member_of(_WORKSPACE, "Groups")


class Activities(ArchivableResource[Activity]):
    """The kinds of work that time is booked on; not the time entries."""

    entity: ClassVar[type[Entity]] = Activity
    not_archived: ClassVar[Expression] = fields(Activity).status != CommonStatus.ARCHIVED
    list_operation: ClassVar[Operation] = list_of(_WORKSPACE, "Activities")
    get_operation: ClassVar[Operation] = member_of(_WORKSPACE, "Activities")


class Projects(ArchivableResource[Project]):
    """The projects that time is booked on."""

    entity: ClassVar[type[Entity]] = Project
    not_archived: ClassVar[Expression] = fields(Project).status != CommonStatus.ARCHIVED
    list_operation: ClassVar[Operation] = list_of(_WORKSPACE, "Projects")
    get_operation: ClassVar[Operation] = member_of(_WORKSPACE, "Projects")


class Clients(ArchivableResource[Client]):
    """The clients that projects are done for."""

    entity: ClassVar[type[Entity]] = Client
    not_archived: ClassVar[Expression] = fields(Client).status != CommonStatus.ARCHIVED
    list_operation: ClassVar[Operation] = list_of(_WORKSPACE, "Clients")
    get_operation: ClassVar[Operation] = member_of(_WORKSPACE, "Clients")


class Locations(ArchivableResource[Location]):
    """The places where work is done."""

    entity: ClassVar[type[Entity]] = Location
    not_archived: ClassVar[Expression] = fields(Location).status != CommonStatus.ARCHIVED
    list_operation: ClassVar[Operation] = list_of(_WORKSPACE, "Locations")
    get_operation: ClassVar[Operation] = member_of(_WORKSPACE, "Locations")
