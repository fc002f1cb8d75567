from __future__ import annotations

import asyncio
import pickle
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest

from jibble_async import (
    AmbiguousWriteError,
    ConfigurationError,
    ConflictError,
    ConnectFailedError,
    Coordinates,
    EntryStatus,
    EntryType,
    JibbleClient,
    JibbleError,
    NotFoundError,
    PermissionDeniedError,
    Person,
    Platform,
    Project,
    TransportError,
)
from jibble_async.sandbox import Fault, Sandbox
from tests.support.clients import client_at
from tests.writes.conftest import NOW

ENTRIES = "/v1/TimeEntries"
NOBODY = "5d3b37e7-64a8-411a-9a1e-056c149a13fc"


def created(box: Sandbox) -> list[str]:
    return [each.id for each in box.ledger.committed if each.change == "created"]


def row_of(box: Sandbox, entry_id: str) -> dict[str, Any]:
    return box.dataset.index("TimeEntries")[entry_id]


async def test_a_day_of_work(box: Sandbox, jibble: JibbleClient, person: str) -> None:
    box.rules.future_refused = False
    project = box.dataset.rows("Projects")[0]["id"]
    location = box.dataset.rows("Locations")[0]["id"]
    begun = await jibble.time_entries.clock_in(
        person,
        project_id=project,
        location_id=location,
        note="Höhe",
        coordinates=Coordinates(latitude=52.5, longitude=13.4),
        auto_clock_out_at=NOW + timedelta(hours=9),
    )
    paused = await jibble.time_entries.start_break(person, at=NOW + timedelta(hours=2))
    resumed = await jibble.time_entries.clock_in(person, at=NOW + timedelta(hours=3))
    ended = await jibble.time_entries.clock_out(person, at=NOW + timedelta(hours=8))
    entries = [begun, paused, resumed, ended]
    assert [entry.id for entry in entries] == created(box)
    assert [entry.type for entry in entries] == ["In", "StartBreak", "In", "Out"]
    assert begun.time == NOW
    assert (begun.project_id, begun.location_id, begun.note) == (project, location, "Höhe")
    assert begun.auto_clock_out_time == NOW + timedelta(hours=9)
    assert begun.client_type == "Web"
    latest = await jibble.time_entries.latest(person)
    assert latest is not None
    assert latest.id == ended.id
    nonces = {entry.platform.event_id for entry in entries if entry.platform is not None}
    assert len(nonces) == len(entries)


async def test_a_punch_says_what_made_it(box: Sandbox, jibble: JibbleClient, person: str) -> None:
    """All that the documented requests say, and a nonce."""
    entry = await jibble.time_entries.start_break(person)
    platform = row_of(box, entry.id)["platform"]
    assert platform["clientVersion"] == platform["deviceName"] == "jibble-async"
    assert platform["os"]
    assert len(platform["eventId"]) == 36
    assert entry.platform is not None
    assert entry.platform.event_id == platform["eventId"]
    entry = await jibble.time_entries.clock_in(person, platform=Platform(device_name="Gate 1"))
    assert entry.platform is not None
    assert (entry.platform.device_name, entry.platform.os) == ("Gate 1", None)
    assert entry.platform.event_id not in {None, platform["eventId"]}


async def test_a_back_dated_entry(box: Sandbox, jibble: JibbleClient, person: str) -> None:
    moment = datetime(2026, 7, 10, 1, 30, tzinfo=timezone(timedelta(hours=-3)))
    entry = await jibble.time_entries.create(person, EntryType.IN, moment, date(2026, 7, 9))
    assert entry.time == moment
    assert row_of(box, entry.id)["time"] == "2026-07-10T04:30:00Z"
    assert entry.belongs_to_date == date(2026, 7, 9)


