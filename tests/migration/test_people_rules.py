"""Who is whom: the rules in their order, and never by name."""

from __future__ import annotations

from typing import Any

import pytest
from jibble_legacy.migration.files.mapping_files import PersonSaid
from jibble_legacy.migration.files.spreadsheets import Flaws
from jibble_legacy.migration.planning.matching import There, TherePerson
from jibble_legacy.migration.planning.members import Choice, Claim, Member, Punch, interleaved
from jibble_legacy.migration.planning.people import decide_people
from jibble_legacy.migration.states import Decision

from jibble_async import ConfigurationError

ANN, BOB, EVE = (f"00000000-0000-4000-8000-00000000000{place}" for place in (1, 2, 3))
THERE = There(
    people=(
        TherePerson(id=ANN, name="Ann Example", email="ann@example.com"),
        TherePerson(id=BOB, name="Bob Example", email="bob@example.com", removed=True),
        TherePerson(id=EVE, name="Eve Example", email="eve@example.com"),
    )
)


def member(n: int, email: str | None = None, **more: Any) -> Member:
    values = {"n": n, "id": f"old{n}", "name": f"Name {n}", "email": email, "entries": 10}
    return Member(**{**values, **more})


def decided(
    *members: Member,
    there: There = THERE,
    said: dict[str, PersonSaid] | None = None,
    claims: dict[int, Claim] | None = None,
    interleaving: dict[int, int] | None = None,
) -> dict[int, Choice]:
    flaws = Flaws()
    choices = decide_people(members, there, said or {}, claims or {}, interleaving or {}, flaws)
    flaws.stop()
    return choices


def said(decision: str, new_person: str = "", **more: Any) -> PersonSaid:
    return PersonSaid(line=7, decision=Decision(decision), new_person=new_person, **more)


def test_an_address_that_one_has_here_and_one_there_is_a_match() -> None:
    choice = decided(member(1, " Ann@EXAMPLE.com "))[1]
    assert (choice.decision, choice.target) == (Decision.MATCH, ANN)


def test_nobody_is_matched_by_name_but_the_name_is_shown() -> None:
    choice = decided(member(1, None, name="ann  example"))[1]
    assert choice.decision is Decision.UNDECIDED
    assert choice.target is None
    assert choice.question == "has no e-mail address"
    assert len(choice.candidates) == 1
    assert ANN in choice.candidates[0]


def test_an_address_that_nobody_there_has_is_to_be_created_with_it() -> None:
    choice = decided(member(1, " New@example.com"))[1]
    assert choice.creates
    assert (choice.name, choice.email) == ("Name 1", "New@example.com")


def test_an_address_of_two_humans_is_asked_about_though_one_has_no_entries() -> None:
    choices = decided(member(1, "ann@example.com"), member(2, "ANN@example.com", entries=0))
    assert choices[1].question == "two people of the old account have this address"
    assert choices[2].how == "has no entries"


def test_several_over_there_who_have_the_address_are_asked_about() -> None:
    twice = There(people=(*THERE.people, TherePerson(id="x", email="Ann@example.com")))
    choice = decided(member(1, "ann@example.com"), there=twice)[1]
    assert choice.question == "several people over there have this address"
    assert len(choice.candidates) == 2


def test_somebody_removed_over_there_is_asked_about() -> None:
    assert decided(member(1, "bob@example.com"))[1].question == "was removed over there"


def test_somebody_whom_no_list_shows_is_asked_about() -> None:
    choice = decided(member(1, name="", listed=False))[1]
    assert choice.question == "left, and no list shows who it was"


def test_somebody_who_left_is_matched_by_an_address_but_not_created_for_one() -> None:
    left = decided(member(1, "ann@example.com", listed=False), member(2, "n@x.com", listed=False))
    assert left[1].target == ANN
    assert left[2].question == "left, and no list shows who it was"


def test_nobody_without_entries_is_moved() -> None:
    assert not decided(member(1, "ann@example.com", entries=0))[1].moves


def test_member_rows_of_one_human_become_one_person() -> None:
    choices = decided(
        member(1, "ann@example.com", user="u"), member(2, "other@example.com", user="u")
    )
    assert {choice.target for choice in choices.values()} == {ANN}
    assert {choice.root for choice in choices.values()} == {1}
    assert choices[2].how == "merged: the same human as id:old1"


def test_member_rows_of_one_human_are_created_once() -> None:
    choices = decided(member(3, "n@example.com", user="u"), member(2, "n@example.com", user="u"))
    assert [choice.creates for choice in (choices[2], choices[3])] == [True, False]
    assert choices[3].root == 2


def test_addresses_of_one_human_that_two_there_have_are_asked_about() -> None:
    choices = decided(
        member(1, "ann@example.com", user="u"), member(2, "eve@example.com", user="u")
    )
    assert not any(choice.moves for choice in choices.values())


def test_member_rows_that_interleave_are_asked_about_both() -> None:
    choices = decided(
        member(1, "ann@example.com", user="u"),
        member(2, "ann@example.com", user="u"),
        interleaving={1: 4, 2: 4},
    )
    assert {choice.decision for choice in choices.values()} == {Decision.UNDECIDED}
    assert "same time" in choices[1].question


def test_a_line_ends_the_question_of_rows_that_interleave() -> None:
    choices = decided(
        member(1, "ann@example.com", user="u"),
        member(2, "ann@example.com", user="u"),
        interleaving={1: 4, 2: 4},
        said={"old1": said("match", "ann@example.com"), "old2": said("match", "id:old1")},
    )
    assert {(choice.target, choice.root) for choice in choices.values()} == {(ANN, 1)}


