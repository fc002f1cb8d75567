"""Entities of every class, drawn with whatever their fields may hold."""

from __future__ import annotations

import functools
import types
import typing
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import msgspec
from hypothesis import strategies as st
from jibble_legacy import entities as legacy

from jibble_async import entities
from jibble_async.entities import OpenEnum, ValueObject

_OFFSETS = [UTC, timezone(timedelta(hours=5, minutes=45)), timezone(-timedelta(hours=9))]
_SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=8),
    bool: st.booleans(),
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    date: st.dates(),
    datetime: st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)).flatmap(  # noqa: DTZ001
        lambda moment: st.sampled_from([moment.replace(tzinfo=zone) for zone in _OFFSETS])
    ),
    time: st.times(),
    timedelta: st.timedeltas(timedelta(days=-9999), timedelta(days=9999)),
    Any: st.one_of(st.none(), st.text(max_size=3), st.lists(st.integers(0, 9), max_size=2)),
}


def classes() -> list[type[ValueObject]]:
    """Those of both APIs."""
    found = [getattr(home, name) for home in (entities, legacy) for name in home.__all__]
    kinds = [each for each in found if isinstance(each, type) and issubclass(each, ValueObject)]
    return [each for each in kinds if each.__struct_fields__]


@functools.cache
def entity(kind: type[ValueObject], depth: int = 0) -> st.SearchStrategy[Any]:
    """An entity of a class, of which a few fields have a value: to draw all takes long."""
    fields = msgspec.structs.fields(kind)
    required = {each.name: _values(each.type, depth) for each in fields if each.required}
    others = {each.name: each.type for each in fields if not each.required}
    if not others:
        return st.builds(kind, **required)
    some = st.lists(st.sampled_from([*others]), unique=True, max_size=6)
    return some.flatmap(
        lambda names: st.builds(
            kind, **required, **{name: _values(others[name], depth) for name in names}
        )
    )


def _values(kind: Any, depth: int) -> st.SearchStrategy[Any]:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return _values(inner[0], depth)
    if origin in {typing.Union, types.UnionType}:
        (only,) = (each for each in inner if each is not types.NoneType)
        return _values(only, depth)
    if origin is list:
        return st.lists(_values(inner[0], depth), max_size=2) if depth < 2 else st.just([])
    if origin is dict:
        return st.dictionaries(st.text(max_size=3), _values(inner[1], depth), max_size=2)
    if kind in _SCALARS:
        return _SCALARS[kind]
    if issubclass(kind, OpenEnum):
        return st.sampled_from([*kind, kind("Teleport")])
    return entity(kind, depth + 1) if depth < 2 else st.none()
