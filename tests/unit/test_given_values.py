"""Values that stand for something plain: numpy's, pandas', enumerations, subclasses."""

from __future__ import annotations

import enum
import pickle
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

from jibble_async import (
    ConfigurationError,
    EntryType,
    Project,
    TimeEntry,
    fields,
)
from jibble_async.api.custom import custom_params, json_body
from jibble_async.odata.parameters import day_or_moment, repeated_ids, require_guid
from jibble_async.odata.render import render_filter
from jibble_async.query.values import plain
from tests.unit.recording import RecordingClient

T: Any = fields(TimeEntry)
KEY = "3cf11f61-76ad-418a-8783-103b66b22fde"
NOON = datetime(2024, 6, 13, 12, tzinfo=UTC)


class Float64(float):
    """As numpy's: a float that says more than its number."""

    def __repr__(self) -> str:
        return f"np.float64({float(self)})"

    __str__ = __repr__


class Scalar:
    """As numpy's other scalars: no number of Python's, and holding one."""

    def __init__(self, held: Any) -> None:
        self._held = held
        self.shape: tuple[int, ...] = ()
        self.dtype = SimpleNamespace(kind="O")

    def item(self) -> Any:
        return self._held


class Text(str):
    """A text with a face of its own."""

    __slots__ = ()

    def __str__(self) -> str:
        return "<text>"


class Level(enum.IntEnum):
    HIGH = 3


class Name(enum.Enum):
    IN = "In"


class Stamp(datetime):
    """As pandas' Timestamp: a datetime that is one by inheritance only."""

    def isoformat(self, sep: str = "T", timespec: str = "auto") -> str:
        return "<stamp>"


class NaT(datetime):
    """As pandas': a datetime that is none, and equal to nothing."""

    def __eq__(self, other: object) -> bool:
        return False

    def __ne__(self, other: object) -> bool:
        return True

    __hash__ = datetime.__hash__


class NA:
    """As pandas': neither true nor false, nor equal to anything."""

    def __eq__(self, other: object) -> Any:
        return self

    def __bool__(self) -> bool:
        raise TypeError("boolean value of NA is ambiguous")

    __hash__ = object.__hash__


class Length(timedelta):
    """A length of another make."""


STAMP = Stamp(2024, 6, 13, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (lambda: T.face_similarity > Float64(52.5), "faceSimilarity gt 52.5"),
        (lambda: T.face_similarity > Scalar(52), "faceSimilarity gt 52"),
        (lambda: T.face_similarity > Decimal("52.50"), "faceSimilarity gt 52.50"),
        (lambda: T.face_similarity > Decimal("1E+3"), "faceSimilarity gt 1000"),
        (lambda: T.face_similarity > Fraction(105, 2), "faceSimilarity gt 52.5"),
        (lambda: T.face_similarity > Level.HIGH, "faceSimilarity gt 3"),
        (lambda: T.face_similarity.is_in([Scalar(1), 2.0]), "(faceSimilarity eq 1 or"),
        (lambda: T.is_manual == Scalar(True), "isManual eq true"),
        (lambda: T.note == Text("it's"), "note eq 'it''s'"),
        (lambda: T.note.contains(Scalar("x")), "contains(note,'x')"),
        (lambda: T.note.length() >= Scalar(3), "length(note) ge 3"),
        (lambda: T.type == Name.IN, "type eq 'In'"),
        (lambda: T.type == EntryType("Lunch"), "type eq 'Lunch'"),
        (lambda: T.type.is_in([EntryType.IN, Text("Out")]), "(type eq 'In' or type eq 'Out')"),
        (lambda: T.person_id == Text(KEY), f"personId eq {KEY}"),
        (lambda: T.person_id == uuid.UUID(KEY), f"personId eq {KEY}"),
        (lambda: T.time >= STAMP, "time ge 2024-06-13T12:00:00.000Z"),
        (lambda: T.offset == Length(hours=2), "offset eq duration'PT2H'"),
    ],
)
def test_what_stands_for_something_plain_is_written_as_that(
    expression: Callable[[], Any], expected: str
) -> None:
    assert render_filter(expression()).startswith(expected)
    assert pickle.loads(pickle.dumps(expression())) == expression()


