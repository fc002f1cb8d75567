"""A plan: over ten years of a company, and over what is in the new account already."""

from __future__ import annotations

from pathlib import Path

import pytest
from jibble_legacy.migration.marks import OUR_VERSION
from jibble_legacy.migration.states import Exit

from jibble_async import ConfigurationError, MigrationError
from jibble_async.sandbox import Sandbox
from tests.migration.account import HERE, OWNER, REMOVED, Account, punched
from tests.migration.extracting import world
from tests.migration.planning import (
    extracted,
    fill,
    opened,
    planned,
    reasons,
    rows,
    save,
    sheet,
)
from tests.support.memory_wire import MemoryWire


def writes_to(box: Sandbox) -> list[str]:
    return [
        one.path for one in box.ledger.requests if one.method != "GET" and "token" not in one.path
    ]


async def test_every_entry_of_ten_years_is_planned_or_held_back_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = world(1200)
    await extracted(box, tmp_path, monkeypatch)
    before = writes_to(box)
    first = await planned(box, tmp_path, monkeypatch)
    assert writes_to(box) == before
    (entries,) = rows(tmp_path, "SELECT count(*) FROM entry")[0]
    assert first.planned + sum(first.held.values()) == entries
    assert first.exit is Exit.LEFT
    assert {
        "person-undecided", "activity-undecided", "unknown-action", "no-person", "no-moment",
        "future", "before-2010", "duplicate",
    } == set(reasons(tmp_path))  # fmt: skip
    people = sheet(tmp_path, "people.csv")
    asked = {row["question"] for row in people}
    assert asked == {
        "",
        "left, and no list shows who it was",
        "has no e-mail address",
        "two people of the old account have this address",
        "was removed over there",
        "two member rows of one human were punched at the same time",
    }
    answers = [
        {**row, "decision": "create", "new_name": row["old_name"] or row["old_id"]}
        if row["question"]
        else row
        for row in people
    ]
    save(tmp_path / "people.csv", answers)
    save(
        tmp_path / "activities.csv",
        [
            {**row, "new_name": "-" if row["question"] else ""}
            for row in sheet(tmp_path, "activities.csv")
        ],
    )
    second = await planned(box, tmp_path, monkeypatch)
    assert second.hash != first.hash
    assert second.questions == ()
    assert second.planned + sum(second.held.values()) == entries
    assert set(second.held) == {
        "duplicate", "unknown-action", "no-person", "no-moment", "future", "before-2010",
    }  # fmt: skip
    assert second.created == second.seats == 15
    assert second.future == second.held["future"]
    assert second.hours == {rate: second.planned / rate / 3600 for rate in (3.5, 8.0, 15.0)}
    assert len(second.merged) == 1
    assert (second.no_end, second.no_beginning, second.outs_after_outs) != (0, 0, 0)
    third = await planned(box, tmp_path, monkeypatch)
    assert third == second
    assert writes_to(box) == before


