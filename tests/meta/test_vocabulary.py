"""The declared fields of `query.vocabulary` are those of the entities, kind by kind."""

from __future__ import annotations

import types
import typing
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, get_args, get_origin

import msgspec
import pytest

import jibble_async.entities as entities
from jibble_async import Entity, OpenEnum, fields
from jibble_async.entities import ValueObject
from jibble_async.entities.base import GUID_MARK
from jibble_async.query import vocabulary
from jibble_async.query.fields import (
    BooleanField,
    CollectionField,
    DateField,
    DateTimeField,
    DurationField,
    EnumField,
    Fields,
    IdField,
    NumberField,
    TextField,
    TimeField,
)
from jibble_async.query.names import wire_name

DECLARATIONS = [
    each for each in Fields.__subclasses__() if each.__module__.startswith("jibble_async.")
]
FIELDS: dict[Any, Any] = {declaration.entity: declaration for declaration in DECLARATIONS}
SCALARS: dict[Any, Any] = {
    str: TextField,
    bool: BooleanField,
    int: NumberField,
    float: NumberField,
    date: DateField,
    datetime: DateTimeField,
    time: TimeField,
    timedelta: DurationField,
}


def expected(annotation: Any, fields_of: dict[Any, Any] = FIELDS) -> Any:
    """The field that stands for a value of this type."""
    if get_origin(annotation) in {typing.Union, types.UnionType}:
        (inner,) = (part for part in get_args(annotation) if part is not types.NoneType)
        return expected(inner, fields_of)
    if get_origin(annotation) is Annotated:
        (mark,) = annotation.__metadata__
        assert mark.extra == {"kind": GUID_MARK}
        return IdField
    if get_origin(annotation) is list:
        return CollectionField
    if annotation in SCALARS:
        return SCALARS[annotation]
    if issubclass(annotation, OpenEnum):
        return EnumField[annotation | str]
    return fields_of[annotation]


@pytest.mark.parametrize("declaration", DECLARATIONS, ids=lambda cls: cls.__name__)
def test_declared_fields_are_the_entitys(declaration: type[Fields]) -> None:
    hints = typing.get_type_hints(declaration)
    del hints["entity"]
    owner = declaration.entity
    hinted = typing.get_type_hints(owner, include_extras=True)
    wanted = {field.name: expected(hinted[field.name]) for field in msgspec.structs.fields(owner)}
    assert list(hints) == list(wanted)
    assert hints == wanted


@pytest.mark.parametrize("declaration", DECLARATIONS, ids=lambda cls: cls.__name__)
def test_every_declared_field_can_be_asked_for(declaration: type[Fields]) -> None:
    untyped: Any = fields
    made = untyped(declaration.entity)
    assert type(made) is declaration
    for name in typing.get_type_hints(declaration):
        if name != "entity":
            assert getattr(made, name).path.names == (name,)


def test_every_entity_has_its_fields() -> None:
    found = [getattr(entities, name) for name in entities.__all__]
    wanted = {item for item in found if isinstance(item, type) and issubclass(item, Entity)}
    assert wanted - {Entity} <= FIELDS.keys()
    declared = {name for name in vocabulary.__all__ if name != "fields"}
    assert {declaration.__name__ for declaration in DECLARATIONS} == declared
    overloads = typing.get_overloads(vocabulary.fields)
    promised = {
        get_args(hints["entity"])[0]: hints["return"]
        for hints in (typing.get_type_hints(overload) for overload in overloads)
    }
    assert promised == FIELDS


@pytest.mark.parametrize("declaration", DECLARATIONS, ids=lambda cls: cls.__name__)
def test_the_wires_names_are_in_camel_case(declaration: type[Fields]) -> None:
    owner: type[ValueObject] = declaration.entity
    for field in msgspec.structs.fields(owner):
        first, *rest = field.name.split("_")
        assert wire_name(owner, field.name) == first + "".join(map(str.capitalize, rest))
