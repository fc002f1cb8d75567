"""Bodies of writes checked against the types: unknown or ill-typed properties are refused.

Numbers may be sent as text, which the framework converts (inferred; a connector declares its
latitude as text).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from jibble_async.sandbox.enumerations import member_of
from jibble_async.sandbox.errors import bad_request
from jibble_async.sandbox.scalars import is_date, is_guid, parse_duration, parse_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from jibble_async.sandbox.dataset import Dataset
    from jibble_async.sandbox.entity_types import EntityType, Kind, Row


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _guid(value: Any) -> str:
    if not is_guid(value):
        raise ValueError
    return str(value).lower()


def _number(value: Any) -> float:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return value


def _date(value: Any) -> str:
    if not is_date(value):
        raise ValueError
    return str(value)


def _parsed(parse: Callable[[str], object]) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        parse(value)
        return value

    return read


def _instance(kind: type) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not isinstance(value, kind):
            raise TypeError
        return value

    return read


_NUMBER = re.compile(r"-?\d{1,300}(\.\d{1,300})?")
_READ: dict[Kind, Callable[[Any], Any]] = {
    "guid": _guid,
    "instant": _parsed(parse_instant),
    "date": _date,
    "duration": _parsed(parse_duration),
    "bool": _instance(bool),
    "number": _number,
    "object": _instance(dict),
    "list": _instance(list),
}


def checked(body: Row, entity: EntityType, allowed: Collection[str]) -> Row:
    """The body's properties under their wire names.

    Args:
        body: The decoded body.
        entity: The type that is written.
        allowed: The properties that may be written.

    Raises:
        Refusal: 400, naming a property that is unknown, read-only or of the wrong type.
    """
    found: Row = {}
    for key, value in body.items():
        name = entity.names.get(key.lower(), key)
        if name not in allowed:
            raise bad_request(f"The property {key!r} cannot be written on type {entity.name!r}.")
        value = _read(name, value, entity.properties[name], entity.members.get(name, ()))
        if value is not None and name in entity.objects:
            value = _read_object(name, cast("Row", value), entity)
        found[name] = value
    return found


def _read(name: str, value: Any, kind: Kind, members: tuple[str, ...]) -> Any:
    if value is None:
        return None
    try:
        reader: Callable[[Any], Any] = _READ.get(kind, _text)
        read = reader(value)
    except (TypeError, ValueError, OverflowError):
        raise bad_request(f"The value of {name!r} is not a valid {kind}.") from None
    member = member_of(members, read) if kind == "enum" else read
    if member is None:
        raise bad_request(f"{value!r} is no member of the enumeration of {name!r}.")
    return member


def _read_object(name: str, value: Row, entity: EntityType) -> Row:
    parts = entity.objects[name]
    for key in value:
        if key not in parts:
            raise bad_request(f"{name!r} has no property {key!r}.")
    return {
        key: _read(path, part, parts[key], entity.members.get(path, ()))
        for key, part in value.items()
        for path in (f"{name}/{key}",)
    }


def require(changes: Row, *names: str) -> None:
    """Refuses a body without the given properties.

    Raises:
        Refusal: 400, naming the first that is missing, null or empty.
    """
    for name in names:
        if changes.get(name) in {None, ""}:
            raise bad_request(f"The property {name!r} is required.")


def check_links(dataset: Dataset, changes: Row, links: dict[str, str]) -> None:
    """Refuses ids that lead nowhere.

    Args:
        dataset: Where they should lead.
        changes: The properties that are written.
        links: The set behind each property that holds an id.

    Raises:
        Refusal: 400, naming the property and its id.
    """
    for name, target in links.items():
        value = changes.get(name)
        if value is not None and value not in dataset.index(target):
            raise bad_request(f"{name!r} {value} does not exist.")
