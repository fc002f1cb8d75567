"""Which activity and which project: by name or by a line, and else asked about or created."""

from __future__ import annotations

import pytest
from jibble_legacy.migration.files.mapping_files import ThingSaid
from jibble_legacy.migration.files.spreadsheets import Flaws
from jibble_legacy.migration.planning.matching import ThereThing
from jibble_legacy.migration.planning.things import (
    OldThing,
    ThingChoice,
    decide_activities,
    decide_clients,
)
from jibble_legacy.migration.states import Decision

from jibble_async import ConfigurationError

ONE, TWO, OTHER = (f"00000000-0000-4000-8000-00000000000{place}" for place in (1, 2, 3))
THERE = (
    ThereThing(id=ONE, name="Assembly"),
    ThereThing(id=TWO, name="Training"),
    ThereThing(id=OTHER, name="training "),
    ThereThing(id="archived", name="Paperwork", active=False),
)


def old(n: int, name: str | None, entries: int = 5) -> OldThing:
    return OldThing(n=n, id=f"old{n}", name=name, entries=entries)


def clients(
    *things: OldThing,
    said: dict[str, ThingSaid] | None = None,
    begun: dict[int, ThingChoice] | None = None,
) -> dict[int, ThingChoice]:
    flaws = Flaws()
    choices = decide_clients(things, THERE, said or {}, begun or {}, flaws)
    flaws.stop()
    return choices


def test_several_activities_of_one_name_go_to_the_one_over_there() -> None:
    choices = decide_activities([old(1, "Assembly"), old(2, " assembly ")], THERE, {})
    assert {choice.target for choice in choices.values()} == {ONE}


@pytest.mark.parametrize(
    ("name", "question"),
    [("Training", "2 activities over there"), ("Paperwork", "no activity 'Paperwork' over there")],
)
def test_an_activity_of_no_or_several_names_is_asked_about(name: str, question: str) -> None:
    choice = decide_activities([old(1, name)], THERE, {})[1]
    assert choice.decision is Decision.UNDECIDED
    assert question in choice.question


@pytest.mark.parametrize(("line", "target"), [("assembly", ONE), (TWO.upper(), TWO), ("-", None)])
def test_a_line_goes_before_the_name(line: str, target: str | None) -> None:
    choice = decide_activities([old(1, "Training")], THERE, {"old1": ThingSaid(new_name=line)})[1]
    assert choice.target == target
    assert (choice.decision is Decision.SKIP) == (target is None)


def test_a_deleted_activity_is_left_away_and_one_without_entries_not_asked_about() -> None:
    choices = decide_activities([old(1, None), old(2, "Nowhere", entries=0)], THERE, {})
    assert {choice.decision for choice in choices.values()} == {Decision.SKIP}
    assert "deleted" in choices[1].how


def test_a_client_is_a_project_of_its_name_which_is_created_once() -> None:
    choices = clients(old(1, "Assembly"), old(3, "Müller GmbH"), old(2, "müller gmbh "))
    assert choices[1].target == ONE
    assert [choices[n].creates for n in (2, 3)] == [True, False]
    assert choices[3].root == 2


def test_a_project_of_a_name_that_is_there_twice_is_created() -> None:
    choice = clients(old(1, "Training"))[1]
    assert choice.creates
    assert "2 of that name are there" in choice.how


def test_a_project_that_was_begun_is_not_decided_anew() -> None:
    begun = ThingChoice(n=9, decision=Decision.CREATE, root=9, target=TWO, name="Müller GmbH")
    choices = clients(old(1, "müller gmbh"), old(9, "Müller GmbH"), begun={9: begun})
    assert {choice.root for choice in choices.values()} == {9}
    assert {choice.target for choice in choices.values()} == {TWO}


def test_a_line_changes_nothing_of_a_project_that_was_begun() -> None:
    begun = ThingChoice(n=9, decision=Decision.CREATE, root=9, target=None, name="Müller GmbH")
    choices = clients(
        old(9, "Müller GmbH"), begun={9: begun}, said={"old9": ThingSaid(new_name="Assembly")}
    )
    assert choices[9] is begun


def test_a_line_names_a_project_of_another_name_or_none() -> None:
    lines = {"old1": ThingSaid(new_name="Assembly"), "old2": ThingSaid(new_name="-")}
    choices = clients(old(1, "O'Brien"), old(2, "Sons"), old(3, None), said=lines)
    assert [choices[n].target for n in (1, 2, 3)] == [ONE, None, None]


def test_a_project_that_is_not_there_is_named_with_its_line() -> None:
    lines = {"old1": ThingSaid(line=4, new_name="00000000-0000-4000-8000-000000000009")}
    with pytest.raises(ConfigurationError, match=r"clients\.csv, line 4: names the project"):
        clients(old(1, "O'Brien"), said=lines)
