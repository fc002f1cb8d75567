"""Rows of the old API as entities of the vocabulary."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from jibble_legacy import LegacyTimeEntry, PowerUp, Team, TeamClient, TeamMember
from jibble_legacy.literals import instant
from jibble_legacy.rows import rows_reader

from jibble_async import (
    Activity,
    Client,
    DecodeError,
    EntryType,
    Organization,
    Person,
    TimeEntry,
)
from jibble_async.core.wire import Reply
from tests.legacy import documented

ENTRY = documented.ENTRY


def page(*rows: Any) -> Reply:
    return Reply(200, {}, msgspec.json.encode(rows))


def read_one(entity: Any, row: dict[str, Any]) -> Any:
    rows, received = rows_reader(entity)(page(row), None)
    assert received == 1
    return rows[0]


def test_the_vocabulary_is_common() -> None:
    assert issubclass(LegacyTimeEntry, TimeEntry)
    assert issubclass(Team, Organization)
    assert issubclass(TeamMember, Person)
    assert issubclass(TeamClient, Client)


@pytest.mark.parametrize(("action", "kind"), [(1, EntryType.IN), (2, EntryType.OUT)])
def test_actions(action: int, kind: EntryType) -> None:
    assert read_one(LegacyTimeEntry, ENTRY | {"action": action}).type is kind


def test_what_is_included_is_read_in_full() -> None:
    row = ENTRY | {
        "person": documented.MEMBER,
        "activity": documented.ACTIVITY,
        "client": documented.CLIENT | {"team": documented.TEAM},
    }
    entry = read_one(LegacyTimeEntry, row)
    assert entry.person == read_one(TeamMember, documented.MEMBER)
    assert entry.activity == read_one(Activity, documented.ACTIVITY)
    assert entry.client.team == read_one(Team, documented.TEAM)
    assert entry.person_id == documented.MEMBER["id"]
    assert entry.activity_id == documented.ACTIVITY["id"]
    assert entry.client_id == documented.CLIENT["id"]


def test_what_is_not_documented_of_a_row_is_not_looked_at() -> None:
    assert read_one(LegacyTimeEntry, ENTRY | {"team": "Acme"}).organization_id is None


def test_what_is_only_named_is_no_entity() -> None:
    entry = read_one(LegacyTimeEntry, ENTRY | {"activity": {"id": "A"}, "client": None})
    assert (entry.activity_id, entry.activity) == ("A", None)
    assert (entry.client_id, entry.client) == (None, None)
    assert entry.person is None


@pytest.mark.parametrize(
    ("first", "last", "full"),
    [("A", "B", "A B"), ("A", None, "A"), (None, "B", "B"), ("", "", None), ("A", "", "A")],
)
def test_full_names(first: str | None, last: str | None, full: str | None) -> None:
    row = documented.MEMBER | {"firstName": first, "lastName": last}
    assert read_one(TeamMember, row).full_name == full


@pytest.mark.parametrize(
    ("sent", "read"), [("#55C9BD", "55C9BD"), ("red", "red"), ("#fff", "#fff"), (None, None)]
)
def test_colours(sent: str | None, read: str | None) -> None:
    assert read_one(Activity, documented.ACTIVITY | {"color": sent}).color == read


def test_whatever_may_be_absent_may_be_absent() -> None:
    for entity in (Team, TeamMember, TeamClient, Activity, PowerUp):
        assert read_one(entity, {"id": "A", "unknown": 1}) == entity(id="A")


@pytest.mark.parametrize(
    "change",
    [{"action": 3}, {"action": None}, {"action": "x"}, {"date": "today"}, {"meta": []}, {"id": 1}],
)
def test_a_bad_row(change: dict[str, Any]) -> None:
    sent = page(ENTRY, ENTRY | change, ENTRY)
    read = rows_reader(LegacyTimeEntry)
    with pytest.raises(DecodeError, match="row 1 of the page") as caught:
        read(sent, None)
    assert caught.value.row == 1
    bad: list[tuple[DecodeError, bytes]] = []
    rows, received = read(sent, lambda error, row: bad.append((error, row)))
    assert (len(rows), received) == (2, 3)
    assert msgspec.json.decode(bad[0][1]) == ENTRY | change


@pytest.mark.parametrize("raw", [b"", b"[", b"{}", b"\xff", b"<html>", b'{"error": 1}'])
def test_what_is_no_page(raw: bytes) -> None:
    with pytest.raises(DecodeError):
        rows_reader(LegacyTimeEntry)(Reply(200, {}, raw), lambda _, __: None)


def test_moments() -> None:
    moment = datetime(2018, 5, 18, 12, 16, 59, 490999, tzinfo=UTC)
    assert instant(moment) == "2018-05-18T12:16:59.490Z"
