"""The lines of a payroll: who is paid, and what of each day and of each period."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta

import msgspec

from jibble_async.entities import Group, Person, Timesheet, TimesheetDay, TimesheetPerson
from jibble_async.payroll.hours import NOTHING, Hours, hours_of

__all__ = ["Payee", "PayrollDay", "PayrollLine", "PayrollSheet", "payee_of"]


class Payee(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Whom a line is about.

    Attributes:
        code: The personnel number: a text, whose zeros at its beginning count.
        group: The name of the group.
        zone: The IANA name of the zone that the person lives in.
    """

    id: str
    name: str
    code: str | None = None
    email: str | None = None
    group: str | None = None
    zone: str | None = None


class PayrollDay(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A day of a person on which something was, by the server's timesheet.

    Attributes:
        first_in: The first clocking in, on the person's clock.
        last_out: The last clocking out; None where there is none yet, or none at all.
        first_moment: The moment of `first_in`, if the server says it.
        last_moment: The moment of `last_out`, if the server says it.
        worked: What was clocked, without breaks.
        breaks: The breaks.
        hours: What is paid.
        is_rest_day: Whether the server takes it for a rest day.
        time_off: What kinds of time off it has.
    """

    person_id: str
    day: date
    first_in: time | None = None
    last_out: time | None = None
    first_moment: datetime | None = None
    last_moment: datetime | None = None
    worked: timedelta = NOTHING
    breaks: timedelta = NOTHING
    hours: Hours = Hours()
    is_rest_day: bool = False
    time_off: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was: no clocking, no hours and no time off."""
        return self.first_in is None and not self.worked and self.hours == Hours()


class PayrollLine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a person is paid for in a period.

    Attributes:
        since: The first day of the period, or of what was asked for of it.
        until: The last one.
        days: On how many days the person worked.
        worked: What was clocked, without breaks.
        breaks: The breaks.
        hours: What is paid.
    """

    person_id: str
    since: date
    until: date
    days: int
    worked: timedelta
    breaks: timedelta
    hours: Hours

    @classmethod
    def of(
        cls, person_id: str, since: date, until: date, days: Iterable[PayrollDay]
    ) -> PayrollLine:
        """A person's line.

        Args:
            person_id: The person's id.
            since: The first day.
            until: The last day, included.
            days: The person's days; those outside the period are left out.
        """
        within = [day for day in days if since <= day.day <= until]
        return cls(
            person_id=person_id,
            since=since,
            until=until,
            days=sum(1 for day in within if day.worked or day.hours.worked),
            worked=sum((day.worked for day in within), NOTHING),
            breaks=sum((day.breaks for day in within), NOTHING),
            hours=Hours.sum(day.hours for day in within),
        )


class PayrollSheet(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a payroll takes of a timesheet: a fraction of its size, where there are thousands.

    Attributes:
        person: The person as the sheet shows them.
        days: The days on which something was, and rest days.
    """

    person_id: str
    person: TimesheetPerson | None
    days: Sequence[PayrollDay]

    @classmethod
    def of(cls, sheet: Timesheet) -> PayrollSheet:
        """What a payroll takes of a timesheet; days without a date are left out."""
        person_id = sheet.person_id or ""
        days = [_day(person_id, day.date, day) for day in sheet.daily or () if day.date is not None]
        used = [day for day in days if day.is_rest_day or not day.is_empty]
        return cls(person_id=person_id, person=sheet.person, days=used)


def payee_of(
    sheet: PayrollSheet, person: Person | None = None, groups: Mapping[str, Group] | None = None
) -> Payee:
    """Whom a timesheet is of.

    Args:
        sheet: The timesheet.
        person: The same person's row, for what the sheet does not say.
        groups: The groups by id.
    """
    shown = sheet.person
    group = (groups or {}).get(person.group_id or "") if person else None
    return Payee(
        id=sheet.person_id,
        name=(shown and shown.full_name)
        or (person and person.full_name)
        or sheet.person_id
        or "(nobody)",
        code=(shown and shown.code) or (person and person.code) or None,
        email=(person and person.email) or None,
        group=(shown and shown.group_name) or (group and group.name) or None,
        zone=(shown and shown.time_zone) or (person and person.time_zone) or None,
    )


def _day(person_id: str, date: date, day: TimesheetDay) -> PayrollDay:
    tracked, off = day.tracked_hours, day.time_off
    return PayrollDay(
        person_id=person_id,
        day=date,
        first_in=day.first_in,
        last_out=day.last_out,
        first_moment=day.first_in_timestamp or day.first_in_offset,
        last_moment=day.last_out_timestamp or day.last_out_offset,
        worked=(tracked and tracked.worked) or NOTHING,
        breaks=(tracked and tracked.total_break_time) or NOTHING,
        hours=hours_of(day.payroll_hours, off),
        is_rest_day=bool(off and off.is_rest_day),
        time_off=tuple(kind.name or "(no name)" for kind in (off and off.types) or ()),
    )
