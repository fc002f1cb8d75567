"""Which fields, what hangs on them, and in which order: everything of a query but its condition."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, TypeAlias

import msgspec
from msgspec.structs import replace

from jibble_async.entities import ValueObject
from jibble_async.errors import ConfigurationError
from jibble_async.query.expressions import Expression, Kind, Path, all_given, paths_of
from jibble_async.query.names import Name, encoded, resolve, target

__all__ = [
    "Expand",
    "Expandable",
    "Ordering",
    "Query",
    "Selectable",
    "Sortable",
    "SupportsPath",
    "expansions",
    "orderings",
    "own_condition",
    "selection",
]


class SupportsPath(Protocol):
    """A field, or something that hangs on an entity."""

    @property
    def path(self) -> Path:
        """Where it is."""
        ...


class Ordering(msgspec.Struct, frozen=True):
    """A field to sort by."""

    path: Path
    """The field."""
    descending: bool | None = None
    """None where the caller did not say, which means ascending."""


class Expand(msgspec.Struct, frozen=True):
    """Something that hangs on an entity and is to come with it, with options of its own.

    Options are added by methods, each of which gives a new object:
    `T.person.select("id", "full_name").where(P.status == "Joined")`.
    """

    name: Name
    entity: type[ValueObject]
    selected: tuple[Name, ...] = ()
    expanded: tuple[Expand, ...] = ()
    condition: Expression | None = None
    ordering: tuple[Ordering, ...] = ()
    top: int | None = None

    def select(self, *fields: Selectable) -> Expand:
        """With these fields only."""
        return replace(self, selected=(*self.selected, *selection(self.entity, fields)))

    def expand(self, *items: Expandable) -> Expand:
        """With what hangs on it in turn."""
        return replace(self, expanded=(*self.expanded, *expansions(self.entity, items)))

    def where(self, condition: Expression) -> Expand:
        """Only those that meet a condition, written with the fields of its own entity."""
        return replace(self, condition=own_condition(self.entity, self.condition, condition))

    def order_by(self, *items: Sortable) -> Expand:
        """In this order."""
        return replace(self, ordering=(*self.ordering, *orderings(self.entity, items)))

    def limit(self, count: int) -> Expand:
        """At most `count` of them."""
        if count < 1:
            raise ConfigurationError(f"limit({count}): at least 1 is needed")
        return replace(self, top=count)


Selectable: TypeAlias = str | SupportsPath
Sortable: TypeAlias = str | SupportsPath | Ordering
Expandable: TypeAlias = str | SupportsPath | Expand


class Query(msgspec.Struct, frozen=True):
    """What is asked of a set of entities, in no API's words."""

    entity: type[ValueObject]
    where: Expression | None = None
    select: tuple[Name, ...] = ()
    expand: tuple[Expand, ...] = ()
    order_by: tuple[Ordering, ...] = ()


def selection(owner: type[ValueObject], items: Iterable[Selectable]) -> tuple[Name, ...]:
    """The fields of `owner` that are meant.

    Raises:
        UnknownFieldError: `owner` has no such field.
        ConfigurationError: A field of something else, or a single text instead of a list.
    """
    return tuple(
        resolve(owner, item if isinstance(item, str) else _single_step(owner, item.path))
        for item in _listed(items, "select")
    )


def orderings(owner: type[ValueObject], items: Iterable[Sortable]) -> tuple[Ordering, ...]:
    """The sort keys that are meant; raises as `selection` does."""
    return tuple(_ordering(owner, item) for item in _listed(items, "order_by"))


def expansions(owner: type[ValueObject], items: Iterable[Expandable]) -> tuple[Expand, ...]:
    """What is to come along; raises as `selection` does."""
    return tuple(_expansion(owner, item) for item in _listed(items, "expand"))


def own_condition(owner: type[ValueObject], *parts: Expression | None) -> Expression | None:
    """The condition that holds when all that there are hold; None if there is none.

    Args:
        owner: The class of what is asked for.
        *parts: The conditions.

    Raises:
        ConfigurationError: One speaks of a field of something else.
    """
    whole = all_given(*parts)
    for path in () if whole is None else paths_of(whole):
        _require_own(owner, path)
    return whole


def _listed(items: Iterable[Selectable | Ordering | Expand], option: str) -> Iterable[Any]:
    if isinstance(items, str):
        raise ConfigurationError(f"{option}= takes a list: write [{items!r}], not {items!r}")
    return items


def _ordering(owner: type[ValueObject], item: Sortable) -> Ordering:
    if isinstance(item, str):
        return Ordering(Path(owner, (resolve(owner, item).name,), Kind.OBJECT))
    ordering = item if isinstance(item, Ordering) else Ordering(item.path)
    _require_own(owner, ordering.path)
    return ordering


def _expansion(owner: type[ValueObject], item: Expandable) -> Expand:
    if isinstance(item, Expand):
        _expandable(owner, item.name.name)
        return item
    name = resolve(owner, item if isinstance(item, str) else _single_step(owner, item.path))
    return Expand(name, _expandable(owner, name.name))


def _expandable(owner: type[ValueObject], name: str) -> type[ValueObject]:
    entity = target(owner, resolve(owner, name).name)
    if entity is None:
        raise ConfigurationError(
            f"{owner.__name__}.{name} is a plain value: nothing to expand, use select= for it"
        )
    return entity


def _single_step(owner: type[ValueObject], path: Path) -> str:
    _require_own(owner, path)
    name, *inner = path.names
    if inner:
        raise ConfigurationError(
            f"{path} lies within {name}: ask for it inside that, "
            f"as in expand=[T.{name}.select({inner[0]!r})] or T.{name}.expand({inner[0]!r})"
        )
    return name


def _require_own(owner: type[ValueObject], path: Path) -> None:
    if issubclass(owner, path.owner):
        return
    way = f"use fields({owner.__name__})"
    step = next((name for name in encoded(owner) if target(owner, name) is path.owner), None)
    if step is not None:
        way += f" as T, and {'.'.join(('T', step, *path.names))} for what hangs on it"
    raise ConfigurationError(f"{path} is not a field of {owner.__name__}: {way}")
