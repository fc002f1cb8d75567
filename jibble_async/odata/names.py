"""What the fields of an entity are called on the current API's wire: as msgspec encodes them."""

from __future__ import annotations

from typing import Any

from jibble_async.entities import ValueObject
from jibble_async.query.names import Name, encoded, unknown_field

__all__ = ["camel", "spelt", "wire_name", "wire_values"]


def camel(name: str) -> str:
    """A name of several words as this API writes it, and msgspec where a class says `camel`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def wire_name(owner: type[ValueObject], name: str) -> str:
    """The wire's name for the field `name` of `owner`.

    Raises:
        UnknownFieldError: It has no such field.
    """
    if name not in encoded(owner):
        raise unknown_field(owner, name)
    return encoded(owner)[name]


def wire_values(owner: type[ValueObject], /, **values: Any) -> dict[str, Any]:
    """Values of fields of `owner`, by the wire's names, as a write sends them.

    Raises:
        UnknownFieldError: It has no such field.
    """
    return {wire_name(owner, name): value for name, value in values.items()}


def spelt(owner: type[ValueObject], name: Name) -> str:
    """The wire's name for a field that was asked for, in the caller's upper and lower case.

    The current API takes names in any case (observed: names).
    """
    sent = wire_name(owner, name.name)
    return name.given if name.given.lower() == sent.lower() else sent
