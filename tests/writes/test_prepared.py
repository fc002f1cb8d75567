"""Entries whose marks are chosen before they are sent: one request each, and no look-up."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from jibble_async import (
    AmbiguousWriteError,
    AuthenticationError,
    ConfigurationError,
    ConflictError,
    DecodeError,
    EntryPunch,
    EntryType,
    JibbleClient,
    Platform,
    RateLimitedError,
    RetryPolicy,
    TimeEntry,
)
from jibble_async.api.writing import surely_not_done
from jibble_async.sandbox import Fault, Sandbox
from tests.support.clients import client_at
from tests.support.raw_server import Held, RawServer, Script, json_reply, raw
from tests.writes.conftest import NOW

ENTRIES = "/v1/TimeEntries"
KEY = "0d1e7c4a-7b44-5a7e-9a54-27e7c3f1a111"
MOMENT = datetime(2016, 3, 4, 6, 30, 15, 123000, tzinfo=UTC)
DAY = date(2016, 3, 4)
BERLIN = timedelta(hours=1)


@pytest.fixture
async def server() -> AsyncIterator[RawServer]:
    async with RawServer() as running:
        yield running


def prepared(jibble: JibbleClient, person: str, **options: Any) -> EntryPunch:
    options = {"offset": BERLIN, "id": KEY} | options
    return jibble.time_entries.prepare(person, EntryType.IN, MOMENT, DAY, **options)


def posts(box: Sandbox) -> int:
    return box.ledger.count(method="POST", path="TimeEntries")


async def test_it_is_sent_as_back_dated_entries_were_seen_to_be_taken(
    box: Sandbox, jibble: JibbleClient, person: str
) -> None:
    platform = Platform(client_version="jibble-async migration", device_name="Ab12")
    punch = prepared(jibble, person, platform=platform, note="früh")
    assert msgspec.to_builtins(punch.values) | {"clientType": None} == {
        "id": KEY,
        "type": "In",
        "personId": person,
        "clientType": None,
        "time": "2016-03-04T06:30:15.123000Z",
        "belongsToDate": "2016-03-04",
        "autoClockOutTime": None,
        "coordinates": None,
        "note": "früh",
        "platform": {
            "clientVersion": "jibble-async migration",
            "deviceName": "Ab12",
            "eventId": KEY,
        },
        "activityId": None,
        "projectId": None,
        "locationId": None,
        "offset": "PT1H",
        "isManual": True,
        "status": "Active",
    }
    entry = await jibble.time_entries.send(punch)
    assert (entry.time, entry.offset, entry.belongs_to_date) == (MOMENT, BERLIN, DAY)
    assert entry.is_manual
    assert punch.made(entry)
    assert posts(box) == 1


def test_equal_arguments_make_equal_requests(jibble: JibbleClient, person: str) -> None:
    first, second = (prepared(jibble, person) for _ in range(2))
    assert first.values == second.values
    assert (first.id, first.nonce) == (KEY, KEY)
    other = prepared(jibble, person, id=None), prepared(jibble, person, id=None)
    assert other[0].id != other[1].id
    apart = prepared(jibble, person, nonce=uuid.UUID(int=7))
    assert (apart.id, apart.nonce) == (KEY, str(uuid.UUID(int=7)))


def test_an_id_alone_proves_it_where_the_nonce_was_dropped(
    jibble: JibbleClient, person: str
) -> None:
    punch = prepared(jibble, person, nonce=uuid.UUID(int=7))
    assert punch.made(TimeEntry(id=KEY))
    assert punch.made(TimeEntry(id="another", platform=Platform(event_id=punch.nonce)))
    assert not punch.made(TimeEntry(id=KEY, platform=Platform(event_id=KEY)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "x"},
        {"nonce": "x"},
        {"offset": None},
        {"offset": 2},
        {"offset": timedelta(hours=14, minutes=1)},
        {"offset": timedelta(hours=-14, minutes=-1)},
        {"offset": timedelta(seconds=90)},
        {"platform": Platform(event_id=KEY)},
        {"colour": "red"},
    ],
    ids=str,
)
def test_what_can_not_be_sent(jibble: JibbleClient, person: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        prepared(jibble, person, **wrong)


def test_a_moment_and_a_day_are_needed(jibble: JibbleClient, person: str) -> None:
    for at, day in ((MOMENT.replace(tzinfo=None), DAY), (MOMENT, MOMENT)):
        with pytest.raises(ConfigurationError):
            jibble.time_entries.prepare(person, "In", at, day, offset=BERLIN)


@pytest.mark.parametrize(
    ("kind", "made"), [("drop_before", 0), ("drop_after", 1), ("html_502", 0), ("truncate", 1)]
)
async def test_a_lost_answer_is_neither_sent_again_nor_looked_up(
    box: Sandbox, jibble: JibbleClient, person: str, kind: str, made: int
) -> None:
    box.faults.add(Fault(kind, method="POST", path="TimeEntries"))
    punch = prepared(jibble, person)
    with pytest.raises(AmbiguousWriteError) as caught:
        await jibble.time_entries.send(punch)
    assert (caught.value.sent_id, caught.value.nonce) == (KEY, KEY)
    assert caught.value.__cause__ is not None
    assert box.ledger.count(path="TimeEntries") == 1
    # The caller asks: one request, and what the mark proves.
    found = [each for each in await jibble.time_entries.near(person, MOMENT) if punch.made(each)]
    assert len(found) == made
    assert box.ledger.count(path="TimeEntries") == 2


async def test_what_surely_was_not_done_is_sent_again(
    box: Sandbox, jibble: JibbleClient, person: str
) -> None:
    box.faults.add(Fault("too_many", method="POST", path="TimeEntries", retry_after=0))
    box.faults.add(Fault("unauthorized", method="POST", path="TimeEntries"))
    assert await jibble.time_entries.send(prepared(jibble, person))
    assert len([each for each in box.ledger.committed if each.change == "created"]) == 1
    box.faults.add(Fault("too_many", method="POST", path="TimeEntries", times=None, retry_after=0))
    hurried = jibble.with_options(retry=RetryPolicy(throttled_attempts=1))
    with pytest.raises(RateLimitedError) as caught:
        await hurried.time_entries.send(prepared(jibble, person))
    assert not caught.value.maybe_processed
    box.faults.clear()
    box.faults.add(Fault("unauthorized", method="POST", path="TimeEntries", times=None))
    with pytest.raises(AuthenticationError) as refused:
        await jibble.time_entries.send(prepared(jibble, person))
    assert not refused.value.maybe_processed


async def test_an_id_that_is_taken_is_for_the_caller_to_look_at(
    box: Sandbox, jibble: JibbleClient, person: str
) -> None:
    punch = prepared(jibble, person)
    first = await jibble.time_entries.send(punch)
    if box.rules.keeps_client_ids:
        with pytest.raises(ConflictError):
            await jibble.time_entries.send(punch)
        assert box.ledger.count(path="TimeEntries") == 2
    else:
        second = await jibble.time_entries.send(punch)
        assert second.id != first.id
        # Both carry one mark, so who sent twice can see it.
        there = await jibble.time_entries.near(person, MOMENT)
        assert [punch.made(each) for each in there] == [True, True]


async def test_entries_near_a_moment_whatever_their_status(
    box: Sandbox, jibble: JibbleClient, person: str
) -> None:
    second = timedelta(seconds=1)
    made = {}
    for shift in (-2 * second, -second, 0 * second, second, second + timedelta(milliseconds=1)):
        punch = jibble.time_entries.prepare(person, "In", MOMENT + shift, DAY, offset=BERLIN)
        made[shift] = (await jibble.time_entries.send(punch)).id
    other = box.dataset.rows("People")[2]["id"]
    await jibble.time_entries.send(prepared(jibble, other, id=None))
    await jibble.time_entries.archive(made[0 * second])
    asked = box.ledger.count(path="TimeEntries", method="GET")
    found = await jibble.time_entries.near(person, MOMENT)
    assert {each.id for each in found} == {made[shift] for shift in (-second, 0 * second, second)}
    assert box.ledger.count(path="TimeEntries", method="GET") == asked + 1
    wide = await jibble.time_entries.near(person, MOMENT, within=2 * second)
    assert len(wide) == 5
    assert await jibble.time_entries.near(person, MOMENT, within=0 * second)


async def test_a_row_that_can_not_be_read_is_not_taken_for_no_row(
    box: Sandbox, jibble: JibbleClient, person: str
) -> None:
    await jibble.time_entries.send(prepared(jibble, person))
    box.faults.add(Fault("bad_row", path="TimeEntries"))
    with pytest.raises(DecodeError):
        await jibble.time_entries.near(person, MOMENT)


async def test_one_connection_carries_many_and_a_loss_on_it_is_the_callers(
    server: RawServer,
) -> None:
    person, lost = str(uuid.uuid4()), raw(b"", "reset")
    made = json_reply({"id": KEY, "time": NOW.isoformat()})
    server.answer = Script(made, made, made, lost, made)
    async with client_at(server.url, retry=RetryPolicy(attempts=4, base_delay=0)) as jibble:
        for _ in range(3):
            await jibble.time_entries.send(prepared(jibble, person))
        with pytest.raises(AmbiguousWriteError):
            await jibble.time_entries.send(prepared(jibble, person))
        assert jibble.stats.retries == 0
        await jibble.time_entries.send(prepared(jibble, person))
    assert [each.connection for each in server.heard] == [1, 1, 1, 1, 2]


async def test_a_cancellation_says_by_what_it_can_be_found(server: RawServer) -> None:
    person, held = str(uuid.uuid4()), Held(json_reply({"id": KEY}))
    server.answer = lambda _: held
    async with client_at(server.url) as jibble:
        sending = asyncio.create_task(jibble.time_entries.send(prepared(jibble, person)))
        await server.until_heard(1)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await sending
        held.go.set()
    assert not surely_not_done(caught.value)
    assert KEY in caught.value.__notes__[0]
