"""Conditions written twice, and rows to ask them of.

Each strategy gives a condition as an expression, and as a plain function of an entity that gives
True, False, or None for "null".
"""

from __future__ import annotations

import functools
import operator
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import msgspec
from hypothesis import strategies as st

from jibble_async import EntryType, TimeEntry, fields, grouped
from jibble_async.query.expressions import Expression
from jibble_async.query.fields import DateField, DateTimeField, NumberField, TextField
from jibble_async.sandbox.dataset import Dataset
from jibble_async.sandbox.filters import compile_filter
from jibble_async.sandbox.paths import Paths
from jibble_async.sandbox.schema import TYPES

T = fields(TimeEntry)
Test = Callable[[TimeEntry], bool | None]
Read = Callable[[TimeEntry], Any]

TEXTS = ["", " ", "O'Neil", "''", "a+b", "100%", "%2B", "x&$top=1", "#1", "ß Ünï 😀", "In", "null",
          "it''s 'so'", "' or 1 eq 1", "line\nbreak\ttab", " padded ", "true", "(not (", "a/b?c=d",
          "2024-06-13"]  # fmt: skip
_DURATIONS = ["PT0S", "PT8H", "-PT3H", "P1DT6H23M53S", "PT38M19.066774S", "P2D"]


@dataclass(frozen=True)
class Condition:
    expression: Expression
    test: Test


@functools.cache
def world() -> tuple[Paths, list[dict[str, Any]], list[TimeEntry]]:
    """Rows as the wire has them, with odd values planted, and the same as entities."""
    chance = random.Random(11)
    data = Dataset(people=5, since=date(2026, 7, 1), until=date(2026, 7, 3), seed=4)
    people = data.index("TimeTrackingPeople")
    rows: list[dict[str, Any]] = []
    for original in data.rows("TimeEntries")[:60]:
        row = {name: _to_microseconds(value) for name, value in original.items()}
        row["note"] = chance.choice([*TEXTS, None])
        row["address"] = chance.choice([row["note"], "Main Street 1", None])
        row["offset"] = chance.choice([*_DURATIONS, None])
        row["faceSimilarity"] = chance.choice([None, 0, 1, -1.5, 0.1, 1e-7, 1e22])
        row["isManual"] = chance.choice([True, False, None])
        row["type"] = chance.choice(["In", "Out", "StartBreak", None])
        row["autoClockOutTime"] = chance.choice(
            [None, row["time"], "2026-07-02T08:00:00.5Z", "2026-07-02T10:00:00.500+02:00"]
        )
        row["personId"] = chance.choice([row["personId"], str(row["personId"]).upper(), None])
        rows.append(row)
    entities = [
        msgspec.convert({**row, "person": people.get(row["personId"])}, TimeEntry) for row in rows
    ]
    return Paths(data), rows, entities


def kept_by_the_server(text: str) -> list[int]:
    paths, rows, _ = world()
    holds = compile_filter(text, TYPES["TimeEntries"], paths, lambda: "2026-07-03T00:00:00Z")
    return [number for number, row in enumerate(rows) if holds(row)]


def kept_in_python(test: Test) -> list[int]:
    return [number for number, entity in enumerate(world()[2]) if test(entity)]


def _to_microseconds(value: Any) -> Any:
    # The server compares the seventh digit, which Python's datetime does not have.
    return re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", value) if isinstance(value, str) else value


# What a field holds in Python, beside the field itself.


def planted(read: Read) -> st.SearchStrategy[Any]:
    """Values that rows really have, so that conditions hit."""
    values = {value for entity in world()[2] if (value := read(entity)) is not None}
    return st.sampled_from(sorted(values, key=str))


def _person_name(entity: TimeEntry) -> str | None:
    return None if entity.person is None else entity.person.full_name


def _latitude(entity: TimeEntry) -> float | None:
    return None if entity.coordinates is None else entity.coordinates.latitude


def _lowered(read: Read) -> Read:
    return lambda entity: None if read(entity) is None else read(entity).lower()


def _null_safe(read: Read, function: Callable[[Any], Any]) -> Read:
    return lambda entity: None if read(entity) is None else function(read(entity))


