"""Reading back: what was meddled with in either account, or in the ledger, is seen and named."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jibble_legacy.migration.checking.samples import drawn_numbers
from jibble_legacy.migration.checking.verify import VerifyReport
from jibble_legacy.migration.reading.old_rows import OldEntry
from jibble_legacy.migration.reading.reread import gone_from
from jibble_legacy.migration.report.verdict import Colour
from jibble_legacy.migration.states import Exit

from jibble_async.errors import ConfigurationError, MigrationError
from jibble_async.sandbox import Sandbox
from tests.migration.moving import accounts, answer, moved, rewritten, verified
from tests.migration.planning import extracted, planned, rows

Row = dict[str, Any]
LATER = "2030-01-01T00:00:00Z"


class Moved:
    """Two accounts after a migration."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, **options: Any) -> None:
        options.setdefault("alternation", False)
        self.box: Sandbox = accounts(**options)
        self.folder = folder
        self.patch = patch
        self.copies = 0

    async def move(self) -> None:
        await moved(self.box, self.folder, self.patch)

    async def verify(self, **options: Any) -> VerifyReport:
        return await verified(self.box, self.folder, self.patch, **options)

    def written(self) -> Iterator[Row]:
        """What was written, as the sandbox has it, in the order of time."""
        found = rows(self.folder, "SELECT target FROM write WHERE target NOT NULL ORDER BY ms")
        index = self.box.dataset.index("TimeEntries")
        yield from [{**index[target]} for (target,) in found]

    def change(self, row: Row, **changes: Any) -> None:
        self.box.dataset.update("TimeEntries", row["id"], changes)

    def copy(self, row: Row, **changes: Any) -> str:
        """Put another entry beside one."""
        self.copies += 1
        new = f"{row['id'][:-4]}{self.copies:04}"
        self.box.dataset.add("TimeEntries", {**row, "id": new, **changes})
        return new

    def meddle(self, statement: str, *values: Any) -> None:
        """Change the ledger behind its back."""
        connection = sqlite3.connect(self.folder / "ledger")
        connection.execute(statement, values)
        connection.commit()
        connection.close()

    def differences(self) -> set[tuple[Any, ...]]:
        """What was noted, by the new id."""
        return set(rows(self.folder, "SELECT target, verdict, field, why FROM difference"))


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Moved:
    """After a migration of which nothing is left to do."""
    made = Moved(tmp_path, monkeypatch, entries=110)
    await made.move()
    return made


async def test_what_was_moved_whole_may_be_signed_and_only_reading_was_done(world: Moved) -> None:
    before = len(world.box.ledger.requests)
    report = await world.verify(with_source=True)
    assert (report.exit, report.colour, report.reasons) == (Exit.CLEAN, Colour.GREEN, ())
    sums, found = report.numbers.sums, report.numbers.found
    assert sums.unaccounted == 0
    assert sums.arrived == found.equal == len(list(world.written())) > 0
    assert sums.held_back == sums.old - sums.arrived > 0
    assert report.numbers.worked_old == report.numbers.worked_new > 0
    asked_for = world.box.ledger.requests[before:]
    assert {each.method for each in asked_for if "oauth" not in each.path} <= {"GET", "POST"}
    assert {each.path for each in asked_for if each.method == "POST"} <= {
        "/connect/token",
        "/oauth/token",
    }
    states = rows(world.folder, "SELECT DISTINCT state FROM write")
    assert states == [("verified",)]
    again = await world.verify()
    assert again.colour == Colour.GREEN
    assert again.numbers.sums == sums


