"""Rows of a small organisation, as a server would give them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from jibble_async import (
    DaySchedule,
    Overtime,
    PayrollHours,
    PayrollPart,
    Person,
    Schedule,
    TimeOff,
    Timesheet,
    TimesheetDay,
    TimesheetPerson,
    TrackedHours,
    WorkArrangement,
)
from jibble_async.entities import DayOfWeek, DayTimeOff

# A Monday.
DAY = date(2026, 7, 6)
BERLIN = ZoneInfo("Europe/Berlin")
WEEKDAYS = [DayOfWeek(name) for name in ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")]


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def day_of(
    day: date = DAY,
    first: str | None = "08:00",
    last: str | None = "17:00",
    worked: float = 8.5,
    *,
    zone: ZoneInfo = BERLIN,
    rest: bool = False,
    paid_off: float = 0,
    total: float | None = None,
    **kinds: float | None,
) -> TimesheetDay:
    """A day; what ends before it begins ends on the next one."""
    begin = None if first is None else datetime.combine(day, time.fromisoformat(first), zone)
    end = None if last is None else datetime.combine(day, time.fromisoformat(last), zone)
    if begin is not None and end is not None and end < begin:
        end += timedelta(days=1)
    parts: dict[str, Any] = {
        kind: None if length is None else PayrollPart(time=hours(length))
        for kind, length in {"regular": worked, **kinds}.items()
    }
    return TimesheetDay(
        date=day,
        first_in=begin and begin.time(),
        last_out=end and end.time(),
        first_in_timestamp=begin and begin.astimezone(UTC),
        last_out_timestamp=end and end.astimezone(UTC),
        tracked_hours=TrackedHours(worked=hours(worked), total_break_time=hours(0.5)),
        payroll_hours=PayrollHours(total=hours(worked if total is None else total), **parts),
        time_off=DayTimeOff(is_rest_day=rest, paid_time_off=hours(paid_off)),
    )


def sheet(
    person: str = "ann",
    *days: TimesheetDay,
    name: str | None = None,
    zone: str | None = "Europe/Berlin",
    **more: Any,
) -> Timesheet:
    shown = TimesheetPerson(id=person, full_name=name or person.title(), time_zone=zone, **more)
    return Timesheet(person_id=person, daily=list(days), person=shown)


def person(ident: str = "ann", **more: Any) -> Person:
    return Person(id=ident, full_name=ident.title(), schedule_id="early", **more)


def schedule(start: str | None = "08:00", end: str | None = "17:00", **more: Any) -> Schedule:
    planned = [
        DaySchedule(
            day=day,
            start=start and time.fromisoformat(start),
            end=end and time.fromisoformat(end),
        )
        for day in WEEKDAYS
    ]
    options = {"id": "early", "work_arrangement": WorkArrangement.FIXED, **more}
    return Schedule(day_schedules=planned, **options)


def time_off(first: date = DAY, last: date | None = None, **more: Any) -> TimeOff:
    options = {"id": "off", "person_id": "ann", "status": "Approved", "kind": "FullDay", **more}
    return TimeOff(start_date=first, end_date=last or first, **options)


OVERTIME = Overtime(daily_overtime_multiplier=1.5, rest_day_overtime_multiplier=1.1)
