"""What is odd, who can mend it, and what is nothing odd."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from jibble_async import Group, Person, TimeEntry, work_sessions
from jibble_async.payroll import Clockings, Oddity, OddityKind, Workplace, payroll
from tests.payroll.rows import DAY, day_of, person, sheet, time_off


def entry(kind: str | None, hour: float, *, day: Any = DAY, **more: Any) -> TimeEntry:
    time = datetime(2026, 7, 6, tzinfo=UTC) + timedelta(hours=hour)
    options = {"id": f"{kind} {hour}", "person_id": "ann", "belongs_to_date": day, **more}
    return TimeEntry(type=kind, time=time, local_time=time, **options)


def odd(*entries: TimeEntry, sheets: Any = None, until: Any = DAY, **options: Any) -> list[Oddity]:
    made = payroll(
        DAY,
        until,
        [sheet("ann")] if sheets is None else sheets,
        clockings=Clockings.of(entries, DAY, until),
        **options,
    )
    return list(made.oddities)


def kinds(*entries: TimeEntry, **options: Any) -> list[tuple[OddityKind, str]]:
    return [(each.kind, each.what.partition(":")[0]) for each in odd(*entries, **options)]


def test_what_is_paired_is_nothing_odd() -> None:
    assert odd(entry("In", 8), entry("StartBreak", 12), entry("In", 13), entry("Out", 17)) == []


def test_an_open_shift_is_one_that_nobody_can_be_in_any_more() -> None:
    begun = entry("In", 8)
    assert kinds(begun) == [(OddityKind.OPEN_SHIFT, "In that nothing ended")]
    assert kinds(entry("StartBreak", 8, id="b"), entry("In", 7)) == [
        (OddityKind.OPEN_SHIFT, "break that nothing ended")
    ]
    for hours, kind in ((11.9, OddityKind.AT_WORK), (12, OddityKind.OPEN_SHIFT)):
        now = datetime(2026, 7, 6, 8, tzinfo=UTC) + timedelta(hours=hours)
        assert [each.kind for each in odd(begun, now=now)] == [kind]


def test_what_has_no_beginning_and_what_can_not_be_read() -> None:
    assert kinds(entry("Out", 8)) == [(OddityKind.NOT_PAIRED, "Out without an In before it")]
    assert kinds(entry("StartBreak", 8)) == [
        (OddityKind.NOT_PAIRED, "break without an In before it")
    ]
    assert [kind for kind, _ in kinds(entry(None, 8))] == [OddityKind.UNREADABLE]
    assert [kind for kind, _ in kinds(entry("Dance", 8))] == [OddityKind.UNREADABLE]
    assert odd(entry("In", 8, status="Archived")) == []


def test_a_night_that_ends_on_the_next_working_day_is_paired_and_counted_once() -> None:
    tomorrow = DAY + timedelta(days=1)
    night = [entry("In", 22, location_id="here"), entry("Out", 30, day=tomorrow)]
    first, second = (Clockings.of(night, day, day) for day in (DAY, tomorrow))
    assert (first.leftovers, second.leftovers) == ([], [])
    assert (first.hours_at, second.hours_at) == ({("ann", "here"): timedelta(hours=8)}, {})
    # Without the day before, the Out would be odd.
    assert Clockings.of(night[1:], tomorrow, tomorrow).leftovers != []
    # What belongs to no day of the span is another span's.
    assert Clockings.of([entry("In", 8)], tomorrow, tomorrow).leftovers == []


def test_hours_that_nobody_clocked() -> None:
    def of_day(**options: Any) -> list[OddityKind]:
        return [each.kind for each in odd(sheets=[sheet("ann", day_of(**options))])]

    assert of_day() == []
    assert of_day(first=None, last=None, worked=8) == [OddityKind.NO_CLOCKING]
    assert of_day(first=None, last=None, worked=0) == []
    assert of_day(first=None, last=None, worked=0, paid_off=8) == []
    assert of_day(first=None, last="17:00", worked=8) == []


def test_totals_that_are_no_sum_are_told() -> None:
    (each,) = odd(sheets=[sheet("ann", day_of(worked=8, total=9))])
    assert each.kind is OddityKind.OTHER_HOURS
    assert odd(sheets=[sheet("ann", day_of(worked=8, total=8 + 0.9 / 3600))]) == []


def test_pending_time_off_that_touches_the_span() -> None:
    before, after = DAY - timedelta(days=1), DAY + timedelta(days=1)
    for first, last, number in (
        (before, before, 0),
        (after, after, 0),
        (before, after, 1),
        (DAY, DAY, 1),
    ):
        asked = time_off(first, last, status="Pending")
        found = odd(time_off=[asked])
        assert len(found) == number
        if found:
            assert found[0].what.endswith(": approve it or reject it")
            assert (found[0].kind, found[0].day) == (OddityKind.PENDING, DAY)
    assert odd(time_off=[time_off(status="Approved"), time_off(status="Rejected")]) == []


BOSS, CHIEF = person("boss", role="Admin"), person("chief", role="Owner")


def link(unit: str, manager: str) -> dict[str, str]:
    return {"unitId": unit, "managerId": manager}


def decoded(kind: Any, **fields: Any) -> Any:
    return msgspec.convert(fields, kind)


def who(*people: Person, groups: Any = (), pending: bool = False) -> tuple[str, ...]:
    place = Workplace(people=people, groups=groups)
    if pending:
        (each,) = odd(time_off=[time_off(status="Pending")], place=place)
    else:
        (each,) = odd(entry("In", 8), place=place)
    return each.who


def test_who_can_mend_it() -> None:
    ann = {"id": "ann", "fullName": "Ann", "groupId": "g"}
    mia, tom = person("mia"), person("tom")
    group = {"id": "g", "managers": [link("g", "tom")]}
    own = decoded(Person, **ann, managers=[link("ann", "mia")])
    alone = decoded(Person, **ann)
    some = decoded(Group, **group)
    assert who(own, mia, tom, BOSS, groups=[some]) == ("Mia",)
    assert who(alone, mia, tom, BOSS, groups=[some]) == ("Tom",)
    assert who(alone, BOSS, CHIEF, mia) == ("Chief", "Boss")
    # Nobody mends their own hours, and nobody who has left.
    herself = decoded(Group, id="g", managers=[link("g", "ann")])
    assert who(alone, BOSS, groups=[herself]) == ("Boss",)
    gone = person("tom", status="Removed")
    assert who(alone, gone, BOSS, groups=[some]) == ("Boss",)
    approver = decoded(Group, **group, firstApprovers=[{"groupId": "g", "approverId": "mia"}])
    assert who(alone, mia, tom, groups=[approver], pending=True) == ("Mia",)
    assert who(alone, mia, tom, groups=[approver]) == ("Tom",)
    assert who(alone, mia, tom, groups=[some], pending=True) == ("Tom",)


def test_who_is_odd_without_a_timesheet_has_a_name_all_the_same() -> None:
    made = payroll(
        DAY,
        DAY,
        [],
        place=Workplace(people=[person("ann")]),
        clockings=Clockings.of([entry("In", 8), entry("In", 8, id="x", person_id="bob")], DAY, DAY),
    )
    assert sorted(each.name for each in made.payees.values()) == ["Ann", "bob"]
    assert made.lines == []


@pytest.mark.parametrize("number", [1, 3])
def test_windows_say_what_the_whole_says(number: int) -> None:
    days = [DAY + timedelta(days=place) for place in range(6)]
    entries = [
        entry(kind, 24 * place + hour, day=day, location_id="here", id=f"{place} {hour}")
        for place, day in enumerate(days)
        for kind, hour in (("In", 20), ("StartBreak", 23), ("In", 24))
    ]
    entries += [
        entry("Out", 24 * place + 29, day=day + timedelta(days=1), id=f"{place} out")
        for place, day in enumerate(days)
        if place != 3
    ]
    whole, parts = Clockings.of(entries, days[0], days[-1]), Clockings()
    for place in range(0, 6, number):
        first, last = days[place], days[place + number - 1]
        near = [
            each
            for each in entries
            if first - timedelta(days=1) <= each.belongs_to_date <= last + timedelta(days=1)
        ]
        parts.add(work_sessions(near), first, last)
    assert whole.hours_at == parts.hours_at
    assert [each.entry.id for each in whole.leftovers] == [
        each.entry.id for each in parts.leftovers
    ]
    assert len(whole.leftovers) == 1
