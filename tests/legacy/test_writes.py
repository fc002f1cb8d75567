"""Writes to the old API: sent as is documented, never twice, and not at all what it lacks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from jibble_legacy import LegacyClient
from jibble_legacy.resources.punches import NONCE

from jibble_async import (
    AmbiguousWriteError,
    BadRequestError,
    ConfigurationError,
    EntryType,
    NotFoundError,
    NotSupportedError,
    Person,
)
from jibble_async.sandbox import Fault, Sandbox

NOON = datetime(2026, 7, 8, 12, 0, 0, 123000, tzinfo=UTC)
GUID = "5d3b37e7-64a8-411a-9a1e-056c149a13fc"
UNKNOWN = "XXX123YYY"


@pytest.fixture
def person(box: Sandbox) -> str:
    key: str = box.legacy.rows("teammembers")[1]["id"]
    return key


@pytest.fixture
def team(box: Sandbox) -> str:
    key: str = box.legacy.rows("teams")[0]["id"]
    return key


def untyped(resource: Any) -> Any:
    """What somebody has who doesn't check types."""
    return resource


def commits(box: Sandbox, change: str = "created") -> list[str]:
    return [each.id for each in box.ledger.committed if each.change == change]


def posts(box: Sandbox) -> int:
    return box.ledger.count("legacy", "POST")


async def test_a_day_of_work(box: Sandbox, legacy: LegacyClient, person: str) -> None:
    activity = box.legacy.rows("activities")[0]["id"]
    client = box.legacy.rows("clients")[0]["id"]
    begun = await legacy.time_entries.clock_in(
        person,
        activity_id=activity,
        client_id=client,
        note="Höhe",
        at=NOON,
        custom_data={"shift": 7},
    )
    ended = await legacy.time_entries.clock_out(person, at=NOON + timedelta(hours=4))
    assert [begun.id, ended.id] == commits(box)
    assert (begun.type, begun.time, begun.person_id) == (EntryType.IN, NOON, person)
    assert (begun.activity_id, begun.client_id, begun.note) == (activity, client, "Höhe")
    assert begun.custom_data is not None
    assert begun.custom_data["shift"] == 7
    assert len(begun.custom_data[NONCE]) == 36
    assert ended.type == EntryType.OUT
    changed = await legacy.time_entries.update(begun.id, note="x")
    assert (changed.note, changed.activity_id) == ("x", activity)
    latest = await legacy.time_entries.latest(person)
    assert latest is not None
    await legacy.time_entries.delete(begun.id)
    with pytest.raises(NotFoundError):
        await legacy.time_entries.get(begun.id)
    assert commits(box, "deleted") == [begun.id]


async def test_workspace_writes(box: Sandbox, legacy: LegacyClient, team: str) -> None:
    client = await legacy.clients.create("GoodCar", team)
    assert (await legacy.clients.update(client.id, name="BestCar")).name == "BestCar"
    await legacy.clients.delete(client.id)
    activity = await legacy.activities.create("Paint", "a1b2c3", team, description="walls")
    assert activity.color == "a1b2c3"
    assert (await legacy.activities.update(activity.id, color="#ffffff")).color == "ffffff"
    await legacy.activities.delete(activity.id)
    made = await legacy.organizations.create("Second", working_hours=7.5)
    assert made.working_hours == 7.5
    assert (await legacy.organizations.update(made.id, name="Third")).name == "Third"
    await legacy.organizations.delete(made.id)
    member = box.legacy.rows("teammembers")[1]["id"]
    renamed = await legacy.people.update(member, first_name="Chris", last_name="Smith")
    assert renamed.full_name == "Chris Smith"
    await legacy.people.delete(member)
    power_up = await legacy.power_ups.create("slack", team, is_enabled=False)
    assert (await legacy.power_ups.update(power_up.id, is_enabled=True)).is_enabled is True
    assert len(commits(box, "deleted")) == 4


PUNCHES: dict[str, Callable[[LegacyClient, str], Awaitable[Any]]] = {
    "now": lambda legacy, person: legacy.time_entries.clock_in(person, note="n"),
    "back-dated": lambda legacy, person: legacy.time_entries.create(
        person, "Out", NOON, custom_data={"a": 1}
    ),
    "finer than a millisecond": lambda legacy, person: legacy.time_entries.clock_in(
        person, at=NOON.replace(microsecond=123999)
    ),
    "for oneself": lambda legacy, _: legacy.time_entries.clock_out(None),
}


@pytest.mark.parametrize("kind", ["drop_after", "reset_after", "invalid_json", "truncate"])
@pytest.mark.parametrize("punch", PUNCHES)
async def test_a_punch_whose_answer_is_lost_is_found(
    box: Sandbox, legacy: LegacyClient, person: str, kind: str, punch: str
) -> None:
    box.faults.add(Fault(kind, "legacy", "POST"))
    entry = await PUNCHES[punch](legacy, person)
    assert commits(box) == [entry.id]
    assert posts(box) == 1


@pytest.mark.parametrize("kind", ["drop_before", "html_502"])
async def test_a_punch_that_is_not_found_is_not_sent_again(
    box: Sandbox, legacy: LegacyClient, person: str, kind: str
) -> None:
    twin = await legacy.time_entries.clock_in(person, at=NOON)
    box.faults.add(Fault(kind, "legacy", "POST"))
    with pytest.raises(AmbiguousWriteError) as caught:
        await legacy.time_entries.clock_in(person, at=NOON)
    assert caught.value.candidates == (twin,)
    assert caught.value.nonce is not None
    assert caught.value.nonce in str(caught.value)
    assert caught.value.maybe_processed
    assert posts(box) == 2


