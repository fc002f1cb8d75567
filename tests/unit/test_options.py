from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, TypeAlias

import pytest

from jibble_async import (
    ConfigurationError,
    JibbleClient,
    Pager,
    Person,
    Project,
    TimeEntry,
    UnknownFieldError,
    fields,
    grouped,
    raw_filter,
)
from jibble_async.odata.render import render_expand, render_order_by, render_select
from jibble_async.query.clauses import expansions, orderings, selection
from tests.unit.recording import RecordingClient

KEY = "3cf11f61-76ad-418a-8783-103b66b22fde"
T = fields(TimeEntry)
P = fields(Person)
Q = fields(Project)
DAY = date(2026, 10, 1)
NOT_ARCHIVED = "status ne 'Archived'"
Ask: TypeAlias = Callable[[JibbleClient], Pager[Any]]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (["person"], "person"),
        (["person", T.project], "person,project"),
        ([T.person.select("id", "full_name")], "person($select=id,fullName)"),
        ([T.person.select(P.full_name)], "person($select=id,fullName)"),
        ([T.person.select("fullname")], "person($select=id,fullname)"),
        ([T.person.select("fullname", "ID")], "person($select=fullname,ID)"),
        ([T.platform.select("os")], "platform($select=os)"),
        ([T.person.select("id").select("email")], "person($select=id,email)"),
        (
            [T.person.select("id").expand(P.group.select("id", "name"))],
            "person($select=id;$expand=group($select=id,name))",
        ),
        ([T.person.expand("group", "position")], "person($expand=group,position)"),
        (
            [T.person.where(P.status == "Joined").where(P.code.is_not_null())],
            "person($filter=(status eq 'Joined' and code ne null))",
        ),
        (
            [T.person.select("id").order_by(P.full_name.desc(), "id").limit(3)],
            "person($select=id;$orderby=fullName desc,id;$top=3)",
        ),
        (
            [
                T.project.select("name")
                .where(Q.name == "a;b,(c)=d&e")
                .expand(Q.client.select("name"))
                .limit(1)
            ],
            "project($select=id,name;$filter=name eq 'a;b,(c)=d&e';$top=1;"
            "$expand=client($select=id,name))",
        ),
        ([], ""),
    ],
)
def test_expand(items: list[Any], expected: str) -> None:
    assert render_expand(TimeEntry, expansions(TimeEntry, items)) == expected


def test_select_takes_names_fields_and_the_wires_spelling() -> None:
    names = selection(TimeEntry, ["id", T.local_time, "belongsToDate", "PERSONID", T.coordinates])
    expected = "id,localTime,belongsToDate,PERSONID,coordinates"
    assert render_select(TimeEntry, names) == expected
    assert render_select(Person, selection(Person, [P.managers])) == "id,managers"


def test_order_by_takes_fields_paths_and_directions() -> None:
    keys = orderings(TimeEntry, [T.person.full_name.asc(), "personId", T.time, T.note.desc()])
    assert render_order_by(keys) == "person/fullName asc,personId,time,note desc"


def test_options_do_not_change_what_they_were_made_of() -> None:
    one = T.person.select("id")
    one.select("email").limit(2).where(P.status == "Joined")
    assert render_expand(TimeEntry, [one]) == "person($select=id)"


async def options(ask: Ask) -> dict[str, str]:
    client = RecordingClient()
    await ask(client).collect()
    assert len(client.requests) == 1
    return client.options


@pytest.mark.parametrize(
    ("order_by", "expected"),
    [
        ((), "id"),
        ("time", "time,id"),
        (T.time, "time,id"),
        (T.time.desc(), "time desc,id"),
        ([T.person_id, T.time.desc()], "personId,time desc,id"),
        (T.id.desc(), "id desc"),
        ([T.time, "ID"], "time,id"),
        (T.person.id, "person/id,id"),
    ],
)
async def test_the_order_ends_in_the_key(order_by: Any, expected: str) -> None:
    sent = await options(lambda client: client.time_entries.list(order_by=order_by))
    assert sent["$orderby"] == expected


async def test_the_order_may_be_left_alone() -> None:
    sent = await options(lambda client: client.time_entries.list(stable=False))
    assert "$orderby" not in sent
    sent = await options(lambda client: client.time_entries.list(stable=False, order_by="time"))
    assert sent["$orderby"] == "time"


async def test_the_key_is_always_selected() -> None:
    sent = await options(lambda client: client.time_entries.list(select=[T.note]))
    assert sent["$select"] == "id,note"
    sent = await options(lambda client: client.time_entries.list(select=["note", "ID"]))
    assert sent["$select"] == "note,ID"
    assert "$select" not in await options(lambda client: client.time_entries.list())


