"""`jibble timesheets`: people's hours, or their days."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from cyclopts import Parameter

from jibble_async.cli.connection import DEFAULTS, Common, Flag, connect
from jibble_async.cli.output import show_json, show_rows
from jibble_async.entities import Timesheet, TimesheetDay
from jibble_async.query.days import require_span

__all__ = ["timesheets"]

_PEOPLE = {
    "Name": "name",
    "Days": "number",
    "Tracked": "tracked_seconds",
    "Payroll": "payroll_seconds",
}
_DAYS = {
    "Name": "name",
    "Day": "day",
    "In": "first_in",
    "Out": "last_out",
    "Worked": "worked_seconds",
    "Breaks": "break_seconds",
    "Payroll": "payroll_seconds",
}
_TEXTS = frozenset({"Name", "Day"})


async def timesheets(
    *,
    since: date,
    until: date,
    person_id: Annotated[tuple[str, ...], Parameter(negative="", show_default=False)] = (),
    daily: Flag = False,
    common: Common = DEFAULTS,
) -> None:
    """Show people's hours as the server adds them up.

    Args:
        since: The first day, such as 2026-10-01.
        until: The last day, included.
        person_id: Only this person; may be given several times.
        daily: A row for each day with work instead of one for each person.
        common: What every command takes.
    """
    require_span(since, until)
    async with connect(common, since, until) as client:
        sheets = await client.timesheets.list(
            since, period="Custom", end_date=until, person_ids=person_id, expand=["person"]
        ).collect()
    people = [_facts(sheet) for sheet in sheets]
    if common.json:
        show_json(people)
        return
    rows: list[dict[str, Any]] = [
        {**each, "name": each["full_name"] or each["person_id"], "number": len(each["days"])}
        for each in people
    ]
    if daily:
        rows = [
            {**day, "name": each["name"], "day": day["date"] and f"{day['date']:%a %Y-%m-%d}"}
            for each in rows
            for day in each["days"]
        ]
    columns = _DAYS if daily else _PEOPLE
    show_rows(rows, columns, numbers=columns.keys() - _TEXTS)


def _facts(sheet: Timesheet) -> dict[str, Any]:
    """What is shown of a person; days without any hours come along, too (inferred)."""
    return {
        "person_id": sheet.person_id,
        "full_name": sheet.person and sheet.person.full_name,
        "tracked_seconds": sheet.total_tracked,
        "payroll_seconds": sheet.total_payroll,
        "days": [_day(day) for day in sheet.daily or () if day.first_in or _counts(day)],
    }


def _counts(day: TimesheetDay) -> bool:
    """Whether there are hours though nobody clocked in: entered by hand, or a paid day off."""
    tracked, payroll = day.tracked_hours, day.payroll_hours
    lengths = (tracked and tracked.worked, tracked and tracked.total, payroll and payroll.total)
    return any(lengths)


def _day(day: TimesheetDay) -> dict[str, Any]:
    tracked, payroll = day.tracked_hours, day.payroll_hours
    return {
        "date": day.date,
        "first_in": day.first_in,
        "last_out": day.last_out,
        "worked_seconds": tracked and tracked.worked,
        "break_seconds": tracked and tracked.total_break_time,
        "payroll_seconds": payroll and payroll.total,
    }
