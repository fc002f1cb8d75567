"""Working days and local times, found from moments and zones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jibble_legacy import days
from jibble_legacy.days import DaySieve, WorkingDays
from jibble_legacy.entities import LegacyTimeEntry

import jibble_async
from jibble_async import ConfigurationError, EntryType, NotFoundError, TimeEntry
from jibble_async.query.clauses import Query, orderings
from tests.legacy.paging import LegacySet, ids
from tests.support.chaos import examples
from tests.support.virtual_time import run

T = jibble_async.fields(TimeEntry)
BERLIN = WorkingDays("Europe/Berlin")
MAY = date(2018, 5, 1)
SPAN = (MAY, date(2018, 5, 31))


def entries(*marks: str, person: str = "p") -> list[dict[str, Any]]:
    """Rows of marks such as `In 30 22:00`, a time of day in Berlin in April or May 2018."""
    rows: list[dict[str, Any]] = []
    for mark in marks:
        kind, day, clock = mark.split()
        month = 4 if int(day) >= 29 else 5
        local = datetime.fromisoformat(f"2018-{month:02}-{int(day):02}T{clock}:00")
        moment = local.replace(tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
        rows.append({"id": mark, "type": kind, "time": moment.isoformat(), "person": person})
    return rows


async def days_of(*marks: str, days: WorkingDays = BERLIN) -> list[int]:
    behind = LegacySet(entries(*marks))
    query = Query(LegacyTimeEntry, order_by=orderings(LegacyTimeEntry, [T.time]))
    found = await behind.pager(query=query, days=days).collect()
    return [entry.belongs_to_date.day for entry in found if entry.belongs_to_date is not None]


@pytest.mark.parametrize(
    ("marks", "days"),
    [
        (["In 2 08:00", "Out 2 17:00"], [2, 2]),
        (["In 2 22:00", "Out 3 06:00"], [2, 2]),
        (["In 2 22:00", "Out 3 10:00", "In 3 22:00"], [2, 2, 3]),
        (["In 2 22:00", "Out 3 10:01"], [2, 3]),
        (["In 2 22:00", "Out 3 02:00", "In 3 02:30", "Out 3 06:00"], [2, 2, 2, 2]),
        (["In 2 22:00", "Out 3 02:00", "In 3 04:01", "Out 3 06:00"], [2, 2, 3, 3]),
        (["In 2 22:00", "In 3 03:00", "Out 3 07:00"], [2, 2, 2]),
        (["In 2 20:00", "In 3 07:00", "Out 3 17:00"], [2, 3, 3]),
        (["In 2 14:00", "Out 3 01:00", "In 3 02:30", "Out 3 03:00"], [2, 2, 2, 2]),
        (["In 2 22:00", "In 3 04:00", "In 3 10:00", "Out 3 14:00"], [2, 2, 2, 2]),
        (["In 2 23:00", "In 3 05:00", "In 3 11:00", "In 3 12:00", "Out 3 13:00"], [2, 2, 2, 3, 3]),
        (["In 2 22:00", "In 3 04:01", "In 3 10:00"], [2, 3, 3]),
        (["Out 3 06:00"], [3]),
        (["In 2 22:00", "Out 3 06:00", "Out 3 07:00"], [2, 2, 3]),
        (["In 2 23:30", "Out 2 23:50", "Out 3 00:10", "In 3 00:20"], [2, 2, 3, 3]),
    ],
    ids=str,
)
async def test_work_over_midnight_counts_for_the_day_that_it_began_on(
    marks: list[str], days: list[int]
) -> None:
    assert await days_of(*marks) == days


async def test_people_do_not_get_into_each_others_work() -> None:
    rows = entries("In 2 22:00") + entries("Out 3 01:00", person="q") + entries("Out 3 06:00")
    behind = LegacySet(rows)
    found = await behind.pager(days=BERLIN, between=SPAN).collect()
    assert [str(entry.belongs_to_date)[-2:] for entry in found] == ["02", "03", "02"]


async def test_out_of_order_every_entry_counts_for_its_own_date() -> None:
    behind = LegacySet(entries("In 2 22:00", "Out 3 06:00"))
    newest = Query(LegacyTimeEntry, order_by=orderings(LegacyTimeEntry, [T.time.desc()]))
    for query in (newest, Query(LegacyTimeEntry)):
        found = await behind.pager(query=query, days=BERLIN).collect()
        assert [str(entry.belongs_to_date)[-2:] for entry in found] == ["02", "03"]


async def test_the_local_time_is_the_persons() -> None:
    zones = {"p": ZoneInfo("America/New_York"), "": "Asia/Kathmandu"}
    behind = LegacySet([*entries("In 2 03:00"), *entries("In 3 03:00", person="q")])
    first, second = await behind.pager(days=WorkingDays(zones)).collect()
    assert first.local_time == first.time
    assert str(first.local_time) == "2018-05-01 21:00:00-04:00"
    assert first.offset == timedelta(hours=-4)
    assert first.belongs_to_date == MAY
    assert str(second.local_time) == "2018-05-03 06:45:00+05:45"


async def test_a_night_in_which_the_clocks_change_has_its_hours() -> None:
    night = [
        {"id": "a", "type": "In", "time": "2018-10-27T20:00:00+00:00"},
        {"id": "b", "type": "Out", "time": "2018-10-28T05:00:00+00:00"},
    ]
    began, ended = await LegacySet(night).pager(days=BERLIN).collect()
    assert began.local_time is not None
    assert ended.local_time is not None
    assert ended.local_time - began.local_time == timedelta(hours=9)


def test_a_shift_that_ends_on_the_longest_day_is_asked_for_to_its_end() -> None:
    """On the 28th of October 2018 noon is thirteen hours after midnight in Berlin."""
    day = date(2018, 10, 27)
    low, high = BERLIN.moments(day, day)
    assert low is not None
    assert high is not None
    marks = [("In", "27 21:50"), ("In", "28 02:50"), ("In", "28 07:50"), ("In", "28 10:40")]
    shift: list[TimeEntry] = [
        LegacyTimeEntry(
            id=mark, type=EntryType(kind), time=datetime.fromisoformat(f"2018-10-{mark}:00Z")
        )
        for kind, mark in [*marks, ("Out", "28 22:40")]
    ]
    known = [entry for entry in shift if entry.time is not None and low <= entry.time <= high]
    assert ids(DaySieve(BERLIN, day, day, in_order=True)(known, 0)) == ids(shift)


async def test_days_are_those_asked_for_whatever_the_server_sends() -> None:
    around = ["In 30 08:00", "Out 30 17:00", "In 30 22:00", "Out 1 06:00"]
    within = ["In 1 22:00", "Out 2 06:00"]
    behind = LegacySet(entries(*around, *within, "In 2 22:00"))
    found = await behind.pager(days=BERLIN, between=(MAY, MAY)).collect()
    assert ids(found) == within
    assert behind.queries[0] == {
        "filter[where][date][between][0]": "2018-04-30T10:00:00.000Z",
        "filter[where][date][between][1]": "2018-05-02T23:00:00.000Z",
        "filter[order]": "date ASC",
        "filter[limit]": "100",
    }


async def test_one_side_may_be_open() -> None:
    behind = LegacySet(entries("In 30 08:00", "In 1 08:00"))
    assert ids(await behind.pager(days=BERLIN, between=(MAY, None)).collect()) == ["In 1 08:00"]
    assert behind.queries[0]["filter[where][date][gte]"] == "2018-04-30T10:00:00.000Z"
    april = date(2018, 4, 30)
    assert ids(await behind.pager(days=BERLIN, between=(None, april)).collect()) == ["In 30 08:00"]
    assert behind.queries[1]["filter[where][date][lte]"] == "2018-05-01T23:00:00.000Z"


async def test_the_ends_of_the_calendar_are_no_trouble() -> None:
    behind = LegacySet(entries("In 1 08:00"))
    pager = behind.pager(days=BERLIN, between=(date.min, date.max))
    assert len(await pager.collect()) == 1


async def test_a_further_condition_on_time_goes_into_the_same_operator() -> None:
    behind = LegacySet(entries("In 1 08:00"))
    noon = datetime(2018, 5, 1, 12, tzinfo=UTC)
    query = Query(LegacyTimeEntry, where=T.time < noon)
    await behind.pager(query=query, days=BERLIN, between=(MAY, MAY)).collect()
    assert behind.queries[0]["filter[where][date][between][1]"] == "2018-05-01T11:59:59.999Z"


async def test_a_limit_counts_what_is_delivered() -> None:
    rows = entries(*(f"In {day} 08:00" for day in (29, 30, 1, 2, 3, 4)))
    behind = LegacySet(rows)

    def pager(**options: Any) -> Any:
        return behind.pager(2, days=BERLIN, between=(MAY, date(2018, 5, 3)), **options)

    page = await anext(pager(limit=1).pages())
    assert ids(page.items) == []
    assert ids(await pager(limit=1).collect()) == ["In 1 08:00"]
    pages = [page async for page in pager(limit=1).pages()]
    rest = pager(limit=1, resume_from=pages[-1].cursor)
    assert ids(await rest.collect()) == ["In 2 08:00"]


async def test_a_limit_within_a_stretch_leaves_it_known() -> None:
    behind = LegacySet(entries("In 1 22:00", "Out 2 06:00", "Out 4 06:00"))

    def pager(**options: Any) -> Any:
        return behind.pager(days=BERLIN, between=(MAY, MAY), **options)

    page = await anext(pager(limit=1).pages())
    assert ids(page.items) == ["In 1 22:00"]
    assert ids(await pager(resume_from=page.cursor).collect()) == ["Out 2 06:00"]


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "", "../etc", 5, timezone])
def test_a_zone_that_there_is_not_is_refused(zone: Any) -> None:
    with pytest.raises(ConfigurationError, match="timezone= has no zone"):
        WorkingDays(zone)
    with pytest.raises(ConfigurationError, match="timezone= has no zone"):
        WorkingDays({"p": zone})


def test_a_machine_without_time_zones_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(days, "ZoneInfo", _no_zone)
    monkeypatch.setattr(days, "available_timezones", set)
    with pytest.raises(ConfigurationError, match=r"no time zone data .* install .* tzdata"):
        WorkingDays("Europe/Berlin")


def _no_zone(name: str) -> None:
    raise ZoneInfoNotFoundError(name)


async def test_what_is_missing_is_named() -> None:
    behind = LegacySet(entries("In 1 08:00"))
    with pytest.raises(ConfigurationError, match="timezone= has no zone: give one"):
        WorkingDays({})
    with pytest.raises(ConfigurationError, match="give the client its timezone="):
        behind.pager(between=SPAN)
    with pytest.raises(ConfigurationError, match="no zone for the person 'p'"):
        await behind.pager(days=WorkingDays({"q": "UTC"}), between=SPAN).collect()


SHIFTS = st.lists(
    st.tuples(
        st.sampled_from("pqr"),
        st.integers(0, 6 * 24 * 12),
        st.lists(st.tuples(st.sampled_from(["In", "Out"]), st.integers(1, 13 * 12)), max_size=4),
    ),
    max_size=12,
)


def rows_of(shifts: list[tuple[str, int, list[tuple[str, int]]]]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for number, (person, start, rest) in enumerate(shifts):
        minutes = start * 5
        for place, (kind, gap) in enumerate([("In", 0), *rest]):
            minutes += gap * 5
            moment = datetime(2018, 4, 29, tzinfo=UTC) + timedelta(minutes=minutes)
            key = f"{number:02} {place}"
            rows.append({"id": key, "type": kind, "time": moment.isoformat(), "person": person})
    return sorted(rows, key=lambda row: (row["time"], row["id"]))


@examples(300)
@given(
    shifts=SHIFTS,
    page_size=st.integers(2, 9),
    fails=st.integers(1, 12),
    stops=st.none() | st.integers(1, 9),
    first=st.integers(0, 4),
    verify=st.booleans(),
)
def test_a_walk_that_goes_on_knows_who_was_at_work(
    shifts: list[tuple[str, int, list[tuple[str, int]]]],
    page_size: int,
    fails: int,
    stops: int | None,
    first: int,
    verify: bool,
) -> None:
    """Resumed after an error or a limit, entries have the same days, once each and in order."""
    since = date(2018, 4, 29) + timedelta(days=first)
    rows = rows_of(shifts)

    def pager(behind: LegacySet, **options: Any) -> Any:
        between = (since, since + timedelta(days=1))
        return behind.pager(page_size, days=BERLIN, between=between, verify=verify, **options)

    async def interrupted() -> list[Any]:
        behind = LegacySet(rows, failing=frozenset({fails}))
        found: list[Any] = []
        cursor: str | None = None
        while True:
            before = len(found)
            try:
                async for page in pager(behind, limit=stops, resume_from=cursor).pages():
                    found += page.items
                    cursor = str(page.cursor)
            except NotFoundError as error:
                # Nothing moved, so that only the request that fails is a reason to stop.
                cursor = error.cursor
                continue
            if stops is None or len(found) - before < stops:
                return found

    async def straight() -> list[Any]:
        found: list[Any] = await pager(LegacySet(rows)).collect()
        return found

    assert run(interrupted()) == run(straight())


@examples(300)
@given(shifts=SHIFTS, first=st.integers(-1, 7), length=st.integers(0, 3))
def test_the_moments_asked_for_are_wide_enough(
    shifts: list[tuple[str, int, list[tuple[str, int]]]], first: int, length: int
) -> None:
    """What a walk over everything gives those days, the walk over these days gives them too."""
    since = date(2018, 4, 29) + timedelta(days=first)
    until = since + timedelta(days=length)
    days = WorkingDays({"p": "America/New_York", "q": "Asia/Tokyo", "": "Pacific/Kiritimati"})
    rows = rows_of(shifts)
    low, high = days.moments(since, until)
    assert low is not None
    assert high is not None
    some = [row for row in rows if low <= datetime.fromisoformat(row["time"]) <= high]

    async def found(rows: list[dict[str, Any]], span: tuple[date, date]) -> dict[str, date]:
        all_of_them = await LegacySet(rows).pager(days=days, between=span).collect()
        return {
            entry.id: entry.belongs_to_date
            for entry in all_of_them
            if entry.belongs_to_date is not None and since <= entry.belongs_to_date <= until
        }

    assert run(found(some, (since, until))) == run(found(rows, (date.min, date.max)))
