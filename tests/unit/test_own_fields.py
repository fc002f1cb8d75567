"""A condition, a selection or an order that speaks of a field of something else is an error."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from jibble_legacy import LegacyClient, LegacyTimeEntry, TeamMember
from jibble_legacy import fields as legacy_fields

from jibble_async import (
    ConfigurationError,
    Group,
    HourEntry,
    JibbleClient,
    Person,
    Project,
    StaticToken,
    TimeEntry,
    TimeOff,
    Timesheet,
    fields,
    grouped,
    raw_filter,
)
from jibble_async.query.clauses import own_condition
from jibble_async.query.expressions import Expression, paths_of

T, P, G, H = fields(TimeEntry), fields(Person), fields(Group), fields(HourEntry)
E = legacy_fields(LegacyTimeEntry)
JIBBLE = JibbleClient(auth=StaticToken("x"))
OLD = LegacyClient("x")
DAY = date(2026, 7, 1)

FOREIGN: dict[str, Expression] = {
    "a comparison": P.full_name == "Ann",
    "the right side of one": T.created_at == P.created_at,
    "a call": P.full_name.contains("Ann"),
    "a call of a call": P.full_name.strip().lower() == "ann",
    "a range": P.work_start_date.between(DAY, DAY),
    "nothing there": P.group.is_null(),
    "a list": P.code.is_in(["a", "b"]),
    "a negation": ~(P.code == "a"),
    "a part of a whole": (T.note == "x") & ((T.note == "y") | (P.code == "a")),
    "one in parentheses": grouped(P.code == "a", 2),
    "another kind of entry": H.note == "x",
    "something that hangs on something else": P.group.name == "x",
}


@pytest.mark.parametrize("where", FOREIGN.values(), ids=FOREIGN)
def test_a_condition_on_something_else_is_an_error_in_both_apis(where: Expression) -> None:
    for entries in (JIBBLE.time_entries, OLD.time_entries):
        lists: Callable[..., Any] = entries.list
        with pytest.raises(ConfigurationError, match=r"is not a field of \w*TimeEntry: use fields"):
            lists(where=where)


def test_the_error_names_the_way_to_it() -> None:
    with pytest.raises(ConfigurationError) as caught:
        JIBBLE.time_entries.list(where=P.full_name == "Ann")
    assert caught.value.message == (
        "Person.full_name is not a field of TimeEntry: use fields(TimeEntry) as T, and "
        "T.person.full_name for what hangs on it"
    )
    with pytest.raises(ConfigurationError, match=r"TimeEntry: use fields\(TimeEntry\)$"):
        JIBBLE.time_entries.list(where=G.name == "x")


def test_orders_selections_and_expansions_are_looked_at_too() -> None:
    asks: list[Callable[[], object]] = [
        lambda: JIBBLE.time_entries.list(order_by=P.full_name),
        lambda: JIBBLE.time_entries.list(order_by=[T.time, P.full_name.desc()]),
        lambda: JIBBLE.time_entries.list(select=["id", P.full_name]),
        lambda: JIBBLE.time_entries.list(expand=[P.group]),
        lambda: T.person.select(G.name),
        lambda: T.person.select("id").where(G.name == "x"),
        lambda: T.person.select("id").order_by(T.time),
    ]
    for ask in asks:
        with pytest.raises(ConfigurationError, match="is not a field of"):
            ask()


def test_every_set_looks() -> None:
    sets: dict[str, Any] = {name: each for name, each in vars(JIBBLE).items() if name[0] != "_"}
    for name, each in sets.items():
        if not hasattr(each, "list"):
            continue
        own: Any = fields(Project) if each.entity is not Project else fields(Group)
        arguments = {"since": DAY, "until": DAY} if "sheet" in name else {}
        with pytest.raises(ConfigurationError, match="is not a field of"):
            each.list(where=own.name == "x", **arguments)


def test_what_hangs_on_a_row_is_its_own() -> None:
    JIBBLE.time_entries.list(where=T.person.full_name == "Ann", order_by=T.person.full_name)
    JIBBLE.time_entries.list(where=(T.project.client.name == "x") & raw_filter("a eq 1"))
    JIBBLE.timesheets.list(DAY, where=fields(Timesheet).person.full_name == "Ann")
    JIBBLE.time_off.list(where=fields(TimeOff).policy.name == "x")
    person = T.person.select("id").where(P.full_name == "Ann").order_by(P.full_name)
    JIBBLE.time_entries.list(expand=[person])


def test_one_vocabulary_does_for_both() -> None:
    OLD.time_entries.list(where=(T.person_id == "1") & (E.client_id == "2"))
    assert own_condition(TeamMember, P.email == "a") is not None
    for only_old in (E.client_id, E.person_id):
        with pytest.raises(ConfigurationError, match=r"^LegacyTimeEntry\.\w+ is not a field of"):
            JIBBLE.time_entries.list(where=only_old == "1")


def test_every_field_of_a_condition_is_found() -> None:
    where = ((T.note == "x") & ~T.type.is_in(["In"])) | (T.time < T.updated_at)
    assert [str(path) for path in paths_of(where)] == [
        "TimeEntry.note", "TimeEntry.type", "TimeEntry.time", "TimeEntry.updated_at",
    ]  # fmt: skip
    assert list(paths_of(raw_filter("a eq 1"))) == []
    assert own_condition(TimeEntry) is None
