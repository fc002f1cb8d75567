from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import count, pairwise, permutations
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jibble_async import EntryStatus, EntryType, LeftoverReason, TimeEntry, work_sessions
from jibble_async.sandbox import Sandbox
from jibble_async.sandbox.timesheets import Attendance
from tests.support.chaos import examples

MONDAY = date(2026, 7, 6)
BERLIN = ZoneInfo("Europe/Berlin")
# The clock shows it again an hour later.
TWICE = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN)
_NUMBERS = count()


def punch(kind: str, clock: str, day: int = 0, *, of_day: int | None = None, **more: Any) -> Any:
    """An entry at a time of Monday or of a later day, belonging to that day unless told."""
    midnight = datetime(MONDAY.year, MONDAY.month, MONDAY.day + day, tzinfo=UTC)
    hours, minutes = clock.split(":")
    values: dict[str, Any] = {
        "id": f"id-{next(_NUMBERS):06}",
        "type": EntryType(kind),
        "status": EntryStatus.ACTIVE,
        "time": midnight + timedelta(hours=int(hours), minutes=int(minutes)),
        "person_id": "ann",
        "belongs_to_date": MONDAY + timedelta(days=day if of_day is None else of_day),
    }
    return TimeEntry(**{**values, **more})


def told(*entries: TimeEntry, **options: Any) -> tuple[list[str], list[str], list[str]]:
    """Work, breaks and leftovers, in words."""
    found = work_sessions(entries, **options)
    work, breaks = (
        [f"{each.day:%a} {each.start:%H:%M}-{each.end:%H:%M}" for each in stretches]
        for stretches in (found.work, found.breaks)
    )
    return work, breaks, [f"{each.entry.type} {each.reason}" for each in found.leftovers]


def test_a_day_with_a_break() -> None:
    entries = (
        punch("In", "8:00"),
        punch("StartBreak", "12:00"),
        punch("In", "12:30"),
        punch("Out", "17:00"),
    )
    assert told(*entries) == (["Mon 08:00-12:00", "Mon 12:30-17:00"], ["Mon 12:00-12:30"], [])
    assert work_sessions(entries).worked == timedelta(hours=8, minutes=30)


def test_an_in_at_work_is_a_change_of_work() -> None:
    found = work_sessions(
        [
            punch("In", "8:00", activity_id="paint", project_id="ship", location_id="yard"),
            punch("In", "10:00", activity_id="sand"),
            punch("Out", "11:00", activity_id="never asked"),
        ]
    )
    assert found.by_activity() == {"paint": timedelta(hours=2), "sand": timedelta(hours=1)}
    assert found.by_project() == {"ship": timedelta(hours=2), None: timedelta(hours=1)}
    assert [each.location_id for each in found.work] == ["yard", None]
    assert found.leftovers == []


def test_a_forgotten_out_costs_its_own_day_only() -> None:
    assert told(
        punch("In", "8:00"), punch("In", "8:00", 1), punch("Out", "9:00", 1)
    ) == (["Tue 08:00-09:00"], [], ["In no end"])  # fmt: skip


def test_a_forgotten_in() -> None:
    work, _, left = told(punch("StartBreak", "12:00"), punch("In", "13:00"), punch("Out", "14:00"))
    assert (work, left) == (["Mon 13:00-14:00"], ["StartBreak no beginning"])
    work, _, left = told(punch("In", "8:00"), punch("Out", "9:00"), punch("Out", "10:00"))
    assert (work, left) == (["Mon 08:00-09:00"], ["Out no beginning"])


def test_a_break_that_nobody_came_back_from() -> None:
    assert told(
        punch("In", "8:00"), punch("StartBreak", "9:00"), punch("In", "8:00", 1)
    ) == (["Mon 08:00-09:00"], [], ["StartBreak no end", "In no end"])  # fmt: skip


def test_a_night_belongs_to_the_day_it_began() -> None:
    assert told(punch("In", "22:00"), punch("Out", "6:00", 1, of_day=0))[0] == ["Mon 22:00-06:00"]