WHAT_IS_GONE: list[tuple[Ask, str | None]] = [
    (lambda client: client.time_entries.list(), NOT_ARCHIVED),
    (
        lambda client: client.time_entries.list(since=DAY),
        f"(belongsToDate ge 2026-10-01 and {NOT_ARCHIVED})",
    ),
    (
        lambda client: client.time_entries.list(since=DAY, until=date(2026, 10, 31)),
        f"(belongsToDate ge 2026-10-01 and belongsToDate le 2026-10-31 and {NOT_ARCHIVED})",
    ),
    (
        lambda client: client.time_entries.list(
            until=DAY, where=(T.type == "In") | (T.type == "Out")
        ),
        f"(belongsToDate le 2026-10-01 and (type eq 'In' or type eq 'Out') and {NOT_ARCHIVED})",
    ),
    (
        lambda client: client.time_entries.list(where=raw_filter("a eq 1 or b eq 2")),
        f"((a eq 1 or b eq 2) and {NOT_ARCHIVED})",
    ),
    (
        lambda client: client.time_entries.list(
            where=grouped((T.type == "In") | (T.type == "Out"), 0)
        ),
        f"((type eq 'In' or type eq 'Out') and {NOT_ARCHIVED})",
    ),
    (lambda client: client.time_entries.list(include_archived=True), None),
    (lambda client: client.people.list(), "status ne 'Removed'"),
    (lambda client: client.people.list(include_removed=True), None),
    (lambda client: client.projects.list(), NOT_ARCHIVED),
    (lambda client: client.projects.list(include_archived=True), None),
    (lambda client: client.organizations.list(), None),
]


@pytest.mark.parametrize(("ask", "expected"), WHAT_IS_GONE)
async def test_what_is_gone_is_left_out_unless_asked_for(ask: Ask, expected: str | None) -> None:
    assert (await options(ask)).get("$filter") == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"since": date(2026, 10, 2), "until": DAY}, "since=2026-10-02 is after until=2026-10-01"),
        ({"since": datetime(2026, 10, 1, tzinfo=UTC)}, r"since takes a date, not datetime"),
        ({"until": "2026-10-01"}, "until takes a date, not str"),
        ({"select": "note"}, r"select= takes a list: write \['note'\]"),
        ({"expand": "person"}, "expand= takes a list"),
        ({"select": [P.email]}, "Person.email is not a field of TimeEntry"),
        ({"select": [T.person.email]}, "lies within person"),
        ({"select": [T.note.lower()]}, "is computed"),
        ({"expand": ["note"]}, "TimeEntry.note is a plain value: nothing to expand"),
        ({"expand": [T.note]}, "nothing to expand"),
        ({"expand": [P.group]}, "Person.group is not a field of TimeEntry"),
        ({"order_by": P.email}, "Person.email is not a field of TimeEntry"),
        ({"order_by": T.note.length()}, "is computed"),
        ({"page_size": 0}, "page_size=0: at least 1"),
        ({"page_size": 1, "verify": True}, "page_size=1: at least 2"),
        ({"limit": -1}, "limit=-1: at least 0"),
        ({"concurrency": 0}, "concurrency=0: at least 1"),
        ({"resume_from": "rubbish"}, "not a cursor"),
        ({"where": True}, r"write T.a.is_null\(\)"),
        ({"where": "name eq 'x'"}, "raw_filter"),
        ({"where": T.person_id == "Ann"}, "is a GUID"),
    ],
)
def test_arguments_that_cant_be_used(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        RecordingClient().time_entries.list(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"select": ["person_idd"]}, "TimeEntry has no field 'person_idd': did you mean person_id"),
        ({"expand": ["persom"]}, "did you mean person"),
        ({"order_by": "tyme"}, "did you mean type or time"),
    ],
)
def test_unknown_names_are_errors_with_a_suggestion(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(UnknownFieldError, match=message):
        RecordingClient().time_entries.list(**arguments)
    with pytest.raises(UnknownFieldError):
        T.person.select("emial")


def test_a_limit_of_an_expansion_is_at_least_one() -> None:
    with pytest.raises(ConfigurationError, match="at least 1"):
        T.person.select("id").limit(0)


@pytest.mark.parametrize("key", ["", "Ann", "../secret", "a)b", "x" * 36])
async def test_get_takes_a_guid_only(key: str) -> None:
    client = RecordingClient()
    with pytest.raises(ConfigurationError, match="is a GUID"):
        await client.people.get(key)
    assert not client.requests


async def test_an_error_names_whose_id_it_is_about() -> None:
    client = RecordingClient()
    owners: list[tuple[Any, str]] = [
        (client.people.get, "Person"),
        (client.people.schedule, "Person"),
        (client.time_entries.get, "TimeEntry"),
        (client.time_entries.latest, "Person"),
        (client.time_off.get, "TimeOffInterval"),
    ]
    for ask, owner in owners:
        with pytest.raises(ConfigurationError, match=f"a {owner}'s id is a GUID, and '1' is not"):
            await ask("1")
    assert not client.requests


async def test_a_span_may_be_a_single_day() -> None:
    client = RecordingClient()
    day = date(2026, 7, 6)
    await client.time_entries.list(since=day, until=day, include_archived=True).collect()
    assert client.options["$filter"] == "belongsToDate eq 2026-07-06"


async def test_a_member_is_addressed_as_its_set_has_it() -> None:
    client = RecordingClient(*[{"id": KEY}] * 3)
    await client.groups.get(KEY)
    await client.time_entries.get(KEY)
    await client.time_off.get(KEY)
    assert [request.url.path for request in client.requests] == [
        f"/v1/Groups({KEY})",
        f"/v1/TimeEntries/{KEY}",
        f"/v1/TimeOffIntervals({KEY})",
    ]
