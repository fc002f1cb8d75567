"""Spans of days by their names."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jibble_async.cli.periods import NAMES, period_of
from jibble_async.errors import ConfigurationError

TODAY = date(2026, 11, 27)  # a Friday
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("today", "2026-11-27", "2026-11-27"),
        ("yesterday", "2026-11-26", "2026-11-26"),
        ("this-week", "2026-11-23", "2026-11-29"),
        ("last-week", "2026-11-16", "2026-11-22"),
        ("this-month", "2026-11-01", "2026-11-30"),
        ("last-month", "2026-10-01", "2026-10-31"),
        ("this-quarter", "2026-10-01", "2026-12-31"),
        ("last-quarter", "2026-07-01", "2026-09-30"),
        ("Last Month", "2026-10-01", "2026-10-31"),
        ("last_month", "2026-10-01", "2026-10-31"),
        ("2026-W31", "2026-07-27", "2026-08-02"),
        ("2026-w01", "2025-12-29", "2026-01-04"),
        ("2026-W53", "2026-12-28", "2027-01-03"),
        ("2028-02", "2028-02-01", "2028-02-29"),
        ("2026-Q1", "2026-01-01", "2026-03-31"),
        ("2026-q4", "2026-10-01", "2026-12-31"),
        ("2026-07-01", "2026-07-01", "2026-07-01"),
    ],
)
def test_days(text: str, since: str, until: str) -> None:
    assert period_of(text).days(TODAY) == (date.fromisoformat(since), date.fromisoformat(until))


@pytest.mark.parametrize(
    "text",
    ["2026-W00", "2025-W53", "2026-13", "2026-00", "2026-02-30", "0000-01", "9999-W53", "0000-Q1"],
)
def test_what_no_calendar_has(text: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^there is no period '{text}'$"):
        period_of(text)


@pytest.mark.parametrize(
    "text", ["", "july", "2026", "2026-7", "2026-Q5", "next-week", "\uff12026-07"]
)
def test_what_is_no_period(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is no period: write today, yesterday, this-week"):
        period_of(text)


@given(st.dates(date(2, 1, 1), date(9998, 1, 1)), st.sampled_from(NAMES))
def test_the_last_one_ends_where_this_one_begins(today: date, name: str) -> None:
    since, until = period_of(name).days(today)
    assert since <= until
    if name.startswith("last-"):
        assert until + DAY == period_of(f"this-{name[5:]}").days(today)[0]
    elif name != "yesterday":
        assert since <= today <= until
