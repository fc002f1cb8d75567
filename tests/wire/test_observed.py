"""What programs use of the service although no document shows it: asked of the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta

import pytest

from jibble_async import (
    AmbiguousWriteError,
    ConfigurationError,
    HourEntry,
    JibbleClient,
    Person,
    Platform,
    Schedule,
    fields,
)
from jibble_async.core.wire import Reply, reader
from jibble_async.sandbox import Fault, Sandbox

NOW = datetime(2026, 7, 13, 9, 0, tzinfo=UTC)
P = fields(Person)


@pytest.fixture
async def box() -> AsyncIterator[Sandbox]:
    async with Sandbox(
        people=20, since=date(2026, 7, 6), until=date(2026, 7, 12), clock=lambda: NOW
    ) as running:
        yield running


@pytest.fixture
async def jibble(box: Sandbox) -> AsyncIterator[JibbleClient]:
    async with JibbleClient.from_env(box.environment()) as client:
        yield client


async def test_those_at_work_are_those_whose_latest_entry_says_so(
    box: Sandbox, jibble: JibbleClient
) -> None:
    people = [row["id"] for row in box.dataset.rows("People")[:3]]
    for person in people:
        await jibble.time_entries.clock_in(person, at=NOW - timedelta(hours=1))
    rows = await jibble.time_entries.working_now().collect()
    expected = {row["id"] for row in box.dataset.rows("TimeTrackingPeople") if row["isActive"]}
    assert {row.person_id for row in rows} == expected >= set(people)
    assert all(row.full_name and row.time_zone and row.time for row in rows)
    # Bare, as it was seen.
    assert box.ledger.requests[-1].target == "/v1/WhoIsWorkingNow"
    someone = rows[0].person_id
    assert someone is not None
    await jibble.time_entries.clock_out(someone)
    left = {row.person_id async for row in jibble.time_entries.working_now()}
    assert left == expected - {someone}


async def test_time_zones_can_be_read(box: Sandbox, jibble: JibbleClient) -> None:
    zones = {row["id"]: row["ICultureSettings/TimeZone"] for row in box.dataset.rows("People")}
    people = await jibble.people.list(include_removed=True).collect()
    assert {person.id: person.time_zone for person in people} == zones
    assert len(set(zones.values())) > 1
    company = await jibble.organizations.list().first()
    assert company is not None
    assert company.time_sheet_time_zone == company.time_zone != None  # noqa: E711
    assert company.allowed_devices == ["Mobile", "Kiosk", "Web"]


@pytest.mark.parametrize("seconds", ["17:30:00", "17:30:00.0000000"])
def test_a_time_of_the_day_has_up_to_seven_digits(seconds: str) -> None:
    body = f'''{{"id": "1", "ITimeTrackingSettings/AutomaticOutAtTime": "{seconds}"}}'''
    person = reader(Person)(Reply(200, {}, body.encode()))
    assert person.automatic_out_at_time == time(17, 30)
    body = f'''{{"id": "1", "daySchedules": [{{"from": "{seconds}", "to": null}}]}}'''
    schedule = reader(Schedule)(Reply(200, {}, body.encode()))
    assert schedule.day_schedules[0].start == time(17, 30)


async def test_managers_come_along_as_people(box: Sandbox, jibble: JibbleClient) -> None:
    names = {row["id"]: row["fullName"] for row in box.dataset.rows("People")}
    people = jibble.people.list(expand=[P.unit_managers.select("id", "full_name"), "group"])
    found = 0
    async for person in people:
        linked = {each.manager_id for each in person.managers or ()}
        managers = person.unit_managers or ()
        assert {each.id for each in managers} == linked
        assert all(each.full_name == names[each.id] and each.email is None for each in managers)
        found += len(linked)
    assert found
    async for group in jibble.groups.list(expand=["unit_managers"]):
        linked = {each.manager_id for each in group.managers or ()}
        assert {each.id for each in group.unit_managers or ()} == linked
    inner = P.group.expand("unit_managers")
    person = await jibble.people.list(where=P.group_id.is_not_null(), expand=[inner]).first()
    assert person is not None
    assert person.group is not None
    assert person.group.unit_managers


async def test_a_punch_at_a_kiosk_with_a_code_says_so(box: Sandbox, jibble: JibbleClient) -> None:
    kiosk = Platform(device_name="Gate 1", is_qr_kiosk=True)
    entry = await jibble.time_entries.clock_in(box.dataset.owner_id, platform=kiosk)
    assert box.dataset.index("TimeEntries")[entry.id]["platform"]["isQrKiosk"] is True
    assert entry.platform is not None
    assert entry.platform.is_qr_kiosk


async def test_hour_entries_are_listed_by_day(box: Sandbox, jibble: JibbleClient) -> None:
    person, hours = box.dataset.owner_id, timedelta(hours=2)
    for day in (5, 6, 7, 8):
        await jibble.hour_entries.create(person, date(2026, 7, day), hours)
    since, until = date(2026, 7, 6), date(2026, 7, 7)
    mine = fields(HourEntry).person_id == person
    found = await jibble.hour_entries.list(since=since, until=until, where=mine).collect()
    assert sorted(entry.date for entry in found if entry.date) == [since, until]
    wire = {row["duration"] for row in box.dataset.rows("HourEntries")}
    assert wire == {"PT2H"}


async def test_an_hour_entry_whose_answer_is_lost_is_unknown_and_not_sent_again(
    box: Sandbox, jibble: JibbleClient
) -> None:
    box.faults.add(Fault("drop_after", method="POST", path="/v1/HourEntries"))
    with pytest.raises(AmbiguousWriteError) as caught:
        await jibble.hour_entries.create(box.dataset.owner_id, date(2026, 7, 6), timedelta(hours=1))
    (row,) = box.dataset.rows("HourEntries")
    assert row["platform"]["eventId"] == caught.value.nonce
    assert str(caught.value.nonce) in str(caught.value)


@pytest.mark.parametrize("length", [timedelta(0), timedelta(seconds=-1), 2, None, "PT2H"])
async def test_hours_that_are_none_are_refused_before_anything_is_sent(
    box: Sandbox, jibble: JibbleClient, length: object
) -> None:
    with pytest.raises(ConfigurationError, match="timedelta"):
        await jibble.hour_entries.create(box.dataset.owner_id, date(2026, 7, 6), length)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="timedelta"):
        await jibble.hour_entries.update(box.dataset.owner_id, duration=length)  # type: ignore[arg-type]
    assert box.ledger.requests == []
