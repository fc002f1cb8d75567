"""Who came late, left early or did not come, against what was planned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

import msgspec

from jibble_async.payroll.absences import Absences
from jibble_async.payroll.hours import NOTHING
from jibble_async.payroll.lines import Payee, PayrollDay
from jibble_async.payroll.shifts import Planner, Shift, zone_of

__all__ = ["Deviation", "deviations"]

_DAY = timedelta(days=1)
# What is still a shift that was come to late, and what another one that was begun early.
_HALF_A_DAY = timedelta(hours=12)


class Deviation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A day on which somebody was not at work as planned.

    Attributes:
        begins: When the shift began, on the person's clock.
        ends: When it ended.
        first_in: When the person first clocked in, on the same clock.
        last_out: When the person last clocked out.
        late: How much later than the shift the person began, in whole minutes; None if not late.
        early: How much before its end the person left; None if not early.
        is_absent: Whether there is neither a punch nor any hours.
        is_pending: Whether time off was asked for that day and nobody has decided.
    """

    person_id: str
    day: date
    begins: datetime | None
    ends: datetime | None
    first_in: datetime | None = None
    last_out: datetime | None = None
    late: timedelta | None = None
    early: timedelta | None = None
    is_absent: bool = False
    is_pending: bool = False


def deviations(
    payee: Payee,
    since: date,
    until: date,
    days: Mapping[date, PayrollDay],
    planner: Planner,
    absences: Absences,
    *,
    grace: timedelta = NOTHING,
    now: datetime | None = None,
) -> Iterator[Deviation]:
    """The days on which a person was late, left early or was not there.

    Clocks are read as people read them: by the minute, so that 8:00:59 is still 8:00. Who is later
    than the grace is late by all of it. A shift that isn't over is not judged for what may still
    come.

    Args:
        payee: Who.
        since: The first day.
        until: The last day, included.
        days: The person's days.
        planner: What is planned.
        absences: Who has asked for time off.
        grace: How late or early is no matter.
        now: The present moment; None for later than all of it.
    """
    for place in range((until - since).days + 1):
        day = since + place * _DAY
        done = days.get(day) or PayrollDay(person_id=payee.id, day=day)
        if done.is_rest_day:
            continue
        shift = planner.shift(payee.id, day, payee.zone)
        if shift is None:
            continue
        found = _compared(payee, shift, done, grace, now)
        if found is not None:
            pending = absences.is_pending(payee.id, day)
            yield msgspec.structs.replace(found, is_pending=pending)


def _compared(
    payee: Payee, shift: Shift, done: PayrollDay, grace: timedelta, now: datetime | None
) -> Deviation | None:
    first = _on_the_clock(done.first_moment, done, payee, shift, is_first=True)
    last = _on_the_clock(done.last_moment, done, payee, shift, is_first=False)
    found = Deviation(
        person_id=payee.id,
        day=shift.day,
        begins=shift.begins,
        ends=shift.ends,
        first_in=first,
        last_out=last,
    )
    if first is None:
        nothing = not done.worked and not done.hours.worked and last is None
        over = now is None or _is_over(shift, payee, now)
        return msgspec.structs.replace(found, is_absent=True) if nothing and over else None
    late = _beyond(shift.begins, first, grace)
    early = _beyond(last, shift.ends, grace)
    if late is None and early is None:
        return None
    return msgspec.structs.replace(found, late=late, early=early)


def _beyond(before: datetime | None, after: datetime | None, grace: timedelta) -> timedelta | None:
    """By how much one moment is after another, if by more than the grace."""
    if before is None or after is None:
        return None
    length = _length(_by_the_minute(before), _by_the_minute(after))
    return length if length > max(grace, NOTHING) else None


def _on_the_clock(
    moment: datetime | None, done: PayrollDay, payee: Payee, shift: Shift, *, is_first: bool
) -> datetime | None:
    """A punch on the clock that the shift is planned by."""
    clock = done.first_in if is_first else done.last_out
    zone = zone_of(payee.zone)
    if moment is not None and moment.tzinfo is not None and zone is not None:
        return moment.astimezone(zone)
    if clock is None:
        return None
    # Without a zone there is the time of day alone: the day is the one that is nearest.
    near = shift.begins if is_first else shift.ends
    on_the_day = datetime.combine(done.day, clock, zone)
    if near is not None:
        for moved in (on_the_day - _DAY, on_the_day + _DAY):
            if abs(moved - near) < min(abs(on_the_day - near), _HALF_A_DAY):
                return moved
    return on_the_day


def _by_the_minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _length(begin: datetime, end: datetime) -> timedelta:
    """What lies between; over a change of the clocks, what really passed."""
    if begin.tzinfo is None or end.tzinfo is None:
        return end.replace(tzinfo=None) - begin.replace(tzinfo=None)
    return end.astimezone(UTC) - begin.astimezone(UTC)


def _is_over(shift: Shift, payee: Payee, now: datetime) -> bool:
    end = shift.ends
    if end is None:
        end = datetime.combine(shift.day + _DAY, datetime.min.time(), zone_of(payee.zone))
    return (end if end.tzinfo else end.replace(tzinfo=UTC)) <= now
