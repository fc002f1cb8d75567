"""Reading a property of a row, or of the row that a navigation property leads to."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from jibble_async.sandbox.errors import bad_request
from jibble_async.sandbox.scalars import instant_key, parse_duration
from jibble_async.sandbox.schema import TYPES, EntityType

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jibble_async.sandbox.dataset import Dataset
    from jibble_async.sandbox.schema import Kind, Row


@dataclass(frozen=True, slots=True)
class Resolved:
    """A path that exists: how to read its value as the wire has it, and its kind."""

    read: Callable[[Row], Any]
    kind: Kind


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
                return Resolved(step, "object")
            inner = self.resolve(TYPES[link.target], rest)
            return Resolved(_null_safe(step, inner.read), inner.kind)
        kind = entity.properties[name]
        if not rest:
            return Resolved(itemgetter(name), kind)
        parts = entity.objects.get(name, {})
        inner_name = next((part for part in parts if part.lower() == rest[0].lower()), None)
        if inner_name is None or len(rest) > 1:
            raise bad_request(f"{name!r} has no property {'/'.join(rest)!r}.")
        return Resolved(_null_safe(itemgetter(name), itemgetter(inner_name)), parts[inner_name])

    def follow(self, entity: EntityType, name: str) -> Callable[[Row], Any]:
        """The reader of a navigation property: a row, null, or a list of rows."""
        link = entity.navigations[name]
        if link.many:
            target = self._dataset.rows(link.target)
            return lambda row: [other for other in target if other[link.remote] == row[link.local]]
        index = self._dataset.index(link.target)
        local = link.local
        return lambda row: index.get(row[local])

    def collection(
        self, entity: EntityType, segments: Sequence[str]
    ) -> tuple[Callable[[Row], list[Any]], EntityType | None]:
        """The reader of a collection and the type of its elements, None when it is not declared.

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
            return self.follow(entity, name), TYPES[link.target]
        if entity.properties.get(name) != "list":
            raise bad_request(f"{name!r} is not a collection.")

        def elements(row: Row) -> list[Any]:
            return row[name] or []

        return elements, None


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
    return Resolved(lambda row: outer(inner(row)), resolved.kind)


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
