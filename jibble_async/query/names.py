"""The fields of an entity, and which of them is meant by a name."""

from __future__ import annotations

import functools
import inspect
import sys
import types
import typing
from collections.abc import Collection
from typing import Any, cast

import msgspec

from jibble_async.entities import OpenEnum, ValueObject
from jibble_async.errors import UnknownFieldError
from jibble_async.query.expressions import Path

__all__ = [
    "Name",
    "annotation",
    "encoded",
    "enumeration",
    "resolve",
    "suggestion",
    "target",
    "unknown_field",
]


class Name(msgspec.Struct, frozen=True):
    """A field that was asked for by name.

    Attributes:
        name: The vocabulary's name.
        given: As the caller wrote it.
    """

    name: str
    given: str


@functools.cache
def encoded(owner: type[ValueObject]) -> dict[str, str]:
    """The fields of `owner`, each with the name that it is encoded by."""
    return dict(zip(owner.__struct_fields__, owner.__struct_encode_fields__, strict=True))


@functools.cache
def annotation(owner: type[ValueObject], name: str) -> Any:
    """The type of the field `name` of `owner`, which must have it."""
    # One alone: to find all of an entity's, as msgspec does, takes a millisecond.
    base = next(each for each in owner.__mro__ if name in inspect.get_annotations(each))
    found = inspect.get_annotations(base)[name]
    return eval(found, vars(sys.modules[base.__module__])) if isinstance(found, str) else found  # noqa: S307


@functools.cache
def _decoded(owner: type[ValueObject]) -> dict[str, str]:
    return {sent.lower(): name for name, sent in encoded(owner).items()}


def resolve(owner: type[ValueObject], text: str) -> Name:
    """The field of `owner` that `text` names: in the vocabulary's words, or as it is encoded.

    Raises:
        UnknownFieldError: There is none.
    """
    if text in encoded(owner):
        return Name(text, text)
    name = _decoded(owner).get(text.lower())
    if name is None:
        raise unknown_field(owner, text)
    return Name(name, text)


@functools.cache
def target(owner: type[ValueObject], name: str) -> type[ValueObject] | None:
    """The class of what hangs on the field `name`; None for plain values and lists of them."""
    return _object_type(annotation(owner, name))


def _object_type(annotation: Any) -> type[ValueObject] | None:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return annotation if issubclass(annotation, ValueObject) else None
    for argument in typing.get_args(annotation):
        found = _object_type(argument)
        if found is not None:
            return found
    return None


def enumeration(path: Path) -> type[OpenEnum]:
    """The set of names that a field of that kind holds one of."""
    *steps, name = path.names
    owner = path.owner
    for step in steps:
        owner = target(owner, step) or owner
    held = annotation(owner, name)
    (names,) = (each for each in typing.get_args(held) or (held,) if each is not types.NoneType)
    return cast("type[OpenEnum]", names)


def unknown_field(owner: type[ValueObject], name: str) -> UnknownFieldError:
    """The error for a name that `owner` does not have, with the nearest ones that it has."""
    advice = suggestion(name, encoded(owner))
    return UnknownFieldError(f"{owner.__name__} has no field {name!r}: {advice}")


def suggestion(name: str, names: Collection[str]) -> str:
    """What may be meant by a name that is none of these."""
    import difflib  # nothing but a mistake needs it

    lowered = {each.lower(): each for each in names}
    found = difflib.get_close_matches(name.lower(), lowered, n=3, cutoff=0.6)
    near = [lowered[each] for each in found]
    return f"did you mean {' or '.join(near)}?" if near else f"it has {', '.join(sorted(names))}"
