"""What all resources do: list and get."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Generic, TypeVar, Unpack

from jibble_async.api.session import Session
from jibble_async.api.writing import require_known
from jibble_async.core.operation import Operation, Request, build
from jibble_async.core.pager import Pager
from jibble_async.core.paging import PageOptions, Paging
from jibble_async.core.wire import reader
from jibble_async.entities import CommonStatus, Entity, OpenEnum, ValueObject
from jibble_async.errors import ConfigurationError
from jibble_async.odata.pages import query_pages
from jibble_async.query.expressions import Expression, all_of
from jibble_async.query.fields import EnumField
from jibble_async.query.options import (
    Expandable,
    Query,
    Selectable,
    Sortable,
    expansions,
    orderings,
    selection,
)
from jibble_async.query.values import is_guid, shown
from jibble_async.query.vocabulary import VOCABULARY

__all__ = [
    "ArchivableResource",
    "ListOptions",
    "Listing",
    "PlainResource",
    "Resource",
    "addressed",
    "paging_of",
    "query_of",
]

E = TypeVar("E", bound=Entity)
V = TypeVar("V", bound=ValueObject)


class ListOptions(PageOptions, total=False):
    """The arguments that the `list()` of every entity set takes, beside those of its own.

    Attributes:
        select: The fields to fetch, by name or as fields; the id always comes along.
        expand: What is to come along: names, or `T.person.select("id", "full_name")`.
        order_by: A field, a name, `T.time.desc()`, or several; the id is added at the end.
        stable: False leaves the id out of the order; then rows that tie may be missed.
        counted: False asks for no count: then the walk goes page by page, whatever `concurrency`
            says, and ends at an empty page.
    """

    select: Iterable[Selectable]
    expand: Iterable[Expandable]
    order_by: Sortable | Iterable[Sortable]
    stable: bool
    counted: bool


def addressed(session: Session, operation: Operation, id: str, owner: str) -> Request:
    """The request for what an operation does with one id.

    Args:
        session: Knows where the service is.
        operation: Its path has a place for an id.
        id: A GUID.
        owner: Whose id it is, for the error.

    Raises:
        ConfigurationError: It is not a GUID.
    """
    if not is_guid(id):
        raise ConfigurationError(f"{owner} ids are GUIDs, and {shown(id)} is not one")
    return build(operation, session.base(operation.service), path_id=id)


def query_of(
    entity: type[ValueObject],
    conditions: Iterable[Expression | None],
    options: Mapping[str, Any],
) -> Query:
    """What the arguments of a `list()` ask for, in no API's words.

    Args:
        entity: The class of the rows.
        conditions: What all of them must meet.
        options: See `ListOptions`.

    Raises:
        ConfigurationError: An argument that can't be used.
    """
    require_known(options, ListOptions)
    given = [condition for condition in conditions if condition is not None]
    order_by: Sortable | Iterable[Sortable] = options.get("order_by", ())
    several = isinstance(order_by, Iterable) and not isinstance(order_by, str)
    keys: Any = order_by if several else (order_by,)
    return Query(
        entity=entity,
        where=all_of(given) if given else None,
        select=selection(entity, options.get("select", ())),
        expand=expansions(entity, options.get("expand", ())),
        order_by=orderings(entity, keys),
    )


def paging_of(
    options: Mapping[str, Any], session: Session, *, server_paged: bool = False
) -> Paging:
    """How the arguments of a `list()` want it walked over.

    Args:
        options: The arguments.
        session: Knows how many rows to ask for if they don't say.
        server_paged: Whether the number of rows is left to the server.

    Raises:
        ConfigurationError: A number out of range.
    """
    size = options.get("page_size")
    size = session.page_size if size is None else size
    return Paging.of(options, page_size=None if server_paged else size)


class Listing(Generic[V]):
    """A set of rows.

    Attributes:
        entity: The class of its rows.
        list_operation: How the set is asked for.
        archived: The status of rows that are kept, but no longer count; None if there are none.
        exportable: Whether `jibble_async.export` offers the set.
    """

    # Any, since a resource narrows it to an entity, which a mutable attribute would not allow.
    entity: ClassVar[type[Any]]
    list_operation: ClassVar[Operation]
    archived: ClassVar[OpenEnum | None] = None
    exportable: ClassVar[bool] = False

    def __init__(self, session: Session) -> None:
        self._session = session

    @classmethod
    def current(cls) -> Expression | None:
        """The condition that leaves archived rows out; None where there are none."""
        if cls.archived is None:
            return None
        status: EnumField[Any] = VOCABULARY.fields(cls.entity).status
        return status != cls.archived

    def _pager(
        self,
        conditions: builtins.list[Expression | None],
        options: Mapping[str, Any],
        *,
        params: tuple[tuple[str, str], ...] = (),
        server_paged: bool = False,
    ) -> Pager[V]:
        query = query_of(self.entity, conditions, options)
        operation = self.list_operation
        source = query_pages(
            operation,
            self._session.base(operation.service),
            query,
            stable=options.get("stable", True),
            params=params,
            counted=options.get("counted", True),
        )
        paging = paging_of(options, self._session, server_paged=server_paged)
        return Pager(source, self._session, paging)


class Resource(Listing[E]):
    """A set of entities, each of which can be asked for by its id.

    Attributes:
        entity: The class of its members.
        get_operation: How one member is asked for.
    """

    entity: ClassVar[type[Entity]]
    get_operation: ClassVar[Operation]

    async def get(self, id: str) -> E:
        """The entity with this id.

        Args:
            id: A GUID.

        Raises:
            ConfigurationError: It is not a GUID.
            NotFoundError: There is no such entity.
        """
        request = addressed(self._session, self.get_operation, id, self.entity.__name__)
        entity: E = await self._session.call(request, reader(self.entity))
        return entity


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
