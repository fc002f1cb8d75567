"""One function for either API: it finds the same where both hold the same company.

Results are compared by what both know, which is names, days and lengths of time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from jibble_legacy import LegacyClient

from jibble_async import (
    Activity,
    ClientConfig,
    ConfigurationError,
    Endpoints,
    EntryType,
    JibbleClient,
    Person,
    Stretch,
    TimeEntry,
    TimeTracker,
    Unlimited,
    fields,
    work_sessions,
)
from jibble_async.sandbox import Sandbox
from jibble_async.sandbox.scalars import format_duration
from tests.support.clients import HeldTime
from tests.support.legacy import legacy_of

OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))
_FIELDS = fields(TimeEntry)
JULY = (date(2026, 7, 1), date(2026, 7, 31))

Key = tuple[str | None, str | None, date]


async def worked(tracker: TimeTracker, since: date, until: date) -> dict[Key, list[Stretch]]:
    """The work of some days, by person, activity and working day."""
    people = {each.id: each.full_name async for each in tracker.people.list()}
    activities = {each.id: each.name async for each in tracker.activities.list()}
    entries = await tracker.time_entries.list(since=since, until=until).collect()
    found: dict[Key, list[Stretch]] = {}
    for each in work_sessions(entries).work:
        key = people.get(each.person_id), activities.get(each.activity_id or ""), each.day
        found.setdefault(key, []).append(each)
    return found


def hours(work: dict[Key, list[Stretch]]) -> dict[Key, timedelta]:
    return {key: sum((each.duration for each in some), timedelta()) for key, some in work.items()}


@asynccontextmanager
async def clients_of(box: Sandbox) -> AsyncIterator[tuple[JibbleClient, LegacyClient]]:
    """A client of each API; that of the old one is told where people work."""
    config = ClientConfig(endpoints=Endpoints(**box.endpoints), clock=HeldTime().clock)
    keys = box.client_id, box.client_secret
    zones = {
        box.legacy_id("People", row["id"]): box.dataset.zone(row["id"])
        for row in box.dataset.rows("People")
    }
    async with (
        JibbleClient(*keys, config=config, limiter=Unlimited()) as jibble,
        legacy_of(box, timezone=zones) as legacy,
    ):
        yield jibble, legacy


# By place in the list of people, who are in as many zones.
DUBAI, BERLIN, SAO_PAULO, KOLKATA, NEW_YORK = range(5)
# Shifts: whose, of which working day, and its punches by the clock of the place.
SHIFTS: list[tuple[int, str, list[str]]] = [
    (DUBAI, "09-30", ["09-30T22:00:00.000 In Assembly", "10-01T06:00:00.500 Out"]),
    (
        DUBAI,
        "10-15",
        [
            "10-15T08:00:00.001 In Assembly",
            "10-15T12:00:00.000 StartBreak",
            "10-15T12:30:00.250 In Assembly",
            "10-15T17:00:00.999 Out",
        ],
    ),
    (DUBAI, "10-31", ["10-31T22:00:00.000 In Maintenance", "11-01T06:00:00.125 Out"]),
    # In UTC it is still September.
    (BERLIN, "10-01", ["10-01T00:30:00.000 In Training", "10-01T04:00:00.000 Out"]),
    # The clocks go back.
    (BERLIN, "10-24", ["10-24T22:00:00.000 In Training", "10-25T06:00:00.007 Out"]),
    # In UTC it is still October.
    (BERLIN, "11-01", ["11-01T00:10:00.000 In Training", "11-01T03:00:00.000 Out"]),
    # Forgotten.
    (SAO_PAULO, "10-29", ["10-29T08:00:00.000 In Paperwork"]),
    (SAO_PAULO, "10-30", ["10-30T08:00:00.000 In Paperwork", "10-30T11:00:00.000 Out"]),
    # As long as a night may be.
    (SAO_PAULO, "10-31", ["10-31T23:59:59.999 In Paperwork", "11-01T11:59:59.999 Out"]),
    (
        KOLKATA,
        "09-30",
        [
            "09-30T21:00:00.000 In Assembly",
            "10-01T00:15:00.000 In Paperwork",
            "10-01T03:00:00.000 Out",
        ],
    ),
    (KOLKATA, "10-01", ["10-01T09:00:00.000 In", "10-01T10:00:00.000 Out"]),
    (
        KOLKATA,
        "10-31",
        [
            "10-31T20:00:00.000 In Assembly",
            "10-31T23:30:00.000 In Paperwork",
            "11-01T02:00:00.000 Out",
        ],
    ),
    # The clocks go back; in UTC it is November soon.
    (
        NEW_YORK,
        "10-31",
        [
            "10-31T18:00:00.000 In Assembly",
            "10-31T23:45:00.000 StartBreak",
            "11-01T00:15:00.000 In Maintenance",
            "11-01T02:30:00.333 Out",
        ],
    ),
    (NEW_YORK, "11-01", ["11-01T20:00:00.000 In Training", "11-01T21:00:00.000 Out"]),
]
EXPECTED = {
    (DUBAI, "Assembly", 15): timedelta(hours=8, minutes=30, milliseconds=748),
    (DUBAI, "Maintenance", 31): timedelta(hours=8, milliseconds=125),
    (BERLIN, "Training", 1): timedelta(hours=3, minutes=30),
    (BERLIN, "Training", 24): timedelta(hours=9, milliseconds=7),
    (SAO_PAULO, "Paperwork", 30): timedelta(hours=3),
    (SAO_PAULO, "Paperwork", 31): timedelta(hours=12),
    (KOLKATA, None, 1): timedelta(hours=1),
    (KOLKATA, "Assembly", 31): timedelta(hours=3, minutes=30),
    (KOLKATA, "Paperwork", 31): timedelta(hours=2, minutes=30),
    (NEW_YORK, "Assembly", 31): timedelta(hours=5, minutes=45),
    (NEW_YORK, "Maintenance", 31): timedelta(hours=3, minutes=15, milliseconds=333),
}


def write_shifts(box: Sandbox) -> None:
    """Put the shifts into a sandbox in place of its own, before the old API has copied any."""
    dataset = box.dataset
    people = [row["id"] for row in dataset.rows("People")]
    activities = {row["name"]: row["id"] for row in dataset.rows("Activities")}
    blank = dict(dataset.rows("TimeEntries")[0], projectId=None, previousTimeEntryId=None)
    dataset.rows("TimeEntries").clear()
    dataset.touch()
    for place, day, punches in SHIFTS:
        for punch in punches:
            clock, kind, *activity = punch.split()
            local = datetime.fromisoformat(f"2026-{clock}").replace(
                tzinfo=dataset.zone(people[place])
            )
            changes = {
                "id": str(UUID(int=len(dataset.rows("TimeEntries")) + 1)),
                "personId": people[place],
                "type": kind,
                "status": "Active",
                "time": f"{local.astimezone(UTC):%Y-%m-%dT%H:%M:%S}{clock[-4:]}Z",
                "localTime": local.isoformat(timespec="milliseconds"),
                "offset": format_duration(local.utcoffset() or timedelta()),
                "belongsToDate": f"2026-{day}",
                "activityId": activities[activity[0]] if activity else None,
                "nextTimeEntryId": None,
            }
            dataset.add("TimeEntries", {**blank, **changes})


@pytest.fixture
async def by_hand() -> AsyncIterator[Sandbox]:
    async with Sandbox(people=5, since=OCTOBER[0], until=OCTOBER[1]) as box:
        write_shifts(box)
        yield box


async def test_shifts_over_midnight_and_the_ends_of_the_month(by_hand: Sandbox) -> None:
    """To the millisecond, which is what both APIs keep of these."""
    names = [row["fullName"] for row in by_hand.dataset.rows("People")]
    expected = {
        (names[place], activity, date(2026, 10, day)): length
        for (place, activity, day), length in EXPECTED.items()
    }
    async with clients_of(by_hand) as (jibble, legacy):
        assert hours(await worked(jibble, *OCTOBER)) == expected
        assert hours(await worked(legacy, *OCTOBER)) == expected


async def test_each_entry_and_its_working_day(by_hand: Sandbox) -> None:
    async def found(tracker: TimeTracker) -> list[tuple[object, ...]]:
        people = {each.id: each.email async for each in tracker.people.list()}
        pager = tracker.time_entries.list(since=OCTOBER[0], until=OCTOBER[1])
        rows = [
            (
                people[each.person_id or ""] or "",
                each.time,
                # The old API knows no breaks.
                "Out" if each.type == EntryType.START_BREAK else each.type,
                each.local_time and each.local_time.isoformat(),
                each.offset,
                each.belongs_to_date,
            )
            async for each in pager
        ]
        return sorted(rows, key=str)

    async with clients_of(by_hand) as (jibble, legacy):
        ours = await found(jibble)
        assert len(ours) == sum(len(punches) for _, day, punches in SHIFTS if day[:2] == "10")
        assert ours == await found(legacy)


@pytest.mark.parametrize(("seed", "people"), [(7, 30), (11, 12)])
async def test_a_company_of_the_sandbox(seed: int, people: int) -> None:
    async with (
        Sandbox(people, date(2026, 6, 25), date(2026, 8, 5), seed) as box,
        clients_of(box) as (jibble, legacy),
    ):
        ours, theirs = await worked(jibble, *JULY), await worked(legacy, *JULY)
    assert {key: len(work) for key, work in ours.items()} == {
        key: len(work) for key, work in theirs.items()
    }
    assert len({name for name, _, _ in ours}) > people * 0.9
    nights = [each for work in ours.values() for each in work if each.start.date() != each.day]
    assert len(nights) > 50
    found, same = hours(ours), hours(theirs)
    for key, length in found.items():
        # The old API cuts both ends of a stretch to milliseconds.
        assert abs(length - same[key]) < len(ours[key]) * timedelta(milliseconds=1), key


async def punched(tracker: TimeTracker) -> list[tuple[str | None, EntryType | None, str | None]]:
    """Somebody's night, clocked and read back."""
    him, training = (
        fields(Person).email == "person2@example.com",
        fields(Activity).name == "Training",
    )
    person = await tracker.people.list(where=him).first()
    activity = await tracker.activities.list(where=training).first()
    assert person is not None
    assert activity is not None
    begin = datetime(2026, 10, 31, 21, 0, 0, 4000, tzinfo=UTC)
    entries = tracker.time_entries
    first = await entries.clock_in(person.id, activity_id=activity.id, note="night", at=begin)
    await entries.clock_out(person.id, at=begin + timedelta(hours=7))
    latest = await entries.latest(person.id)
    assert latest is not None
    assert latest.time == begin + timedelta(hours=7)
    assert (await entries.get(first.id)).time == begin
    assert await entries.list(since=date(2026, 11, 1), until=date(2026, 11, 30)).collect() == []
    found = entries.list(
        since=date(2026, 10, 31),
        until=date(2026, 10, 31),
        where=_FIELDS.person_id == person.id,
        expand=["person", "activity"],
        order_by=_FIELDS.time.asc(),
        page_size=100,
        verify=True,
    )
    return [
        (
            each.person.full_name if each.person else None,
            each.type,
            each.activity.name if each.activity else None,
        )
        async for each in found
    ]