def test_a_night_split_at_midnight_is_paired_as_far_as_it_may_be() -> None:
    night = (punch("In", "22:00"), punch("Out", "6:00", 1))
    assert told(*night) == (["Mon 22:00-06:00"], [], [])
    assert told(*night, longest=timedelta(hours=7))[2] == ["In no end", "Out no beginning"]
    assert told(*night, longest=timedelta(hours=8))[0] == ["Mon 22:00-06:00"]
    # Forgotten twice: out on Monday, in on Tuesday.
    forgotten = (punch("In", "8:00"), punch("Out", "17:00", 1))
    assert told(*forgotten) == ([], [], ["In no end", "Out no beginning"])


@pytest.mark.parametrize(("out", "paired"), [("10:00", True), ("10:01", False)])
def test_half_a_day_is_the_longest_night(out: str, paired: bool) -> None:
    assert bool(told(punch("In", "22:00"), punch("Out", out, 1))[0]) is paired


@pytest.mark.parametrize("back", ["In", "StartBreak"])
def test_a_break_does_not_go_over_midnight(back: str) -> None:
    """Whether somebody came back, or had gone home, can't be told."""
    work, breaks, left = told(
        punch("In", "20:00"), punch("StartBreak", "23:00"), punch(back, "0:30", 1)
    )
    assert (work, breaks) == (["Mon 20:00-23:00"], [])
    assert left[0] == "StartBreak no end"


def test_an_in_of_another_day_begins_anew_however_close() -> None:
    assert told(
        punch("In", "20:00"), punch("In", "1:00", 1), punch("Out", "2:00", 1)
    ) == (["Tue 01:00-02:00"], [], ["In no end"])  # fmt: skip


def test_a_corrected_entry_counts_once() -> None:
    wrong = punch("Out", "18:00", status=EntryStatus.ARCHIVED)
    work, _, left = told(punch("In", "8:00"), wrong, punch("Out", "17:00"))
    assert (work, left) == (["Mon 08:00-17:00"], ["Out archived"])


def test_the_latest_version_of_an_entry_counts() -> None:
    old = punch("Out", "18:00", updated_at=datetime(2026, 7, 7, tzinfo=UTC))
    new = msgspec.structs.replace(
        old, time=old.time - timedelta(hours=1), updated_at=datetime(2026, 7, 8, tzinfo=UTC)
    )
    first = punch("In", "8:00")
    for entries in ((first, old, new), (new, first, old), (new, old, first, first)):
        work, _, left = told(*entries)
        assert work == ["Mon 08:00-17:00"]
        assert set(left) <= {"Out repeated", "In repeated"}
        assert len(left) == len(entries) - 2


def test_a_version_with_a_date_is_newer_than_one_without() -> None:
    first, old = punch("In", "8:00"), punch("Out", "18:00")
    new = msgspec.structs.replace(
        old, time=old.time - timedelta(hours=1), updated_at=datetime(1970, 1, 1, tzinfo=UTC)
    )
    for entries in permutations((first, old, new)):
        assert told(*entries) == (["Mon 08:00-17:00"], [], ["Out repeated"])


def test_of_versions_without_a_date_the_archived_one_counts() -> None:
    first, entry = punch("In", "8:00"), punch("Out", "17:00", status=None)
    deleted = msgspec.structs.replace(entry, status=EntryStatus.ARCHIVED)
    for entries in permutations((first, entry, deleted)):
        work, _, left = told(*entries)
        assert work == []
        assert sorted(left) == ["In no end", "Out archived", "Out repeated"]


@pytest.mark.parametrize(
    ("begin", "end", "hours"),
    [
        (datetime(2026, 10, 24, 22, tzinfo=BERLIN), datetime(2026, 10, 25, 6, tzinfo=BERLIN), 9),
        (datetime(2026, 3, 28, 22, tzinfo=BERLIN), datetime(2026, 3, 29, 6, tzinfo=BERLIN), 7),
        (TWICE, TWICE.replace(fold=1), 1),
    ],
)
def test_hours_are_those_that_passed_in_whatever_zone_times_are(
    begin: datetime, end: datetime, hours: int
) -> None:
    entries = (punch("In", "0:00", time=begin), punch("Out", "0:00", time=end))
    assert work_sessions(entries).worked == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["2026-07-06T12:00:00", "0001-01-01T00:00:00+02:00"])