@pytest.mark.parametrize(
    ("misuse", "message"),
    [
        (lambda: T.face_similarity > Scalar(True), "compared with a number, not with Scalar"),
        (lambda: T.face_similarity > Decimal("NaN"), "can't be compared with NaN"),
        (lambda: T.face_similarity > Decimal("sNaN"), "can't be compared with sNaN"),
        (lambda: T.face_similarity > Float64("nan"), "can't be compared with nan"),
        (lambda: T.face_similarity > 10**5000, "more than 40 digits"),
        (lambda: T.face_similarity > Decimal("1E+999999"), "more than 40 digits"),
        (lambda: T.face_similarity > 1j, "compared with a number, not with complex"),
        (lambda: T.is_manual == Scalar(1), "compared with a boolean"),
        (lambda: T.note == Level.HIGH, "compared with a text"),
        (lambda: T.time >= NaT(2024, 6, 13, tzinfo=UTC), "compared with a date and time"),
        (lambda: T.time >= NA(), "compared with a date and time"),
        (lambda: T.time >= Stamp(2024, 6, 13), "has no time zone"),
        (lambda: T.belongs_to_date == STAMP, r"take its \.date\(\)"),
    ],
)
def test_what_does_not_is_refused(misuse: Callable[[], Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        misuse()


def test_bodies_and_options_are_of_the_same_plain_values() -> None:
    given = {"a": Float64(0.5), "b": STAMP, "c": Level.HIGH, "d": Scalar(4), "e": uuid.UUID(KEY)}
    assert msgspec.json.decode(json_body(given, "x")) == {
        "a": 0.5,
        "b": "2024-06-13T12:00:00Z",
        "c": 3,
        "d": 4,
        "e": KEY,
    }
    with pytest.raises(ConfigurationError, match="x can't be sent: JSON has no Scalar"):
        json_body(Scalar(Scalar(1)), "x")
    with pytest.raises(ConfigurationError, match="x can't be sent"):
        json_body({"note": "\ud800"}, "x")
    nested: list[Any] = []
    nested.append(nested)
    with pytest.raises(ConfigurationError, match="x can't be sent"):
        json_body(nested, "x")
    params = custom_params({"a": Float64(0.5), "b": Level.HIGH, "c": uuid.UUID(KEY)})
    assert params == (("a", "0.5"), ("b", "3"), ("c", KEY))


def test_an_id_may_be_a_uuid() -> None:
    assert require_guid(uuid.UUID(KEY), "id") == KEY
    assert repeated_ids("person_ids", [uuid.UUID(KEY), KEY]) == (("personIds", KEY),) * 2
    assert Project(id=KEY).id == KEY
    with pytest.raises(ConfigurationError, match="each of person_ids= is a GUID, and 'x' is not"):
        repeated_ids("person_ids", ["x"])


def test_the_zone_and_the_fold_of_a_moment_stay() -> None:
    stamp = Stamp(2024, 10, 27, 2, 30, tzinfo=UTC, fold=1)
    assert type(plain(stamp)) is datetime
    assert (plain(stamp).tzinfo, plain(stamp).fold) == (UTC, 1)
    assert day_or_moment(STAMP, "since") == "2024-06-13T12:00:00.000Z"
    assert plain(date(2024, 6, 13)) == date(2024, 6, 13)
    assert plain(time(9, 30, fold=1)).fold == 1
    assert plain(object) is object


def test_numpy_itself() -> None:
    for number in (np.float64(52.5), np.float32(52.5), np.longdouble("52.5")):
        assert render_filter(T.face_similarity > number) == "faceSimilarity gt 52.5"
    assert render_filter(T.is_manual == np.bool_(True)) == "isManual eq true"
    assert render_filter(T.note == np.str_("x")) == "note eq 'x'"
    assert render_filter(T.face_similarity == np.int64(3)) == "faceSimilarity eq 3"
    assert render_filter(T.offset == np.timedelta64(2 * 3600 * 10**9, "ns")) == (
        "offset eq duration'PT2H'"
    )
    assert render_filter(T.belongs_to_date == np.datetime64("2024-06-13")) == (
        "belongsToDate eq 2024-06-13"
    )
    for nothing in (np.datetime64("NaT"), np.datetime64("2024-06-13", "ns")):
        with pytest.raises(ConfigurationError):
            T.time >= nothing  # noqa: B015 - written is enough


async def test_a_punch_takes_a_uuid_and_a_moment_of_another_make() -> None:
    jibble: Any = RecordingClient({"id": KEY}, {"id": KEY}, {"id": KEY})
    person = uuid.UUID(KEY)
    options = {"activity_id": person, "auto_clock_out_at": STAMP}
    await jibble.time_entries.clock_in(person, **options)
    sent = msgspec.json.decode(jibble.requests[-1].body)
    assert sent["personId"] == sent["activityId"] == KEY
    assert sent["autoClockOutTime"] == "2024-06-13T12:00:00Z"
    await jibble.time_entries.clock_in(person, at=STAMP)
    assert msgspec.json.decode(jibble.requests[-1].body)["time"] == "2024-06-13T12:00:00Z"
    await jibble.people.get(person)
    assert jibble.requests[-1].url.raw_path == f"/v1/People({KEY})"
