"""Structs as plain dicts: what `to_dict()` gives, and what frames are made of."""

from __future__ import annotations

import functools
import typing
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Literal, TypeAlias

import msgspec

from jibble_async.entities.durations import duration_text
from jibble_async.errors import ConfigurationError

__all__ = ["DictForm", "Names", "as_dict"]

Names: TypeAlias = Literal["python", "wire"]
"""By which names fields go: `belongs_to_date`, or `belongsToDate` as the server calls it."""

_Convert: TypeAlias = Callable[[Any], Any]


class DictForm(msgspec.Struct, frozen=True, kw_only=True):
    """What dicts are like.

    Raises:
        ConfigurationError: There are no such names.
    """

    names: Names = "python"
    """By which names fields go."""
    secrets: bool = False
    """Whether what opens a kiosk is kept, such as a person's PIN."""
    exclude_none: bool = False
    """Whether what is None is left out."""
    as_text: bool = False
    """Whether lengths of time are written as the server does, for what knows JSON only."""

    def __post_init__(self) -> None:
        if self.names not in typing.get_args(Names):
            raise ConfigurationError(f"names={self.names!r}: there are python and wire")


def as_dict(value: msgspec.Struct, form: DictForm) -> dict[str, Any]:
    """A struct and those within it as dicts; what was not given (`UNSET`) is left out.

    Args:
        value: The struct.
        form: What the dicts are like.
    """
    made: dict[str, Any] = {}
    for name, key, convert in _plan(type(value), form):
        held = getattr(value, name)
        if held is None:
            if not form.exclude_none:
                made[key] = None
        elif held is not msgspec.UNSET:
            made[key] = held if convert is None else convert(held)
    return made


# A row has dozens of fields, whose types are looked at once for all rows.
@functools.cache
def _plan(
    kind: type[msgspec.Struct], form: DictForm
) -> tuple[tuple[str, str, _Convert | None], ...]:
    """Each field that is wanted, with its key, and what is to be made of its value."""
    hidden = () if form.secrets else getattr(kind, "secret_fields", ())
    return tuple(
        (
            field.name,
            field.encode_name if form.names == "wire" else field.name,
            _convert(field.type, form),
        )
        for field in msgspec.structs.fields(kind)
        if field.name not in hidden
    )


def _convert(annotation: Any, form: DictForm) -> _Convert | None:
    """What makes a plain value of one of this type; None where there is nothing to make."""
    if isinstance(annotation, type):
        if issubclass(annotation, msgspec.Struct):
            # By the class of the value: a subclass, such as the old API's, has further fields.
            return functools.partial(as_dict, form=form)
        if issubclass(annotation, str) and annotation is not str:
            return str
        if annotation is timedelta and form.as_text:
            return duration_text
    made = [each for arg in typing.get_args(annotation) if (each := _convert(arg, form))]
    if not made:
        return None
    (convert,) = made
    if typing.get_origin(annotation) is list:
        return lambda items: [*map(convert, items)]
    return convert
