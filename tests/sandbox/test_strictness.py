"""What the real host was seen to refuse and to take, each by its input."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from jibble_async.sandbox import Rules, Sandbox
from jibble_async.sandbox.dataset import Dataset
from tests.sandbox.calling import PLATFORM, WEEK, Caller, VirtualClock

ENTRIES = "/v1/TimeEntries"
OLD_TAKEN = {"refused_before": None, "locked_until": None}


def person(caller: Caller, place: int = 0) -> str:
    found: str = caller.box.dataset.rows("People")[place]["id"]
    return found


async def punch(caller: Caller, **changes: Any) -> tuple[int, Any, str]:
    body = {"personId": person(caller), "type": "In", "platform": PLATFORM, **changes}
    body = {name: value for name, value in body.items() if value is not ...}
    status, answer, headers = await caller.send("POST", "time_tracking", ENTRIES, body)
    return status, answer, headers["Content-Type"]


async def out_after_out(caller: Caller) -> dict[str, Any]:
    assert (await punch(caller))[0] == 201
    caller.box.dataset.rows("TimeEntries")
    assert (await punch(caller, type="Out"))[0] == 201
    return {"type": "Out"}


@pytest.mark.parametrize(
    ("changes", "switch", "name", "reason"),
    [
        (
            {"platform": ...},
            {"platform_required": False},
            "Platform",
            "The Platform field is required.",
        ),
        (
            {"platform": None},
            {"platform_required": False},
            "Platform",
            "The Platform field is required.",
        ),
        ({"time": "2026-07-13T09:00:00.5Z"}, {"future_refused": False}, "Time", "future"),
        ({"time": "2026-07-13T11:30:00+02:00"}, {"future_refused": False}, "Time", "future"),
        (None, {"alternation": False}, "Type", "clocked out already"),
        (
            {"belongsToDate": "2026-06-30", "time": "2026-07-13T08:00:00Z"},
            {"locked_until": None},
            "BelongsToDate",
            "locked",
        ),
        ({"time": "2026-06-30T08:00:00Z"}, {"locked_until": None}, "BelongsToDate", "locked"),
        ({"time": "2016-12-31T23:59:59Z"}, OLD_TAKEN, "Time", "before 2017-01-01"),
    ],
)
async def test_a_punch_is_refused_as_the_host_refuses_it(
    caller: Caller,
    changes: dict[str, Any] | None,
    switch: dict[str, Any],
    name: str,
    reason: str,
) -> None:
    caller.box.rules.locked_until = date(2026, 6, 30)
    caller.box.rules.refused_before = date(2017, 1, 1)
    changes = await out_after_out(caller) if changes is None else changes
    before = len(caller.box.dataset.rows("TimeEntries"))
    status, answer, kind = await punch(caller, **changes)
    assert (status, answer["status"]) == (400, 400)
    assert kind == "application/problem+json; charset=utf-8"
    assert answer["title"] == "One or more validation errors occurred."
    ((told, (why,)),) = answer["errors"].items()
    assert told == name
    assert reason in why
    assert len(caller.box.dataset.rows("TimeEntries")) == before
    assert not caller.box.ledger.requests[-1].committed
    for rule, value in switch.items():
        setattr(caller.box.rules, rule, value)
    assert (await punch(caller, **changes))[0] == 201


@pytest.mark.parametrize("kind", ["StartBreak", "In"])
async def test_only_an_out_after_an_out_is_refused(caller: Caller, kind: str) -> None:
    await out_after_out(caller)
    for each in (kind, kind, "Out"):
        assert (await punch(caller, type=each))[0] == 201


async def test_a_local_time_is_refused(caller: Caller) -> None:
    status, answer, _ = await punch(caller, localTime="2026-07-13T09:00:00+04:00")
    assert status == 400
    assert "nullableType" in answer["error"]["message"]


async def test_a_back_dated_punch_as_programs_send_it(caller: Caller) -> None:
    status, entry, _ = await punch(
        caller,
        time="2026-07-13T03:00:00Z",
        offset="PT4H",
        belongsToDate="2026-07-13",
        isManual=True,
        status="Active",
        isOffline=False,
        clientType="Zapier",
        platform={**PLATFORM, "isQrKiosk": True},
        coordinates={"latitude": "25.25", "longitude": "-5"},
    )
    assert status == 201
    assert entry["platform"]["isQrKiosk"]
    assert entry["clientType"] == "Zapier"
    assert entry["coordinates"] == {"latitude": 25.25, "longitude": -5}
    assert (await punch(caller, coordinates={"latitude": "north"}))[0] == 400
    assert (await punch(caller, clientType="Carrier pigeon"))[0] == 400


async def test_a_locked_period_can_not_be_changed(caller: Caller) -> None:
    entry = next(row for row in caller.box.dataset.rows("TimeEntries") if row["status"] == "Active")
    path = f"{ENTRIES}({entry['id']})"
    caller.box.rules.locked_until = date.fromisoformat(entry["belongsToDate"])
    for method, body in (("PATCH", {"status": "Archived"}), ("DELETE", None)):
        status, answer, _ = await caller.send(method, "time_tracking", path, body)
        assert (status, [*answer["errors"]]) == (400, ["BelongsToDate"])
    assert not caller.box.ledger.committed
    caller.box.rules.locked_until -= timedelta(days=1)
    assert (await caller.send("DELETE", "time_tracking", path))[0] == 204


async def test_an_entry_is_deleted_for_good(caller: Caller) -> None:
    _, first, _ = await punch(caller)
    _, second, _ = await punch(caller, type="Out")
    path = f"{ENTRIES}({second['id']})"
    assert (await caller.send("DELETE", "time_tracking", f"{ENTRIES}('{second['id']}')"))[0] == 400
    assert (await caller.send("DELETE", "time_tracking", path))[0] == 204
    assert (await caller.track(path))[0] == 404
    assert (await caller.send("DELETE", "time_tracking", path))[0] == 404
    assert caller.box.ledger.committed[-1][1:] == ("TimeEntries", second["id"], "deleted")
    _, latest = await caller.track(f"/v1/People/{person(caller)}/LatestTimeEntry")
    assert (latest["id"], latest["nextTimeEntryId"]) == (first["id"], None)


async def test_hour_entries(caller: Caller) -> None:
    project = caller.box.dataset.rows("Projects")[0]["id"]
    body = {
        "personId": person(caller),
        "date": "2026-07-08",
        "duration": "PT7H30M",
        "projectId": project,
        "clientType": "Web",
        "platform": PLATFORM,
    }
    status, made, _ = await caller.send("POST", "time_tracking", "/v1/HourEntries", body)
    assert (status, made["status"], made["duration"]) == (201, "Active", "PT7H30M")
    query = "$filter=date eq 2026-07-08&$expand=project($select=id),person,activity&$count=true"
    _, page = await caller.track(f"/v1/HourEntries?{query}")
    (row,) = page["value"]
    assert (row["project"], row["person"]["id"]) == ({"id": project}, person(caller))
    path = f"/v1/HourEntries({made['id']})"
    change = {"duration": "PT8H", "note": "more"}
    assert (await caller.send("PATCH", "time_tracking", path, change))[0] == 204
    assert (await caller.track(path))[1]["duration"] == "PT8H"
    bad: dict[str, Any]
    for bad in ({"duration": "8"}, {"duration": None}, {"personId": person(caller)}):
        assert (await caller.send("PATCH", "time_tracking", path, bad))[0] == 400
    assert (await caller.send("DELETE", "time_tracking", path))[0] == 204
    assert (await caller.track("/v1/HourEntries?$count=true"))[1]["@odata.count"] == 0
    del body["date"]
    assert (await caller.send("POST", "time_tracking", "/v1/HourEntries", body))[0] == 400


async def test_who_is_working_now(caller: Caller) -> None:
    _, entry, _ = await punch(caller)
    _, page = await caller.track("/v1/WhoIsWorkingNow?$top=200")
    (row,) = [row for row in page["value"] if row["personId"] == person(caller)]
    assert (row["time"], row["timeZone"]) == (entry["time"], "Asia/Dubai")
    await punch(caller, type="Out")
    _, page = await caller.track("/v1/WhoIsWorkingNow")
    assert person(caller) not in {row["personId"] for row in page["value"]}


async def test_settings_are_in_open_rows(caller: Caller) -> None:
    _, page = await caller.work("/v1/People?$top=2")
    zones = [row["ICultureSettings/TimeZone"] for row in page["value"]]
    assert zones == ["Asia/Dubai", "Europe/Berlin"]
    _, tracked = await caller.track("/v1/People?$top=2&$select=timeZone,timeSheetTimeZone,email")
    assert [row["timeZone"] for row in tracked["value"]] == zones
    _, page = await caller.work("/v1/Organizations")
    devices = "ITimeTrackingSettings/AllowedDevices"
    assert page["value"][0][devices] == ["Mobile", "Kiosk", "Web"]
    assert page["value"][0][f"{devices}@odata.type"] == "#Collection(String)"
    _, page = await caller.work("/v1/People?$top=1&$select=id,fullName")
    assert page["value"][0].keys() == {"@odata.etag", "id", "fullName"}


async def test_managers_can_be_expanded(caller: Caller) -> None:
    _, page = await caller.work(
        "/v1/People?$expand=UnitManagers($select=id,fullName),"
        "Group($select=name;$expand=UnitManagers($select=fullName))"
    )
    people = caller.box.dataset.index("People")
    for row in page["value"]:
        ids = [link["managerId"] for link in row["managers"]]
        assert [each["id"] for each in row["unitManagers"]] == ids
    group = next(row["group"] for row in page["value"] if row["group"])
    (manager,) = group["unitManagers"]
    assert manager["fullName"] in {row["fullName"] for row in people.values()}


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("workspace", "People"),
        ("workspace", "Groups"),
        ("time_tracking", "People"),
        ("time_tracking", "TimeOffIntervals"),
        ("time_tracking", "TimeEntries"),
    ],
)
async def test_an_id_may_stand_behind_a_slash(caller: Caller, service: str, name: str) -> None:
    row = caller.box.dataset.rows(name)[0]
    for form in (f"/v1/{name}/{row['id']}", f"/v1/{name}({row['id']})"):
        status, shown, _ = await caller.send("GET", service, form)
        assert (status, shown["id"]) == (200, row["id"])


async def test_a_page_ends_at_a_thousand_rows_without_a_word(clock: VirtualClock) -> None:
    async with Sandbox(40, date(2026, 7, 1), date(2026, 7, 14), clock=clock) as box:
        rows = len(box.dataset.rows("TimeEntries"))
        assert rows > 1100
        for query in ("", "?$top=1000", "?$top=5000"):
            call = await get(box, f"/time-tracking/v1/TimeEntries{query}")
            assert len(call["value"]) == 1000
            assert "@odata.nextLink" not in call


async def get(box: Sandbox, target: str) -> Any:
    async with aiohttp.ClientSession() as session:
        caller = Caller(box, session)
        await caller.authorise()
        headers = {"Authorization": f"Bearer {caller.bearer}"}
        async with session.get(f"{box.url}{target}", headers=headers) as response:
            return await response.json()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 200),
        ("localhost:{port}", 200),
        ("LOCALHOST:{port}", 200),
        ("evil.example:{port}", 421),
        ("evil.example", 421),
        ("127.0.0.1.evil.example:{port}", 421),
        ("workspace.evil.example:{port}", 421),
        ("localhost", 421),
        ("127.0.0.1:1", 421),
        ("", 421),
    ],
)
async def test_only_its_own_names_are_served(caller: Caller, host: str, status: int) -> None:
    port = caller.box.url.rpartition(":")[2]
    headers = {"Authorization": f"Bearer {caller.bearer}", "Host": host.format(port=port)}
    url = f"{caller.box.endpoints['workspace']}/v1/Organizations"
    before = len(caller.box.ledger.requests)
    async with caller.session.get(url, headers=headers) as response:
        assert response.status == status
    assert len(caller.box.ledger.requests) - before == (status == 200)


async def test_schedules_have_seven_digits_and_no_days_off(caller: Caller) -> None:
    _, page = await caller.work("/v1/Schedules")
    for schedule in page["value"]:
        assert len(schedule["daySchedules"]) == 5
        assert all(day["from"].endswith(":00.0000000") for day in schedule["daySchedules"])
    _, page = await caller.work("/v1/People?$filter=scheduleId eq null")
    nobody = page["value"][0]["id"]
    status, shown = await caller.work(f"/v1/PersonSchedule(personId={nobody})")
    assert (status, shown["default"]) == (200, True)


@pytest.mark.parametrize("left_open", [True, False])
async def test_a_half_day_may_lack_its_last_day(clock: VirtualClock, left_open: bool) -> None:
    rules = Rules(half_days_open=left_open)
    box = Sandbox(60, date(2026, 6, 1), date(2026, 7, 12), rules=rules, clock=clock)
    hours = [row for row in box.dataset.rows("TimeOffOverview") if row["kind"] == "Hours"]
    assert hours
    assert all((row["endDate"] is None) is left_open for row in hours)
    assert all(row["note"] is not None for row in box.dataset.rows("TimeOffIntervals"))


MOMENTS = [
    datetime(2026, 11, 27, 11, 5, tzinfo=UTC),  # a Friday at noon
    datetime(2026, 11, 28, 3, 0, tzinfo=UTC),  # a night of a week-end
    datetime(2026, 12, 25, 23, 59, tzinfo=UTC),  # a holiday
]


@pytest.mark.parametrize("present", MOMENTS, ids=str)
@pytest.mark.parametrize("people", [1, 12])
def test_today_is_believable_at_any_time(present: datetime, people: int) -> None:
    box = Sandbox(people, clock=lambda: present)
    rows = box.dataset.rows("TimeEntries")
    now = f"{present:%Y-%m-%dT%H:%M:%S}"
    assert all(row["time"] < f"{now}Z" for row in rows)
    assert all(row["createdAt"][:19] <= now for row in rows)
    assert box.dataset.until == present.date()
    working = [row for row in box.dataset.rows("TimeTrackingPeople") if row["isActive"]]
    assert len(working) > 0
    assert people == 1 or len(working) < people
    latest = max(row["latestTimeEntryTime"] for row in working)
    assert present - datetime.fromisoformat(f"{latest[:19]}+00:00") < timedelta(hours=4)
    again = Sandbox(people, clock=lambda: present)
    assert again.dataset.rows("TimeEntries") == rows


def test_a_period_that_is_over_is_left_as_it_was() -> None:
    box = Sandbox(5, date(2026, 7, 6), date(2026, 7, 12), clock=lambda: MOMENTS[0])
    rows = Dataset(people=5, seed=7, **WEEK).rows("TimeEntries")
    assert box.dataset.rows("TimeEntries") == rows


AT = {"time": "2026-07-13T03:00:00.123Z", "offset": "PT2H", "belongsToDate": "2026-07-12"}


@pytest.mark.parametrize(
    ("switch", "shown"),
    [
        ({}, {**AT, "localTime": "2026-07-13T05:00:00.123+02:00"}),
        ({"keeps_time": "seconds"}, {**AT, "time": "2026-07-13T03:00:00Z"}),
        ({"keeps_time": "nothing"}, {**AT, "time": "2026-07-13T09:00:00Z"}),
        ({"keeps_platform": False}, {**AT, "platform": None}),
        (
            {"keeps_days": False},
            {**AT, "offset": "PT4H", "belongsToDate": "2026-07-13"},
        ),
    ],
    ids=str,
)
async def test_what_a_new_entry_keeps_of_what_was_sent(
    caller: Caller, switch: dict[str, Any], shown: dict[str, Any]
) -> None:
    for rule, value in switch.items():
        setattr(caller.box.rules, rule, value)
    status, entry, _ = await punch(caller, **AT)
    assert status == 201
    assert {name: entry[name] for name in shown} == shown
    if not switch:
        assert entry["platform"].items() >= PLATFORM.items()


async def test_a_moment_without_an_offset_is_cut_in_utc(caller: Caller) -> None:
    caller.box.rules.keeps_time = "seconds"
    _, entry, _ = await punch(caller, time="2026-07-13T05:00:00.999+02:00")
    assert entry["time"] == "2026-07-13T03:00:00Z"
    _, entry, _ = await punch(caller)
    assert entry["time"] == "2026-07-13T09:00:00Z"


async def test_the_first_day_that_is_taken(caller: Caller) -> None:
    caller.box.rules.refused_before = date(2017, 1, 1)
    assert (await punch(caller, time="2017-01-01T00:00:00Z"))[0] == 201


async def test_entries_of_removed_people(caller: Caller) -> None:
    somebody = person(caller, 2)
    assert (await person_changed(caller, somebody, status="Removed"))[0] == 204
    assert (await punch(caller, personId=somebody))[0] == 201
    caller.box.rules.removed_punch = False
    status, answer, _ = await punch(caller, personId=somebody)
    assert (status, list(answer["errors"])) == (400, ["PersonId"])
    assert (await punch(caller))[0] == 201


async def person_changed(caller: Caller, key: str, **changes: Any) -> tuple[int, Any]:
    status, answer, _ = await caller.send("PATCH", "workspace", f"/v1/People({key})", changes)
    return status, answer


async def person_made(caller: Caller, **values: Any) -> tuple[int, Any]:
    body = {"fullName": "New One", **values}
    status, answer, _ = await caller.send("POST", "workspace", "/v1/People", body)
    return status, answer


async def test_an_address_may_be_for_one_person_only(caller: Caller) -> None:
    first, second = (caller.box.dataset.rows("People")[place] for place in (0, 1))
    assert (await person_made(caller, email=first["email"]))[0] == 201
    caller.box.rules.unique_emails = True
    await person_changed(caller, second["id"], status="Removed")
    for taken in (first["email"].upper(), second["email"]):
        status, answer = await person_made(caller, email=taken)
        assert (status, list(answer["errors"])) == (400, ["Email"])
    assert (await person_changed(caller, second["id"], email=first["email"]))[0] == 400
    assert (await person_changed(caller, second["id"], email=second["email"]))[0] == 204
    for _ in range(2):
        assert (await person_made(caller))[0] == 201


async def test_seats_are_for_those_who_are_there(caller: Caller) -> None:
    caller.box.rules.seats = sum(
        row["status"] != "Removed" for row in caller.box.dataset.rows("People")
    )
    assert (await person_made(caller))[0] == 402
    somebody = person(caller, 1)
    assert (await person_changed(caller, somebody, fullName="Full House"))[0] == 204
    assert (await person_changed(caller, somebody, status="Removed"))[0] == 204
    status, made = await person_made(caller)
    assert status == 201
    assert (await person_changed(caller, somebody, status="Joined"))[0] == 402
    assert (await person_changed(caller, made["id"], status="Removed"))[0] == 204
    assert (await person_changed(caller, somebody, status="Joined"))[0] == 204
    # Who sits stays seated when there is less room.
    caller.box.rules.seats = 1
    assert (await person_changed(caller, somebody, fullName="Fuller House"))[0] == 204
