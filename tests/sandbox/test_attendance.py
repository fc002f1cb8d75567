from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import pytest

from jibble_async.sandbox.scalars import parse_duration, parse_instant
from tests.sandbox.calling import PLATFORM, Caller

WEEK = "date=2026-07-06&period=Week"
SPAN = "from=2026-07-06&to=2026-07-12"
EXPAND = "$expand=Subject,Items($expand=Subject)"


async def attend(caller: Caller, path: str) -> tuple[int, Any]:
    status, body, _ = await caller.send("GET", "time_attendance", path)
    return status, body


def worked_and_paused(caller: Caller) -> dict[tuple[str, str], tuple[timedelta, timedelta]]:
    """Each person's hours of each day, worked out another way than the sandbox's."""
    found = defaultdict[tuple[str, str], list[tuple[datetime, str]]](list)
    for row in caller.box.ledger.rows("TimeEntries"):
        key = row["personId"], row["belongsToDate"]
        found[key].append((parse_instant(row["time"]), row["type"]))
    sums: dict[tuple[str, str], tuple[timedelta, timedelta]] = {}
    for key, marks in found.items():
        work = pause = timedelta(0)
        state, since = "Out", None
        for moment, kind in sorted(marks):
            if state == "In":
                work += moment - since
            elif state == "StartBreak":
                pause += moment - since
            state, since = kind, moment
        sums[key] = work, pause
    return sums


async def test_timesheets_add_up_the_entries(caller: Caller) -> None:
    sums = worked_and_paused(caller)
    status, page = await attend(caller, f"/v1/Timesheets?{WEEK}&$expand=person&$count=true")
    assert status == 200
    assert page["@odata.count"] == len(page["value"])
    seen = 0
    for row in page["value"]:
        assert row["personId"] == row["person"]["id"]
        assert len(row["daily"]) == 7
        for day in row["daily"]:
            work, pause = sums.get((row["personId"], day["date"]), (timedelta(0), timedelta(0)))
            hours = day["trackedHours"]
            assert parse_duration(hours["worked"]) == work
            assert parse_duration(hours["totalBreakTime"]) == pause
            assert parse_duration(hours["total"]) == work + pause
            assert parse_duration(day["payrollHours"]["total"]) == work
            seen += work > timedelta(0)
        total = sum(
            (parse_duration(day["trackedHours"]["total"]) for day in row["daily"]), timedelta()
        )
        assert parse_duration(row["totalTracked"]) == total
    assert seen > 15


async def test_summaries_have_the_same_hours_in_their_own_shape(caller: Caller) -> None:
    _, sheets = await attend(caller, f"/v1/Timesheets?{WEEK}")
    _, sums = await attend(
        caller, "/v1/TimesheetsSummary?date=2026-07-06&endDate=2026-07-12&period=Custom"
    )
    assert "person" not in sheets["value"][0]
    for full, short in zip(sheets["value"], sums["value"], strict=True):
        assert full["personId"] == short["personId"]
        for one, other in zip(full["daily"], short["daily"], strict=True):
            assert one["date"] == other["date"]
            assert one["trackedHours"]["total"] == other["tracked"]
            assert one["payrollHours"]["total"] == other["payrollHours"]
            assert one["firstInOffset"] == other["firstIn"]
            if one["firstIn"] is not None:
                assert other["firstIn"][11:].startswith(one["firstIn"])


async def test_a_person_at_work_has_no_last_out(caller: Caller) -> None:
    person = caller.box.dataset.rows("People")[0]["id"]
    caller.box.rules.future_refused = False
    for kind, time in (("In", "2026-07-20T05:00:00Z"), ("StartBreak", "2026-07-20T08:00:00Z")):
        body = {"personId": person, "type": kind, "time": time, "platform": PLATFORM}
        await caller.send("POST", "time_tracking", "/v1/TimeEntries", body)
    _, page = await attend(caller, f"/v1/Timesheets?date=2026-07-20&personIds={person}")
    (row,) = page["value"]
    (day,) = row["daily"]
    assert (day["firstIn"], day["lastOut"]) == ("09:00:00", None)
    assert day["trackedHours"]["worked"] == "PT3H"
    assert day["trackedHours"]["breaks"] == [{"start": "12:00:00", "end": None}]


