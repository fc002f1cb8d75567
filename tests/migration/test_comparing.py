"""What was sent against what is there: each field, what explains it, and which copy stays."""

from __future__ import annotations

import pytest
from jibble_legacy.migration.checking.comparing import (
    Copy,
    Difference,
    Field,
    Found,
    Known,
    Sent,
    Verdict,
    Why,
    compare,
    judge,
    surplus,
)
from msgspec.structs import replace

SENT = Sent(
    person="P",
    ms=1_589_846_272_002,
    type="In",
    day="2020-05-18",
    offset=7200,
    activity="A",
    project="B",
    note=" 🙂 ",
    written=2_000_000_000_000,
)
THERE = Found(
    id="N",
    person="P",
    ms=1_589_846_272_002,
    type="In",
    day="2020-05-18",
    offset=7200,
    activity="A",
    project="B",
    note=" 🙂 ",
    updated=2_000_000_000_000,
)
OTHERS = {
    "ms": 1_589_846_272_003,
    "type": "Out",
    "day": "2020-05-19",
    "offset": 3600,
    "person": "Q",
    "activity": None,
    "project": "C",
    "note": "🙂",
}


def found(**changes: object) -> list[Difference]:
    known = changes.pop("known", Known())
    assert isinstance(known, Known)
    return compare(SENT, replace(THERE, **changes), known)


def test_what_is_as_it_was_sent_is_equal() -> None:
    assert found() == []
    assert judge([]) == Verdict.EQUAL


@pytest.mark.parametrize("field", OTHERS)
def test_each_field_that_differs_is_named_and_unexplained(field: str) -> None:
    [difference] = found(**{field: OTHERS[field]})
    assert difference.why is None
    assert difference.was != difference.found
    assert judge([difference]) == Verdict.DIFFERS


@pytest.mark.parametrize("field", OTHERS)
def test_a_later_change_over_there_explains_each_field(field: str) -> None:
    [difference] = found(**{field: OTHERS[field]}, updated=2_000_000_000_001)
    assert difference.why == Why.CHANGED
    assert judge([difference]) == Verdict.EXPLAINED


def test_without_our_stamp_no_later_change_explains_anything() -> None:
    sent = replace(SENT, written=None)
    [difference] = compare(sent, replace(THERE, note="other", updated=9**15), Known())
    assert difference.why is None


def test_the_same_guid_in_capitals_is_the_same() -> None:
    assert found(person="p", activity="a", project="b") == []


def test_no_note_and_an_empty_one_mean_the_same() -> None:
    [difference] = compare(replace(SENT, note=None), replace(THERE, note=""), Known())
    assert difference == Difference(Field.NOTE, "", "", Why.EMPTY_NOTE)
    assert judge([difference]) == Verdict.EQUAL


@pytest.mark.parametrize(("sent", "there"), [("x", ""), ("x", None), (None, "x"), ("", "x")])
def test_a_note_that_was_lost_or_made_up_differs(sent: str | None, there: str | None) -> None:
    [difference] = compare(replace(SENT, note=sent), replace(THERE, note=there), Known())
    assert difference.why is None


def test_digits_below_the_millisecond_mean_the_same() -> None:
    [difference] = found(digits=True)
    assert difference.why == Why.MORE_DIGITS
    assert judge([difference]) == Verdict.EQUAL


def test_cut_seconds_are_explained_by_the_probe_alone() -> None:
    cut = SENT.ms // 1000 * 1000
    assert [each.why for each in found(ms=cut)] == [None]
    assert [each.why for each in found(ms=cut, known=Known(whole_seconds=True))] == [Why.PROBE]
    assert [each.why for each in found(ms=cut + 1, known=Known(whole_seconds=True))] == [None]


def test_the_servers_own_day_is_explained_if_it_is_the_date_on_some_clock() -> None:
    known = Known(own_day=True)
    assert [each.why for each in found(day="2020-05-19", known=known)] == [Why.PROBE]
    assert [each.why for each in found(day="2020-05-21", known=known)] == [None]
    assert [each.why for each in found(day=None, known=known)] == [None]


def test_the_servers_own_clock_is_explained_by_the_probe_and_may_be_unsaid() -> None:
    assert [each.why for each in found(offset=0, known=Known(own_offset=True))] == [Why.PROBE]
    assert [each.why for each in found(offset=0)] == [None]
    assert found(offset=None) == []


def test_what_was_archived_over_there_is_explained() -> None:
    [difference] = found(active=False)
    assert difference == Difference(Field.STATUS, "Active", "Archived", Why.ARCHIVED)
    assert judge([difference]) == Verdict.EXPLAINED


def test_one_unexplained_difference_among_others_decides() -> None:
    assert judge(found(active=False, note="other")) == Verdict.DIFFERS


def test_a_moment_that_is_not_there_differs() -> None:
    [difference] = found(ms=None)
    assert (difference.field, difference.found) == (Field.TIME, "")


def test_of_several_of_one_key_the_first_made_stays() -> None:
    first, later, latest = Copy("z", 1, True), Copy("a", 2, True), Copy("b", 3, True)
    assert surplus([latest, first, later]) == [later, latest]


def test_what_is_archived_needs_no_ending_and_keeps_nothing_from_staying() -> None:
    archived, active = Copy("a", 1, False), Copy("b", 2, True)
    assert surplus([archived, active]) == []


def test_of_one_moment_the_id_decides_and_what_has_no_moment_comes_last() -> None:
    copies = [Copy("c", None, True), Copy("b", 5, True), Copy("a", 5, True)]
    assert [copy.id for copy in surplus(copies)] == ["b", "c"]


def test_only_what_somebody_has_to_look_into_is_not_right() -> None:
    right = {verdict for verdict in Verdict if verdict.right}
    assert right == {Verdict.EQUAL, Verdict.EXPLAINED, Verdict.ONLY_THERE}