def test_a_time_that_is_no_moment_is_listed(text: str) -> None:
    odd = punch("Out", "12:00", time=datetime.fromisoformat(text))
    found = told(punch("In", "8:00"), odd, punch("Out", "17:00"))
    assert found == (["Mon 08:00-17:00"], [], ["Out incomplete"])


def test_what_can_not_be_read_is_listed() -> None:
    entries = [
        punch("In", "8:00"),
        punch("Teleport", "9:00"),
        punch("Out", "10:00", person_id=None),
        punch("Out", "10:00", time=None),
        punch("Out", "10:00", belongs_to_date=None),
        punch("Out", "10:00", type=None),
        punch("Out", "11:00", status=None),
    ]
    work, _, left = told(*entries)
    assert work == ["Mon 08:00-11:00"]
    assert Counter(line.partition(" ")[2] for line in left) == {
        "incomplete": 4,
        "unknown type": 1,
    }


def test_at_one_moment_what_ends_comes_first() -> None:
    work, _, left = told(
        punch("In", "8:00"), punch("In", "12:00"), punch("Out", "12:00"), punch("Out", "13:00")
    )
    assert (work, left) == (["Mon 08:00-12:00", "Mon 12:00-13:00"], [])
    for again, expected in (
        ("In", (["Mon 08:00-12:00", "Mon 12:00-13:00"], ["Mon 12:00-12:00"], [])),
        ("Out", (["Mon 08:00-12:00"], [], ["StartBreak no beginning", "Out no beginning"])),
    ):
        rest = (punch(again, "12:00"), punch("StartBreak", "12:00"), punch("Out", "13:00"))
        assert told(punch("In", "8:00"), *rest) == expected


def test_equals_of_one_moment_have_an_order() -> None:
    twins = [punch("In", "8:00", project_id=name) for name in ("ship", "shed")]
    for entries in permutations((*twins, punch("Out", "9:00"))):
        assert work_sessions(entries).by_project()["shed"] == timedelta(hours=1)


def test_leftovers_are_in_the_order_of_people_and_time() -> None:
    copies = [punch("Out", "7:00", id="x", note=note) for note in ("a", "b", "c")]
    others = [punch("Out", "6:00", person_id="bob"), punch("Out", "9:00"), punch("Out", "8:00")]
    for entries in permutations((*copies, *others)):
        found = work_sessions(entries).leftovers
        entry_of = [each.entry for each in found]
        assert [each.note for each in entry_of] == ["c", "a", "b", None, None, None]
        assert [each.person_id for each in entry_of] == ["ann"] * 5 + ["bob"]
        assert [each.time and each.time.hour for each in entry_of] == [7, 7, 7, 8, 9, 6]
        assert [each.reason for each in found].count(LeftoverReason.REPEATED) == 2


def test_people_do_not_mix() -> None:
    found = work_sessions(
        [
            punch("In", "8:00"),
            punch("In", "9:00", person_id="bob"),
            punch("Out", "10:00"),
            punch("Out", "12:00", person_id="bob"),
        ]
    )
    assert found.by_person() == {"ann": timedelta(hours=2), "bob": timedelta(hours=3)}
    assert found.by_day() == {MONDAY: timedelta(hours=5)}


def test_days_are_in_their_order_whoever_comes_first() -> None:
    late = [punch("In", "8:00", 1), punch("Out", "9:00", 1)]
    early = [punch(kind, f"{hour}:00", person_id="bob") for kind, hour in (("In", 8), ("Out", 9))]
    assert [day.day for day in work_sessions(late + early).by_day()] == [6, 7]