@pytest.mark.parametrize(
    ("query", "days", "first"),
    [
        ("date=2026-07-08", 1, "2026-07-08"),
        ("date=2026-07-08&period=Week", 7, "2026-07-06"),
        ("Date=2026-07-08&Period=month", 31, "2026-07-01"),
        ("date=2026-07-08&endDate=2026-07-09&period=Custom", 2, "2026-07-08"),
    ],
)
async def test_periods(caller: Caller, query: str, days: int, first: str) -> None:
    _, page = await attend(caller, f"/v1/Timesheets?{query}")
    assert [len(row["daily"]) for row in page["value"]] == [days] * len(page["value"])
    assert page["value"][0]["daily"][0]["date"] == first


async def test_rows_of_people_are_filtered_sorted_and_paged(caller: Caller) -> None:
    _, everybody = await attend(
        caller, f"/v1/Timesheets?{WEEK}&$expand=person&$orderby=person/fullName asc"
    )
    names = [row["person"]["fullName"] for row in everybody["value"]]
    assert names == sorted(names)
    _, page = await attend(
        caller, f"/v1/Timesheets?{WEEK}&$orderby=person/fullName asc&$skip=1&$top=2&$count=true"
    )
    assert page["value"] == [
        {key: value for key, value in row.items() if key != "person"}
        for row in everybody["value"][1:3]
    ]
    assert page["@odata.count"] == len(names)
    key = everybody["value"][2]["personId"]
    _, one = await attend(caller, f"/v1/TimesheetsSummary?{WEEK}&$filter=personId eq {key}")
    assert [row["personId"] for row in one["value"]] == [key]
    _, found = await attend(caller, f"/v1/Timesheets?{WEEK}&searchTerm={names[0][:4]}")
    assert everybody["value"][0]["personId"] in {row["personId"] for row in found["value"]}


@pytest.mark.parametrize("group", ["Date", "Member", "Client", "Project", "Activity"])
@pytest.mark.parametrize("sub_group", ["None", "Date", "Member", "Client", "Project", "Activity"])
async def test_every_grouping_adds_up_to_the_same(
    caller: Caller, group: str, sub_group: str
) -> None:
    path = f"/v1/TrackedTimeReport?{EXPAND}&{SPAN}&groupBy={group}&subGroupBy={sub_group}"
    status, page = await attend(caller, path)
    assert status == 200
    total = sum((work for work, _ in worked_and_paused(caller).values()), timedelta(0))
    rows = page["value"]
    assert sum((parse_duration(row["trackedTime"]) for row in rows), timedelta(0)) == total
    for row in rows:
        if row["subject"] is not None:
            assert row["subject"]["entityType"] == group
            assert row["subject"]["id"] == row["id"]
        if sub_group == "None":
            assert row["items"] is None
        else:
            inner = sum((parse_duration(item["time"]) for item in row["items"]), timedelta(0))
            assert inner == parse_duration(row["time"])


async def test_days_have_their_names_for_ids(caller: Caller) -> None:
    _, page = await attend(caller, f"/v1/TrackedTimeReport?{SPAN}&groupBy=Date")
    assert page["value"][0]["id"] == "6 July 2026"
    assert page["value"][0].keys() == {"id", "trackedTime", "time", "billableAmount"}


async def test_a_report_is_filtered_by_every_id_that_was_repeated(caller: Caller) -> None:
    people = [row["id"] for row in caller.box.dataset.rows("People")[:2]]
    chosen = "&".join(f"personids={person}" for person in people)
    _, page = await attend(caller, f"/v1/TrackedTimeReport?{SPAN}&groupBy=Member&{chosen}")
    assert {row["id"] for row in page["value"]} == set(people)
    project = next(row["id"] for row in caller.box.dataset.rows("Projects"))
    _, page = await attend(
        caller, f"/v1/TrackedTimeReport?{SPAN}&groupBy=Project&projectIds={project}"
    )
    assert [row["id"] for row in page["value"]] == [project]


