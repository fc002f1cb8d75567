"""What all resources of the current API do: list and get."""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, ClassVar, TypeVar, Unpack

from msgspec.structs import replace

from jibble_async.api.listing import (
    BaseResource,
    ListOptions,
    Members,
    Routes,
    offered_as,
    paging_of,
    query_of,
)
from jibble_async.api.raw import RawSet
from jibble_async.api.session import Session
from jibble_async.api.writing import call_once, change, new
from jibble_async.core.operation import Operation
from jibble_async.core.pager import Pager
from jibble_async.core.pages import PageSource, RawRow
from jibble_async.core.paging import Paging
from jibble_async.core.wire import Reply, acknowledgement, reader
from jibble_async.entities import CommonStatus, Entity, OpenEnum, ValueObject
from jibble_async.odata.names import wire_name, wire_values
from jibble_async.odata.pages import ODataPages, query_pages
from jibble_async.odata.parameters import require_guid
from jibble_async.odata.slices import sliced_query
from jibble_async.query.clauses import Ordering
from jibble_async.query.days import days_between
from jibble_async.query.expressions import Expression
from jibble_async.query.fields import EnumField
from jibble_async.query.values import IdLike
from jibble_async.query.vocabulary import VOCABULARY

__all__ = [
    "ArchivableResource",
    "DatedListing",
    "Listing",
    "PlainResource",
    "Resource",
    "routes_of",
    "rows_of",
]

E = TypeVar("E", bound=Entity)
V = TypeVar("V", bound=ValueObject)


def routes_of(service: str, path: str, name: str) -> Routes:
    """What can be done with an entity set and its members.

    Args:
        service: Which host has it.
        path: What it is called there.
        name: What clients offer it as.
    """
    return Routes.of(service, f"/v1/{path}", f"/v1/{path}({{id}})", name=name)


def rows_of(
    session: Session,
    operation: Operation,
    kind: Any,
    params: tuple[tuple[str, str], ...] = (),
    paging: Paging | None = None,
) -> Pager[Any]:
    """The rows of a set of which nothing is asked but its own parameters.

    Args:
        session: Makes the calls.
        operation: The request that lists the set.
        kind: The type of a row.
        params: The parameters.
        paging: How the set is walked over; by default as the server pages it.
    """
    source: ODataPages[Any] = ODataPages(
        operation, session.base(operation.service), kind, before=params
    )
    return Pager(source, session, paging)


class Listing(BaseResource[V]):
    """A set of rows that is listed.

    The class of a set says at its head by which name (`path=`) which host (`service=`) has it; and
    what clients offer it as (`name=`), if that is not its own name.

    Attributes:
        archived: The status of rows that are kept, but no longer count; None if there are none.
    """

    archived: ClassVar[OpenEnum | None] = None

    def __init_subclass__(
        cls,
        *,
        service: str = "workspace",
        path: str | None = None,
        name: str | None = None,
        **options: Any,
    ) -> None:
        if path is not None:
            options["routes"] = routes_of(service, path, name or offered_as(cls))
        super().__init_subclass__(**options)

    @classmethod
    def current(cls) -> Expression | None:
        """The condition that leaves archived rows out; None where there are none."""
        if cls.archived is None:
            return None
        status: EnumField[Any] = VOCABULARY.fields(cls.entity).status
        return status != cls.archived

    def _raw_set(
        self, since: date | None, until: date | None, *, include_archived: bool, as_sent: bool
    ) -> RawSet:
        """The rows as the server writes them; see `jibble_async.api.raw.raw_set_of`."""
        row = VOCABULARY.fields(self.entity)
        known, name = self.entity.__struct_fields__, functools.partial(wire_name, self.entity)
        archived = None if include_archived else self.archived
        marks = {} if self.day is None else {"day": name(self.day)}
        marks |= {} if archived is None else {"status": name("status")}
        stamped = {"stamp": name("updated_at")} if "updated_at" in known else {}
        meant = [self._between(since, until), None if archived is None else self.current()]

        def rows(
            where: builtins.list[Expression | None],
            more: Mapping[str, str] | None = None,
            **options: Any,
        ) -> PageSource[RawRow]:
            operation, query = self.routes.listing, query_of(self.entity, where, options)
            pages = query_pages(operation, self._session.base(operation.service), query)
            return pages.raw(**marks, **(more or {}))

        def changes(since: datetime) -> PageSource[RawRow]:
            return rows([row.updated_at >= since], stamped, order_by=row.updated_at)

        def by_day(descending: bool) -> PageSource[RawRow]:
            return rows(meant, order_by=Ordering(getattr(row, self.day or "").path, descending))

        return RawSet(
            self.routes.listing.service,
            self.entity,
            rows(meant),
            self._session.page_size,
            anchored=True,
            ids=rows(meant, select=["id"]),
            changes=changes if stamped else None,
            by_day=None if self.day is None else by_day,
            day=marks.get("day"),
            archived=None if archived is None else str(archived),
        )

    def _between(self, since: date | None, until: date | None) -> Expression | None:
        """The condition that rows belong to the days of a span, if they belong to days at all."""
        if self.day is None:
            return None
        return days_between(getattr(VOCABULARY.fields(self.entity), self.day), since, until)

    def _pager(
        self,
        conditions: builtins.list[Expression | None],
        options: Mapping[str, Any],
        *,
        params: tuple[tuple[str, str], ...] = (),
        order: tuple[Ordering, ...] = (),
        server_paged: bool = False,
    ) -> Pager[V]:
        """The rows that a `list()` asks for.

        Args:
            conditions: What all of them must meet.
            options: See `ListOptions`.
            params: Parameters of the set's own.
            order: Theirs if the caller asks for none.
            server_paged: Whether the number of rows is left to the server.

        Raises:
            ConfigurationError: An argument that can't be used.
        """
        operation = self.routes.listing
        query = query_of(self.entity, conditions, options)
        make = functools.partial(
            query_pages,
            operation,
            self._session.base(operation.service),
            stable=options.get("stable", True),
            counted=options.get("counted", True),
        )
        if query.order_by:
            # Sorted rows of several requests would be in no order.
            source = make(query, params=params)
        else:
            source = sliced_query(make, replace(query, order_by=order), params)
        paging = paging_of(options, self._session, server_paged=server_paged)
        return Pager(source, self._session, paging)

    def _checked_id(self, id: IdLike, label: str) -> str:
        return require_guid(id, label)

    def _reader(self) -> Callable[[Reply], V]:
        return reader(self.entity)