async def test_the_id_that_is_given_is_sent(
    box: Sandbox, jibble: JibbleClient, person: str
) -> None:
    entry = await jibble.time_entries.clock_in(person, id=NOBODY.upper())
    assert (entry.id == NOBODY) is box.rules.keeps_client_ids
    if box.rules.keeps_client_ids:
        with pytest.raises(ConflictError):
            await jibble.time_entries.clock_in(person, id=NOBODY)
        assert len(created(box)) == 1


async def test_a_change_touches_what_is_given(
    box: Sandbox, jibble: JibbleClient, person: str
) -> None:
    project, activity = (box.dataset.rows(name)[0]["id"] for name in ("Projects", "Activities"))
    entry = await jibble.time_entries.clock_in(
        person, project_id=project, activity_id=activity, note="old"
    )
    await jibble.time_entries.update(entry.id, project_id=None, note="new")
    now = await jibble.time_entries.get(entry.id)
    assert (now.project_id, now.activity_id, now.note) == (None, activity, "new")
    await jibble.time_entries.archive(entry.id)
    assert (await jibble.time_entries.get(entry.id)).status is EntryStatus.ARCHIVED
    with pytest.raises(ConfigurationError, match="nothing to change"):
        await jibble.time_entries.update(entry.id)
    with pytest.raises(NotFoundError):
        await jibble.time_entries.archive(NOBODY)


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "html_502", "too_many"])
async def test_a_change_is_repeated(
    box: Sandbox, jibble: JibbleClient, person: str, kind: str
) -> None:
    entry = await jibble.time_entries.clock_in(person)
    fault = {"retry_after": 0} if kind == "too_many" else {}
    box.faults.add(Fault(kind, method="PATCH", **fault))
    await jibble.time_entries.archive(entry.id)
    assert box.ledger.count(method="PATCH") == 2
    assert row_of(box, entry.id)["status"] == "Archived"