async def test_a_report_by_the_clock_is_cut_at_its_ends(caller: Caller) -> None:
    async def total(span: str) -> timedelta:
        _, page = await attend(caller, f"/v1/TrackedTimeReport?{span}&groupBy=Member")
        return sum((parse_duration(row["time"]) for row in page["value"]), timedelta(0))

    noon = "2026-07-08T12:00:00.000Z"
    before = await total(f"from=2026-07-01T00:00:00Z&to={noon}")
    after = await total(f"from={noon}&to=2026-07-20T00:00:00Z")
    assert before > timedelta(0) < after
    assert before + after == await total(SPAN)


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/v1/Timesheets", 500, ""),
        ("/v1/TimesheetsSummary", 500, ""),
        ("/v1/Timesheets?date=yesterday", 400, "date"),
        ("/v1/Timesheets?date=2026-07-08&period=Daily", 400, "period"),
        ("/v1/Timesheets?date=2026-07-08&period=Custom", 400, "endDate"),
        ("/v1/Timesheets?date=2026-07-08&personIds=1,2", 400, "personids"),
        ("/v1/Timesheets?date=2026-07-08&$expand=group", 400, "group"),
        ("/v1/TrackedTimeReport", 400, "from"),
        ("/v1/TrackedTimeReport?startDate=2026-07-08&endDate=2026-07-08", 400, "from"),
        ("/v1/TrackedTimeReport?from=2026-07-08&groupBy=Member", 400, "to"),
        (f"/v1/TrackedTimeReport?{SPAN}", 400, "groupBy"),
        (f"/v1/TrackedTimeReport?{SPAN}&groupBy=Person", 400, "groupBy"),
        (f"/v1/TrackedTimeReport?{SPAN}&groupBy=Member&$expand=Person", 400, "expand"),
        ("/v1/TimeAttendanceReportStartExport?fileFormat=Docx", 400, "fileFormat"),
        ("/v1/TimeAttendanceReportStartExport?fileFormat=Xlsx", 400, "from"),
    ],
)
async def test_wrong_requests_are_refused(
    caller: Caller, path: str, status: int, says: str
) -> None:
    found, body = await attend(caller, path)
    assert found == status
    assert says in body["error"]["message"]
    assert caller.box.ledger.committed == []


async def test_starting_an_export_leaves_a_mark(caller: Caller) -> None:
    path = f"/v1/TimeAttendanceReportStartExport?fileFormat=Xlsx&{SPAN}&doIncludeRawTimesheets=true"
    for number in (1, 2):
        status, job = await attend(caller, path)
        assert (status, job["status"], job["fileName"]) == (200, "InProgress", None)
        assert job["@odata.type"] == "#Jibble.TimeAttendance.Data.Entities.ExportLog"
        assert len(caller.box.ledger.rows("ExportLogs")) == number
    assert [each.entity_set for each in caller.box.ledger.committed] == ["ExportLogs"] * 2
    assert caller.box.ledger.requests[-1].committed
    assert (await caller.send("POST", "time_attendance", path))[0] == 405


async def test_the_schedule_of_a_person(caller: Caller) -> None:
    person = caller.box.dataset.rows("People")[0]
    status, schedule = await caller.work(f"/v1/PersonSchedule(personId={person['id']})")
    assert (status, schedule["id"]) == (200, person["scheduleId"])
    assert "organizationId" not in schedule
    person["scheduleId"] = None
    caller.box.dataset.touch()
    _, schedule = await caller.work(f"/v1/PersonSchedule(personId={person['id']})")
    assert schedule["default"]
    person["scheduleId"] = "5d3b37e7-64a8-411a-9a1e-056c149a13fc"
    assert await caller.work(f"/v1/PersonSchedule(personId={person['id']})") == (204, "")
    assert (await caller.work("/v1/PersonSchedule(personId=1)"))[0] == 400
