"""An old account of ten years beside a new one that is empty."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from jibble_async.sandbox import LEGACY_QUOTA, History, Past, Sandbox
from jibble_async.sandbox.history.punches import LONG, ODD
from tests.sandbox.calling import PLATFORM, Caller, LegacyCaller, VirtualClock

Row = dict[str, Any]
TEN_YEARS = {"since": date(2016, 7, 1), "until": date(2026, 7, 1)}
TODAY = "2026-07-02"


def past_of(entries: int, people: int, seed: int = 7, **options: Any) -> Past:
    return Past(History(entries, **options), people=people, seed=seed, **TEN_YEARS)


@pytest.fixture(scope="module")
def past() -> Past:
    return past_of(6000, 40)


@pytest.fixture(scope="module")
def by_id(past: Past) -> dict[str, Row]:
    return {row["id"]: row for row in past.rows()["timeentries"]}


def of(past: Past, row: Row) -> list[Row]:
    return [each for each in past.rows()["timeentries"] if each.get("person") == row["person"]]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("entries", "people"), [(200, 6), (201, 7), (420, 20), (2000, 24)])
def test_it_has_as_many_entries_as_it_should_and_every_kind_of_them(
    entries: int, people: int, seed: int
) -> None:
    past = past_of(entries, people, seed)
    rows = past.rows()["timeentries"]
    assert len({row["id"] for row in rows}) == len(rows) == entries
    assert {row.get("person") for row in rows} <= {None, *(each.id for each in past.workers)}
    assert all(past.oddities[kind] for kind in ODD)
    assert past_of(entries, people, seed).rows() == past.rows()
    assert past_of(entries, people, seed + 1).rows() != past.rows()


@pytest.mark.parametrize("people", [2, 5])
def test_small_companies_are_odd_in_the_way_that_is_said(people: int) -> None:
    # What is odd depends on the number, not on the seed: so each has its turn at every place.
    for entries in range(20, 120):
        past = past_of(entries, people)
        rows = {row["id"]: row for row in past.rows()["timeentries"]}
        assert len(rows) == entries
        keys = [(row.get("person"), row.get("date"), row["action"]) for row in rows.values()]
        for each in past.oddities["sent twice"]:
            row = rows[each]
            assert row["action"] in {1, 2}
            assert keys.count((row["person"], row["date"], row["action"])) == 2
        for each in past.oddities["forgotten Out"]:
            assert rows[each]["action"] == 1
            assert rows[each]["person"]


def test_without_oddities_all_is_plain() -> None:
    past = past_of(800, 8, oddities=False)
    assert not any(past.oddities[kind] for kind in ODD)
    rows = past.rows()["timeentries"]
    assert all(row["action"] in {1, 2} and "2016" < row["date"] < TODAY for row in rows)
    mine = [row["action"] for row in rows if row["person"] == past.workers[0].id]
    assert mine == [1, 2] * (len(mine) // 2)


@pytest.mark.parametrize(
    ("entries", "people", "days"), [(5, 6, 3000), (10, 0, 300), (10, 2, 0), (4000, 2, 500)]
)
def test_what_no_company_can_have_done(entries: int, people: int, days: int) -> None:
    since = date(2016, 7, 1)
    with pytest.raises(ValueError, match=r"history needs|so many entries"):
        Past(
            History(entries),
            people=people,
            since=since,
            until=since + timedelta(days=days - 1),
            seed=1,
        )


def test_entries_are_odd_in_the_way_that_is_said(past: Past, by_id: dict[str, Row]) -> None:
    def odd(kind: str) -> list[Row]:
        return [by_id[key] for key in past.oddities[kind]]

    assert all("person" not in row for row in odd("no person"))
    assert all("date" not in row for row in odd("no moment"))
    assert {row["action"] for row in odd("action 3")} == {3}
    assert {row["date"][:4] for row in odd("of 1970")} == {"1970"}
    assert all(row["date"] > TODAY for row in odd("in the future"))
    assert all(row["updated_at"] > TODAY > row["date"] for row in odd("stamp in the future"))
    assert {row["notes"] for row in odd("note of 5,000 characters")} == {LONG}
    assert len(LONG) == 5000 < len(LONG.encode())
    assert any(not row["notes"].isascii() for row in odd("note in some script"))
    assert all(row["customData"] for row in odd("custom data"))
    listed = {row["id"] for name in ("activities", "clients") for row in past.rows()[name]}
    assert not {row["activity"] for row in odd("activity gone")} & listed
    assert not {row["client"] for row in odd("client gone")} & listed


def test_entries_that_were_sent_twice(past: Past, by_id: dict[str, Row]) -> None:
    def twins(key: str, seconds: int) -> int:
        row = by_id[key]
        at = datetime.fromisoformat(row["date"])
        found = [
            each
            for each in of(past, row)
            if each["action"] == row["action"] and "date" in each and each is not row
        ]
        gaps = [abs(datetime.fromisoformat(each["date"]) - at) for each in found]
        return gaps.count(timedelta(seconds=seconds))

    assert all(twins(key, 0) == 1 for key in past.oddities["sent twice"])
    assert all(twins(key, 3) == 1 for key in past.oddities["sent again after seconds"])


def test_an_out_that_was_forgotten(past: Past, by_id: dict[str, Row]) -> None:
    for key in past.oddities["forgotten Out"]:
        row = by_id[key]
        later = sorted(
            (each["date"], each["action"]) for each in of(past, row) if each.get("date", "") > ""
        )
        after = [action for moment, action in later if row["date"] < moment < TODAY]
        assert row["action"] == 1
        assert after[:1] != [2]


def test_most_of_those_who_worked_there_are_in_no_list(past: Past) -> None:
    listed = {row["id"]: row for row in past.rows()["teammembers"]}
    gone = set(past.oddities["gone"])
    assert not gone & listed.keys()
    assert len(gone) > len(past.workers) / 2
    assert {row.get("person") for row in past.rows()["timeentries"]} > gone
    assert any(each.swapcase() in gone for each in gone)
    assert "12345E6789" in gone
    assert all(listed[key]["email"] is None for key in past.oddities["no address"])
    first, second = (listed[key] for key in past.oddities["shared address"])
    assert first["email"] == second["email"]
    assert first["user"] != second["user"]
    (spelt,) = past.oddities["address spelt otherwise"]
    assert listed[spelt]["email"] != listed[spelt]["email"].strip().lower()
    names = [row["name"] for row in past.rows()["activities"]]
    assert sorted(name.strip().casefold() for name in names).count("assembly") == 3
    assert len(set(names)) == len(names) - 1


@pytest.mark.parametrize(
    ("kind", "overlaps"), [("two teams at once", True), ("one team after the other", False)]
)
def test_one_human_in_two_teams(past: Past, kind: str, overlaps: bool) -> None:
    listed = {row["id"]: row for row in past.rows()["teammembers"]}
    first, second = (listed[key] for key in past.oddities[kind])
    assert first["user"] == second["user"]
    assert first["team"] != second["team"]
    spans = []
    for each in (first, second):
        days = {row["date"][:10] for row in of(past, {"person": each["id"]}) if "date" in row}
        spans.append({day for day in days if "2016" < day < TODAY})
    assert bool(spans[0] & spans[1]) is overlaps
    assert (max(spans[0]) < min(spans[1])) is not overlaps


@pytest.fixture
async def box(clock: VirtualClock) -> AsyncIterator[Sandbox]:
    async with Sandbox(people=24, history=History(1500), clock=clock) as running:
        yield running


async def test_the_new_account_is_empty(box: Sandbox, caller: Caller) -> None:
    assert await caller.track("/v1/TimeEntries?$count=true") == (
        200,
        {"@odata.context": f"{box.url}/time-tracking/v1/$metadata#TimeEntries"}
        | {"@odata.count": 0, "value": []},
    )
    _, people = await caller.work("/v1/People")
    assert box.past is not None
    here = {row["email"]: row for row in people["value"]}
    assert len(people["value"]) == len(box.past.newcomers) < 24
    assert len(here) == len(people["value"])
    _, tracked = await caller.track("/v1/People")
    zones = {row["email"]: row["timeZone"] for row in tracked["value"]}
    for worker in box.past.workers:
        email = (worker.email or "").strip().lower()
        old = " ".join(worker.name)
        if worker.kind in {"new", "gone", "shared address"}:
            assert email not in here
        elif worker.kind == "no address":
            assert any(row["fullName"] == old for row in people["value"])
        else:
            assert zones[email] == worker.zone == here[email]["ICultureSettings/TimeZone"]
            assert (here[email]["fullName"] != old) is (worker.kind == "renamed")
            assert (here[email]["status"] == "Removed") is (worker.kind == "removed there")
    assert here["person1@example.com"]["role"] == "Owner"
    assert {row["workStartDate"] for row in people["value"]} == {"2026-06-29"}
    for name, number in (("Activities", 2), ("Projects", 1), ("Clients", 0), ("Locations", 0)):
        _, found = await caller.work(f"/v1/{name}?$count=true")
        assert found["@odata.count"] == number
    assert (await caller.track("/v1/TimeOffIntervals?$count=true"))[1]["@odata.count"] == 0
    status, _, _ = await caller.send("POST", "workspace", "/v1/Activities", {"name": "Weld"})
    assert status == 405


async def test_a_walk_by_moment_finds_every_entry(box: Sandbox, legacy: LegacyCaller) -> None:
    page = "/timeentries?filter[order]=date%20ASC&filter[limit]=100"
    _, rows = await legacy.get(page)
    found = {row["id"]: row for row in rows}
    while len(rows) == 100:
        last = next((row["date"] for row in reversed(rows) if "date" in row), "1970")
        _, rows = await legacy.get(f"{page}&filter[where][date][gte]={last}")
        assert not found.keys().isdisjoint(row["id"] for row in rows)
        found |= {row["id"]: row for row in rows}
    assert len(found) == 1500
    assert sorted(found) == [row["id"] for row in box.legacy.wire("timeentries")]


async def test_who_is_gone_is_not_there_to_be_asked_for(box: Sandbox, legacy: LegacyCaller) -> None:
    assert box.past is not None
    gone = box.past.oddities["gone"][0]
    assert (await legacy.get(f"/teammembers/{gone}"))[0] == 404
    status, rows = await legacy.get(
        f"/timeentries?filter[where][person]={gone}&filter[include]=person&filter[limit]=1"
    )
    assert (status, rows[0]["person"]) == (200, {"id": gone})


async def test_what_is_written_to_one_side_stays_there(
    box: Sandbox, caller: Caller, legacy: LegacyCaller
) -> None:
    body = {"personId": box.dataset.owner_id, "type": "In", "platform": PLATFORM}
    assert (await caller.send("POST", "time_tracking", "/v1/TimeEntries", body))[0] == 201
    assert len(box.legacy.rows("timeentries")) == 1500
    assert (await legacy.send("POST", "/timeentries", {"action": 1}))[0] == 200
    assert len(box.legacy.rows("timeentries")) == 1501
    assert len(box.dataset.rows("TimeEntries")) == 1


def test_nothing_is_told_of_a_day_that_is_not_over(clock: VirtualClock) -> None:
    since = clock.now.date() - timedelta(days=21)
    history = History(200, oddities=False)
    box = Sandbox(people=8, since=since, history=history, clock=clock)
    moments = [row["date"] for row in box.legacy.rows("timeentries")]
    assert max(moments) < f"{clock.now:%Y-%m-%dT%H:%M}"
    assert any(moment[:10] >= f"{clock.now - timedelta(days=2):%Y-%m-%d}" for moment in moments)


async def test_it_begins_ten_years_before_its_last_day(clock: VirtualClock) -> None:
    box = Sandbox(people=8, history=History(400), legacy_quota=LEGACY_QUOTA, clock=clock)
    days = [row["date"] for row in box.legacy.rows("timeentries") if "date" in row]
    plain = sorted(day for day in days if "1971" < day < "2027")
    assert plain[0][:4] == "2016"
    assert "2026-06" < plain[-1] < f"{clock.now:%Y-%m-%dT%H:%M}"
    assert Sandbox(people=8).past is None


def test_it_is_made_when_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    def made(_: object) -> None:
        raise LookupError("somebody asked")

    monkeypatch.setattr("jibble_async.sandbox.history.past.Past._made", made)
    box = Sandbox(people=400, history=History(1_000_000))
    assert box.dataset.rows("People")
    with pytest.raises(LookupError):
        box.legacy.rows("teams")


class Unwalked(list[Row]):
    """Rows that nobody may look through from the first to the last."""

    def __iter__(self) -> Iterator[Row]:
        raise AssertionError("all rows were looked through")


@pytest.mark.parametrize("entries", [2000, 20_000])
async def test_questions_cost_what_they_ask_for_whatever_is_there(
    clock: VirtualClock, entries: int
) -> None:
    async with (
        Sandbox(people=24, history=History(entries), clock=clock) as box,
        aiohttp.ClientSession() as session,
    ):
        old, caller, legacy = (
            box.legacy.table("timeentries"),
            Caller(box, session),
            LegacyCaller(box, session),
        )
        await caller.authorise()
        page = "/timeentries?filter[order]=date%20ASC&filter[limit]=100"
        for year in range(2017, 2026):
            looked = old.examined
            _, rows = await legacy.get(f"{page}&filter[where][date][gte]={year}-01-01")
            assert len(rows) == 100
            # Those of the last moment are sorted among themselves.
            assert old.examined - looked <= 110
        # As a lane is written and looked up: many entries of one person, by their moment.
        person, begin = box.dataset.owner_id, datetime(2016, 7, 1, 6, 0, tzinfo=UTC)
        new = box.dataset.table("TimeEntries")
        for number in range(entries // 20):
            when = f"{begin + timedelta(hours=number):%Y-%m-%dT%H:%M:%SZ}"
            row = {"id": f"0d1e7c4a-7b44-5a7e-9a54-{number:012x}", "personId": person}
            entry = dict.fromkeys(("previousTimeEntryId", "nextTimeEntryId", "note"))
            box.dataset.add(
                "TimeEntries",
                {**entry, **row, "type": "In", "status": "Active", "time": when}
                | {"belongsToDate": when[:10], "createdAt": when, "updatedAt": when},
            )
        question = (
            f"/v1/TimeEntries?$filter=personId eq {person} and time ge 2016-07-02T05:59:59Z "
            "and time le 2016-07-02T06:00:01Z&$count=true&$orderby=id"
        )
        body = {"personId": person, "type": "In", "platform": PLATFORM}
        await caller.send("POST", "time_tracking", "/v1/TimeEntries", body)
        assert (await caller.track(question))[1]["@odata.count"] == 1
        new.rows = Unwalked(new.rows)
        looked = new.examined
        body["time"] = "2016-07-02T06:00:00.500Z"
        assert (await caller.send("POST", "time_tracking", "/v1/TimeEntries", body))[0] == 201
        assert (await caller.track(question))[1]["@odata.count"] == 2
        assert new.examined - looked <= 4
