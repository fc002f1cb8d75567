"""`jibble timesheets`: people's hours, or their days."""

from __future__ import annotations

from typing import Any

from jibble_async.cli.connection import DEFAULTS, Common, Flag, Several
from jibble_async.cli.days import ANY_DAYS, Days, connect_span
from jibble_async.cli.lookup import Lookup
from jibble_async.cli.output import show_rows
from jibble_async.entities import Timesheet, TimesheetDay

__all__ = ["timesheets"]

_PEOPLE = {
    "Name": "name",
    "Days": "day_count",
    "Tracked": "tracked_seconds",
    "Payroll": "payroll_seconds",
}
_DAYS = {
    "Name": "name",
    "Day": "weekday",
    "Date": "date",
    "In": "first_in",
    "Out": "last_out",
    "Worked": "worked_seconds",
    "Breaks": "break_seconds",
    "Payroll": "payroll_seconds",
}
_TEXTS = frozenset({"Name", "Day", "Date"})


async def timesheets(
    *,
    days: Days = ANY_DAYS,
    person: Several = (),
    group: Several = (),
    daily: Flag = False,
    common: Common = DEFAULTS,
) -> None:
    """Show people's hours as the server adds them up.

    Args:
        days: Which days.
        person: Only theirs, by name, e-mail, code or id; repeatable.
        group: Only of the people of this group; repeatable.
        daily: A row for each day with work, not for each person.
        common: What every command takes.
    """
    async with connect_span(common, days) as (client, (since, until)):
        # Hours outlast whoever worked them.
        lookup = Lookup(client, include_gone=True)
        people = await lookup.people(person, group)
        sheets = await client.timesheets.list(
            since, period="Custom", end_date=until, person_ids=people, expand=["person"]
        ).collect()
    rows: list[dict[str, Any]] = [_facts(sheet) for sheet in sheets]
    if daily:
        rows = [
            {"person_id": each["person_id"], "name": each["name"], **day}
            for each in rows
            for day in each["days"]
        ]
    columns = _DAYS if daily else _PEOPLE
    show_rows(rows, columns, common.form, numbers=columns.keys() - _TEXTS, id="person_id")


def _facts(sheet: Timesheet) -> dict[str, Any]:
    """What is shown of a person; days without any hours come along, too (inferred)."""
    days = [_day(day) for day in sheet.daily or () if day.first_in or _counts(day)]
    full_name = sheet.person and sheet.person.full_name
    return {
        "person_id": sheet.person_id,
        "full_name": full_name,
        "name": full_name or sheet.person_id,
        "tracked_seconds": sheet.total_tracked,
        "payroll_seconds": sheet.total_payroll,
        "day_count": len(days),
        "days": days,
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
        "weekday": day.date and f"{day.date:%a}",
        "first_in": day.first_in,
        "last_out": day.last_out,
        "worked_seconds": tracked and tracked.worked,
        "break_seconds": tracked and tracked.total_break_time,
        "payroll_seconds": payroll and payroll.total,
    }
