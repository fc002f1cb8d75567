"""What the strict decoder refuses or rounds is read, by the type of a value."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jibble_async.core.lenient import lenient_decoder, whole_characters
from jibble_async.core.wire import Reply
from jibble_async.entities import ValueObject
from jibble_async.odata.envelope import read_page


class Odd(ValueObject):
    day: date | None = None
    moment: datetime | None = None
    hour: time | None = None
    span: timedelta | None = None
    note: str | None = None
    degrees: float | None = None
    size: int | None = None


ALMOST = "2026-12-31T23:59:59.9999999"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"day": "2015-01-02T00:00:00"}, Odd(day=date(2015, 1, 2))),
        ({"day": "2015-01-02T00:00:00.0000000"}, Odd(day=date(2015, 1, 2))),
        ({"day": "2015-01-02T00:00:00Z"}, Odd(day=date(2015, 1, 2))),
        ({"day": "2015-01-02T00:00:00+08:00"}, Odd(day=date(2015, 1, 2))),
        ({"day": "2015-01-02 00:00"}, Odd(day=date(2015, 1, 2))),
        ({"moment": "2015-01-02"}, Odd(moment=datetime(2015, 1, 2, tzinfo=UTC))),
        (
            {"moment": f"{ALMOST}Z", "note": f"{ALMOST}Z"},
            Odd(moment=datetime(2026, 12, 31, 23, 59, 59, 999999, UTC), note=f"{ALMOST}Z"),
        ),
        ({"moment": ALMOST}, Odd(moment=datetime(2026, 12, 31, 23, 59, 59, 999999))),  # noqa: DTZ001
        ({"hour": "23:59:59.9999999"}, Odd(hour=time(23, 59, 59, 999999))),
        ({"span": "PT1.9999999S"}, Odd(span=timedelta(microseconds=1999999))),
        ({"span": "08:00:00"}, Odd(span=timedelta(hours=8))),
        ({"span": "-1.02:03:04.5"}, Odd(span=-timedelta(1, 4.5, 0, 0, 3, 2))),
        (
            {"degrees": "-52.5", "size": "12", "note": "12"},
            Odd(degrees=-52.5, size=12, note="12"),
        ),
        ({"degrees": "52"}, Odd(degrees=52.0)),
        ({"moment": "9999-12-31T23:59:59.9999999Z"}, Odd(moment=datetime.max.replace(tzinfo=UTC))),
    ],
)
def test_a_value_in_another_form_is_read(row: dict[str, Any], expected: Odd) -> None:
    data = msgspec.json.encode(row)
    assert lenient_decoder(Odd)(data) == expected
    assert read_page(Reply(200, {}, b'{"value":[%s]}' % data), Odd).items == [expected]


@pytest.mark.parametrize(
    "row",
    [
        {"day": "2015-01-02T22:00:00Z"},
        {"day": "2015-01"},
        {"day": 5},
        {"size": "1.5"},
        {"size": "9" * 5000},
        {"degrees": "nan"},
        {"degrees": ""},
        {"moment": "2015-13-01"},
        {"span": "P" + "9" * 5000 + "W"},
    ],
)
def test_what_may_be_another_day_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        lenient_decoder(Odd)(msgspec.json.encode(row))


@given(st.lists(st.sampled_from([r"\ud83d", r"\udc4d", r"\\", r"\n", "x", r"\u0041", "ud83d"])))
def test_halves_are_replaced_and_nothing_else(parts: list[str]) -> None:
    body = f'"{"".join(parts)}"'.encode()
    expected = json.loads(body).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    mended = whole_characters(body) or body
    assert len(mended) == len(body)
    assert msgspec.json.decode(mended) == expected


def test_a_body_of_halves_is_no_text() -> None:
    assert whole_characters(rb'"%s"' % (rb"\ud83d" * 1000)) is not None
    assert whole_characters(rb'"%s"' % (rb"\ud83d" * 1001)) is None


@pytest.mark.parametrize(
    "digits", ["1234567", "1234564", "9999984", "99999849", "999999", "0000001"]
)
def test_a_row_is_the_same_beside_any_other(digits: str) -> None:
    """The other has a moment for which the whole page is read leniently."""
    clock = f"23:59:59.{digits}"
    row = {"moment": f"2026-12-31T{clock}Z", "hour": clock, "span": f"PT59.{digits}S"}
    alone, beside = (
        read_page(Reply(200, {}, msgspec.json.encode({"value": rows})), Odd).items
        for rows in ([row], [row, {"moment": f"{ALMOST}Z"}])
    )
    assert alone == beside[:1]
    (found,) = alone
    exact = int(f"{digits:0<9}"[:9]) / 1000
    assert abs(found.moment.microsecond - exact) <= 1
    assert found.moment.microsecond == found.hour.microsecond == found.span.microseconds
    assert (found.moment.second, found.hour.second, found.span.seconds) == (59, 59, 59)
