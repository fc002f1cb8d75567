"""What is made can be read, listed, changed and put away, as far as each resource has that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import pytest

from jibble_async import (
    ClientType,
    Coordinates,
    EntryStatus,
    EntryType,
    GeoFence,
    GeoUnits,
    JibbleClient,
    NotFoundError,
    PersonStatus,
    Platform,
    TimeOffKind,
    TimeOffStatus,
)
from jibble_async.sandbox import Fault, Sandbox

MORNING, NOON = (datetime(2026, 7, 13, hour, tzinfo=UTC) for hour in (4, 8))
PLACE = Coordinates(latitude=52.5, longitude=13.4)
NONE: dict[str, Any] = {}


class Made(NamedTuple):
    """Ids of what is there before anything is made."""

    person: str
    group: str
    schedule: str
    project: str
    activity: str
    location: str
    vacation: str
    errand: str


class Trip(NamedTuple):
    """The life of one thing.

    Attributes:
        resource: The client's attribute.
        create: Makes it.
        created: What is then read of it.
        change: Changes it, if that can be done.
        changed: What is then read of it beside what it was.
        retire: Puts it away, if that can be done.
        retired: What is then read of it.
        with_retired: What makes `list` give those that were put away; None if it always does.
    """

    resource: str
    create: Callable[[JibbleClient, Made], Awaitable[Any]]
    created: Callable[[Made], dict[str, Any]]
    change: Callable[[JibbleClient, str, Made], Awaitable[Any]] | None = None
    changed: Callable[[Made], dict[str, Any]] = lambda _: NONE
    retire: Callable[[JibbleClient, str], Awaitable[Any]] | None = None
    retired: dict[str, Any] = NONE
    with_retired: str | None = None


TRIPS: dict[str, Trip] = {
    "person": Trip(
        "people",
        lambda jibble, _: jibble.people.create("Ann O'Neill", email="ann@example.com", code="7"),
        lambda _: {"full_name": "Ann O'Neill", "email": "ann@example.com", "code": "7"},
        lambda jibble, key, made: jibble.people.update(
            key,
            full_name="Ann Oak",
            preferred_name="Ann",
            email=None,
            phone_number="123",
            country_code="DE",
            group_id=made.group,
            schedule_id=made.schedule,
        ),
        lambda made: {
            "full_name": "Ann Oak",
            "preferred_name": "Ann",
            "email": None,
            "phone_number": "123",
            "country_code": "DE",
            "group_id": made.group,
            "schedule_id": made.schedule,
        },
        lambda jibble, key: jibble.people.remove(key),
        {"status": PersonStatus.REMOVED},
        "include_removed",
    ),
    "project": Trip(
        "projects",
        lambda jibble, _: jibble.projects.create("Roof", description="New tiles"),
        lambda _: {"name": "Roof", "description": "New tiles", "status": "Active"},
    ),
    "client": Trip(
        "clients",
        lambda jibble, _: jibble.clients.create("Smith & Sons"),
        lambda _: {"name": "Smith & Sons", "status": "Active"},
    ),
    "location": Trip(
        "locations",
        lambda jibble, _: jibble.locations.create(
            "Yard",
            "Main Street 1",
            coordinates=PLACE,
            geo_fence=GeoFence(radius=100, units=GeoUnits.METERS),
        ),
        lambda _: {
            "name": "Yard",
            "address": "Main Street 1",
            "coordinates": PLACE,
            "geo_fence": GeoFence(radius=100, units=GeoUnits.METERS, radius_in_meters=100),
        },
    ),
    "time entry": Trip(
        "time_entries",
        lambda jibble, made: jibble.time_entries.create(
            made.person,
            EntryType.IN,
            MORNING,
            date(2026, 7, 15),
            activity_id=made.activity,
            location_id=made.location,
            note="early",
            coordinates=PLACE,
        ),
        lambda made: {
            "person_id": made.person,
            "type": EntryType.IN,
            "time": MORNING,
            "belongs_to_date": date(2026, 7, 15),
            "activity_id": made.activity,
            "location_id": made.location,
            "note": "early",
            "coordinates": PLACE,
            "status": EntryStatus.ACTIVE,
        },
        lambda jibble, key, made: jibble.time_entries.update(
            key, activity_id=None, project_id=made.project, note="late"
        ),
        lambda made: {"activity_id": None, "project_id": made.project, "note": "late"},
        lambda jibble, key: jibble.time_entries.archive(key),
        {"status": EntryStatus.ARCHIVED},
        "include_archived",
    ),
    "hour entry": Trip(
        "hour_entries",
        lambda jibble, made: jibble.hour_entries.create(
            made.person,
            date(2026, 7, 15),
            timedelta(hours=25, minutes=30),
            activity_id=made.activity,
            note="early",
            platform=Platform(device_name="Gate 1", is_qr_kiosk=True),
        ),
        lambda made: {
            "person_id": made.person,
            "date": date(2026, 7, 15),
            "duration": timedelta(hours=25, minutes=30),
            "activity_id": made.activity,
            "note": "early",
            "client_type": ClientType.WEB,
            "status": EntryStatus.ACTIVE,
        },
        lambda jibble, key, made: jibble.hour_entries.update(
            key,
            date=date(2026, 7, 16),
            duration=timedelta(seconds=90),
            activity_id=None,
            project_id=made.project,
            note=None,
        ),
        lambda made: {
            "date": date(2026, 7, 16),
            "duration": timedelta(seconds=90),
            "activity_id": None,
            "project_id": made.project,
            "note": None,
        },
    ),
    "days off": Trip(
        "time_off",
        lambda jibble, made: jibble.time_off.request(
            made.person, made.vacation, date(2026, 8, 3), date(2026, 8, 7), note="sea"
        ),
        lambda made: {
            "person_id": made.person,
            "policy_id": made.vacation,
            "kind": TimeOffKind.FULL_DAY,
            "start_date": date(2026, 8, 3),
            "end_date": date(2026, 8, 7),
            "note": "sea",
            "status": TimeOffStatus.PENDING,
        },
        lambda jibble, key, _: jibble.time_off.approve(key),
        lambda _: {"status": TimeOffStatus.APPROVED},
        lambda jibble, key: jibble.time_off.cancel(key),
        {"status": TimeOffStatus.CANCELLED},
    ),
    "hours off": Trip(
        "time_off",
        lambda jibble, made: jibble.time_off.request(made.person, made.errand, MORNING, NOON),
        lambda made: {
            "person_id": made.person,
            "policy_id": made.errand,
            "kind": TimeOffKind.HOURS,
            "start_time": MORNING,
            "end_time": NOON,
            "status": TimeOffStatus.PENDING,
        },
        lambda jibble, key, _: jibble.time_off.reject(key),
        lambda _: {"status": TimeOffStatus.REJECTED},
        lambda jibble, key: jibble.time_off.cancel(key),
        {"status": TimeOffStatus.CANCELLED},
    ),
}


@pytest.fixture
def made(box: Sandbox) -> Made:
    first = {name: box.dataset.rows(name)[0]["id"] for name in ("Groups", "Schedules", "Projects")}
    kinds = {row["kind"]: row["id"] for row in box.dataset.rows("TimeOffPolicies")}
    return Made(
        box.dataset.rows("People")[1]["id"],
        *first.values(),
        box.dataset.rows("Activities")[0]["id"],
        box.dataset.rows("Locations")[0]["id"],
        kinds["FullDay"],
        kinds["Hours"],
    )


@pytest.mark.parametrize("name", TRIPS)
async def test_a_round_trip(box: Sandbox, jibble: JibbleClient, made: Made, name: str) -> None:
    trip = TRIPS[name]
    resource = getattr(jibble, trip.resource)

    async def listed(key: str, **options: Any) -> dict[str, Any] | None:
        rows = {row.id: row async for row in resource.list(**options)}
        return msgspec.structs.asdict(rows[key]) if key in rows else None

    answer = await trip.create(jibble, made)
    (key,) = (each.id for each in box.ledger.committed)
    assert answer.id == key
    expected = {"id": key} | trip.created(made)
    entity = await resource.get(key)
    assert entity == answer
    assert msgspec.structs.asdict(entity).items() >= expected.items()
    row = await listed(key)
    assert row is not None
    assert row.items() >= expected.items()
    if trip.change is not None:
        await trip.change(jibble, key, made)
        expected |= trip.changed(made)
        assert msgspec.structs.asdict(await resource.get(key)).items() >= expected.items()
    if trip.retire is not None:
        await trip.retire(jibble, key)
        expected |= trip.retired
        assert msgspec.structs.asdict(await resource.get(key)).items() >= expected.items()
        shown = {} if trip.with_retired is None else {trip.with_retired: True}
        row = await listed(key, **shown)
        assert row is not None
        assert row.items() >= expected.items()
        assert (await listed(key) is None) is (trip.with_retired is not None)


DELETED: dict[str, tuple[str, dict[str, Any]]] = {
    "person": ("people", {"include_removed": True}),
    "time entry": ("time_entries", {"include_archived": True}),
    "hour entry": ("hour_entries", {}),
}


@pytest.mark.parametrize("name", DELETED)
@pytest.mark.parametrize("kind", ["none", "drop_before", "drop_after"])
async def test_what_is_deleted_is_gone_whatever_befalls_the_answer(
    box: Sandbox, jibble: JibbleClient, made: Made, name: str, kind: str
) -> None:
    attribute, options = DELETED[name]
    resource = getattr(jibble, attribute)
    key = (await TRIPS[name].create(jibble, made)).id
    if kind != "none":
        box.faults.add(Fault(kind, method="DELETE"))
    await resource.delete(key)
    # In parentheses, also where it is changed behind a slash: so it was seen to be done.
    assert box.ledger.requests[-1].target.endswith(f"({key})")
    with pytest.raises(NotFoundError):
        await resource.get(key)
    assert key not in {each.id async for each in resource.list(**options)}
    with pytest.raises(NotFoundError):
        await resource.delete(key)
    assert [each.change for each in box.ledger.committed] == ["created", "deleted"]


def test_every_resource_that_can_be_written_makes_a_trip(jibble: JibbleClient) -> None:
    verbs = {"create", "update", "archive", "remove", "delete", "request", "approve", "clock_in"}
    written = {
        name
        for name, resource in vars(jibble).items()
        if not name.startswith("_") and verbs & set(dir(resource))
    }
    assert written == {trip.resource for trip in TRIPS.values()}
