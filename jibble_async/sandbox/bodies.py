"""Bodies of writes checked against the types: unknown or ill-typed properties are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from jibble_async.sandbox.errors import bad_request
from jibble_async.sandbox.scalars import is_date, is_guid, parse_duration, parse_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from jibble_async.sandbox.dataset import Dataset
    from jibble_async.sandbox.schema import EntityType, Kind, Row


def _reads(parse: Callable[[str], object]) -> Callable[[Any], bool]:
    def valid(value: Any) -> bool:
        try:
            parse(value)
        except (TypeError, ValueError):
            return False
        return True

    return valid


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_VALID: dict[Kind, Callable[[Any], bool]] = {
    "guid": is_guid,
    "text": _is_text,
    "enum": _is_text,
    "instant": _reads(parse_instant),
    "date": is_date,
    "duration": _reads(parse_duration),
    "bool": lambda value: isinstance(value, bool),
    "number": _is_number,
    "object": lambda value: isinstance(value, dict),
    "list": lambda value: isinstance(value, list),
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
        kind = entity.properties[name]
        if value is not None and not _VALID.get(kind, _is_text)(value):
            raise bad_request(f"The value of {name!r} is not a valid {kind}.")
        if value is not None and name in entity.objects:
            _check_object(name, cast("Row", value), entity.objects[name])
        found[name] = value.lower() if kind == "guid" and value is not None else value
    return found


def _check_object(name: str, value: Row, parts: dict[str, Kind]) -> None:
    for key, part in value.items():
        if key not in parts:
            raise bad_request(f"{name!r} has no property {key!r}.")
        if part is not None and not _VALID[parts[key]](part):
            raise bad_request(f"The value of '{name}/{key}' is not a valid {parts[key]}.")


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
