"""Hours, reports, schedules and time off, asked of the sandbox by the client."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from jibble_async import (
    CalendarDay,
    ConfigurationError,
    DayOfWeek,
    Entity,
    NotFoundError,
    Period,
    Position,
    ServerError,
    TimeOff,
    TimesheetSummary,
    WorkArrangement,
    fields,
)
from jibble_async.sandbox import Sandbox
from tests.wire.week import WEEK, client_of

MONDAY, SUNDAY = WEEK["since"], WEEK["until"]
NOBODY = "5d3b37e7-64a8-411a-9a1e-056c149a13fc"
EXPORT = "TimeAttendanceReportStartExport"


async def test_timesheets_summaries_and_report_agree(box: Sandbox) -> None:
    async with client_of(box) as jibble:
        sheets = await jibble.timesheets.list(
            MONDAY, period=Period.WEEK, expand=["person"], page_size=2
        ).collect()
        sums = await jibble.timesheet_summaries.list(MONDAY, end_date=SUNDAY, page_size=4).collect()
        report = await jibble.reports.tracked_time(
            MONDAY, SUNDAY, group_by="Member", sub_group_by="Date"
        ).collect()
    names = [sheet.person.full_name for sheet in sheets if sheet.person is not None]
    assert names == sorted(names)
    assert len(names) == len(sums) == len(box.ledger.rows("People"))
    paid = {sheet.person_id: sheet.total_payroll for sheet in sheets}
    assert paid == {
        each.person_id: sum(
            (day.payroll_hours or timedelta() for day in each.daily or []), timedelta()
        )
        for each in sums
    }
    assert {row.id: row.tracked_time for row in report} == {
        person: hours for person, hours in paid.items() if hours
    }
    for row in report:
        days = [item.date for item in row.items or []]
        assert days == sorted(day for day in days if day is not None)
        assert days[0] is not None
        assert MONDAY <= days[0] <= days[-1] <= SUNDAY


async def test_a_span_of_days_is_asked_for_as_everywhere_else(box: Sandbox) -> None:
    async with client_of(box) as jibble:
        for sheets in (jibble.timesheets, jibble.timesheet_summaries):
            lists: Any = sheets.list
            spans = [
                await lists(since=MONDAY, until=SUNDAY).collect(),
                await lists(MONDAY, end_date=SUNDAY).collect(),
                await lists(date=MONDAY, period="Custom", end_date=SUNDAY).collect(),
            ]
            assert spans[0] == spans[1] == spans[2] != []
            asked = [str(each.target).partition("&$skip")[0] for each in box.ledger.requests[-3:]]
            assert len(set(asked)) == 1
            for wrong in (
                {},
                {"since": MONDAY},
                {"until": SUNDAY},
                {"since": SUNDAY, "until": MONDAY},
                {"since": MONDAY, "until": "2026-07-19"},
                {"date": MONDAY, "since": MONDAY, "until": SUNDAY},
                {"date": MONDAY, "until": SUNDAY},
                {"since": MONDAY, "until": SUNDAY, "period": "Week"},
                {"since": MONDAY, "until": SUNDAY, "end_date": SUNDAY},
            ):
                with pytest.raises(ConfigurationError):
                    lists(**wrong)


async def test_the_two_shapes_are_read_as_what_they_are(box: Sandbox) -> None:
    async with client_of(box) as jibble:
        (sheet, *_) = await jibble.timesheets.list(MONDAY).collect()
        assert sheet.person is None
        one = jibble.timesheet_summaries.list(
            MONDAY, where=fields(TimesheetSummary).person_id == sheet.person_id
        )
        (summary,) = await one.collect()
    assert sheet.daily is not None
    assert summary.daily is not None
    full, short = sheet.daily[0], summary.daily[0]
    assert isinstance(full.first_in, time)
    assert isinstance(short.first_in, datetime)
    assert full.first_in_offset == short.first_in == full.first_in_timestamp
    assert short.first_in.replace(tzinfo=None).time() == full.first_in
    assert full.payroll_hours is not None
    assert full.payroll_hours.total == short.payroll_hours
    assert full.payroll_hours.regular is not None
    assert full.payroll_hours.regular.time == short.regular
    assert full.tracked_hours is not None
    assert full.tracked_hours.breaks


async def test_a_walk_over_people_with_their_days_can_be_verified_and_resumed(
    box: Sandbox,
) -> None:
    async with client_of(box) as jibble:
        everybody = [row.person_id for row in await jibble.timesheets.list(MONDAY).collect()]
        pages = jibble.timesheets.list(MONDAY, page_size=2, verify=True).pages()
        first = await anext(pages)
        await pages.aclose()
        rest = await jibble.timesheets.list(
            MONDAY, page_size=2, verify=True, resume_from=first.cursor
        ).collect()
        ahead = await jibble.timesheets.list(MONDAY, page_size=1, concurrency=3).collect()
    assert [row.person_id for row in first.items + rest] == everybody
    assert [row.person_id for row in ahead] == everybody


async def test_without_a_date_the_server_fails_and_says_nothing(box: Sandbox) -> None:
    async with client_of(box) as jibble:
        with pytest.raises(ServerError):
            await jibble.request("GET", "time-attendance", "/v1/Timesheets")


async def test_the_sets_of_the_workspace_and_their_parts(box: Sandbox) -> None:
    async with client_of(box) as jibble:
        for resource, name in (
            (jibble.positions, "Positions"),
            (jibble.employment_types, "EmploymentTypes"),
            (jibble.schedules, "Schedules"),
            (jibble.calendars, "Calendars"),
            (jibble.calendar_days, "CalendarDays"),
            (jibble.time_off_policies, "TimeOffPolicies"),
            (jibble.pay_period_definitions, "PayPeriodDefinitions"),
        ):
            found: list[Entity] = await resource.list().collect()
            assert {item.id for item in found} == {row["id"] for row in box.ledger.rows(name)}
            assert (await resource.get(found[0].id)).id == found[0].id
        schedule = await jibble.schedules.list(order_by="name").first()
        policy = await jibble.time_off_policies.list().first()
        period = await jibble.pay_period_definitions.list().first()
    assert schedule is not None
    assert schedule.work_arrangement is WorkArrangement.FIXED
    assert schedule.day_schedules is not None
    assert schedule.day_schedules[0].day is DayOfWeek.MONDAY
    assert isinstance(schedule.day_schedules[0].start, time)
    assert schedule.overtime is not None
    assert schedule.overtime.end_work_day_at == time(0)
    assert policy is not None
    assert policy.accrual_settings is not None
    assert policy.accrual_settings.exclude_public_holidays is True
    assert period is not None
    assert period.cycle == "Monthly"


async def test_archived_positions_are_left_out_unless_asked_for(box: Sandbox) -> None:
    gone = box.dataset.rows("Positions")[0]
    gone["status"] = "Archived"
    box.dataset.touch()
    P = fields(Position)  # noqa: N806
    async with client_of(box) as jibble:
        assert await jibble.positions.list(where=P.id == gone["id"]).collect() == []
        found = jibble.positions.list(where=P.id == gone["id"], include_archived=True)
        assert [item.id for item in await found.collect()] == [gone["id"]]


async def test_calendar_days_of_a_span(box: Sandbox) -> None:
    C = fields(CalendarDay)  # noqa: N806
    async with client_of(box) as jibble:
        days = await jibble.calendar_days.list(
            since=date(2026, 5, 1), until=date(2026, 9, 7), order_by=C.date, expand=["calendar"]
        ).collect()
        first = await jibble.calendar_days.list(since=days[0].date, until=days[0].date).collect()
    assert [day.name for day in days] == ["Labour Day", "Company Day", "Founders' Day"]
    assert days[2].is_short_day
    assert days[0].calendar is not None
    assert [day.id for day in first] == [days[0].id]


async def test_what_holds_for_a_person(box: Sandbox) -> None:
    row = box.dataset.rows("People")[1]
    async with client_of(box) as jibble:
        person = await jibble.people.by_email(row["email"])
        assert person is not None
        assert person.id == row["id"]
        assert await jibble.people.by_email("nobody@example.com") is None
        assert await jibble.people.get_by_email(row["email"]) == person
        with pytest.raises(NotFoundError, match="nobody with this e-mail") as caught:
            await jibble.people.get_by_email("canary@example.com")
        assert caught.value.status == 404
        assert "canary" not in str(caught.value)
        schedule = await jibble.people.schedule(person.id)
        assert schedule is not None
        assert schedule.id == person.schedule_id
        names = [holiday.name async for holiday in jibble.people.holidays(person.id)]
        assert "Founders' Day" in names
        with pytest.raises(NotFoundError):
            await jibble.people.schedule(NOBODY)
        full = await jibble.people.list(expand=["employment_type"], limit=1).first()
        assert full is not None
        assert full.employment_type is not None


async def test_the_latest_entry_of_a_person(box: Sandbox) -> None:
    person = box.dataset.rows("People")[0]["id"]
    async with client_of(box) as jibble:
        entry = await jibble.time_entries.latest(person)
        assert entry is not None
        assert entry.next_time_entry_id is None
        box.dataset.rows("TimeEntries").clear()
        assert await jibble.time_entries.latest(person) is None
        with pytest.raises(NotFoundError):
            await jibble.time_entries.latest(NOBODY)


LEAVES = [
    ("before", "2026-06-01", "2026-07-05", False),
    ("into", "2026-06-01", "2026-07-06", True),
    ("within", "2026-07-07", "2026-07-08", True),
    ("across", "2026-06-01", "2026-08-01", True),
    ("out of", "2026-07-12", "2026-08-01", True),
    ("after", "2026-07-13", "2026-08-01", False),
    ("one day, no end", "2026-07-09", None, True),
    ("one day, no start", None, "2026-07-09", True),
    ("a day before, no end", "2026-07-05", None, False),
    ("a day after, no start", None, "2026-07-13", False),
]


async def test_time_off_of_a_span_is_all_that_touches_it(box: Sandbox) -> None:
    rows = box.dataset.rows("TimeOffOverview")
    model = dict(rows[0])
    rows.clear()
    for place, (note, start, end, _) in enumerate(LEAVES):
        key = f"{NOBODY[:-2]}{place:02d}"
        rows.append({**model, "id": key, "note": note, "startDate": start, "endDate": end})
    box.dataset.touch()
    async with client_of(box) as jibble:
        found = await jibble.time_off.list(since=MONDAY, until=SUNDAY).collect()
        assert {each.note for each in found} == {note for note, *_, touches in LEAVES if touches}
        R = fields(TimeOff)  # noqa: N806
        lossy = R.start_date.between(MONDAY, SUNDAY) | R.end_date.between(MONDAY, SUNDAY)
        found = await jibble.time_off.list(where=lossy).collect()
        assert "across" not in {each.note for each in found}


async def test_time_off_with_whose_it_is_and_under_which_policy(box: Sandbox) -> None:
    async with client_of(box) as jibble:
        row = await jibble.time_off.list(expand=["person", "policy"]).first()
        assert row is not None
        assert row.person is not None
        assert row.policy is not None
        assert row.kind == row.policy.kind
        interval = await jibble.time_off.get(row.id)
    assert (interval.person_id, interval.status) == (row.person_id, row.status)
    assert interval.created_at is not None


async def test_balances_are_what_a_test_says(box: Sandbox) -> None:
    async with client_of(box) as jibble:
        assert await jibble.time_off.balances().collect() == []
        box.dataset.rows("LeaveBalances").append({"id": NOBODY, "left": 12.5})
        assert await jibble.time_off.balances().collect() == [{"id": NOBODY, "left": 12.5}]