def test_a_line_goes_before_the_address() -> None:
    choice = decided(member(1, "ann@example.com"), said={"old1": said("match", EVE.upper())})[1]
    assert choice.target == EVE


def test_what_was_begun_goes_before_a_line_and_the_line_is_warned_about() -> None:
    claim = Claim(decision=Decision.MATCH, root=1, target=ANN)
    choice = decided(member(1), said={"old1": said("match", EVE)}, claims={1: claim})[1]
    assert choice.target == ANN
    assert "roll back" in choice.warning


def test_a_line_that_agrees_with_what_was_begun_is_not_warned_about() -> None:
    claim = Claim(decision=Decision.MATCH, root=1, target=ANN)
    choice = decided(member(1), said={"old1": said("match", "ann@example.com")}, claims={1: claim})[
        1
    ]
    assert choice.warning == ""


def test_that_somebody_begun_is_removed_in_the_end_can_still_be_decided() -> None:
    claim = Claim(decision=Decision.CREATE, root=1, target=ANN)
    choice = decided(member(1), said={"old1": said("create-and-remove")}, claims={1: claim})[1]
    assert (choice.decision, choice.target) == (Decision.CREATE_AND_REMOVE, ANN)


def test_whom_we_created_is_no_match_for_a_further_row_but_the_same_lane() -> None:
    """Seed: a merge that is decided anew as a match after our own creation."""
    claim = Claim(decision=Decision.CREATE, root=5, target=ANN, email="ann@example.com")
    choices = decided(
        member(2, "ann@example.com", user="u"),
        member(5, "ann@example.com", user="u"),
        claims={5: claim},
    )
    assert {choice.decision for choice in choices.values()} == {Decision.CREATE}
    assert {choice.root for choice in choices.values()} == {5}
    assert not choices[2].creates


def test_a_lane_stays_whole_while_a_creation_is_in_doubt() -> None:
    """Seed: a lane that is split while nobody knows the new person's id."""
    claim = Claim(decision=Decision.CREATE, root=5, target=None, email="n@example.com")
    choices = decided(
        member(2, "n@example.com", user="u"),
        member(5, "n@example.com", user="u"),
        claims={5: claim},
    )
    assert {choice.root for choice in choices.values()} == {5}


def test_a_lane_that_was_begun_keeps_its_name() -> None:
    """Seed: lanes that are renumbered."""
    claim = Claim(decision=Decision.MATCH, root=5, target=ANN)
    choices = decided(member(2), member(5), said={"old2": said("match", ANN)}, claims={5: claim})
    assert {choice.root for choice in choices.values()} == {5}


def test_two_people_of_one_address_are_created_without_it() -> None:
    """Seed: two people of one address who become one."""
    lines = {"old1": said("create"), "old2": said("create")}
    choices = decided(member(1, "n@example.com"), member(2, "N@example.com"), said=lines)
    assert [choice.creates for choice in choices.values()] == [True, True]
    assert {choice.email for choice in choices.values()} == {None}


def test_an_address_is_sent_with_one_creation_only() -> None:
    lines = {"old1": said("create"), "old2": said("create")}
    choices = decided(
        member(1, "n@example.com", user="u"), member(2, "n@example.com", user="u"), said=lines
    )
    assert [choice.email for choice in choices.values()] == ["n@example.com", None]
    assert [choice.root for choice in choices.values()] == [1, 2]


def test_somebody_who_joins_follows_who_is_created() -> None:
    lines = {"old1": said("match", "id:old2"), "old2": said("create", new_name="Zoe")}
    choices = decided(member(1), member(2), said=lines)
    assert [choice.root for choice in choices.values()] == [2, 2]
    assert [choice.creates for choice in choices.values()] == [False, True]


def test_somebody_who_joins_nobody_is_asked_about() -> None:
    lines = {"old1": said("match", "id:old2"), "old2": said("match", "id:old1")}
    choices = decided(member(1), member(2), said=lines)
    assert {choice.decision for choice in choices.values()} == {Decision.UNDECIDED}
    assert "not decided" in choices[1].question


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (said("match", "nobody@example.com"), "which nobody there has"),
        (said("match", "id:elsewhere"), "no other old person"),
        (said("match", "id:old1"), "no other old person"),
        (said("create"), "write a new_name"),
        (said("create", "ann@example.com", new_name="Ann"), "write match"),
        (said("create", ANN, new_name="Ann"), "an e-mail address, or nothing"),
        (said("create", "not an address", new_name="Ann"), "an e-mail address, or nothing"),
    ],
)
def test_a_line_that_can_not_be_followed_is_named(line: PersonSaid, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint) as error:
        decided(member(1, name=""), said={"old1": line})
    assert "people.csv, line 7: id:old1" in str(error.value)


@pytest.mark.parametrize(
    ("punches", "crossed"),
    [
        ([(0, 1, 1), (8, 1, 2), (9, 2, 1), (17, 2, 2)], 0),
        ([(0, 1, 1), (1, 2, 1), (8, 1, 2), (9, 2, 2)], 2),
        ([(0, 1, 1), (1, 2, 1), (2, 2, 2), (8, 1, 2)], 2),
        # An Out forgotten in one team before the human went to the next.
        ([(0, 1, 1), (24, 2, 1), (32, 2, 2), (48, 1, 1)], 0),
    ],
)
def test_punches_interleave_if_they_lie_in_a_stretch_of_the_other_team(
    punches: list[tuple[int, int, int]], crossed: int
) -> None:
    hours = (Punch(hour * 3_600_000, member, action) for hour, member, action in punches)
    assert interleaved(hours) == crossed