async def test_all_that_somebody_does_to_entries_over_there_is_named(world: Moved) -> None:
    entries = world.written()
    sly, edited, archived, deleted, moved_away, handed, twice, twin, unread, day = (
        next(entries) for _ in range(10)
    )
    people = {row["personId"] for row in world.written()}
    other = next(each for each in sorted(people) if each != handed["personId"])
    world.change(sly, note="changed by the server itself")
    world.change(edited, note="better so", updatedAt=LATER)
    world.change(archived, status="Archived")
    world.box.dataset.remove("TimeEntries", deleted["id"])
    world.change(moved_away, time="2031-01-01T08:00:00.000Z", updatedAt=LATER)
    world.change(handed, personId=other)
    marked = world.copy(twice)
    alike = world.copy(twin, platform={**twin["platform"], "eventId": None, "clientVersion": "x"})
    world.change(unread, type=7)
    world.change(day, belongsToDate="2001-01-01")
    world.copy(twin, time="2026-01-02T03:04:05Z", platform=None)
    report = await world.verify()
    assert report.colour == Colour.RED
    assert world.differences() == {
        (sly["id"], "differs", "note", None),
        (edited["id"], "explained", "note", "changed over there since"),
        (archived["id"], "explained", "status", "archived over there"),
        (deleted["id"], "missing", None, None),
        (moved_away["id"], "explained", "time", "changed over there since"),
        (handed["id"], "differs", "personId", None),
        (marked, "doubled", None, None),
        (alike, "doubled", None, None),
        (unread["id"], "could not be read", None, None),
        (day["id"], "differs", "belongsToDate", None),
    }
    found, sums = report.numbers.found, report.numbers.sums
    assert (sums.missing, sums.unknown, sums.unaccounted) == (1, 1, 0)
    assert (found.differs, found.changed, found.doubled, found.only_there) == (3, 3, 2, 1)
    states = dict(rows(world.folder, "SELECT state, count(*) FROM write GROUP BY state"))
    # What is wrong is not verified; what somebody changed over there is.
    assert states["confirmed"] == 5
    assert any("hours differ" in reason for reason in report.reasons)


async def test_what_people_do_after_the_migration_is_counted_and_needs_no_explanation(
    world: Moved,
) -> None:
    row = next(world.written())
    world.copy(row, time="2020-01-02T03:04:05.678Z", platform=None, note=None)
    report = await world.verify()
    assert (report.colour, report.numbers.found.only_there) == (Colour.GREEN, 1)


async def test_hours_that_a_later_change_explains_are_shown_and_are_no_reason(
    world: Moved,
) -> None:
    for row in world.written():
        if row["type"] == "Out":
            world.change(row, status="Archived", updatedAt=LATER)
            break
    report = await world.verify()
    assert report.colour == Colour.GREEN
    assert [gap.is_explained for gap in report.numbers.gaps] == [True]
    assert report.numbers.worked_new < report.numbers.worked_old


@pytest.mark.parametrize("keeps", [True, False], ids=["marks", "no marks"])
async def test_repair_archives_the_later_of_two_with_one_key_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keeps: bool
) -> None:
    world = Moved(tmp_path, monkeypatch, entries=80, keeps_client_ids=keeps, keeps_platform=keeps)
    await world.move()
    entries = world.written()
    late, early, twin = (next(entries) for _ in range(3))
    later = world.copy(late, createdAt=LATER)
    earlier = world.copy(early, createdAt="2001-01-01T00:00:00Z")
    alike = {world.copy(each, platform=None, createdAt=LATER) for each in (twin, late)}
    assert (await world.verify()).numbers.found.doubled == 4
    was = {each: {**row} for each, row in world.box.dataset.index("TimeEntries").items()}
    report = await world.verify(repair=True)
    changed = {
        each
        for each, row in world.box.dataset.index("TimeEntries").items()
        if row["status"] != was[each]["status"]
    }
    assert changed == {later, early["id"]} | (set() if keeps else alike)
    assert report.repaired == len(changed)
    # What only looks like ours is left to people, where ours carry a mark.
    assert report.numbers.found.doubled == (2 if keeps else 0)
    [(answers,)] = rows(
        tmp_path, "SELECT count(*) FROM write WHERE target IN (?, ?)", late["id"], earlier
    )
    assert answers == 2


async def test_what_was_not_written_yet_is_left_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = Moved(tmp_path, monkeypatch, entries=80)
    await extracted(world.box, tmp_path, monkeypatch)
    await planned(world.box, tmp_path, monkeypatch)
    answer(tmp_path)
    await planned(world.box, tmp_path, monkeypatch)
    report = await world.verify()
    assert (report.exit, report.colour) == (Exit.LEFT, Colour.AMBER)
    assert report.numbers.sums.waiting > 0
    assert report.numbers.sums.unaccounted == 0