class Resource(Listing[E], Members[E]):
    """A set of entities, each of which can be asked for by its id."""

    async def _create(self, **values: Any) -> E:
        """The entity that the server made of what is given by the names of fields."""
        sent = wire_values(self.entity, **values)
        request = new(self._session, self.routes.creation, sent)
        return await call_once(self._session, request, self._reader())

    async def _change(self, id: IdLike, *, method: str = "update", **values: Any) -> None:
        """Change the fields that are given."""
        checked, sent = self._checked_id(id, "id"), wire_values(self.entity, **values)
        operation = self.routes.change.called(method)
        await change(self._session, operation, checked, sent, acknowledgement)


class DatedListing(Listing[V]):
    """A set whose rows belong to days."""

    def list(
        self,
        *,
        since: date | None = None,
        until: date | None = None,
        where: Expression | None = None,
        **options: Unpack[ListOptions],
    ) -> Pager[V]:
        """The rows of a span of days.

        Args:
            since: The first day.
            until: The last day, included.
            where: A further condition, such as `fields(HourEntry).person_id == person.id`.
            **options: See `ListOptions`.

        Raises:
            ConfigurationError: An argument that can't be used, such as `since` after `until`.

        Example:
            >>> async for entry in jibble.hour_entries.list(since=monday, until=sunday):
            ...     print(entry.date, entry.person_id, entry.duration)
        """
        return self._pager([self._between(since, until), where], options)


class PlainResource(Resource[E]):
    """A set whose members all count: none is archived."""

    def list(self, *, where: Expression | None = None, **options: Unpack[ListOptions]) -> Pager[E]:
        """The members of the set.

        Args:
            where: A condition.
            **options: See `ListOptions`.

        Raises:
            ConfigurationError: An argument that can't be used.
        """
        return self._pager([where], options)


class ArchivableResource(Resource[E]):
    """A set whose members are archived rather than deleted."""

    archived: ClassVar[OpenEnum | None] = CommonStatus.ARCHIVED

    def list(
        self,
        *,
        where: Expression | None = None,
        include_archived: bool = False,
        **options: Unpack[ListOptions],
    ) -> Pager[E]:
        """The members of the set, archived ones left out unless asked for.

        Args:
            where: A condition, such as `fields(Project).name.contains("Main Street")`.
            include_archived: Whether archived ones come along.
            **options: See `ListOptions`.

        Raises:
            ConfigurationError: An argument that can't be used.
        """
        return self._pager([where, None if include_archived else self.current()], options)
