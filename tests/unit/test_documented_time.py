"""Calls about time off, reports and hours become requests, and what can't be sent does not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from jibble_async import (
    ConfigurationError,
    EntryType,
    JibbleClient,
    TrackedTime,
)
from tests.unit import documented_time as documented
from tests.unit.recording import RecordingClient, target
from tests.unit.test_documented import assert_carries

KEY = "3cf11f61-76ad-418a-8783-103b66b22fde"
OTHER = "8c6b1319-b4e2-45d9-8ab7-ccdb406f2f3e"
FIRST, LAST = date(2024, 2, 1), date(2024, 2, 7)


def parts(text: str) -> list[str]:
    """The path and the options of a target, whatever their order."""
    path, _, query = text.partition("?")
    return [path, *sorted(query.split("&"))]


async def test_time_off_in_a_span_is_what_touches_it() -> None:
    client = RecordingClient()
    await client.time_off.list(since=FIRST, until=LAST).collect()
    assert client.options["$filter"] == (
        "((startDate le 2024-02-07 or (startDate eq null and endDate le 2024-02-07))"
        " and (endDate ge 2024-02-01 or (endDate eq null and startDate ge 2024-02-01)))"
    )
    await client.time_off.list(since=FIRST).collect()
    assert "le" not in client.options["$filter"].split()
    await client.time_off.list(until=LAST).collect()
    assert "ge" not in client.options["$filter"].split()
    await client.time_off.list().collect()
    assert "$filter" not in client.options


async def test_time_off_by_its_id() -> None:
    client = RecordingClient(documented.TIME_OFF_INTERVAL)
    interval = await client.time_off.get(documented.TIME_OFF_INTERVAL["id"])
    assert target(client.requests[0]) == f"/v1/TimeOffIntervals({interval.id})"
    assert (interval.status, interval.start_date) == ("Pending", date(2024, 2, 11))
    stamped = {
        name: value
        for name, value in documented.TIME_OFF_INTERVAL.items()
        if name not in {"createdAt", "updatedAt"}
    }
    assert_carries(interval, stamped)
    asked = datetime(2024, 1, 25, 7, 38, 57, 703958, UTC)
    assert interval.created_at == interval.updated_at == asked


async def test_balances_come_as_they_are() -> None:
    client = RecordingClient({"@odata.count": 1, "value": [{"anything": {"at": "all"}}]})
    assert await client.time_off.balances().collect() == [{"anything": {"at": "all"}}]
    assert client.requests[0].url.raw_path == "/v1/LeaveBalances"


async def test_the_report_repeats_its_filters_and_takes_days() -> None:
    client = RecordingClient()
    names = ("person", "activity", "project", "client", "group", "location", "schedule")
    await client.reports.tracked_time(
        FIRST, LAST, **{f"{name}_ids": [KEY, OTHER] for name in names}
    ).collect()
    sent = parts(target(client.requests[0]).lower())
    for name in names:
        assert {f"{name}ids={KEY}", f"{name}ids={OTHER}"} <= set(sent)
    assert {"from=2024-02-01", "to=2024-02-07", "groupby=member", "subgroupby=none"} <= set(sent)


def test_the_report_counts_in_lengths_of_time() -> None:
    row = msgspec.convert(documented.TRACKED_TIME_ANSWER["value"][0], TrackedTime)
    assert row.tracked_time == timedelta(minutes=38, seconds=19, microseconds=66774)
    assert row.date is None


async def test_each_flag_of_an_export_is_its_own() -> None:
    names = ("individual_reports", "raw_time_entries", "raw_timesheets", "summary_by_date")
    for place, name in enumerate(names):
        client = RecordingClient(documented.START_EXPORT_ANSWER)
        await client.reports.start_attendance_export(FIRST, LAST, **{name: True})
        given = [value for key, value in client.options.items() if key.startswith("doInclude")]
        assert given == ["true" if each == place else "false" for each in range(4)]


async def test_the_latest_entry() -> None:
    client = RecordingClient({"id": OTHER, "type": "In"}, b"", b" ")
    entry = await client.time_entries.latest(KEY)
    assert entry is not None
    assert entry.type is EntryType.IN
    assert await client.time_entries.latest(KEY) is None
    assert await client.time_entries.latest(KEY) is None
    assert target(client.requests[0]) == f"/v1/People({KEY})/LatestTimeEntry"
    assert client.requests[0].url.host == documented.TIME_TRACKING_HOST


async def test_people_and_search_terms_go_beside_the_query() -> None:
    client = RecordingClient()
    await client.timesheets.list(FIRST, person_ids=[KEY, OTHER], search_term="O'Neill").collect()
    await client.timesheet_summaries.list(FIRST, period="Week", person_ids=[KEY]).collect()
    sheets, summaries = (parts(target(request)) for request in client.requests)
    assert {f"personIds={KEY}", f"personIds={OTHER}", "searchTerm=O'Neill"} <= set(sheets)
    assert {"period=Day", "date=2024-02-01"} <= set(sheets)
    assert {f"personIds={KEY}", "period=Week", "date=2024-02-01"} <= set(summaries)
    assert not [part for part in (*sheets, *summaries) if part.startswith("endDate")]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1 February 2026", date(2026, 2, 1)),
        ("29 february 2024", date(2024, 2, 29)),
        ("30 February 2026", None),
        ("1 Fevereiro 2026", None),
        (KEY, None),
        (None, None),
    ],
)
def test_a_row_that_adds_up_a_day_knows_the_day(text: str | None, day: date | None) -> None:
    row = msgspec.convert({"id": text}, TrackedTime)
    assert (row.id, row.date) == (text, day)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("positions", "/v1/Positions"),
        ("employment_types", "/v1/EmploymentTypes"),
        ("schedules", "/v1/Schedules"),
        ("calendars", "/v1/Calendars"),
        ("calendar_days", "/v1/CalendarDays"),
        ("time_off_policies", "/v1/TimeOffPolicies"),
        ("pay_period_definitions", "/v1/PayPeriodDefinitions"),
    ],
)
async def test_the_other_sets_of_the_workspace(name: str, path: str) -> None:
    client = RecordingClient({"value": []}, {"id": KEY})
    resource = getattr(client, name)
    await resource.list().collect()
    assert (await resource.get(KEY)).id == KEY
    listed, got = client.requests
    assert listed.url.host == got.url.host == "workspace.prod.jibble.io"
    assert listed.url.raw_path == path
    assert target(got) == f"{path}({KEY})"


async def test_what_holds_for_a_person() -> None:
    client = RecordingClient({"value": [{"date": "2026-05-01", "rules": []}]}, {"id": OTHER}, b"")
    (holiday,) = await client.people.holidays(KEY).collect()
    schedule = await client.people.schedule(KEY)
    assert await client.people.schedule(KEY) is None
    assert holiday.date == date(2026, 5, 1)
    assert schedule is not None
    assert schedule.id == OTHER
    assert target(client.requests[0]) == f"/v1/PersonHolidays(personId={KEY})"
    assert target(client.requests[1]) == f"/v1/PersonSchedule(personId={KEY})"


async def test_a_person_by_email() -> None:
    client = RecordingClient({"@odata.count": 1, "value": [{"id": KEY}]})
    person = await client.people.by_email("o'neill@example.com")
    assert person is not None
    assert client.options["$filter"] == "(email eq 'o''neill@example.com' and status ne 'Removed')"
    assert client.options["$top"] == "1"
    assert await client.people.by_email("nobody@example.com") is None


MISUSE: list[tuple[Any, str]] = [
    (lambda c: c.timesheets.list(LAST, end_date=FIRST), "exchange them"),
    (lambda c: c.timesheets.list(FIRST, period="Custom"), "end_date="),
    (lambda c: c.timesheets.list(FIRST, period="Week", end_date=LAST), "end_date="),
    (lambda c: c.timesheets.list(FIRST, period="Day&date=x"), "period="),
    (lambda c: c.timesheets.list(FIRST, person_ids=KEY), "takes a list"),
    (lambda c: c.timesheets.list(FIRST, person_ids=["Paul"]), "GUID"),
    (lambda c: c.timesheets.list(datetime(2024, 2, 1, tzinfo=UTC)), "date takes a date"),
    (lambda c: c.timesheet_summaries.list("2024-02-01"), "date takes a date"),
    (lambda c: c.reports.tracked_time(LAST, FIRST), "exchange them"),
    (lambda c: c.reports.tracked_time(FIRST, datetime(2024, 2, 7, tzinfo=UTC)), "both days"),
    (lambda c: c.reports.tracked_time(datetime(2024, 2, 1), LAST), "no time zone"),  # noqa: DTZ001
    (lambda c: c.reports.tracked_time(FIRST, LAST, group_by="a,b"), "group_by="),
    (lambda c: c.time_off.list(since=LAST, until=FIRST), "exchange them"),
    (lambda c: c.calendar_days.list(since=LAST, until=FIRST), "exchange them"),
    (lambda c: c.people.holidays("1"), "GUID"),
]


@pytest.mark.parametrize(("misuse", "message"), MISUSE)
def test_misuse_is_an_error_before_anything_is_sent(misuse: Any, message: str) -> None:
    client: JibbleClient = RecordingClient()
    with pytest.raises(ConfigurationError, match=message):
        misuse(client)


async def test_misuse_of_calls_is_an_error_before_anything_is_sent() -> None:
    client = RecordingClient()
    for call in (
        client.people.by_email(" "),
        client.people.schedule("1"),
        client.time_entries.latest("1"),
        client.time_off.get("1"),
        client.reports.start_attendance_export(LAST, FIRST),
        client.reports.start_attendance_export(FIRST, LAST, person_ids=["x"]),
    ):
        with pytest.raises(ConfigurationError):
            await call
    assert client.requests == []
