"""Reading a property of a row, or of the rows that a navigation property leads to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from operator import itemgetter, methodcaller
from typing import TYPE_CHECKING, Any

from jibble_async.sandbox.entity_types import EntityType
from jibble_async.sandbox.enumerations import member_of
from jibble_async.sandbox.errors import bad_request
from jibble_async.sandbox.scalars import instant_key, parse_duration
from jibble_async.sandbox.schema import TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jibble_async.sandbox.dataset import Dataset
    from jibble_async.sandbox.entity_types import Kind, Row


@dataclass(frozen=True, slots=True)
class Resolved:
    """A path that exists.

    Args:
        read: Gives its value as the wire has it.
        kind: The kind of the value.
        name: The property, if it is the row's own.
        members: Of an enumeration, in the order of their numbers; none where they are not known.
        targets: The sets that the path leads through.
    """

    read: Callable[[Row], Any]
    kind: Kind
    name: str | None = None
    members: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()

    def member(self, text: str) -> str | None:
        """The member that a text names, or its number; None for none."""
        return member_of(self.members, text)


class Paths:
    """Finds what names mean and follows navigation in the dataset.

    Args:
        dataset: Where navigation properties lead.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    def resolve(self, entity: EntityType, segments: Sequence[str]) -> Resolved:
        """The reader of a path such as `person/fullName` or `coordinates/latitude`.

        Raises:
            Refusal: 400, naming the property that the type does not have.
        """
        name = find_name(entity, segments[0])
        rest = segments[1:]
        if name in entity.navigations:
            link = entity.navigations[name]
            if link.many:
                raise bad_request(f"{name!r} is a collection; use any() or all().")
            step = self.follow(entity, name)
            if not rest:
                return Resolved(step, "object", targets=(link.target,))
            inner = self.resolve(TYPES[link.target], rest)
            return replace(
                inner,
                read=_null_safe(step, inner.read),
                name=None,
                targets=(link.target, *inner.targets),
            )
        kind = entity.properties[name]
        if not rest:
            return Resolved(itemgetter(name), kind, name, entity.members.get(name, ()))
        parts = entity.objects.get(name, {})
        inner_name = next((part for part in parts if part.lower() == rest[0].lower()), None)
        if inner_name is None or len(rest) > 1:
            raise bad_request(f"{name!r} has no property {'/'.join(rest)!r}.")
        read = _null_safe(itemgetter(name), methodcaller("get", inner_name))
        members = entity.members.get(f"{name}/{inner_name}", ())
        return Resolved(read, parts[inner_name], members=members)

    def follow(self, entity: EntityType, name: str) -> Callable[[Row], Any]:
        """The reader of a navigation property: a row, null, or a list of rows."""
        link = entity.navigations[name]
        if link.through is not None:
            index = self._dataset.index(link.target)
            local, key = link.local, link.through
            return lambda row: [index[each[key]] for each in row[local] if each[key] in index]
        if link.many:
            target = self._dataset.table(link.target)
            local, remote = link.local, link.remote
            return lambda row: target.equal(remote, row[local])
        index = self._dataset.index(link.target)
        local = link.local
        return lambda row: index.get(row[local])

    def collection(
        self, entity: EntityType, segments: Sequence[str]
    ) -> tuple[Callable[[Row], list[Any]], EntityType | None, str | None]:
        """The reader of a collection, the type and the set of its elements; None if undeclared.

        Raises:
            Refusal: 400, there is no such collection.
        """
        name = find_name(entity, segments[0])
        if len(segments) > 1:
            raise bad_request(
                f"any() and all() over {'/'.join(segments)!r} are not supported here."
            )
        link = entity.navigations.get(name)
        if link is not None and link.many:
            return self.follow(entity, name), TYPES[link.target], link.target
        if entity.properties.get(name) != "list":
            raise bad_request(f"{name!r} is not a collection.")

        def elements(row: Row) -> list[Any]:
            return row[name] or []

        return elements, None, None


def find_name(entity: EntityType, name: str) -> str:
    """The property's name as JSON has it, whatever case it was asked in.

    Raises:
        Refusal: 400, the type has no such property.
    """
    found = entity.names.get(name.lower())
    if found is None:
        raise bad_request(f"Could not find a property named {name!r} on type {entity.name!r}.")
    return found


def reader(resolved: Resolved) -> Resolved:
    """The same path with values that compare as their kind does: instants by key, seconds."""
    convert: dict[Kind, Callable[[Any], Any]] = {
        "instant": _instant_or_null,
        "guid": _lower_or_null,
        "duration": _seconds_or_null,
    }
    outer = convert.get(resolved.kind)
    if outer is None:
        return resolved
    inner = resolved.read

    def read(row: Row) -> Any:
        return outer(inner(row))

    return replace(resolved, read=read)


def _instant_or_null(value: Any) -> Any:
    try:
        return None if value is None else instant_key(value)
    except (TypeError, ValueError):
        return str(value)


def _lower_or_null(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _seconds_or_null(value: Any) -> Any:
    return None if value is None else parse_duration(value).total_seconds()


def _null_safe(outer: Callable[[Row], Any], inner: Callable[[Any], Any]) -> Callable[[Row], Any]:
    def read(row: Row) -> Any:
        value = outer(row)
        return None if value is None else inner(value)

    return read