async def test_somebody_nobody_decided_about_is_the_headline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = Moved(tmp_path, monkeypatch, entries=80)
    await extracted(world.box, tmp_path, monkeypatch)
    await planned(world.box, tmp_path, monkeypatch)
    [asked_about] = rows(
        tmp_path,
        "SELECT s.id FROM source AS s JOIN thing AS t ON t.n = s.n "
        "WHERE t.kind = 'teammembers' AND t.decision = '' LIMIT 1",
    )
    answer(tmp_path, but=asked_about[0])
    await rewritten(world.box, tmp_path, monkeypatch)
    report = await world.verify()
    assert report.colour == Colour.AMBER
    assert report.headline.startswith("Not finished: 1 person with ")
    first = report.numbers.people[0]
    assert (first.old_id, first.is_open, first.new) == (asked_about[0], True, 0)


async def test_a_page_that_was_changed_and_a_row_written_otherwise_are_flaws(
    world: Moved,
) -> None:
    world.meddle("UPDATE page SET body = zeroblob(9) WHERE number = 3")
    world.meddle("UPDATE write SET ms = ms + 60000 WHERE entry = (SELECT min(entry) FROM write)")
    report = await world.verify(folder=world.folder / "report", sample=500)
    assert report.colour == Colour.RED
    assert "page 3 is not what was read" in report.reasons[0]
    assert report.reasons[1] == "1 entry was written otherwise than it was extracted"
    assert "differs" in report.reasons[2]


async def test_a_row_that_was_planned_otherwise_than_extracted_is_a_flaw(world: Moved) -> None:
    world.meddle("UPDATE entry SET ms = ms + 60000 WHERE n = (SELECT min(entry) FROM write)")
    report = await world.verify()
    assert report.colour == Colour.RED
    assert report.reasons == ("1 entry was written otherwise than it was extracted",)


@pytest.mark.parametrize("stamp", ["2026-07-13T09:30:00.000Z", "2026-07-13T08:10:00.000Z"])
async def test_what_changed_in_the_old_account_is_seen_by_a_delta(world: Moved, stamp: str) -> None:
    # An hour before the extraction, too: who knows whose clock is right.
    old = world.box.legacy.rows("timeentries")[5]
    world.box.legacy.update("timeentries", old["id"], {"notes": "later", "updated_at": stamp})
    report = await world.verify(with_source=True)
    assert report.colour == Colour.AMBER
    assert report.reasons == ("1 entry changed in the old account since it was read",)


async def test_everything_read_again_shows_what_was_deleted(world: Moved) -> None:
    for old in [*world.box.legacy.rows("timeentries")][10:13]:
        world.box.legacy.remove("timeentries", old["id"])
    report = await world.verify(with_source=True, mode="full")
    assert report.numbers.again.source_changed == 3
    assert "3 deleted" in report.numbers.again.source
    assert rows(world.folder, "SELECT value FROM meta WHERE key = 'reread'") == [("null",)]


async def test_reading_all_needs_the_old_account(world: Moved) -> None:
    with pytest.raises(ConfigurationError, match="source"):
        await world.verify(mode="full")


async def test_samples_are_drawn_by_the_hash_and_by_a_word(world: Moved) -> None:
    first = (await world.verify()).numbers
    again = (await world.verify()).numbers
    other = (await world.verify(seed="auditor", sample=5)).numbers
    assert first.samples == again.samples
    assert len(first.samples) == 12
    assert len(other.samples) == 5
    assert [each.old_id for each in other.samples] != [each.old_id for each in first.samples[:5]]
    assert other.drawn_by == "the hash of the source and the word auditor"
    old = world.box.legacy.index("timeentries")
    for sample in first.samples:
        assert sample.note[:70] == (old[sample.old_id].get("notes") or "")[:70]
        assert bool(sample.new_id) == (sample.verdict == "equal")


