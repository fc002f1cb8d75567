"""The fields that queries are written with are those of the entities, kind by kind."""

from __future__ import annotations

import copy
import pickle
import re
import types
import typing
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, get_args, get_origin

import msgspec
import pytest
from jibble_legacy import query_fields

import jibble_async.entities as entities
from jibble_async import Entity, OpenEnum, TrackedTime, UnknownFieldError
from jibble_async.entities import ValueObject
from jibble_async.entities.base import GUID_MARK
from jibble_async.entities.organization import Settings
from jibble_async.odata.names import wire_name
from jibble_async.query import vocabulary
from jibble_async.query.entity_fields import Vocabulary
from jibble_async.query.fields import (
    BooleanField,
    CollectionField,
    DateField,
    DateTimeField,
    DurationField,
    EnumField,
    IdField,
    KeyedField,
    NumberField,
    TextField,
    TimeField,
)
from tools.stubs import stubs

VOCABULARIES = [vocabulary.VOCABULARY, query_fields.VOCABULARY]
OWNERS = [(each, owner) for each in VOCABULARIES for owner in each.owners.values()]
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


def expected(annotation: Any) -> Any:
    """The field that stands for a value of this type, or the class of what hangs there."""
    if get_origin(annotation) in {typing.Union, types.UnionType}:
        (inner,) = (part for part in get_args(annotation) if part is not types.NoneType)
        return expected(inner)
    if get_origin(annotation) is Annotated:
        (mark,) = annotation.__metadata__
        assert mark.extra == {"kind": GUID_MARK}
        return IdField
    if get_origin(annotation) is list:
        return CollectionField
    if get_origin(annotation) is dict:
        return KeyedField
    if annotation in SCALARS:
        return SCALARS[annotation]
    if issubclass(annotation, OpenEnum):
        return EnumField
    return annotation


by_owner = pytest.mark.parametrize(
    ("known", "owner"), OWNERS, ids=[owner.__name__ for _, owner in OWNERS]
)


@by_owner
def test_fields_are_the_entitys(known: Vocabulary, owner: type[ValueObject]) -> None:
    made = known.fields(owner)
    hinted = typing.get_type_hints(owner, include_extras=True)
    for field in msgspec.structs.fields(owner):
        found, wanted = getattr(made, field.name), expected(hinted[field.name])
        assert getattr(found, "entity", type(found)) is wanted, field.name
        assert found.path.names == (field.name,)
        assert found.path.owner is owner
        assert getattr(made, field.name) is found


@by_owner
def test_fields_can_be_copied(known: Vocabulary, owner: type[ValueObject]) -> None:
    made = known.fields(owner)
    assert pickle.loads(pickle.dumps(made)) is copy.copy(made) is made
    assert known.class_named(f"{owner.__name__}Fields") is type(made)
    for name in made.entity.__struct_fields__:
        found = getattr(made, name)
        if hasattr(found, "entity"):
            assert pickle.loads(pickle.dumps(found)).path == found.path


@by_owner
def test_the_wires_names_are_in_camel_case(known: Vocabulary, owner: type[ValueObject]) -> None:
    for field in msgspec.structs.fields(owner):
        if issubclass(owner, Settings) and field.name in Settings.__struct_fields__[1:]:
            # Not properties of the type, but keys of an open one.
            assert re.fullmatch(r"I[A-Za-z]+Settings/[A-Za-z]+", wire_name(owner, field.name))
            continue
        first, *rest = field.name.split("_")
        assert wire_name(owner, field.name) == first + "".join(map(str.capitalize, rest))


def test_every_entity_has_its_fields() -> None:
    found = [getattr(entities, name) for name in entities.__all__]
    wanted = {item for item in found if isinstance(item, type) and issubclass(item, Entity)}
    owners = set(vocabulary.VOCABULARY.owners.values())
    assert wanted - {Entity} <= owners
    # What is not asked for by its fields.
    assert owners.isdisjoint({Entity, TrackedTime, entities.DayRule, entities.TimesheetDay})


def test_classes_of_fields_are_where_the_stubs_say() -> None:
    untyped: Any = vocabulary
    assert issubclass(query_fields.TeamMemberFields, vocabulary.PersonFields)
    assert query_fields.PersonFields is vocabulary.PersonFields
    for name in ("NobodyFields", "Person", "__path__"):
        assert not hasattr(untyped, name)


def test_a_misspelt_field_is_an_error_with_a_suggestion() -> None:
    untyped: Any = vocabulary.fields
    with pytest.raises(UnknownFieldError, match="no field 'person_idd': did you mean person_id"):
        untyped(entities.TimeEntry).person_idd  # noqa: B018


def test_stubs_are_as_written() -> None:
    for path, text in stubs().items():
        assert path.read_text() == text, "run `make stubs`"