@pytest.mark.parametrize(
    "arguments",
    [
        {"id": "x"},
        {"activity_id": "x"},
        {"platform": Platform(event_id="x")},
        {"at": datetime(2026, 7, 13, 9, 0)},  # noqa: DTZ001 - that is what is wrong with it
        {"auto_clock_out_at": datetime(2026, 7, 13, 9, 0)},  # noqa: DTZ001 - the same
        {"at": date(2026, 7, 13)},
        {"auto_clock_out_at": "17:00"},
        {"projekt_id": NOBODY},
        {"project_id": Project(id=NOBODY)},
        {"coordinates": Coordinates(latitude=float("nan"), longitude=0)},
        {"coordinates": Coordinates(latitude=0, longitude=180.5)},
    ],
    ids=lambda arguments: next(iter(arguments)),
)
async def test_what_cant_be_sent_is_not(
    box: Sandbox, jibble: JibbleClient, person: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(ConfigurationError):
        await jibble.time_entries.clock_in(person, **arguments)
    with pytest.raises(ConfigurationError):
        await jibble.time_entries.clock_in("somebody")
    assert box.ledger.requests == []


async def test_a_cancelled_punch_says_how_it_can_be_found(
    box: Sandbox, jibble: JibbleClient, person: str
) -> None:
    stalled = Fault("stall", method="POST", committed=True)
    box.faults.add(stalled)
    call = asyncio.create_task(jibble.time_entries.clock_in(person))
    await stalled.reached.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await call
    (entry_id,) = created(box)
    (note,) = caught.value.__notes__
    assert row_of(box, entry_id)["platform"]["eventId"] in note


@pytest.mark.parametrize("missing", ["at", "belongs_to_date"])
async def test_a_back_dated_entry_never_takes_the_present(
    box: Sandbox, jibble: JibbleClient, person: str, missing: str
) -> None:
    arguments: dict[str, Any] = {"at": NOW, "belongs_to_date": NOW.date(), missing: None}
    with pytest.raises(ConfigurationError, match=f"{missing} takes a date"):
        await jibble.time_entries.create(person, "In", **arguments)
    assert box.ledger.requests == []


async def test_what_is_no_text_is_no_id_and_not_shown(jibble: JibbleClient) -> None:
    entries: Any = jibble.time_entries
    with pytest.raises(ConfigurationError, match="type Person is not one") as caught:
        await entries.clock_in(Person(id=NOBODY, email="ann@example.com"))
    assert "ann" not in str(caught.value)
    with pytest.raises(ConfigurationError, match="type list is not one"):
        await entries.archive([NOBODY])
    with pytest.raises(ConfigurationError, match="type NoneType is not one"):
        await entries.get(None)


COMMITTED = [
    Fault("drop_after", method="POST"),
    Fault("reset_after", method="POST"),
    Fault("truncate", method="POST"),
    Fault("invalid_json", method="POST"),
    Fault("status", method="POST", status=500, committed=True),
    Fault("status", method="POST", status=503, committed=True),
    Fault("status", method="POST", status=201, committed=True),
    Fault("status", method="POST", status=302, committed=True),
]
NOT_COMMITTED = [
    Fault("drop_before", method="POST"),
    Fault("reset_before", method="POST"),
    Fault("html_502", method="POST"),
    Fault("status", method="POST", status=200, body=b"<html>"),
    Fault("redirect", method="POST"),
]


def again(fault: Fault) -> Fault:
    return Fault(fault.kind, path=ENTRIES, method="POST", **fault.params)


async def colleague(jibble: JibbleClient, person: str) -> str:
    """The same punch in the same second, from somebody's telephone."""
    body: dict[str, Any] = {
        "type": "In",
        "personId": person,
        "clientType": "Web",
        "time": "2026-07-13T09:00:00Z",
    }
    body["platform"] = {"deviceName": "telephone"}
    row = await jibble.request("POST", "time-tracking", ENTRIES, json=body)
    key: str = row["id"]
    return key


@pytest.mark.parametrize("fault", COMMITTED, ids=repr)
async def test_a_lost_answer_is_looked_up(
    box: Sandbox, jibble: JibbleClient, person: str, fault: Fault
) -> None:
    other = await colleague(jibble, person)
    box.faults.add(again(fault))
    entry = await jibble.time_entries.clock_in(person, at=NOW)
    assert created(box) == [other, entry.id]


@pytest.mark.parametrize("fault", NOT_COMMITTED, ids=repr)
async def test_what_is_not_found_is_unknown_and_not_sent_again(
    box: Sandbox, jibble: JibbleClient, person: str, fault: Fault
) -> None:
    other = await colleague(jibble, person)
    box.faults.add(again(fault))
    with pytest.raises(AmbiguousWriteError, match="not sent again") as caught:
        await jibble.time_entries.clock_in(person, at=NOW)
    error = caught.value
    assert created(box) == [other]
    assert box.ledger.count(method="POST", path=ENTRIES) == 2
    assert [entry.id for entry in error.candidates] == [other]
    assert error.sent_id
    assert error.nonce
    assert isinstance(error.__cause__, JibbleError)
    assert pickle.loads(pickle.dumps(error)).nonce == error.nonce


async def test_an_entry_made_while_it_is_looked_up_is_unknown(
    box: Sandbox, jibble: JibbleClient, person: str
) -> None:
    fault = box.faults.add(Fault("stall", method="POST", path=ENTRIES))
    short = jibble.with_options(timeout=3)
    with pytest.raises(AmbiguousWriteError):
        await short.time_entries.clock_in(person)
    assert created(box) == []
    fault.release()


async def test_a_lookup_that_fails_is_unknown(
    box: Sandbox, jibble: JibbleClient, person: str
) -> None:
    box.faults.add(Fault("drop_after", method="POST", path=ENTRIES))
    box.faults.add(Fault("denied_403", method="GET", times=None))
    with pytest.raises(AmbiguousWriteError, match="looking it up failed"):
        await jibble.time_entries.clock_in(person)
    assert len(created(box)) == 1


async def test_an_id_that_cant_be_asked_for_leaves_the_nonce(
    box: Sandbox, jibble: JibbleClient, person: str
) -> None:
    box.faults.add(Fault("drop_after", method="POST", path=ENTRIES))
    box.faults.add(Fault("denied_403", method="GET", path=f"{ENTRIES}/"))
    entry = await jibble.time_entries.clock_in(person)
    assert created(box) == [entry.id]


async def test_a_server_that_drops_the_nonce_is_trusted_with_an_id_made_here(
    box: Sandbox, jibble: JibbleClient, person: str
) -> None:
    def forget(dataset: Any) -> None:
        for each in created(box):
            dataset.index("TimeEntries")[each]["platform"] = None

    box.faults.add(Fault("drop_after", method="POST", path=ENTRIES, times=2))
    box.faults.add(Fault("mutate", method="GET", times=None, change=forget))
    if box.rules.keeps_client_ids:
        entry = await jibble.time_entries.clock_in(person, at=NOW)
        assert created(box) == [entry.id]
    else:
        with pytest.raises(AmbiguousWriteError) as caught:
            await jibble.time_entries.clock_in(person, at=NOW)
        assert [each.id for each in caught.value.candidates] == created(box)
    # An id that was given may be that of an entry made before: it proves nothing.
    with pytest.raises(AmbiguousWriteError):
        await jibble.time_entries.clock_in(person, at=NOW, id=NOBODY)


async def test_a_punch_that_a_proxy_sent_twice_is_found_behind_the_conflict(
    box: Sandbox, jibble: JibbleClient, person: str
) -> None:
    box.faults.add(Fault("status", method="POST", path=ENTRIES, status=409, committed=True))
    entry = await jibble.time_entries.clock_in(person)
    assert created(box) == [entry.id]


async def test_a_conflict_that_cant_be_looked_at_is_unknown(
    box: Sandbox, jibble: JibbleClient, person: str
) -> None:
    box.faults.add(Fault("status", method="POST", path=ENTRIES, status=409, committed=True))
    box.faults.add(Fault("denied_403", method="GET", times=None))
    with pytest.raises(AmbiguousWriteError):
        await jibble.time_entries.clock_in(person)


@pytest.mark.parametrize("kind", ["too_many", "empty_403", "unauthorized"])
async def test_what_was_surely_refused_is_sent_again(
    box: Sandbox, jibble: JibbleClient, person: str, kind: str
) -> None:
    fault = {"retry_after": 0} if kind == "too_many" else {}
    box.faults.add(Fault(kind, method="POST", path=ENTRIES, **fault))
    entry = await jibble.time_entries.clock_in(person)
    assert created(box) == [entry.id]


async def test_a_refusal_is_a_refusal(box: Sandbox, jibble: JibbleClient, person: str) -> None:
    box.faults.add(Fault("denied_403", method="POST", path=ENTRIES))
    with pytest.raises(PermissionDeniedError) as caught:
        await jibble.time_entries.clock_in(person)
    assert not caught.value.maybe_processed
    assert box.ledger.count(method="GET") == 0


async def test_a_token_that_cant_be_had_leaves_no_doubt(
    box: Sandbox, jibble: JibbleClient, person: str
) -> None:
    box.faults.add(Fault("drop_after", service="identity", times=None))
    with pytest.raises(TransportError) as caught:
        await jibble.time_entries.clock_in(person)
    assert not caught.value.maybe_processed
    assert box.ledger.count(service="time-tracking") == 0


async def test_a_server_that_isnt_there_leaves_no_doubt(box: Sandbox, person: str) -> None:
    await box.aclose()
    async with client_at(f"{box.url}/time-tracking") as nowhere:
        with pytest.raises(ConnectFailedError) as caught:
            await nowhere.time_entries.clock_in(person)
    assert not caught.value.maybe_processed
