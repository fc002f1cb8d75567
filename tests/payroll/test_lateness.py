"""Who is late, leaves early or is absent: each test falls when a rule is another."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from jibble_async import Calendar, CalendarDay, Group, TimesheetDay, WorkArrangement
from jibble_async.entities import DayOfWeek
from jibble_async.payroll import Deviation, Workplace, payroll
from tests.payroll.rows import BERLIN, DAY, day_of, person, schedule, sheet, time_off


def found(
    *days: TimesheetDay,
    until: date = DAY,
    plan: Any = None,
    zone: str | None = "Europe/Berlin",
    off: Any = (),
    grace: int = 0,
    now: datetime | None = None,
    who: Any = None,
    **place: Any,
) -> list[Deviation]:
    made = payroll(
        DAY,
        until,
        [sheet("ann", *days, zone=zone)],
        place=Workplace(people=[who or person()], schedules=[plan or schedule()], **place),
        time_off=off,
        grace=timedelta(minutes=grace),
        now=now,
    )
    return list(made.deviations)


def told(*days: TimesheetDay, **options: Any) -> list[tuple[int | None, int | None, bool]]:
    minutes = timedelta(minutes=1)
    return [
        (
            None if each.late is None else each.late // minutes,
            None if each.early is None else each.early // minutes,
            each.is_absent,
        )
        for each in found(*days, **options)
    ]


@pytest.mark.parametrize(
    ("first", "last", "grace", "expected"),
    [
        ("08:00", "17:00", 0, []),
        ("07:00", "18:30", 0, []),
        # A clock that shows 8:00 is not late, and one that shows 16:59 is early.
        ("08:00:59", "17:00", 0, []),
        ("08:01", "17:00", 0, [(1, None, False)]),
        ("08:00", "16:59:59", 0, [(None, 1, False)]),
        ("08:05", "16:55", 5, []),
        # The grace excuses, and takes nothing off.
        ("08:06", "16:54", 5, [(6, 6, False)]),
        ("09:00", None, 0, [(60, None, False)]),
        ("08:00", None, 0, []),
    ],
)
def test_by_the_clock(first: str, last: str | None, grace: int, expected: list[Any]) -> None:
    assert told(day_of(DAY, first, last), grace=grace) == expected


def test_a_planned_day_without_a_punch() -> None:
    assert told() == [(None, None, True)]
    nothing = day_of(DAY, None, None, 0)
    assert told(nothing) == [(None, None, True)]
    # Hours that somebody entered are no absence.
    assert told(day_of(DAY, None, None, 8)) == []
    # Of Monday to Sunday five days are planned.
    assert len(told(until=DAY + timedelta(days=6))) == 5


def test_a_night_is_judged_over_midnight() -> None:
    night = schedule("22:00", "06:00")
    assert told(day_of(DAY, "22:10", "05:30"), plan=night) == [(10, 30, False)]
    late = day_of(DAY + timedelta(days=1), "00:20", "06:00")
    # It belongs to the day before, whatever the date of the punch.
    assert told(replace(late, date=DAY), plan=night) == [(140, None, False)]


def test_without_a_zone_the_times_of_day_are_compared() -> None:
    night = schedule("22:00", "06:00")
    punched = day_of(DAY, "22:10", "05:30")
    assert told(punched, plan=night, zone=None) == [(10, 30, False)]
    assert told(punched, plan=night, zone="No/Where") == [(10, 30, False)]
    over = replace(punched, first_in=day_of(DAY, "00:20").first_in)
    assert told(over, plan=night, zone=None) == [(140, 30, False)]


def test_over_a_change_of_the_clocks_what_really_passed_counts() -> None:
    # On 29 March 2026 at 2:00 the clocks in Berlin went to 3:00.
    day = date(2026, 3, 28)
    night = schedule("22:00", "06:00")
    planned = (night.day_schedules or [])[0]
    made = payroll(
        day,
        day,
        [
            sheet(
                "ann",
                TimesheetDay(
                    date=day,
                    first_in_timestamp=datetime(2026, 3, 29, 3, 30, tzinfo=BERLIN).astimezone(UTC),
                    first_in=datetime(2026, 3, 29, 3, 30).time(),  # noqa: DTZ001
                ),
            )
        ],
        place=Workplace(
            people=[person()],
            schedules=[replace(night, day_schedules=[replace(planned, day=DayOfWeek.SATURDAY)])],
        ),
    )
    assert [each.late for each in made.deviations] == [timedelta(hours=4, minutes=30)]


def test_punches_are_shown_on_the_clock_of_the_shift() -> None:
    plan = schedule("08:00", "17:00")
    punched = day_of(DAY, "08:30", "17:00", zone=ZoneInfo("America/Sao_Paulo"))
    (each,) = found(punched, plan=plan, zone="America/Sao_Paulo")
    assert each.first_in is not None
    assert each.begins is not None
    assert (each.first_in.hour, each.begins.hour) == (8, 8)
    assert each.late == timedelta(minutes=30)


def test_rest_days_holidays_and_days_off_expect_nobody() -> None:
    assert told(day_of(DAY, None, None, 0, rest=True)) == []
    own = {"calendars": [Calendar(id="c", default=True)]}
    holiday = CalendarDay(id="h", calendar_id="c", date=DAY)
    assert told(calendar_days=[holiday], **own) == []
    elsewhere = CalendarDay(id="h", calendar_id="other", date=DAY)
    assert told(calendar_days=[elsewhere], **own) == [(None, None, True)]
    group = Group(id="g", calendar_id="other")
    who = person(group_id="g")
    assert told(calendar_days=[elsewhere], groups=[group], who=who, **own) == []
    assert told(off=[time_off()]) == []
    assert told(off=[time_off(DAY - timedelta(days=3), DAY + timedelta(days=3))]) == []
    assert told(off=[time_off(person_id="bob")]) == [(None, None, True)]
    assert told(off=[time_off(status="Rejected")]) == [(None, None, True)]


def test_a_short_day_has_a_beginning_and_no_known_end() -> None:
    short = CalendarDay(id="h", calendar_id="c", date=DAY, is_short_day=True)
    options = {"calendars": [Calendar(id="c", default=True)], "calendar_days": [short]}
    assert told(day_of(DAY, "08:30", "12:00"), **options) == [(30, None, False)]


def moment(clock: str) -> datetime:
    return datetime.fromisoformat(f"{DAY}T{clock}").replace(tzinfo=BERLIN).astimezone(UTC)


def hours_off(first: str, last: str) -> Any:
    return time_off(kind="Hours", start_time=moment(first), end_time=moment(last))


@pytest.mark.parametrize(
    ("off", "first", "last", "expected"),
    [
        (("08:00", "12:30"), "12:30", "17:00", []),
        (("08:00", "12:30"), "12:40", "17:00", [(10, None, False)]),
        (("07:00", "12:30"), "12:40", "17:00", [(10, None, False)]),
        (("12:30", "17:00"), "08:00", "12:20", [(None, 10, False)]),
        (("12:30", "19:00"), "08:00", "12:30", []),
        # In the middle it moves nothing.
        (("10:00", "12:00"), "08:10", "16:50", [(10, 10, False)]),
        (("07:00", "18:00"), None, None, []),
        (("08:00", "12:30"), None, None, [(None, None, True)]),
    ],
)
def test_hours_off_move_a_shift(
    off: tuple[str, str], first: str | None, last: str | None, expected: list[Any]
) -> None:
    punched = day_of(DAY, first, last, 4 if first else 0)
    assert told(punched, off=[hours_off(*off)]) == expected


def test_two_halves_off_leave_nothing() -> None:
    halves = [hours_off("08:00", "12:30"), hours_off("12:30", "17:00")]
    assert told(off=halves) == []


def test_of_half_a_day_it_is_not_known_which() -> None:
    half = time_off(duration=0.5)
    assert told(day_of(DAY, "12:30", "17:00", 4), off=[half]) == []
    assert told(off=[half]) == [(None, None, True)]
    # One program saw one of the dates missing.
    for missing in ("start_date", "end_date"):
        one_date = replace(half, **{missing: None})
        assert told(day_of(DAY, "12:30", "17:00", 4), off=[one_date]) == []


def test_pending_time_off_excuses_nobody_and_is_told() -> None:
    (each,) = found(off=[time_off(status="Pending")])
    assert (each.is_absent, each.is_pending) == (True, True)


def test_flexible_hours_have_days_and_no_beginning() -> None:
    flexible = schedule(work_arrangement=WorkArrangement.FLEXIBLE)
    assert told(day_of(DAY, "11:00", "12:00"), plan=flexible) == []
    assert told(plan=flexible) == [(None, None, True)]
    assert told(plan=schedule(work_arrangement=WorkArrangement.WEEKLY)) == []
    assert told(day_of(DAY, "11:00", "12:00"), plan=schedule(None, None)) == []


def test_nobody_is_expected_before_the_first_day_of_work_or_after_the_last() -> None:
    tomorrow = DAY + timedelta(days=1)
    assert told(who=person(work_start_date=tomorrow)) == []
    assert told(who=person(work_start_date=DAY)) == [(None, None, True)]
    left = datetime(2026, 7, 6, 9, tzinfo=UTC)
    assert told(who=person(removed_at=left)) == []
    assert told(who=person(removed_at=left + timedelta(days=1))) == [(None, None, True)]


def test_without_a_schedule_of_their_own_people_have_the_default_one() -> None:
    who = replace(person(), schedule_id=None)
    assert told(who=who) == []
    assert told(who=who, plan=schedule(default=True)) == [(None, None, True)]


@pytest.mark.parametrize(("clock", "absent"), [("16:59", False), ("17:00", True)])
def test_a_shift_that_is_not_over_is_no_absence(clock: str, absent: bool) -> None:
    assert bool(told(now=moment(clock))) is absent


def test_the_end_of_the_day_is_the_end_where_no_end_is_known() -> None:
    flexible = schedule(work_arrangement=WorkArrangement.FLEXIBLE)
    midnight = datetime(2026, 7, 7, tzinfo=BERLIN)
    assert told(plan=flexible, now=midnight - timedelta(minutes=1)) == []
    assert told(plan=flexible, now=midnight) == [(None, None, True)]
