"""Which days are meant, before and after it is known what day it is."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jibble_async.cli.days import Days
from jibble_async.cli.periods import NAMES, period_of
from jibble_async.errors import ConfigurationError

FIRST, LAST = date(2026, 7, 1), date(2026, 7, 31)


@given(
    st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    st.sampled_from(NAMES),
    st.sampled_from([-1, 0, 1]),
)
def test_they_are_among_those_around(here: date, name: str, zone: int) -> None:
    days = Days(period=period_of(name))
    since, until = days.at(here + timedelta(days=zone))
    first, last = days.around(here)
    assert None not in {since, until, first, last}
    assert first <= since <= until <= last  # type: ignore[operator]
    assert last - first <= until - since + timedelta(days=93)  # type: ignore[operator]


def test_what_is_given_is_meant() -> None:
    days = Days(FIRST, LAST)
    days.require()
    assert days.around(date.min) == days.at(date.min) == (FIRST, LAST)
    assert Days(until=LAST).at(date.min) == (None, LAST)


@pytest.mark.parametrize(
    ("days", "message"),
    [
        (Days(), "which days"),
        (Days(FIRST), "which days"),
        (Days(until=LAST), "which days"),
        (Days(LAST, FIRST), "exchange them"),
        (Days(FIRST, period=period_of("today")), "not both"),
        (Days(until=LAST, period=period_of("2026-07")), "not both"),
    ],
)
def test_days_that_are_no_span(days: Days, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        days.require()


def test_not_every_command_needs_both_ends() -> None:
    Days(FIRST).require(all=False)
    Days().require(all=False)