async def test_clocking_in_and_out() -> None:
    async with (
        Sandbox(people=3, since=date(2026, 7, 6), until=date(2026, 7, 6)) as box,
        clients_of(box) as (jibble, legacy),
    ):
        name = box.dataset.rows("People")[1]["fullName"]
        expected = [(name, EntryType.IN, "Training"), (name, EntryType.OUT, None)]
        # The old API's copy of the company is made before the current one is written to.
        trackers: list[TimeTracker] = [legacy, jibble]
        for tracker in trackers:
            assert await punched(tracker) == expected
            assert tracker.stats.requests > 5


async def test_what_there_is(by_hand: Sandbox) -> None:
    async def names(tracker: TimeTracker) -> list[Counter[str | None]]:
        return [
            Counter([each.name async for each in tracker.organizations.list()]),
            Counter([each.email async for each in tracker.people.list()]),
            Counter([each.name async for each in tracker.activities.list()]),
            Counter([each.name async for each in tracker.clients.list(limit=100)]),
        ]

    async with clients_of(by_hand) as (jibble, legacy):
        found = await names(jibble)
        assert all(found)
        assert found == await names(legacy)


async def test_an_id_of_the_other_api_is_refused(by_hand: Sandbox) -> None:
    async with clients_of(by_hand) as (jibble, legacy):
        trackers: list[tuple[TimeTracker, TimeTracker]] = [(jibble, legacy), (legacy, jibble)]
        for one, other in trackers:
            person = await one.people.list().first()
            assert person is not None
            assert (await one.people.get(person.id)).email == person.email
            sent = other.stats.requests
            for call in (
                other.people.get(person.id),
                other.time_entries.latest(person.id),
                other.time_entries.clock_in(person.id),
            ):
                with pytest.raises(ConfigurationError, match=person.id):
                    await call
            assert other.stats.requests == sent