async def test_a_lookup_that_fails_says_so(box: Sandbox, legacy: LegacyClient, person: str) -> None:
    box.faults.add(Fault("drop_after", "legacy", "POST"))
    box.faults.add(Fault("status", "legacy", "GET", times=None, status=400))
    with pytest.raises(AmbiguousWriteError, match="looking it up failed"):
        await legacy.time_entries.clock_in(person)


async def test_what_has_no_mark_is_ambiguous(box: Sandbox, legacy: LegacyClient, team: str) -> None:
    box.faults.add(Fault("drop_after", "legacy", "POST"))
    with pytest.raises(AmbiguousWriteError) as caught:
        await legacy.clients.create("GoodCar", team)
    assert [each.id for each in caught.value.candidates] == commits(box)
    assert posts(box) == 1


async def test_looking_for_what_might_be_it_may_fail(
    box: Sandbox, legacy: LegacyClient, team: str
) -> None:
    box.faults.add(Fault("drop_after", "legacy", "POST"))
    box.faults.add(Fault("status", "legacy", "GET", times=None, status=400))
    with pytest.raises(AmbiguousWriteError, match="might be it failed") as caught:
        await legacy.clients.create("GoodCar", team)
    assert caught.value.candidates == ()
    assert posts(box) == 1


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "html_502"])
async def test_changes_and_deletions_are_repeated(
    box: Sandbox, legacy: LegacyClient, kind: str
) -> None:
    client = box.legacy.rows("clients")[0]["id"]
    box.faults.add(Fault(kind, "legacy", "PUT"))
    assert (await legacy.clients.update(client, name="A")).name == "A"
    box.faults.add(Fault(kind, "legacy", "DELETE"))
    await legacy.clients.delete(client)
    assert commits(box, "deleted") == [client]
    with pytest.raises(NotFoundError):
        await legacy.clients.delete(client)


async def test_a_refusal_is_an_error_of_the_servers_words(
    box: Sandbox, legacy: LegacyClient
) -> None:
    with pytest.raises((BadRequestError, NotFoundError)) as caught:
        await legacy.clients.create("GoodCar", UNKNOWN)
    assert not caught.value.maybe_processed
    with pytest.raises(NotFoundError) as missing:
        await legacy.clients.get(UNKNOWN)
    assert missing.value.code == "MODEL_NOT_FOUND"


async def test_a_cancelled_punch_says_how_it_can_be_found(
    box: Sandbox, legacy: LegacyClient, person: str
) -> None:
    stalled = Fault("stall", method="POST", path="timeentries", committed=True)
    box.faults.add(stalled)
    call = asyncio.create_task(legacy.time_entries.clock_in(person))
    await stalled.reached.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await call
    (entry_id,) = commits(box)
    (row,) = (row for row in box.legacy.rows("timeentries") if row["id"] == entry_id)
    (note,) = caught.value.__notes__
    assert row["customData"][NONCE] in note


MISSING: dict[str, Callable[[LegacyClient], Awaitable[Any]]] = {
    "adding team members": lambda legacy: legacy.people.create("A B", email="a@example.com"),
    "no such call is documented": lambda legacy: legacy.power_ups.delete(UNKNOWN),
    "clock_out": lambda legacy: legacy.time_entries.start_break(UNKNOWN),
    "use delete": lambda legacy: legacy.time_entries.archive(UNKNOWN),
    "can't be cleared": lambda legacy: untyped(legacy.time_entries).update(UNKNOWN, note=None),
    "In and Out": lambda legacy: legacy.time_entries.create(UNKNOWN, "StartBreak", NOON),
}


@pytest.mark.parametrize("reason", MISSING)
async def test_what_the_old_api_lacks_is_refused(
    box: Sandbox, legacy: LegacyClient, reason: str
) -> None:
    with pytest.raises(NotSupportedError, match=reason):
        await MISSING[reason](legacy)
    assert not box.ledger.requests


WRONG: dict[str, Callable[[LegacyClient], Awaitable[Any]]] = {
    "an id of the current API": lambda legacy: legacy.clients.get(GUID),
    "no id": lambda legacy: legacy.clients.get("../teams"),
    "person_id": lambda legacy: legacy.time_entries.clock_in("a/b"),
    "activity_id": lambda legacy: legacy.time_entries.update(UNKNOWN, activity_id=GUID),
    "no time zone": lambda legacy: legacy.time_entries.clock_in(UNKNOWN, at=datetime(2026, 7, 1)),  # noqa: DTZ001
    "nothing to change": lambda legacy: legacy.people.update(UNKNOWN),
    "name is empty": lambda legacy: legacy.clients.create(" ", UNKNOWN),
    "color is empty": lambda legacy: legacy.activities.create("A", "", UNKNOWN),
    "can't be sent": lambda legacy: legacy.time_entries.clock_in(
        UNKNOWN, custom_data={"a": object()}
    ),
    "no project_id=": lambda legacy: untyped(legacy.time_entries).clock_in(
        UNKNOWN, project_id=GUID
    ),
    "type Person is no id": lambda legacy: untyped(legacy.time_entries).clock_in(Person(id=GUID)),
    "at takes a datetime": lambda legacy: untyped(legacy.time_entries).create(UNKNOWN, "In", None),
    "organization_id": lambda legacy: legacy.power_ups.create("slack", "?"),
}


@pytest.mark.parametrize("reason", WRONG)
async def test_what_can_not_be_sent_is_refused(
    box: Sandbox, legacy: LegacyClient, reason: str
) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        await WRONG[reason](legacy)
    assert not box.ledger.requests
