"""The workspace host: who works here."""

from __future__ import annotations

from typing import ClassVar, Unpack

from msgspec import UNSET, UnsetType

from jibble_async.api.listing import Deletable, ListOptions
from jibble_async.api.writing import call_once, new, require_text
from jibble_async.core.operation import Operation, Safety
from jibble_async.core.pager import Pager
from jibble_async.core.wire import optional_reader
from jibble_async.entities import OpenEnum, Person, PersonHoliday, PersonStatus, Schedule
from jibble_async.errors import ConfigurationError, NotFoundError
from jibble_async.odata.names import wire_values
from jibble_async.odata.pages import query_pages
from jibble_async.odata.parameters import optional_guid, require_guid
from jibble_async.query.clauses import Query, selection
from jibble_async.query.expressions import Expression
from jibble_async.query.values import IdLike
from jibble_async.query.vocabulary import fields
from jibble_async.resources.base import Resource, rows_of

__all__ = ["People"]

_PEOPLE_AT_WORK = Operation(
    "time-tracking", "GET", "/v1/People", Safety.READ, name="people.clocked_in"
)
_SCHEDULE = Operation(
    "workspace", "GET", "/v1/PersonSchedule(personId={id})", Safety.READ, name="people.schedule"
)
_HOLIDAYS = Operation(
    "workspace", "GET", "/v1/PersonHolidays(personId={id})", Safety.READ, name="people.holidays"
)
# Literally so (documented: people); it is no property of a person.
_INVITE = "IPersonSetting/SendInviteEmail"


class People(Resource[Person], Deletable[Person], path="People", exportable=True):
    """The people of the organisation."""

    archived: ClassVar[OpenEnum | None] = PersonStatus.REMOVED

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
        return self._pager([where, None if include_removed else self.current()], options)

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

    async def get_by_email(self, email: str) -> Person:
        """The person with this e-mail address, unless removed.

        Args:
            email: The whole address.

        Raises:
            ConfigurationError: It is empty.
            NotFoundError: There is nobody; its `status` is 404, although the server gave a list.
        """
        person = await self.by_email(email)
        if person is None:
            raise NotFoundError(
                "there is nobody with this e-mail address, or they were removed", status=404
            )
        return person

    async def schedule(self, person_id: IdLike) -> Schedule | None:
        """The schedule that holds for a person, whoever it was given to; None if there is none.

        What the server gives is the schedule without its locations and its creation.

        Args:
            person_id: A GUID.

        Raises:
            ConfigurationError: It is not a GUID.
            NotFoundError: There is no such person.
        """
        request = self._addressed(_SCHEDULE, person_id, Person)
        return await self._session.call(request, optional_reader(Schedule))

    def holidays(self, person_id: IdLike) -> Pager[PersonHoliday]:
        """The holidays that hold for a person, in the server's order.

        Args:
            person_id: A GUID.

        Raises:
            ConfigurationError: It is not a GUID.

        Example:
            >>> async for holiday in jibble.people.holidays(person.id):
            ...     print(holiday.date, holiday.name)
        """
        operation = _HOLIDAYS.of_one(require_guid(person_id, "a Person's id"))
        return rows_of(self._session, operation, PersonHoliday)

    def clocked_in(self) -> Pager[Person]:
        """The people who are at work now, with `id` and `full_name`.

        The request is documented, its answer is not: that `isActive` means clocked in rests on
        the documentation's title for it, and one program calls a filter of this kind broken:
        `time_entries.working_now()` was seen to work. Asked of the time-tracking host.
        """
        query = Query(
            entity=Person,
            where=fields(Person).is_active == True,  # noqa: E712 - an expression, not a truth
            select=selection(Person, ["id", "full_name"]),
        )
        base = self._session.base(_PEOPLE_AT_WORK.service)
        return Pager(query_pages(_PEOPLE_AT_WORK, base, query, stable=False), self._session)

    async def create(
        self,
        full_name: str,
        *,
        email: str | None = None,
        code: str | None = None,
        send_invite: bool | None = None,
    ) -> Person:
        """A new person.

        Args:
            full_name: Their name.
            email: Their e-mail address.
            code: A code of your own, such as a personnel number.
            send_invite: Whether the server is to invite them by e-mail; by default it decides.

        Raises:
            ConfigurationError: The name is empty.
            AmbiguousWriteError: The answer was lost; it was not sent again.
        """
        values = wire_values(
            Person,
            full_name=require_text(full_name, "full_name"),
            email=email,
            code=code,
        )
        values[_INVITE] = send_invite
        return await call_once(
            self._session, new(self._session, self.routes.creation, values), self._reader()
        )

    async def update(
        self,
        id: IdLike,
        *,
        full_name: str | UnsetType = UNSET,
        preferred_name: str | UnsetType | None = UNSET,
        email: str | UnsetType | None = UNSET,
        phone_number: str | UnsetType | None = UNSET,
        country_code: str | UnsetType | None = UNSET,
        group_id: IdLike | UnsetType | None = UNSET,
        schedule_id: IdLike | UnsetType | None = UNSET,
    ) -> None:
        """Change what is given of a person; None clears it, and the rest is left.

        Args:
            id: The person's.
            full_name: Their name; can't be cleared.
            preferred_name: What they like to be called.
            email: Their e-mail address.
            phone_number: Their telephone number.
            country_code: The country of that number, in two letters.
            group_id: The group they are in.
            schedule_id: The schedule that is theirs.

        Raises:
            ConfigurationError: Nothing is given, an empty name, or an id that is no GUID.
            NotFoundError: There is no such person.

        Example:
            >>> await jibble.people.update(person.id, group_id=group.id, phone_number=None)
        """
        await self._change(
            id,
            full_name=full_name if full_name is UNSET else require_text(full_name, "full_name"),
            preferred_name=preferred_name,
            email=email,
            phone_number=phone_number,
            country_code=country_code,
            group_id=optional_guid(group_id, "group_id"),
            schedule_id=optional_guid(schedule_id, "schedule_id"),
        )

    async def remove(self, id: IdLike) -> None:
        """Archive a person: what they did is kept.

        Args:
            id: The person's.

        Raises:
            ConfigurationError: It is not a GUID.
            NotFoundError: There is no such person.
        """
        await self._change(id, method="remove", status=self.archived)