texts = st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), max_size=12
) | st.sampled_from(TEXTS)
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
# The parser that is asked takes years from 1000 on.
days = st.dates(date(1000, 1, 2), date(9999, 12, 30)) | st.dates(
    date(2026, 6, 30), date(2026, 7, 4)
)


def _moment(day: date, clock: time, zone: timezone) -> datetime:
    return datetime.combine(day, clock, UTC).astimezone(zone)


moments = st.builds(_moment, days, st.times(), zones)
lengths = st.timedeltas(timedelta(days=-400), timedelta(days=400))
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**20), 10**20)
ids = st.uuids().map(str)


@st.composite
def texts_with_functions(draw: st.DrawFn) -> tuple[TextField, Read]:
    field, read = draw(
        st.sampled_from(
            [
                (T.note, operator.attrgetter("note")),
                (T.address, operator.attrgetter("address")),
                (T.person.full_name, _person_name),
            ]
        )
    )
    for function in draw(st.lists(st.sampled_from(["lower", "upper", "strip"]), max_size=2)):
        field = getattr(field, function)()
        read = _null_safe(read, operator.methodcaller(function))
    return field, read


def _parts_of(field: DateTimeField | DateField, read: Read) -> list[tuple[NumberField, Read]]:
    parts = [(field.year(), "year"), (field.month(), "month"), (field.day(), "day")]
    if isinstance(field, DateTimeField):
        parts += [(field.hour(), "hour"), (field.minute(), "minute"), (field.second(), "second")]
    return [(part, _null_safe(read, operator.attrgetter(name))) for part, name in parts]


def _utc(name: str) -> Read:
    return _null_safe(operator.attrgetter(name), lambda moment: moment.astimezone(UTC))


_day = operator.attrgetter("belongs_to_date")
_number_fields: list[tuple[NumberField, Read]] = [
    (T.face_similarity, operator.attrgetter("face_similarity")),
    (T.coordinates.latitude, _latitude),
    *_parts_of(T.belongs_to_date, _day),
    *_parts_of(T.time, _utc("time")),
    *_parts_of(T.auto_clock_out_time, _utc("auto_clock_out_time")),
]


@st.composite
def ordered_operands(draw: st.DrawFn) -> tuple[Any, Read, st.SearchStrategy[Any]]:
    """A field that has an order, how to read it in Python, and values to compare it with."""
    match draw(st.sampled_from(["text", "number", "date", "moment", "length"])):
        case "text":
            field, read = draw(texts_with_functions())
            if draw(st.booleans()):
                return field, read, texts | planted(read)
            return field.length(), _null_safe(read, len), st.integers(-1, 20)
        case "number":
            number, read = draw(st.sampled_from(_number_fields))
            return number, read, numbers | planted(read)
        case "date":
            if draw(st.booleans()):
                return T.belongs_to_date, _day, days | planted(_day)
            read = _null_safe(_utc("time"), lambda moment: moment.date())
            return T.time.date(), read, days | planted(read)
        case "moment":
            name = draw(st.sampled_from(["time", "local_time", "auto_clock_out_time"]))
            read = operator.attrgetter(name)
            return getattr(T, name), read, moments | planted(read)
        case _:
            read = operator.attrgetter("offset")
            return T.offset, read, lengths | planted(read)


_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@st.composite
def order_tests(draw: st.DrawFn) -> Condition:
    field, read, values = draw(ordered_operands())
    compare = _ORDER[draw(st.sampled_from(sorted(_ORDER)))]
    value = draw(values)

    def test(entity: TimeEntry) -> bool:
        found = read(entity)
        return found is not None and bool(compare(found, value))

    return Condition(compare(field, value), test)


@st.composite
def between_tests(draw: st.DrawFn) -> Condition:
    field, read, values = draw(ordered_operands())
    low, high = draw(values), draw(values)

    def test(entity: TimeEntry) -> bool:
        found = read(entity)
        return found is not None and bool(low <= found <= high)

    return Condition(field.between(low, high), test)