async def test_days_follow_work_over_midnight_on_the_persons_clock(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.entry("in", "ann", "2020-07-01 20:00", 1)
    account.entry("out", "ann", "2020-07-02 04:00", 2)
    account.entry("late", "ann", "2020-12-31 23:30", 1)
    await account.plan(monkeypatch)
    found = rows(account.folder, "SELECT type, day, offset FROM write ORDER BY ms")
    assert found == [
        ("In", "2020-07-01", 7200),
        ("Out", "2020-07-01", 7200),
        ("In", "2021-01-01", 3600),
    ]


async def test_somebody_who_moved_has_the_clock_of_then(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for year in (2019, 2020, 2021):
        account.shift("ann", f"{year}-07-01")
    await account.plan(monkeypatch)
    (line,) = sheet(account.folder, "people.csv")
    moved = [
        {**line, "time_zone": "Europe/Berlin"},
        {**line, "time_zone": "Asia/Tokyo", "from": "2020-01-01"},
        {**line, "time_zone": "there", "from": "01.01.2021"},
    ]
    save(account.folder / "people.csv", moved)
    await account.plan(monkeypatch)
    found = rows(account.folder, "SELECT offset FROM write WHERE type = 'In' ORDER BY ms")
    assert found == [(7200,), (32400,), (14400,)]
    again = sheet(account.folder, "people.csv")
    assert [(row["time_zone"], row["from"]) for row in again] == [
        ("Europe/Berlin", ""),
        ("Asia/Tokyo", "2020-01-01"),
        ("there", "2021-01-01"),
    ]


async def test_zones_of_the_new_account_are_taken_once_they_are_confirmed(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.shift("ann", "2020-03-02")
    asked = await account.plan(monkeypatch, default_zone=None)
    assert asked.zones_asked == ("Name ann",)
    assert sheet(account.folder, "people.csv")[0]["zone_there"] == "Asia/Dubai"
    trusted = await account.plan(monkeypatch, default_zone=None, trusts_zones=True)
    assert trusted.planned == 2
    assert rows(account.folder, "SELECT name FROM zone") == [("Asia/Dubai",)]


async def test_work_that_begins_at_night_is_warned_about(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.shift("ann", "2020-03-02")
    report = await account.plan(monkeypatch, default_zone="America/New_York")
    assert report.zones_doubtful == ("Name ann",)
    assert "nights, or is it not America/New_York?" in report.warnings[0]


async def test_old_entries_are_held_back_from_the_first_that_is_tracked_there(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in ("2020-03-02", "2020-03-03", "2020-03-04"):
        account.shift("ann", day)
    (archived, _) = await punched(
        account, monkeypatch, OWNER, ["2020-03-02 07:00", "2020-03-03 07:00"]
    )
    client = MemoryWire(account.box).client(monkeypatch)
    await client.time_entries.archive(archived)
    await client.aclose()
    report = await account.plan(monkeypatch)
    assert (report.planned, report.held) == (2, {"already-tracked": 4})
    details = rows(account.folder, "SELECT DISTINCT detail FROM quarantine")
    assert details == [("tracked in the new account since 2020-03-03",)]
    fill(account.folder, "people.csv", ann={"until": "03.03.2020"})
    assert (await account.plan(monkeypatch)).planned == 4
    fill(account.folder, "people.csv", ann={"until": "all"})
    assert (await account.plan(monkeypatch)).planned == 6


@pytest.mark.parametrize("planned_before", [False, True])
async def test_what_another_migration_wrote_is_foreign(
    planned_before: bool, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.entry("in", "ann", "2020-03-02 08:00")
    if planned_before:
        await account.plan(monkeypatch)
    await punched(
        account,
        monkeypatch,
        OWNER,
        ["2020-03-02 08:00"],
        client_version=OUR_VERSION,
        device_name="in",
    )
    report = await account.plan(monkeypatch)
    assert (report.planned, report.held) == (0, {"already-tracked": 1})


async def test_an_entry_that_is_there_already_is_not_written_again(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.shift("ann", "2020-03-02")
    await punched(account, monkeypatch, OWNER, ["2020-03-02 08:00"])
    await account.plan(monkeypatch)
    fill(account.folder, "people.csv", ann={"until": "all"})
    report = await account.plan(monkeypatch)
    assert (report.planned, report.held) == (1, {"duplicate": 1})


async def test_an_archived_entry_over_there_is_no_duplicate(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.shift("ann", "2020-03-02")
    (gone,) = await punched(account, monkeypatch, OWNER, ["2020-03-02 08:00"])
    client = MemoryWire(account.box).client(monkeypatch)
    await client.time_entries.archive(gone)
    await client.aclose()
    assert (await account.plan(monkeypatch)).planned == 2


@pytest.mark.parametrize("somebody", [HERE, "id:bob", "id:two"])
async def test_an_entry_that_is_given_to_somebody_else_is_in_that_lane_only(
    somebody: str, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.person("bob", HERE)
    account.person("two")
    account.shift("two", "2020-03-05")
    account.shift("bob", "2020-03-02")
    account.entry("odd", "ann", "2020-03-02 12:00", 3)
    account.entry("good", "ann", "2020-03-02 13:00", 1)
    await account.plan(monkeypatch)
    fill(account.folder, "rejects.csv", odd={"new_person": somebody, "decision": "in"})
    fill(account.folder, "people.csv", two={"decision": "match", "new_person": "id:bob"})
    await account.plan(monkeypatch)
    lanes = {old_id: write[:2] for old_id, write in account.writes().items()}
    assert lanes["odd"] == ("bob", account.there(HERE))
    assert lanes["good"] == ("ann", account.there(OWNER))


# One that is planned was sent all the same, and was not found so far.


async def test_people_who_left_are_created_one_seat_at_a_time(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("zoe", "max"):
        account.gone(name)
        account.shift(name, "2020-03-02")
    await account.plan(monkeypatch)
    left = {"decision": "create-and-remove", "new_name": "Left"}
    fill(account.folder, "people.csv", zoe=left, max=left)
    report = await account.plan(monkeypatch)
    assert (report.created, report.leavers, report.seats) == (2, 2, 1)
    found = rows(account.folder, "SELECT name, email, code, removal FROM thing WHERE removal <> ''")
    assert found == [("Left", None, "L-zoe", "planned"), ("Left", None, "L-max", "planned")]


async def test_somebody_removed_there_is_matched_if_a_line_says_so(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.person("noor", REMOVED)
    account.shift("noor", "2020-03-02")
    assert (await account.plan(monkeypatch)).planned == 0
    fill(account.folder, "people.csv", noor={"decision": "match", "new_person": REMOVED.upper()})
    assert (await account.plan(monkeypatch)).planned == 2


async def test_moments_are_compared_as_far_as_the_new_account_keeps_them(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.entry("one", "ann", "2020-03-02 08:00:00.100")
    account.entry("two", "ann", "2020-03-02 08:00:00.900")
    assert (await account.plan(monkeypatch)).planned == 2
    account.do("INSERT INTO meta VALUES ('probe', '{\"resolution_ms\": 1000}')")
    report = await account.plan(monkeypatch)
    assert report.held == {"duplicate": 1}
    assert account.held() == {"two": "duplicate"}


async def test_outs_after_outs_are_told_and_held_back_only_if_the_probe_saw_it(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.shift("ann", "2020-03-02")
    account.entry("again", "ann", "2020-03-02 18:00", 2)
    account.shift("ann", "2020-03-03")
    before = await account.plan(monkeypatch)
    assert (before.planned, before.no_beginning, before.outs_after_outs) == (5, 1, 1)
    account.do("INSERT INTO meta VALUES ('probe', '{\"out_after_out\": \"refused\"}')")
    after = await account.plan(monkeypatch)
    assert (after.planned, after.outs_after_outs) == (4, 0)
    assert before.hash != after.hash
    assert account.held() == {"again": "out-without-in"}


async def test_what_is_there_already_is_followed_by_what_is_moved(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.shift("ann", "2020-03-02")
    account.entry("again", "ann", "2020-03-02 18:00", 2)
    await punched(account, monkeypatch, OWNER, ["2020-03-02 17:30"])
    await account.plan(monkeypatch)
    fill(account.folder, "people.csv", ann={"until": "all"})
    report = await account.plan(monkeypatch)
    assert (report.planned, report.no_beginning) == (3, 0)


async def test_a_lane_is_one_person_there_in_the_order_of_time(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two old people may be one over there: only then can be told what follows what."""
    account.person("other", "other@example.com")
    account.entry("in", "ann", "2020-03-02 08:00", 1)
    account.entry("out", "other", "2020-03-02 17:00", 2)
    await account.plan(monkeypatch)
    fill(account.folder, "people.csv", other={"decision": "match", "new_person": "id:ann"})
    report = await account.plan(monkeypatch)
    assert (report.no_end, report.no_beginning) == (0, 0)
    assert report.merged == ("Name other with Name ann",)


async def test_nothing_is_planned_before_it_is_extracted_for_another_account_or_in_a_rollback(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await account.plan(monkeypatch)
    with pytest.raises(MigrationError, match="use those of the former"):
        await account.plan(monkeypatch, base="https://elsewhere.example.com")
    with pytest.raises(ConfigurationError, match="is no time zone"):
        await account.plan(monkeypatch, default_zone="Berlin")
    account.do("INSERT INTO meta VALUES ('rolling back', 'true')")
    with pytest.raises(MigrationError, match="run rollback to its end"):
        await account.plan(monkeypatch)
    (tmp_path / "other").mkdir()
    opened(tmp_path / "other" / "ledger").abandon(KeyboardInterrupt())
    with pytest.raises(MigrationError, match="nothing was read"):
        await planned(account.box, tmp_path / "other", monkeypatch)
