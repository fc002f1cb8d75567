"""What the resources of both APIs are: sets that are listed, whose members are asked for by id."""

from __future__ import annotations

import abc
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, ClassVar, Generic, Self, TypeVar, get_args

import msgspec

from jibble_async.api.raw import RawSet
from jibble_async.api.session import Session
from jibble_async.api.writing import delete
from jibble_async.core.operation import Operation, Request, Safety
from jibble_async.core.paging import PageOptions, Paging
from jibble_async.core.wire import Reply
from jibble_async.entities import Entity, ValueObject
from jibble_async.errors import ConfigurationError
from jibble_async.query.clauses import (
    Expandable,
    Query,
    Selectable,
    Sortable,
    expansions,
    orderings,
    own_condition,
    selection,
)
from jibble_async.query.expressions import Expression
from jibble_async.query.values import IdLike

__all__ = [
    "BaseResource",
    "Deletable",
    "ListOptions",
    "Members",
    "Routes",
    "WholeRows",
    "offered_as",
    "paging_of",
    "query_of",
    "require_known",
]

E = TypeVar("E", bound=Entity)
V = TypeVar("V", bound=ValueObject)


class WholeRows(PageOptions, total=False):
    """The arguments of a `list()` that gives rows with all of their fields."""

    expand: Iterable[Expandable]
    """What is to come along: names, or `T.person.select("id", "full_name")`."""
    order_by: Sortable | Iterable[Sortable]
    """A field, a name, `T.time.desc()`, or several; the id is added at the end."""
    stable: bool
    """False leaves the id out of the order; then rows that tie may be missed."""
    counted: bool
    """False asks for no count: then the walk goes page by page, whatever `concurrency` says, and
    ends at an empty page."""


class ListOptions(WholeRows, total=False):
    """The arguments that the `list()` of every entity set takes, beside those of its own."""

    select: Iterable[Selectable]
    """The fields to fetch, by name or as fields; the id always comes along."""


class Routes(msgspec.Struct, frozen=True):
    """What can be done with one kind of thing; not all of it is documented for each."""

    listing: Operation
    member: Operation
    creation: Operation
    change: Operation
    deletion: Operation

    @classmethod
    def of(cls, service: str, many: str, one: str, *, name: str, change: str = "PATCH") -> Self:
        """The routes of a kind of thing.

        Args:
            service: Which host has it.
            many: The path of all of them.
            one: The path of one, with `{id}`.
            name: What clients offer it as, as `people`.
            change: The method that changes one.
        """
        return cls(
            Operation(service, "GET", many, Safety.READ, name=f"{name}.list"),
            Operation(service, "GET", one, Safety.READ, name=f"{name}.get"),
            Operation(service, "POST", many, Safety.UNSAFE, name=f"{name}.create"),
            Operation(service, change, one, Safety.IDEMPOTENT, name=f"{name}.update"),
            Operation(service, "DELETE", one, Safety.IDEMPOTENT, name=f"{name}.delete"),
        )


class BaseResource(abc.ABC, Generic[V]):
    """A set of rows, of either API; its class says at its head what is not as here.

    Attributes:
        routes: How it and its members are asked for.
        entity: The class of its rows, which is what the class of the set is generic in.
        exportable: Whether `jibble_async.export` offers the set.
        day: The field by which rows belong to a day, if they do.
        spans: Whether rows are asked for by spans of days.

    Args:
        session: Makes the calls.
    """

    routes: Routes
    # A class; as type[Any] mypy would not take it for a key of a cache.
    entity: ClassVar[Any]
    exportable: ClassVar[bool] = False
    day: ClassVar[str | None] = None
    spans: ClassVar[bool] = False

    def __init_subclass__(
        cls,
        *,
        routes: Routes | None = None,
        exportable: bool | None = None,
        day: str | None = None,
        spans: bool | None = None,
        **options: Any,
    ) -> None:
        super().__init_subclass__(**options)
        spans = spans or (None if day is None else True)
        said = {"routes": routes, "exportable": exportable, "day": day, "spans": spans}
        for name, value in said.items():
            if value is not None:
                setattr(cls, name, value)
        bases: tuple[Any, ...] = vars(cls).get("__orig_bases__", ())
        rows = [each for base in bases for each in get_args(base) if isinstance(each, type)]
        if rows:
            (cls.entity,) = set(rows)

    def __init__(self, session: Session) -> None:
        self._session = session

    @abc.abstractmethod
    def _raw_set(
        self, since: date | None, until: date | None, *, include_archived: bool, as_sent: bool
    ) -> RawSet:
        """The rows as bytes, for an export; see `jibble_async.api.raw.raw_set_of`."""

    @abc.abstractmethod
    def _checked_id(self, id: IdLike, label: str) -> str:
        """The id, if it is one of this API; `ConfigurationError` if it is not."""

    @abc.abstractmethod
    def _reader(self) -> Callable[[Reply], V]:
        """What finds a row in an answer."""

    def _addressed(
        self, operation: Operation, id: IdLike, owner: type[Any] | None = None
    ) -> Request:
        """The request for what an operation does with one id; `owner` has it, or else a row."""
        checked = self._checked_id(id, f"a {(owner or self.entity).__name__}'s id")
        return self._session.build(operation, path_id=checked)


class Members(BaseResource[E]):
    """A set of entities, each of which can be asked for by its id."""

    async def get(self, id: IdLike) -> E:
        """The entity with this id.

        Args:
            id: As this API has it: a GUID, also as a `UUID`, or the letters and digits of the old
                one.

        Raises:
            ConfigurationError: It is no id of this API.
            NotFoundError: There is no such entity.
        """
        return await self._session.call(self._addressed(self.routes.member, id), self._reader())


class Deletable(Members[E]):
    """A set of entities that can be deleted."""

    async def delete(self, id: IdLike) -> None:
        """Delete an entity completely, and for good.

        Args:
            id: As `get` takes it.

        Raises:
            ConfigurationError: It is no id of this API.
            NotFoundError: There is no such entity.
        """
        await delete(self._session, self._addressed(self.routes.deletion, id))


def offered_as(resource: type[Any]) -> str:
    """What clients offer a resource as, which is what its class is called.

    Args:
        resource: The class.
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", resource.__name__).lower()


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
    order_by: Sortable | Iterable[Sortable] = options.get("order_by", ())
    several = isinstance(order_by, Iterable) and not isinstance(order_by, str)
    keys: Any = order_by if several else (order_by,)
    return Query(
        entity=entity,
        where=own_condition(entity, *conditions),
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


def require_known(options: Mapping[str, Any], kind: type[Any]) -> None:
    """Refuse options that there are not: a misspelt one would be dropped unseen.

    Args:
        options: What a caller gave by name.
        kind: The class of typed dictionaries that names what there is.

    Raises:
        ConfigurationError: One is unknown.
    """
    unknown = options.keys() - kind.__annotations__.keys()
    if unknown:
        known = ", ".join(sorted(kind.__annotations__))
        raise ConfigurationError(
            f"there is no {'=, '.join(sorted(unknown))}=; beside its own this method takes {known}"
        )
