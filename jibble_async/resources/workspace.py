"""The workspace host: who works here, where, and on what."""

from __future__ import annotations

from typing import ClassVar, Unpack

from jibble_async.core.operation import Operation, Safety
from jibble_async.core.pager import Pager
from jibble_async.entities import (
    Activity,
    Client,
    CommonStatus,
    EmploymentType,
    Entity,
    Group,
    Location,
    Organization,
    Person,
    PersonHoliday,
    PersonStatus,
    Position,
    Project,
    Schedule,
)
from jibble_async.errors import ConfigurationError
from jibble_async.odata.envelope import optional_reader
from jibble_async.odata.literals import is_guid
from jibble_async.odata.pages import ODataPages, query_pages
from jibble_async.query.expressions import Expression
from jibble_async.query.options import Query, selection
from jibble_async.query.vocabulary import fields
from jibble_async.resources.base import (
    ArchivableResource,
    ListOptions,
    Resource,
    addressed,
    list_of,
    member_of,
)

__all__ = [
    "Activities",
    "Clients",
    "EmploymentTypes",
    "Groups",
    "Locations",
    "Organizations",
    "People",
    "Positions",
    "Projects",
]

_WORKSPACE = "workspace"
_PEOPLE_AT_WORK = Operation("time-tracking", "GET", "/v1/People", Safety.READ)
_SCHEDULE = Operation("workspace", "GET", "/v1/PersonSchedule(personId={id})", Safety.READ)
_HOLIDAYS = Operation("workspace", "GET", "/v1/PersonHolidays(personId={id})", Safety.READ)


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

    async def by_email(self, email: str) -> Person | None:
        """The person with this e-mail address, unless removed; None if there is nobody.

        Args:
            email: The whole address.

        Raises:
            ConfigurationError: It is empty.
        """
        if not email.strip():
            raise ConfigurationError("by_email() needs an address")
        return await self.list(where=fields(Person).email == email).first()

    async def schedule(self, person_id: str) -> Schedule | None:
        """The schedule that holds for a person, whoever it was given to; None if there is none.

        What the server gives is the schedule without its locations and its creation.

        Args:
            person_id: A GUID.

        Raises:
            ConfigurationError: It is not a GUID.
            NotFoundError: There is no such person.
        """
        request = addressed(self._session, _SCHEDULE, person_id, "Person")
        schedule: Schedule | None = await self._session.call(request, optional_reader(Schedule))
        return schedule

    def holidays(self, person_id: str) -> Pager[PersonHoliday]:
        """The holidays that hold for a person, in the server's order.

        Args:
            person_id: A GUID.

        Raises:
            ConfigurationError: It is not a GUID.

        Example:
            >>> async for holiday in jibble.people.holidays(person.id):
            ...     print(holiday.date, holiday.name)
        """
        if not is_guid(person_id):
            raise ConfigurationError(f"Person ids are GUIDs, and {person_id!r} is not one")
        operation = Operation(
            _HOLIDAYS.service, "GET", _HOLIDAYS.path.replace("{id}", person_id), Safety.READ
        )
        base = self._session.base(operation.service)
        source: ODataPages[PersonHoliday] = ODataPages(
            operation, base, PersonHoliday, page_size=None
        )
        return Pager(source, self._session)

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


class Positions(ArchivableResource[Position]):
    """The job titles."""

    entity: ClassVar[type[Entity]] = Position
    not_archived: ClassVar[Expression] = fields(Position).status != CommonStatus.ARCHIVED
    list_operation: ClassVar[Operation] = list_of(_WORKSPACE, "Positions")
    get_operation: ClassVar[Operation] = member_of(_WORKSPACE, "Positions")


class EmploymentTypes(ArchivableResource[EmploymentType]):
    """The ways in which people are employed."""

    entity: ClassVar[type[Entity]] = EmploymentType
    not_archived: ClassVar[Expression] = fields(EmploymentType).status != CommonStatus.ARCHIVED
    list_operation: ClassVar[Operation] = list_of(_WORKSPACE, "EmploymentTypes")
    get_operation: ClassVar[Operation] = member_of(_WORKSPACE, "EmploymentTypes")
