"""Apply over a sandbox: what is planned arrives once, and a second run writes nothing."""

from __future__ import annotations

import sqlite3
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.states import Exit
from jibble_legacy.migration.writing.apply import apply
from jibble_legacy.migration.writing.probed import Probed
from jibble_legacy.migration.writing.writes import SELECT

from jibble_async import ConfigurationError, MigrationError
from jibble_async.sandbox.faults import Fault
from tests.migration.applying import change, going, with_arguments
from tests.migration.small_world import (
    HOUR,
    OLDEST,
    Life,
    Seen,
    in_order,
    insert,
    live,
    people_made,
    planted,
    sandbox,
    seen,
    writes_sent,
)
from tests.support import virtual_time


def test_a_small_world_arrives_and_a_second_run_writes_nothing(path: Path) -> None:
    async def main() -> None:
        box = sandbox(seats=7)
        await planted(path, box)
        life = await live(path, box, going)
        assert life.error is None
        report = life.report
        assert (report.written, report.people, report.projects, report.removed) == (20, 4, 1, 2)
        assert (report.exit, report.left, report.found) == (Exit.CLEAN, 0, 0)
        assert seen(path, box) == Seen()
        assert people_made(box) == ["L-p2", "L-p3", "L-p4", "L-p5"]
        assert in_order(box)
        status = {row["code"]: row["status"] for row in box.dataset.rows("People")}
        assert [status[f"L-p{n}"] for n in range(2, 6)] == ["NotInvited"] * 2 + ["Removed"] * 2
        project = next(
            row for row in box.dataset.rows("Projects") if row["description"] == "legacy client c1"
        )
        named = [row for row in box.dataset.rows("TimeEntries") if row["projectId"]]
        assert {row["projectId"] for row in named} == {project["id"]}
        assert len(named) == 5
        assert all(
            (row["isManual"], row["status"], row["offset"]) == (True, "Active", "PT2H")
            for row in box.dataset.rows("TimeEntries")
        )
        assert {row["platform"]["clientVersion"] for row in box.dataset.rows("TimeEntries")} == {
            "jibble-async migration"
        }
        sent = writes_sent(box)
        again = await live(path, box, going)
        assert again.report.written == 0
        assert again.report.exit is Exit.CLEAN
        assert writes_sent(box) == sent

    virtual_time.run(main())


def test_by_default_it_only_says_what_it_would_do(path: Path) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box)
        report = (await live(path, box, apply)).report
        assert (report.shown, report.to_write, report.to_create, report.left) == (True, 20, 5, 20)
        assert box.ledger.requests == []

    virtual_time.run(main())


@pytest.mark.parametrize(
    ("statement", "arguments", "error", "words"),
    [
        ("DELETE FROM plan", {}, ConfigurationError, "`plan` comes first"),
        ("", {"plan": None}, ConfigurationError, "say which plan is meant: plan='0123"),
        ("", {"plan": "0123"}, ConfigurationError, "not the latest"),
        ("", {"plan": "f" * 32}, ConfigurationError, "not the latest"),
        ("", {"lanes": 0}, ConfigurationError, "lanes from 1"),
        ("", {"settle": float("nan")}, ConfigurationError, "settle"),
        ("", {"only": ["nobody@example.com"]}, ConfigurationError, "no such person"),
        ("DELETE FROM meta WHERE key = 'probe'", {}, MigrationError, "`probe` comes first"),
        ("INSERT INTO meta VALUES ('rolling back', 'true')", {}, MigrationError, "rollback"),
        (
            """UPDATE meta SET value = '"c1"' WHERE key = 'chain'""",
            {},
            ConfigurationError,
            "more was extracted",
        ),
        (
            "UPDATE meta SET value = '1' WHERE key = 'generation'",
            {},
            ConfigurationError,
            "rolled back",
        ),
    ],
)
def test_what_can_not_be_applied(
    path: Path, statement: str, arguments: dict[str, Any], error: type[Exception], words: str
) -> None:
    async def main() -> Life:
        box = sandbox()
        await planted(path, box)
        change(path, statement)
        life = await live(path, box, with_arguments(**arguments))
        assert box.ledger.requests == []
        return life

    life = virtual_time.run(main())
    assert type(life.error) is error
    assert words in str(life.error)


@pytest.mark.parametrize(
    ("verdict", "accept", "words"),
    [
        (Probed(stop="no moment is kept"), ["time"], "no moment is kept"),
        (Probed(kept=("time", "note")), ["offset"], "belongsToDate"),
        (Probed(kept=("time", "note")), ["offset", "belongsToDate"], None),
    ],
)
def test_what_the_server_does_not_keep_has_to_be_accepted(
    path: Path, verdict: Probed, accept: list[str], words: str | None
) -> None:
    async def main() -> None:
        box = sandbox(keeps_days=words is not None)
        await planted(path, box, verdict=verdict)
        life = await live(path, box, with_arguments(accept=accept))
        if words is None:
            assert life.report.exit is Exit.CLEAN
        else:
            assert isinstance(life.error, MigrationError)
            assert words in str(life.error)
            assert writes_sent(box) == 0

    virtual_time.run(main())


