"""Who is expected to work when: schedules, holidays, rest days and granted time off together."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from jibble_async.entities import (
    Calendar,
    CalendarDay,
    DaySchedule,
    Group,
    Person,
    Schedule,
    WorkArrangement,
)
from jibble_async.payroll.absences import Absences, DayOff
from jibble_async.payroll.periods import WEEKDAYS

__all__ = ["Planner", "Shift", "zone_of"]

_DAY = timedelta(days=1)


class Shift(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A time at which a person is expected to work.

    Attributes:
        begins: When, on the person's clock; None if any time will do, or if it is not known.
        ends: The same of the end, which in a night shift lies on the next day.
    """

    day: date
    begins: datetime | None
    ends: datetime | None


class Planner:
    """Tells for each person and day whether work is expected, and when.

    A person without a schedule has the default one (observed: calendars), one without a calendar
    that of the group, or the default one. Not expected is whoever has the whole day off, on a
    holiday, on a day that the schedule does not have, before the first day of work and after the
    last. Hours that are off at the beginning or at the end of a shift move it. Where it is not
    known when a shift begins or ends (half a day off, of which it is not said which half; the end
    of a short day), nothing is expected of that end.

    Args:
        people: The people.
        groups: Their groups.
        schedules: The schedules.
        calendars: The calendars of holidays.
        calendar_days: Their days.
        absences: Who has time off.
    """

    def __init__(
        self,
        people: Iterable[Person],
        groups: Iterable[Group],
        schedules: Iterable[Schedule],
        calendars: Iterable[Calendar],
        calendar_days: Iterable[CalendarDay],
        absences: Absences,
    ) -> None:
        self._people = {person.id: person for person in people}
        self._groups = {group.id: group for group in groups}
        self._schedules = {schedule.id: schedule for schedule in schedules}
        self._default = next((each for each in self._schedules.values() if each.default), None)
        self._calendar = next((each.id for each in calendars if each.default), None)
        self._holidays = {
            (day.calendar_id, day.date): bool(day.is_short_day) for day in calendar_days
        }
        self._absences = absences

    def schedule(self, person_id: str) -> Schedule | None:
        """The schedule that holds for a person; None if there is none."""
        person = self._people.get(person_id)
        if person is None:
            return None
        return self._schedules.get(person.schedule_id or "", self._default)

    def shift(self, person_id: str, day: date, zone: str | None) -> Shift | None:
        """What is expected of a person on a day; None for nothing.

        Args:
            person_id: Who.
            day: The working day.
            zone: The IANA name of the zone that the person lives in, if it is known.
        """
        person = self._people.get(person_id)
        planned = self._planned(person_id, day)
        if person is None or planned is None or not _employed(person, day):
            return None
        holiday = self._holidays.get((self._calendar_of(person), day))
        if holiday is False:
            return None
        begins, ends = _bounds(day, planned, zone_of(zone))
        if holiday:
            ends = None
        for off in self._absences.granted(person_id, day):
            left = _without(off, begins, ends)
            if left is None:
                return None
            begins, ends = left
        return Shift(day=day, begins=begins, ends=ends)

    def _planned(self, person_id: str, day: date) -> DaySchedule | None:
        """What the schedule has for a weekday. One of hours a week has no days."""
        schedule = self.schedule(person_id)
        if schedule is None or schedule.work_arrangement == WorkArrangement.WEEKLY:
            return None
        name = WEEKDAYS[day.weekday()]
        found = next((each for each in schedule.day_schedules or () if each.day == name), None)
        if found is not None and schedule.work_arrangement == WorkArrangement.FLEXIBLE:
            return msgspec.structs.replace(found, start=None, end=None)
        return found

    def _calendar_of(self, person: Person) -> str | None:
        group = self._groups.get(person.group_id or "")
        return person.calendar_id or (group and group.calendar_id) or self._calendar


def zone_of(name: str | None) -> ZoneInfo | None:
    """The zone of this name; None if there is none."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _employed(person: Person, day: date) -> bool:
    if person.work_start_date is not None and day < person.work_start_date:
        return False
    # On the day itself nobody knows whether they still worked.
    return person.removed_at is None or day < person.removed_at.date()


def _bounds(
    day: date, planned: DaySchedule, zone: tzinfo | None
) -> tuple[datetime | None, datetime | None]:
    if planned.start is None or planned.end is None:
        return None, None
    begins = datetime.combine(day, planned.start, zone)
    ends = datetime.combine(day if planned.end > planned.start else day + _DAY, planned.end, zone)
    return begins, ends


def _without(
    off: DayOff, begins: datetime | None, ends: datetime | None
) -> tuple[datetime | None, datetime | None] | None:
    """The bounds of a shift without what somebody has off of it; None if nothing is left."""
    if off.whole:
        return None
    bound = begins or ends
    if bound is None or bound.tzinfo is None or off.begins is None or off.ends is None:
        return None, None
    zone = bound.tzinfo
    first, last = off.begins.astimezone(zone), off.ends.astimezone(zone)
    if begins is not None and first <= begins < last:
        begins = last
    if ends is not None and first < ends <= last:
        ends = first
    if begins is not None and ends is not None and begins >= ends:
        return None
    return begins, ends
