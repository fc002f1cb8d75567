from __future__ import annotations

import math
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from jibble_async.limits.headers import (
    read_date,
    read_limits,
    read_remaining,
    read_retry_after,
)

NOW = datetime(2026, 10, 1, 12, tzinfo=UTC)
THEN = format_datetime(NOW + timedelta(seconds=90), usegmt=True)
LATE = format_datetime(NOW + timedelta(seconds=60), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"Retry-After": ""}, None),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": " 7 "}, 7.0),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "+5"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "1e999"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "٣"}, None),
        ({"Retry-After": THEN}, 90.0),
        ({"Retry-After": THEN, "Date": LATE}, 30.0),
        ({"Retry-After": LATE, "Date": THEN}, 0.0),
        ({"Retry-After": THEN, "Date": "rubbish"}, 90.0),
        ({"Retry-After": "Thu, 01 Oct 2026 12:01:30 -0000"}, 90.0),
        ({"Retry-After": "Thu, 01 Oct 2026 12:01:30"}, 90.0),
        ({"Retry-After": "Thu, 99 Oct 99999 12:01:30 GMT"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], expected: float | None) -> None:
    assert read_retry_after(headers, NOW.timestamp()) == expected


_header_texts = st.one_of(
    st.text(max_size=40),
    st.from_regex(r"[-+0-9eE._ ]{1,20}", fullmatch=True),
    st.datetimes(timezones=st.just(UTC)).map(lambda moment: format_datetime(moment, usegmt=True)),
    st.from_regex(
        r"[A-Z][a-z]{2}, [0-9]{1,3} [A-Z][a-z]{2} [0-9]{1,6} [0-9:]{1,9} [-+A-Z0-9]{1,6}"
    ),
)


@given(_header_texts, st.none() | _header_texts)
def test_retry_after_is_never_negative_and_never_fails(text: str, date: str | None) -> None:
    headers = {"Retry-After": text} if date is None else {"Retry-After": text, "Date": date}
    seconds = read_retry_after(headers, NOW.timestamp())
    assert seconds is None or (seconds >= 0 and math.isfinite(seconds))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", 0), ("3", 3), ("", None), ("-1", None), ("1s", None), ("٣", None), ("9" * 10, None)],
)
def test_the_remaining_quota(text: str, expected: int | None) -> None:
    assert read_remaining({"X-Rate-Limit-Remaining": text}) == expected
    assert read_remaining({}) is None


_limits = st.fixed_dictionaries(
    {},
    optional={
        name: _header_texts | st.from_regex(r"[0-9]{1,6}[smhd]?", fullmatch=True)
        for name in ("X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset", "Date")
    },
)


@given(_limits)
def test_any_headers_are_read_or_left(headers: dict[str, str]) -> None:
    moment = read_date(headers)
    assert moment is None or math.isfinite(moment)
    reading = read_limits(headers)
    if reading is not None:
        assert reading.remaining >= 0
        assert reading.per >= 0
        assert math.isfinite(reading.resets_at)


def test_a_date_without_a_zone_is_utc_wherever_this_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert read_date({"Date": "Tue, 06 Oct 2026 12:00:00 -0000"}) == 1791288000.0
        limits = {
            "X-Rate-Limit-Limit": "1s",
            "X-Rate-Limit-Remaining": "1",
            "X-Rate-Limit-Reset": "2026-10-06T12:00:00",
        }
        reading = read_limits(limits)
        assert reading is not None
        assert reading.resets_at == 1791288000.0
    finally:
        monkeypatch.undo()
        time.tzset()


DOCUMENTED = {
    "X-Rate-Limit-Limit": "1s",
    "X-Rate-Limit-Remaining": "3",
    "X-Rate-Limit-Reset": "2025-06-11T05:18:51.0588326Z",
}


def test_reads_the_documented_headers() -> None:
    lower = {name.lower(): value for name, value in DOCUMENTED.items()}
    assert read_limits(DOCUMENTED) == read_limits(CIMultiDict(lower)) == read_limits(lower)
    reading = read_limits(DOCUMENTED)
    assert reading is not None
    assert (reading.remaining, reading.per) == (3, 1.0)
    assert reading.resets_at == pytest.approx(1749619131.058832, abs=1e-5)


@pytest.mark.parametrize(("text", "seconds"), [("15m", 900), ("12h", 43200), ("7d", 604800)])
def test_reads_longer_windows(text: str, seconds: float) -> None:
    reading = read_limits(DOCUMENTED | {"X-Rate-Limit-Limit": text})
    assert reading is not None
    assert reading.per == seconds


@pytest.mark.parametrize("name", list(DOCUMENTED))
@pytest.mark.parametrize("value", ["", "soon", "-1", "0s", "99999-01-01", "32d", "9" * 400 + "d"])
def test_headers_without_sense_tell_nothing(name: str, value: str) -> None:
    assert read_limits(DOCUMENTED | {name: value}) is None
    assert read_limits({key: held for key, held in DOCUMENTED.items() if key != name}) is None


def test_reads_retry_after_in_both_forms() -> None:
    date = {"Retry-After": "Wed, 11 Jun 2025 05:19:00 GMT"}
    assert read_retry_after({"retry-after": "7"}) == 7
    assert read_retry_after(date | {"Date": "Wed, 11 Jun 2025 05:18:50 GMT"}) == 10
    assert read_retry_after(date, now=1749619139.5) == 0.5
    assert read_retry_after(date, now=1749619199) == 0
    assert read_retry_after(date) is None
    assert read_retry_after({"Retry-After": "soon"}) is None
    assert read_retry_after({}) is None
