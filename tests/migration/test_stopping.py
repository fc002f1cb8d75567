"""When writing stops by itself."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from jibble_legacy.migration.moments import moment_at
from jibble_legacy.migration.writing.stopping import KEEPABLE, Brakes, Planned, echo_differences

from jibble_async import TimeEntry
from jibble_async.entities import EntryStatus, EntryType
from jibble_async.errors import (
    AuthenticationError,
    BadRequestError,
    ConnectFailedError,
    FeatureRestrictedError,
    RateLimitedError,
)

PERSON, ACTIVITY = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"
SENT = Planned(PERSON, 1_500_000_000_123, "In", "2017-07-14", 7200, ACTIVITY, None, None)


def echo(**changes: Any) -> TimeEntry:
    same: dict[str, Any] = {
        "id": "new",
        "person_id": PERSON.upper(),
        "time": moment_at(SENT.ms) + timedelta(microseconds=456),
        "type": EntryType.IN,
        "status": EntryStatus.ACTIVE,
        "belongs_to_date": date(2017, 7, 14),
        "offset": timedelta(hours=2),
        "activity_id": ACTIVITY,
        "note": "",
    }
    return TimeEntry(**same | changes)


def refusal(text: str = "no", status: int = 400) -> BadRequestError:
    return BadRequestError(text, status=status)


def test_more_digits_and_no_note_are_no_difference() -> None:
    assert echo_differences(SENT, echo(), KEEPABLE) == []


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("personId", {"person_id": ACTIVITY}),
        ("type", {"type": EntryType.OUT}),
        ("status", {"status": EntryStatus.ARCHIVED}),
        ("activityId", {"activity_id": None}),
        ("projectId", {"project_id": ACTIVITY}),
        ("time", {"time": moment_at(SENT.ms + 1)}),
        ("time", {"time": None}),
        ("belongsToDate", {"belongs_to_date": date(2017, 7, 15)}),
        ("belongsToDate", {"belongs_to_date": None}),
        ("offset", {"offset": timedelta(hours=3)}),
        ("offset", {"offset": None}),
        ("note", {"note": " "}),
    ],
)
def test_what_differs_is_named(field: str, change: dict[str, Any]) -> None:
    assert echo_differences(SENT, echo(**change), KEEPABLE) == [field]
    # What the probe saw the server drop is known; what it must keep is a difference ever.
    known = [name for name in KEEPABLE if name != field]
    assert echo_differences(SENT, echo(**change), known) == ([] if field in KEEPABLE else [field])


def test_whole_seconds_are_as_good_where_they_were_accepted() -> None:
    cut = echo(time=moment_at(SENT.ms // 1000 * 1000))
    assert echo_differences(SENT, cut, KEEPABLE) == ["time"]
    assert echo_differences(SENT, cut, KEEPABLE, whole_seconds=True) == []


def test_five_people_refused_in_a_row_for_one_reason_stop_it() -> None:
    brakes = Brakes()
    for person in range(4):
        brakes.refused(person, refusal(f"The period of 2017-07-1{person} is locked."))
        # Once more for the same person counts for nothing.
        brakes.refused(person, refusal("The period of 2016-07-12 is locked."))
    assert brakes.reason is None
    brakes.refused(4, refusal("The period of 2016-01-12 is locked."))
    assert brakes.reason == "5 people in a row were refused for the same reason"
    assert "The period of 2017-07-10 is locked." in str(brakes.first)


@pytest.mark.parametrize("between", ["kept", "another kind", "another status"])
def test_what_comes_between_begins_the_row_anew(between: str) -> None:
    brakes = Brakes()
    for person in range(8):
        brakes.refused(person, refusal())
        if person == 3 and between == "kept":
            brakes.kept()
        elif person == 3:
            brakes.refused(9, refusal("other") if between == "another kind" else refusal("no", 422))
    assert brakes.reason is None


def test_two_in_a_hundred_of_the_last_500_stop_it() -> None:
    brakes = Brakes()
    for turn in range(3000):
        # One of 56 is less than two in a hundred, for ever.
        if turn % 56 == 55:
            brakes.refused(turn, refusal())
        else:
            brakes.kept()
    assert brakes.reason is None
    for turn in range(500):
        if turn % 50 == 49:
            brakes.refused(turn, refusal())
        else:
            brakes.kept()
    assert brakes.reason == "10 of the last 500 writes were refused"


def test_what_no_further_write_can_escape_stops_it_at_once() -> None:
    brakes = Brakes()
    brakes.turned_away(FeatureRestrictedError("seats", status=402), 1, 6)
    assert "402" in str(brakes.reason)
    brakes = Brakes()
    brakes.turned_away(AuthenticationError("expired", status=401), 1, 6)
    assert "401" in str(brakes.reason)
    brakes.stop("later")
    assert "401" in str(brakes.reason)


def test_who_is_turned_away_too_often_stops() -> None:
    brakes = Brakes()
    fast = RateLimitedError("slow down", status=429)
    for tries in range(1, 6):
        brakes.turned_away(fast, tries, 6)
    assert brakes.reason is None
    brakes.turned_away(fast, 6, 6)
    assert brakes.reason == "writing is too fast for the new account, 6 times in a row"
    brakes = Brakes()
    brakes.turned_away(ConnectFailedError("no route"), 6, 6)
    assert "can't reach" in str(brakes.reason)


def test_an_echo_that_differs_stops_it() -> None:
    brakes = Brakes()
    brakes.kept()
    assert brakes.reason is None
    brakes.kept(["note", "time"])
    assert "note, time" in str(brakes.reason)
