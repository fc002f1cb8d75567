"""Every field that users meet has a text below it, where editors show it, and in no other place."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any, get_args, get_type_hints, is_typeddict

import jibble_legacy
import msgspec
import pytest

import jibble_async
from jibble_async import TimeEntry, entities, export
from jibble_async.core.paging import PageOptions
from jibble_async.entities.documentation import field_docs
from jibble_async.resources.attendance import SheetOptions
from jibble_async.resources.punches import PunchOptions

# What hooks are told of.
EVENTS = get_args(get_args(jibble_async.Hook)[0][0])
PACKAGES = [jibble_async, jibble_legacy, entities, export]
FOUND: list[Any] = [getattr(package, name) for package in PACKAGES for name in package.__all__]
CLASSES = {each.__qualname__: each for each in FOUND if inspect.isclass(each)}
OPTIONS: list[Any] = [PageOptions, SheetOptions, PunchOptions]


def fields_of(cls: Any) -> list[str]:
    if issubclass(cls, msgspec.Struct):
        return [name for name in cls.__struct_fields__ if not name.startswith("_")]
    if dataclasses.is_dataclass(cls):
        return [field.name for field in dataclasses.fields(cls) if field.name[0] != "_"]
    return list(get_type_hints(cls)) if is_typeddict(cls) else []


WITH_FIELDS = [each for each in [*CLASSES.values(), *OPTIONS, *EVENTS] if fields_of(each)]


@pytest.mark.parametrize("cls", WITH_FIELDS, ids=lambda cls: cls.__name__)
def test_every_field_has_a_text(cls: Any) -> None:
    texts = field_docs(cls)
    assert [name for name in fields_of(cls) if not texts.get(name)] == []
    for name in fields_of(cls):
        assert not texts[name][0].islower(), (name, texts[name])
        assert texts[name].endswith("."), (name, texts[name])
    assert "Attributes:" not in (inspect.getdoc(cls) or "")


def test_all_kinds_of_classes_are_looked_at() -> None:
    names = {each.__name__ for each in WITH_FIELDS}
    assert {"Person", "TeamMember", "ClientConfig", "LegacyConfig", "RetryPolicy", "Page"} <= names
    assert {"Stretch", "ExportReport", "ListOptions", "ResponseMetadata", "Ping"} <= names
    assert len(names) > 80


def test_a_subclass_has_the_texts_of_its_base() -> None:
    texts = field_docs(TimeEntry)
    assert texts["id"] == "What Jibble knows it by."
    assert texts["offset"] == "What `local_time` is ahead of UTC."
    assert field_docs(TimeEntry) is texts
    assert field_docs(jibble_legacy.LegacyTimeEntry).items() > texts.items()


def test_where_there_is_no_source_nothing_is_known() -> None:
    assert field_docs(type("Made", (), {})) == {}
    assert field_docs(msgspec.defstruct("Made", ["x"])) == {}
