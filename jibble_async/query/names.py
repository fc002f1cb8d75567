"""What the fields of an entity are called, in the vocabulary and on the current API's wire."""

from __future__ import annotations

import functools
import types
import typing
from typing import Any

import msgspec

from jibble_async.entities import ValueObject
from jibble_async.errors import UnknownFieldError

__all__ = ["Name", "resolve", "target", "unknown_field", "wire_name"]


class Name(msgspec.Struct, frozen=True):
    """A field that was asked for by name.

    Attributes:
        name: The vocabulary's name.
        spelling: The wire's name as the caller spelt it, where that is how it was given; the
            current API takes names in any case (observed).
    """

    name: str
    spelling: str | None = None


@functools.cache
def _fields(owner: type[ValueObject]) -> dict[str, msgspec.structs.FieldInfo]:
    return {field.name: field for field in msgspec.structs.fields(owner)}


@functools.cache
def _wire_spellings(owner: type[ValueObject]) -> dict[str, str]:
    return {field.encode_name.lower(): name for name, field in _fields(owner).items()}


def resolve(owner: type[ValueObject], text: str) -> Name:
    """The field of `owner` that `text` names, in the vocabulary's or the wire's spelling.

    Raises:
        UnknownFieldError: There is none.
    """
    if text in _fields(owner):
        return Name(text)
    name = _wire_spellings(owner).get(text.lower())
    if name is None:
        raise unknown_field(owner, text)
    return Name(name, spelling=text)


def wire_name(owner: type[ValueObject], name: str) -> str:
    """What the current API calls the field `name` of `owner`."""
    return _fields(owner)[name].encode_name


@functools.cache
def target(owner: type[ValueObject], name: str) -> type[ValueObject] | None:
    """The class of what hangs on the field `name`; None for plain values and lists of them."""
    return _object_type(_fields(owner)[name].type)


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

    names = list(_fields(owner))
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    advice = f"did you mean {' or '.join(near)}?" if near else f"it has {', '.join(sorted(names))}"
    return UnknownFieldError(f"{owner.__name__} has no field {name!r}: {advice}")
