"""`jibble timesheets`: people's hours, or their days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time, timedelta
from typing import Annotated

from cyclopts import Parameter

from jibble_async.cli.connection import DEFAULTS, Common, Flag, connect
from jibble_async.cli.output import hours, show_json, show_table
from jibble_async.entities import Timesheet, TimesheetDay
from jibble_async.query.days import require_span

__all__ = ["timesheets"]

_NUMBERS = ("Days", "In", "Out", "Worked", "Breaks", "Tracked", "Payroll")


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
    if common.json:
        show_json([_as_json(sheet) for sheet in sheets])
    elif daily:
        show_table(
            ("Name", "Day", "In", "Out", "Worked", "Breaks", "Payroll"),
            [_day(sheet, day) for sheet in sheets for day in _worked(sheet)],
            numbers=_NUMBERS,
        )
    else:
        show_table(
            ("Name", "Days", "Tracked", "Payroll"),
            [
                (
                    _name(sheet),
                    f"{sum(1 for _ in _worked(sheet))}",
                    _hours(sheet.total_tracked),
                    _hours(sheet.total_payroll),
                )
                for sheet in sheets
            ],
            numbers=_NUMBERS,
        )


def _worked(sheet: Timesheet) -> Iterable[TimesheetDay]:
    """The days with hours; days without any come along, too (inferred)."""
    return (day for day in sheet.daily or () if day.first_in is not None or _counts(day))


def _counts(day: TimesheetDay) -> bool:
    """Whether there are hours though nobody clocked in: entered by hand, or a paid day off."""
    tracked, payroll = day.tracked_hours, day.payroll_hours
    lengths = (tracked and tracked.worked, tracked and tracked.total, payroll and payroll.total)
    return any(lengths)


def _name(sheet: Timesheet) -> str:
    return (sheet.person and sheet.person.full_name) or sheet.person_id or ""


def _day(sheet: Timesheet, day: TimesheetDay) -> tuple[str, ...]:
    tracked, payroll = day.tracked_hours, day.payroll_hours
    return (
        _name(sheet),
        "" if day.date is None else f"{day.date:%a} {day.date.isoformat()}",
        _clock(day.first_in),
        _clock(day.last_out),
        _hours(None if tracked is None else tracked.worked),
        _hours(None if tracked is None else tracked.total_break_time),
        _hours(None if payroll is None else payroll.total),
    )


def _clock(at: time | None) -> str:
    return "" if at is None else f"{at:%H:%M}"


def _hours(length: timedelta | None) -> str:
    # Nothing said is not the same as nothing worked.
    return "" if length is None else hours(length)


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length / timedelta(seconds=1)


def _as_json(sheet: Timesheet) -> dict[str, object]:
    return {
        "person_id": sheet.person_id,
        "full_name": sheet.person and sheet.person.full_name,
        "tracked_seconds": _seconds(sheet.total_tracked),
        "payroll_seconds": _seconds(sheet.total_payroll),
        "days": [_day_as_json(day) for day in _worked(sheet)],
    }


def _day_as_json(day: TimesheetDay) -> dict[str, object]:
    tracked, payroll = day.tracked_hours, day.payroll_hours
    return {
        "date": None if day.date is None else day.date.isoformat(),
        "first_in": None if day.first_in is None else day.first_in.isoformat(),
        "last_out": None if day.last_out is None else day.last_out.isoformat(),
        "worked_seconds": None if tracked is None else _seconds(tracked.worked),
        "payroll_seconds": None if payroll is None else _seconds(payroll.total),
    }
