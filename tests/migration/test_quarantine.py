"""Why an entry is held back by itself, what people may say against it, and what is only odd."""

from __future__ import annotations

from typing import Any

import pytest
from jibble_legacy.migration.planning.oddities import Oddities
from jibble_legacy.migration.planning.quarantine import (
    EXPLANATIONS,
    Case,
    Whose,
    held_back,
    kind_of,
)
from jibble_legacy.migration.states import Decision, Reason

NOW = 1_785_000_000_000
THEN = 1_600_000_000_000
ANN = Whose(decision=Decision.MATCH, has_zone=True)
GOOD: dict[str, Any] = {"ms": THEN, "kind": "In"}


def reason(whose: Whose | None = ANN, **case: Any) -> Reason | None:
    held = held_back(Case(**{**GOOD, **case}), whose, NOW)
    return None if held is None else held.reason


def test_a_good_entry_is_not_held_back() -> None:
    assert reason() is None


@pytest.mark.parametrize(
    ("why", "case", "whose"),
    [
        (Reason.SKIPPED, {"decision": "skip", "flaw": "x"}, ANN),
        (Reason.SKIPPED, {}, Whose(decision=Decision.SKIP)),
        (Reason.UNREADABLE, {"flaw": "its notes are no text"}, ANN),
        (Reason.UNKNOWN_ACTION, {"kind": ""}, ANN),
        (Reason.NO_MOMENT, {"ms": None}, ANN),
        (Reason.FUTURE, {"ms": NOW + 1}, ANN),
        (Reason.BEFORE_2010, {"ms": 1_262_303_999_999}, ANN),
        (Reason.NO_PERSON, {}, None),
        (Reason.PERSON_UNDECIDED, {}, Whose(decision=Decision.UNDECIDED)),
        (Reason.ZONE_MISSING, {}, Whose(decision=Decision.CREATE)),
        (
            Reason.ALREADY_TRACKED,
            {},
            Whose(decision=Decision.MATCH, has_zone=True, held_from=THEN),
        ),
        (Reason.ACTIVITY_UNDECIDED, {"has_activity": False}, ANN),
    ],
)
def test_each_reason(why: Reason, case: dict[str, Any], whose: Whose | None) -> None:
    assert reason(whose, **case) is why


@pytest.mark.parametrize(
    ("case", "whose"),
    [
        ({"ms": NOW}, ANN),
        ({"ms": 1_262_304_000_000}, ANN),
        ({"ms": 0, "decision": "move"}, ANN),
        ({"has_activity": False, "decision": "move"}, ANN),
        ({}, Whose(decision=Decision.MATCH, has_zone=True, held_from=THEN + 1)),
        ({"decision": "move"}, Whose(decision=Decision.MATCH, has_zone=True, held_from=THEN)),
    ],
)
def test_what_is_just_in_or_insisted_on_is_moved(case: dict[str, Any], whose: Whose) -> None:
    assert reason(whose, **case) is None


def test_insisting_does_not_make_a_moment_or_a_person() -> None:
    assert reason(ms=None, decision="move") is Reason.NO_MOMENT
    assert reason(ms=NOW + 1, decision="move") is Reason.FUTURE
    assert reason(ms=-1, decision="move") is Reason.BEFORE_2010
    assert reason(Whose(decision=Decision.UNDECIDED), decision="move") is Reason.PERSON_UNDECIDED


@pytest.mark.parametrize(
    ("action", "decision", "kind"),
    [
        (1, "", "In"),
        (2, "move", "Out"),
        (3, "", ""),
        (None, "", ""),
        (3, "out", "Out"),
        (2, "in", "In"),
    ],
)
def test_the_kind_is_what_people_decide_or_the_old_account_says(
    action: int | None, decision: str, kind: str
) -> None:
    assert kind_of(action, decision) == kind


def test_every_reason_is_explained_with_a_way_out() -> None:
    assert set(EXPLANATIONS) == set(Reason)
    assert all(meaning and way_out for meaning, way_out in EXPLANATIONS.values())


def odd(*kinds: str) -> tuple[int, int, int]:
    oddities = Oddities()
    for kind in kinds:
        oddities.add(kind)
    return oddities.no_end, oddities.no_beginning, oddities.outs_after_outs


def test_what_is_odd_is_counted_by_what_follows_what() -> None:
    assert odd("In", "Out", "In", "Out") == (0, 0, 0)
    assert odd("In", "In", "Out") == (1, 0, 0)
    assert odd("Out", "In", "Out", "Out", "Out") == (0, 3, 2)


def test_what_was_there_before_is_followed_but_not_counted() -> None:
    oddities = Oddities()
    oddities.follow("Out")
    assert oddities.would_repeat("Out")
    assert not oddities.would_repeat("In")
    oddities.follow("In")
    oddities.add("Out")
    assert oddities.no_beginning == 0


@pytest.mark.parametrize(
    ("hours", "doubtful"), [((5, 22), False), ((4, 15, 16), True), ((), False)]
)
def test_a_zone_is_doubtful_if_most_work_begins_at_night(
    hours: tuple[int, ...], doubtful: bool
) -> None:
    oddities = Oddities()
    for hour in hours:
        oddities.add("In")
        oddities.begin_at(hour)
    assert oddities.zone_is_doubtful is doubtful