def test_a_word_draws_other_entries_than_the_hash_alone() -> None:
    drawn = drawn_numbers("chain", "", 1000, 12)
    assert drawn == drawn_numbers("chain", "", 1000, 12) == sorted(set(drawn))
    assert drawn not in (
        drawn_numbers("chain", "word", 1000, 12),
        drawn_numbers("other", "", 1000, 12),
    )
    assert drawn_numbers("chain", "", 3, 12) == [1, 2, 3]
    assert drawn_numbers("chain", "", 0, 12) == []


def test_a_row_that_the_page_had_to_have_is_gone() -> None:
    kept = [OldEntry(each, b"", ms=ms) for each, ms in (("a", 1), ("b", 2), ("c", 3), ("d", 3))]
    assert gone_from(kept, kept) == []
    assert gone_from(kept, [kept[0], kept[2], kept[3]]) == ["b"]
    # What came before them moved the last ones to the next page, perhaps.
    assert gone_from(kept, [OldEntry("x", b"", ms=0), *kept[:3]]) == []
    assert gone_from(kept, []) == []


async def test_of_a_row_that_was_read_twice_the_later_one_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = Moved(tmp_path, monkeypatch, entries=30, people=3)
    old = world.box.legacy.rows("timeentries")[4]["id"]
    await extracted(world.box, tmp_path, monkeypatch)
    stamp = "2026-07-13T09:30:00.000Z"
    changes = {"customData": {"job": 7}, "updated_at": stamp}
    world.box.legacy.update("timeentries", old, changes)
    await extracted(world.box, tmp_path, monkeypatch, delta=True)
    await world.verify(folder=tmp_path)
    assert [
        json.loads(line)
        for line in (tmp_path / "side/entries-custom-data.jsonl").read_text().splitlines()
        if old in line
    ] == [{"old_id": old, "new_id": None, "customData": {"job": 7}}]
    with (tmp_path / "side/entries-stamps.csv").open(encoding="utf-8", newline="") as file:
        stamps = [row["updated_at"] for row in csv.DictReader(file) if row["old_id"] == old]
    assert stamps == [stamp]


async def test_nothing_of_the_old_account_is_dropped_in_silence(world: Moved) -> None:
    folder = world.folder / "report"
    report = await world.verify(folder=folder)
    kept: dict[str, set[str]] = {}
    for path in (folder / "side").glob("entries-*.jsonl"):
        for line in path.read_text("utf-8").splitlines():
            values = json.loads(line)
            kept.setdefault(values.pop("old_id"), set()).update(values)
    with (folder / "side" / "entries-stamps.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            kept.setdefault(row["old_id"], set()).update(row)
    moves = {"id", "date", "action", "notes", "person"}
    without = {
        old_id: {"activity": activity, "client": project}
        for old_id, activity, project in rows(
            world.folder,
            "SELECT e.id, w.activity, w.project FROM write AS w JOIN entry AS e ON e.n = w.entry",
        )
    }
    for old in world.box.legacy.wire("timeentries"):
        moved_fields = without.get(old["id"])
        for name, value in old.items():
            if name in moves or not value or name in kept[old["id"]]:
                continue
            assert name in ("activity", "client"), name
            assert moved_fields is None or moved_fields[name] is not None
    things = json.loads((folder / "side" / "people.jsonl").read_text("utf-8").splitlines()[0])
    assert things["row"]["firstName"]
    assert {each.file for each in report.numbers.homeless} <= set(report.files)
    for name in report.files:
        assert (folder / name).stat().st_size > 0


async def test_each_old_entry_is_in_the_id_map_once(world: Moved) -> None:
    folder = world.folder / "report"
    await world.verify(folder=folder)
    with (folder / "id-map.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = [row for row in csv.DictReader(file) if row["kind"] == "timeentries"]
    ids = [row["old_id"] for row in lines]
    assert sorted(ids) == sorted(f"id:{old}" for old in world.box.legacy.index("timeentries"))
    assert sum(bool(row["new_id"]) for row in lines) == len(list(world.written()))
    told = json.loads((folder / "report.json").read_text("utf-8"))
    assert told["verdict"]["colour"] == "green"
    assert told["numbers"]["sums"]["old"] == len(lines)


async def test_another_account_is_refused(
    world: Moved, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = accounts(80, seed=8)
    with pytest.raises(MigrationError, match="organisation"):
        await verified(other, tmp_path, monkeypatch)
