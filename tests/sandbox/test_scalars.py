from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jibble_async.sandbox.scalars import (
    format_duration,
    format_instant,
    instant_key,
    is_date,
    is_guid,
    parse_duration,
    parse_instant,
)

MOMENTS = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=st.just(UTC))  # noqa: DTZ001


@given(MOMENTS, MOMENTS)
def test_keys_order_as_instants_do(one: datetime, other: datetime) -> None:
    keys = instant_key(format_instant(one)), instant_key(format_instant(other))
    assert (keys[0] < keys[1]) == (one < other)
    assert parse_instant(format_instant(one)) == one


@given(st.timedeltas(timedelta(days=-4000), timedelta(days=4000)))
def test_durations_survive(length: timedelta) -> None:
    assert parse_duration(format_duration(length)) == length


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("2024-06-12T23:42:00Z", "2024-06-12T23:42:00"),
        ("2024-06-12T08:03:36.18107-03:00", "2024-06-12T11:03:36.18107"),
        ("2024-01-25T07:38:57.7039582Z", "2024-01-25T07:38:57.7039582"),
        ("2024-06-12T23:42:00.5000000Z", "2024-06-12T23:42:00.5"),
        ("2024-06-12T23:42Z", "2024-06-12T23:42:00"),
    ],
)
def test_an_instant_has_one_key(text: str, key: str) -> None:
    assert instant_key(text) == key


@pytest.mark.parametrize("text", ["2024-06-12", "2024-06-12T23:42:00", "now", "2024-13-01T00:00Z"])
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"instant|month"):
        instant_key(text)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("PT0S", timedelta(0)),
        ("P0D", timedelta(0)),
        ("PT38M19.066774S", timedelta(minutes=38, seconds=19.066774)),
        ("P1DT6H23M53S", timedelta(days=1, hours=6, minutes=23, seconds=53)),
        ("-PT3H", timedelta(hours=-3)),
    ],
)
def test_durations_of_the_wire(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize("text", ["", "P", "PT", "P1DT", "8H"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises((ValueError, IndexError)):
        parse_duration(text)


def test_guids_and_days() -> None:
    assert is_guid("5D3B37E7-64a8-411a-9a1e-056c149a13fc")
    assert not is_guid("{5d3b37e7-64a8-411a-9a1e-056c149a13fc}")
    assert is_date("2024-02-29")
    assert not is_date("2023-02-29")
    assert not is_date(20240229)