@st.composite
def equality_operands(draw: st.DrawFn) -> tuple[Any, Read, st.SearchStrategy[Any]]:
    match draw(st.sampled_from(["ordered", "id", "enum", "boolean"])):
        case "ordered":
            return draw(ordered_operands())
        case "id":
            name = draw(st.sampled_from(["id", "person_id", "activity_id", "kiosk_id"]))
            read = _lowered(operator.attrgetter(name))
            values = ids | planted(read) if name != "kiosk_id" else ids
            return getattr(T, name), read, values
        case "enum":
            # Only members: the server refuses what is none.
            values = st.sampled_from([*EntryType])
            return T.type, operator.attrgetter("type"), values
        case _:
            return T.is_manual, operator.attrgetter("is_manual"), st.booleans()


@st.composite
def equality_tests(draw: st.DrawFn) -> Condition:
    field, read, values = draw(equality_operands())
    value = draw(values | st.none())
    if draw(st.booleans()):
        return Condition(field == value, lambda entity: read(entity) == value)
    return Condition(field != value, lambda entity: read(entity) != value)


@st.composite
def in_lists(draw: st.DrawFn) -> Condition:
    field, read, values = draw(equality_operands())
    chosen = draw(st.lists(values, min_size=1, max_size=4))
    return Condition(field.is_in(chosen), lambda entity: read(entity) in chosen)


@st.composite
def predicates(draw: st.DrawFn) -> Condition:
    field, read = draw(texts_with_functions())
    name = draw(st.sampled_from(["contains", "startswith", "endswith"]))
    whole = draw(texts | planted(read))
    start = draw(st.integers(0, max(0, len(whole) - 1)))
    part = whole[start : start + draw(st.integers(0, 4))]
    holds = operator.contains if name == "contains" else getattr(str, name)
    return Condition(
        getattr(field, name)(part),
        lambda entity: None if read(entity) is None else holds(read(entity), part),
    )


@st.composite
def null_tests(draw: st.DrawFn) -> Condition:
    name = draw(st.sampled_from(["coordinates", "picture", "person", "note", "is_manual"]))
    if draw(st.booleans()):
        return Condition(getattr(T, name).is_null(), lambda entity: getattr(entity, name) is None)
    return Condition(
        getattr(T, name).is_not_null(), lambda entity: getattr(entity, name) is not None
    )


@st.composite
def field_pairs(draw: st.DrawFn) -> Condition:
    one, other = draw(
        st.sampled_from(
            [("time", "auto_clock_out_time"), ("note", "address"), ("time", "local_time")]
        )
    )
    if draw(st.booleans()):
        return Condition(
            getattr(T, one) == getattr(T, other),
            lambda entity: getattr(entity, one) == getattr(entity, other),
        )

    def earlier(entity: TimeEntry) -> bool:
        left, right = getattr(entity, one), getattr(entity, other)
        return left is not None and right is not None and bool(left < right)

    return Condition(getattr(T, one) < getattr(T, other), earlier)


def _and(left: Condition, right: Condition) -> Condition:
    def test(entity: TimeEntry) -> bool | None:
        first, second = left.test(entity), right.test(entity)
        if first is False or second is False:
            return False
        return None if first is None or second is None else True

    return Condition(left.expression & right.expression, test)


def _or(left: Condition, right: Condition) -> Condition:
    def test(entity: TimeEntry) -> bool | None:
        first, second = left.test(entity), right.test(entity)
        if first is True or second is True:
            return True
        return None if first is None or second is None else False

    return Condition(left.expression | right.expression, test)


def _not(inner: Condition) -> Condition:
    def test(entity: TimeEntry) -> bool | None:
        truth = inner.test(entity)
        return None if truth is None else not truth

    return Condition(~inner.expression, test)


def _grouped(inner: Condition, pairs: int) -> Condition:
    return Condition(grouped(inner.expression, pairs), inner.test)


leaves = st.one_of(
    equality_tests(),
    order_tests(),
    between_tests(),
    in_lists(),
    predicates(),
    null_tests(),
    field_pairs(),
)
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(_and, inner, inner),
        st.builds(_or, inner, inner),
        st.builds(_not, inner),
        st.builds(_grouped, inner, st.integers(0, 2)),
    ),
    max_leaves=8,
)
