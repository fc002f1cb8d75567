"""The fields of an entity, and which of them is meant by a name."""

from __future__ import annotations

import functools
import types
import typing
from typing import Any

import msgspec

from jibble_async.entities import ValueObject
from jibble_async.errors import UnknownFieldError

__all__ = ["Name", "attributes", "resolve", "target", "unknown_field"]


class Name(msgspec.Struct, frozen=True):
    """A field that was asked for by name.

    Attributes:
        name: The vocabulary's name.
        given: As the caller wrote it.
    """

    name: str
    given: str


@functools.cache
def attributes(owner: type[ValueObject]) -> dict[str, msgspec.structs.FieldInfo]:
    """The fields of `owner`, by the vocabulary's names."""
    return {field.name: field for field in msgspec.structs.fields(owner)}


@functools.cache
def _encoded(owner: type[ValueObject]) -> dict[str, str]:
    return {field.encode_name.lower(): name for name, field in attributes(owner).items()}


def resolve(owner: type[ValueObject], text: str) -> Name:
    """The field of `owner` that `text` names: in the vocabulary's words, or as it is encoded.

    Raises:
        UnknownFieldError: There is none.
    """
    if text in attributes(owner):
        return Name(text, text)
    name = _encoded(owner).get(text.lower())
    if name is None:
        raise unknown_field(owner, text)
    return Name(name, text)


@functools.cache
def target(owner: type[ValueObject], name: str) -> type[ValueObject] | None:
    """The class of what hangs on the field `name`; None for plain values and lists of them."""
    return _object_type(attributes(owner)[name].type)


def _object_type(annotation: Any) -> type[ValueObject] | None:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return annotation if issubclass(annotation, ValueObject) else None
    for argument in typing.get_args(annotation):
        found = _object_type(argument)
        if found is not None:
            return found
    return None


def unknown_field(owner: type[ValueObject], name: str) -> UnknownFieldError:
    """The error for a name that `owner` does not have, with the nearest ones that it has."""
    import difflib  # nothing but a mistake needs it

    names = list(attributes(owner))
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    advice = f"did you mean {' or '.join(near)}?" if near else f"it has {', '.join(sorted(names))}"
    return UnknownFieldError(f"{owner.__name__} has no field {name!r}: {advice}")