@pytest.mark.parametrize("name", ["p2", "P2@Old.example ", "p1", "there"])
def test_some_people_first(path: Path, name: str) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box)
        there = box.dataset.rows("People")[1]["id"]
        only = [there.upper() if name == "there" else name]
        report = (await live(path, box, with_arguments(only=only))).report
        assert (report.to_write, report.written, report.exit) == (4, 4, Exit.CLEAN)
        assert len(people_made(box)) == (name.casefold() < "p3" and name != "p1")
        assert (await live(path, box, going)).report.written == 16
        assert seen(path, box) == Seen()

    virtual_time.run(main())


def test_whoever_is_refused_waits_and_the_others_are_written(path: Path) -> None:
    async def main() -> None:
        box = sandbox(unique_emails=True)
        await planted(path, box)
        change(path, "UPDATE thing SET email = 'Person1@example.com' WHERE n IN (2, 4)")
        report = (await live(path, box, going)).report
        assert report.waiting == ("Name p2", "Name p4")
        assert (report.written, report.left, report.exit) == (12, 8, Exit.LEFT)
        change(path, "UPDATE thing SET email = NULL, state = 'planned' WHERE n IN (2, 4)")
        assert (await live(path, box, going)).report.exit is Exit.CLEAN
        assert seen(path, box) == Seen()

    virtual_time.run(main())


def test_who_left_stays_until_all_is_told(path: Path) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box, people=4)
        box.faults.add(Fault("drop_before", None, "POST", "TimeEntries", times=None))
        report = (await live(path, box, with_arguments(only=["p4"]))).report
        assert (report.unknown, report.removed) == (1, 0)
        box.faults.clear()
        # Somebody decides: it was not done, and won't be.
        change(path, "UPDATE write SET state = 'skipped' WHERE state = 'unknown'")
        report = (await live(path, box, with_arguments(only=["p4"]))).report
        assert (report.written, report.removed, report.exit) == (3, 1, Exit.CLEAN)

    virtual_time.run(main())


def test_the_next_of_a_lane_is_found_by_the_index(path: Path) -> None:
    async def main() -> None:
        await planted(path, sandbox())

    virtual_time.run(main())
    ledger = Ledger.look(path)
    steps = [row[3] for row in ledger.read(f"EXPLAIN QUERY PLAN {SELECT} LIMIT 1", 1, "planned")]
    assert any("write_next" in step and "lane=? AND state=?" in step for step in steps)
    assert not any("SCAN" in step or "TEMP B-TREE" in step for step in steps)


def test_another_account_is_not_written_to(path: Path) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box)
        await live(path, box, with_arguments(only=["p1"], base="here"))
        sent = writes_sent(box)
        life = await live(path, box, with_arguments(base="there"))
        assert isinstance(life.error, MigrationError)
        assert "the ledger writes to" in str(life.error)
        assert writes_sent(box) == sent

    virtual_time.run(main())


def test_edits_of_what_was_written_arrive(path: Path) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box)
        await live(path, box, going)
        activity = box.dataset.rows("Activities")[1]["id"]
        change(
            path,
            f"UPDATE write SET state = 'stale', activity = '{activity}' WHERE entry IN (1, 20)",
            "UPDATE entry SET note = NULL WHERE n = 2",
            "UPDATE write SET state = 'stale', project = NULL WHERE entry = 2",
            f"UPDATE write SET state = 'stale', reason = 'moved', ms = {OLDEST + HOUR}"
            " WHERE entry = 7",
        )
        before = writes_sent(box)
        life = await live(path, box, going)
        assert life.error is None, life.error
        report = life.report
        assert (report.to_edit, report.edited, report.written) == (4, 4, 1)
        # Three changed, one archived and made again, though one of them was removed meanwhile.
        assert writes_sent(box) - before == 5
        assert seen(path, box) == Seen()
        ledger = Ledger.look(path)
        assert ledger.read("SELECT entry, why FROM past") == [(7, "moved")]
        assert ledger.value("SELECT count(*) FROM write WHERE stamp IS NULL") == 0
        again = writes_sent(box)
        await live(path, box, going)
        assert writes_sent(box) == again

    virtual_time.run(main())


def test_an_edit_that_is_refused_is_left_for_later(path: Path) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box)
        await live(path, box, going)
        change(path, "UPDATE write SET state = 'stale' WHERE entry = 1")
        box.rules.locked_until = date(2020, 1, 1)
        report = (await live(path, box, going)).report
        assert (report.edited, report.left, report.exit) == (0, 1, Exit.LEFT)
        box.rules.locked_until = None
        assert (await live(path, box, going)).report.exit is Exit.CLEAN

    virtual_time.run(main())


def test_who_has_entries_before_is_told_from_what_was_written(path: Path) -> None:
    async def main() -> None:
        box = sandbox(keeps_client_ids=False, keeps_platform=False)
        await planted(path, box, people=2)
        # The same moment and kind, tracked over there before: a twin that proves nothing.
        there = box.dataset.rows("People")[1]["id"]
        connection = sqlite3.connect(path)
        insert(
            connection, "snapshot", person=there, ms=OLDEST + 1, type="In", id="before", active=1
        )
        connection.commit()
        connection.close()
        await live(path, box, with_arguments(only=["p2"]))
        row = dict(box.dataset.rows("TimeEntries")[0])
        row |= {"id": "before", "personId": there, "time": "2017-03-01T08:00:00.001Z"}
        box.dataset.add("TimeEntries", row | {"type": "In"})
        report = (await live(path, box, going)).report
        assert (report.found, report.written) == (0, 4)
        assert seen(path, box).doubled == ["e1"]

    virtual_time.run(main())
