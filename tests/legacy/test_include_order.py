"""What is expanded and how it is sorted, and the fields that this is said with."""

from __future__ import annotations

from typing import Any

import pytest
from jibble_legacy import LegacyClient
from jibble_legacy.entities import LegacyTimeEntry, TeamClient, TeamMember
from jibble_legacy.query_fields import fields
from jibble_legacy.render import render_options

import jibble_async
from jibble_async import Activity, Client, ConfigurationError, NotSupportedError, TimeEntry
from jibble_async.query.clauses import Query, expansions, orderings, selection

T = jibble_async.fields(TimeEntry)
E = fields(LegacyTimeEntry)


def query(entity: Any = LegacyTimeEntry, **options: Any) -> Query:
    parts = {"expand": expansions, "order_by": orderings, "select": selection}
    given = {name: parts[name](entity, value) for name, value in options.items()}
    return Query(entity, **given)


@pytest.mark.parametrize(
    ("asked", "pairs"),
    [
        (query(), []),
        (query(expand=["person"]), [("filter[include]", "person")]),
        (query(expand=[T.activity]), [("filter[include]", "activity")]),
        (query(TeamClient, expand=["team"]), [("filter[include]", "team")]),
        (
            query(expand=["person", E.client]),
            [("filter[include][0]", "person"), ("filter[include][1]", "client")],
        ),
        (query(order_by=[T.time.desc()]), [("filter[order]", "date DESC")]),
        (query(order_by=[E.time]), [("filter[order]", "date ASC")]),
        (
            query(order_by=["time", "id"]),
            [("filter[order][0]", "date ASC"), ("filter[order][1]", "id ASC")],
        ),
    ],
)
def test_what_is_asked_is_written_as_documented(asked: Query, pairs: list[tuple[str, str]]) -> None:
    assert render_options(asked) == tuple(pairs)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (query(select=["id", "note"]), r"leave out select= \(of id, note\)"),
        (query(expand=["project"]), "only activity, client, person"),
        (query(Activity, expand=[]), None),
        (query(expand=[T.person.select("id")]), r"write expand=\['person'\]"),
        (query(order_by=["belongs_to_date"]), "give since="),
        (query(TeamMember, order_by=["full_name"]), "first_name"),
        (query(TeamClient, order_by=["created_at"]), "TeamClient.created_at"),
        (query(Activity, order_by=["color"]), "Activity.color"),
        (query(order_by=["custom_data"]), "what comes"),
        (query(Client, order_by=["name"]), "Client.name"),
    ],
)
def test_what_the_old_api_cannot_say_is_refused(asked: Query, words: str | None) -> None:
    if words is None:
        assert render_options(asked) == ()
        return
    with pytest.raises(NotSupportedError, match=words):
        render_options(asked)


def test_fields_of_something_else_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"use fields\(TeamMember\)"):
        query(TeamMember, order_by=[T.time])
    with pytest.raises(ConfigurationError, match=r"use fields\(TimeEntry\)"):
        query(TimeEntry, order_by=[E.time])


def test_the_common_fields_are_the_common_ones() -> None:
    assert fields(TimeEntry) is T
    assert fields(Activity) is jibble_async.fields(Activity)
    assert jibble_async.fields(LegacyTimeEntry) is T
    untyped: Any = fields
    with pytest.raises(ConfigurationError, match="not 'x'"):
        untyped("x")


async def test_a_misspelt_option_is_refused(legacy: LegacyClient) -> None:
    untyped: Any = legacy
    with pytest.raises(ConfigurationError, match="no include_removed="):
        untyped.people.list(include_removed=True)
    with pytest.raises(ConfigurationError, match="no untill="):
        untyped.time_entries.list(untill=None)