@st.composite
def entry_lists(draw: st.DrawFn) -> list[TimeEntry]:
    days = st.integers(0, 2)
    entries: list[TimeEntry] = []
    for _ in range(draw(st.integers(0, 14))):
        day = draw(days)
        entry = punch(
            draw(st.sampled_from(["In", "In", "Out", "StartBreak", "Nap"])),
            f"{draw(st.integers(0, 23))}:{draw(st.sampled_from([0, 30]))}",
            day,
            of_day=max(0, day - draw(st.integers(0, 1))),
            id=f"id-{draw(st.integers(0, 40))}",
            person_id=draw(st.sampled_from(["ann", "bob", None])),
            project_id=draw(st.sampled_from(["ship", "shed", None])),
            activity_id=draw(st.sampled_from(["paint", None])),
            status=draw(st.sampled_from([EntryStatus.ACTIVE] * 5 + [EntryStatus.ARCHIVED, None])),
        )
        entries.append(entry)
    return entries


@examples(150)
@given(entry_lists(), st.randoms(use_true_random=False))
def test_the_order_of_the_entries_does_not_matter(
    entries: list[TimeEntry], shuffler: random.Random
) -> None:
    mixed = list(entries)
    shuffler.shuffle(mixed)
    assert work_sessions(mixed) == work_sessions(entries)


@examples(150)
@given(entry_lists())
def test_nothing_is_lost(entries: list[TimeEntry]) -> None:
    found = work_sessions(entries)
    stretches = [*found.work, *found.breaks]
    paired = [entry for each in stretches for entry in (each.opened_by, each.closed_by)]
    left = [each.entry for each in found.leftovers]
    # By identity, since equal copies are entries, too.
    assert {id(entry) for entry in entries} == {id(entry) for entry in (*paired, *left)}
    assert len({id(entry) for entry in left}) == len(left)
    # An entry begins one stretch at most, and ends one at most.
    for entry in ([each.opened_by for each in stretches], [each.closed_by for each in stretches]):
        assert len({each.id for each in entry}) == len(entry)
    for each in found.leftovers:
        in_stretch = any(each.entry is entry for entry in paired)
        assert not in_stretch or each.reason is LeftoverReason.NO_END


@examples(150)
@given(entry_lists())
def test_the_total_is_the_sum_of_its_parts(entries: list[TimeEntry]) -> None:
    found = work_sessions(entries)
    for parts in (found.by_person(), found.by_day(), found.by_project(), found.by_activity()):
        assert sum(parts.values(), timedelta()) == found.worked
    alone = [
        work_sessions([entry for entry in entries if entry.person_id == name])
        for name in ("ann", "bob")
    ]
    if len({entry.id for entry in entries}) == len(entries):
        assert sum((each.worked for each in alone), timedelta()) == found.worked
    for each in (*found.work, *found.breaks):
        assert each.duration >= timedelta(0)


@examples(150)
@given(entry_lists())
def test_nobody_is_at_two_places_at_once(entries: list[TimeEntry]) -> None:
    found = work_sessions(entries)
    spans = sorted((each.person_id, each.start, each.end) for each in (*found.work, *found.breaks))
    for (person, _, end), (other, start, _) in pairwise(spans):
        assert person != other or end <= start


@pytest.mark.parametrize("seed", [1, 7])
def test_hours_are_those_of_the_report_of_the_sandbox(seed: int) -> None:
    """Two programs that were written apart come to the same hours."""
    box = Sandbox(people=12, seed=seed, until=date(2026, 7, 31))
    rows = box.dataset.rows("TimeEntries")
    found = work_sessions(msgspec.convert(rows, list[TimeEntry]))
    theirs: defaultdict[tuple[str, str, str | None], timedelta] = defaultdict(timedelta)
    for each in Attendance(box.dataset).stretches():
        if each.at_work:
            theirs[each.person_id, each.day, each.project_id] += each.length
    ours = found.worked_by(lambda each: (each.person_id, each.day.isoformat(), each.project_id))
    assert ours.keys() == theirs.keys()
    # A seventh digit is rounded here and cut off there.
    assert max(abs(ours[key] - theirs[key]) for key in ours) < timedelta(milliseconds=1)
    assert {each.reason for each in found.leftovers} == {
        LeftoverReason.NO_END,
        LeftoverReason.ARCHIVED,
    }
