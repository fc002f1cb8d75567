"""Rollback over a sandbox: everything that was written is archived, and a later apply works."""

from __future__ import annotations

import sqlite3
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.states import Exit
from jibble_legacy.migration.writing.rollback import RollbackReport, rollback

from jibble_async import JibbleClient, MigrationError
from jibble_async.sandbox import Fault, Sandbox
from tests.migration.applying import going
from tests.migration.small_world import (
    Seen,
    ends,
    insert,
    live,
    people_made,
    planted,
    rest,
    sandbox,
    seen,
    writes_sent,
)
from tests.support import virtual_time


async def back(ledger: Ledger, client: JibbleClient) -> RollbackReport:
    return await rollback(ledger, client, go=True)


async def shown(ledger: Ledger, client: JibbleClient) -> RollbackReport:
    return await rollback(ledger, client)


async def planned_anew(ledger: Ledger, _: JibbleClient) -> None:
    """What plan does of it: the undone are planned in this generation, with other codes."""
    generation = ledger.get("generation")
    await ledger.write(
        lambda connection: connection.execute(
            "UPDATE write SET state = 'planned', generation = ?,"
            " person = CASE lane WHEN 1 THEN person END WHERE state = 'undone'",
            (generation,),
        )
    )
    detail = f'{{"chain":"c0","generation":{generation}}}'
    await ledger.write(
        lambda connection: connection.execute("UPDATE plan SET detail = ?", (detail,))
    )
    await ledger.write(
        lambda connection: connection.execute(
            "UPDATE thing SET state = 'planned', code = code || '.' || ? WHERE state = 'undone'",
            (generation,),
        )
    )


def active(box: Sandbox) -> list[dict[str, Any]]:
    return [row for row in box.dataset.rows("TimeEntries") if row["status"] == "Active"]


@pytest.mark.parametrize("rules", [{}, {"keeps_client_ids": False, "keeps_platform": False}])
def test_it_takes_back_everything_and_a_second_apply_ends_the_same(
    path: Path, rules: dict[str, Any]
) -> None:
    async def main() -> None:
        box = sandbox(seats=7, **rules)
        await planted(path, box)
        await live(path, box, going)
        before = writes_sent(box)
        told = (await live(path, box, shown)).report
        assert (told.shown, told.to_archive, told.to_remove) == (True, 20, 4)
        assert writes_sent(box) == before
        report = (await live(path, box, back)).report
        assert (report.archived, report.removed, report.generation) == (20, 2, 1)
        assert (report.projects, report.kept, report.exit) == (1, (), Exit.CLEAN)
        assert active(box) == []
        codes = {row["code"]: row["status"] for row in box.dataset.rows("People")}
        assert [codes[f"L-p{n}"] for n in range(2, 6)] == ["Removed"] * 4
        # Newest first, each person's.
        latest: dict[str, str] = {}
        rows = {row["id"]: row for row in box.dataset.rows("TimeEntries")}
        for commit in box.ledger.committed:
            if commit.entity_set == "TimeEntries" and commit.change == "updated":
                row = rows[commit.id]
                assert latest.get(row["personId"], "9") > row["time"]
                latest[row["personId"]] = row["time"]
        again = (await live(path, box, back)).report
        assert (again.archived, again.generation) == (0, 1)
        await live(path, box, planned_anew)
        life = await live(path, box, going)
        assert life.report.exit is Exit.CLEAN
        assert life.report.written == 20
        assert seen(path, box) == Seen()
        assert people_made(box) == sorted(f"L-p{n}{end}" for n in range(2, 6) for end in ("", ".1"))

    virtual_time.run(main())


def test_what_was_changed_over_there_stays_and_is_listed(path: Path) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box, people=2)
        await live(path, box, going)
        mine = sorted(active(box), key=lambda row: (row["personId"], row["time"]))
        noted, moved, gone, away = mine[0], mine[1], mine[2], mine[3]
        placed = mine[4]
        box.dataset.update("TimeEntries", noted["id"], {"note": "by hand"})
        box.dataset.update("TimeEntries", moved["id"], {"time": "2019-01-01T00:00:00Z"})
        box.dataset.remove("TimeEntries", gone["id"])
        box.dataset.update("TimeEntries", away["id"], {"status": "Archived"})
        somewhere = "00000000-0000-4000-8000-000000000001"
        box.dataset.update("TimeEntries", placed["id"], {"locationId": somewhere})
        report = (await live(path, box, back)).report
        assert {each.target: each.reason for each in report.kept} == {
            noted["id"]: "changed over there: note",
            moved["id"]: "changed over there: time",
            placed["id"]: "changed over there: location_id",
        }
        assert (report.archived, report.gone, report.exit) == (3, 2, Exit.LEFT)
        kept = {noted["id"], moved["id"], placed["id"]}
        assert {row["id"] for row in active(box)} == kept
        # Who has entries that stay, stays; and what stays still answers for what was planned.
        assert report.staying == ("Name p2",)
        ledger = Ledger.look(path)
        assert {row[0] for row in ledger.read("SELECT target FROM write WHERE target > ''")} == kept
        await live(path, box, planned_anew)
        assert (await live(path, box, going)).report.written == 5

    virtual_time.run(main())


def test_what_can_not_be_archived_is_listed(path: Path) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box, people=1)
        await live(path, box, going)
        box.rules.locked_until = date(2017, 12, 31)
        report = (await live(path, box, back)).report
        assert report.archived == 0
        assert len(report.kept) == 4
        assert "locked" in report.kept[0].reason
        assert report.exit is Exit.LEFT
        box.rules.locked_until = None
        report = (await live(path, box, back)).report
        assert (report.archived, report.exit, report.generation) == (4, Exit.CLEAN, 2)

    virtual_time.run(main())


@pytest.mark.parametrize(("times", "archived"), [(2, 4), (None, 0)])
def test_a_refusal_without_a_reason_may_be_throttling(
    path: Path, times: int | None, archived: int
) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box, people=1)
        await live(path, box, going)
        box.faults.add(Fault("empty_403", method="PATCH", path="/v1/TimeEntries", times=times))
        report = (await live(path, box, back)).report
        assert (report.archived, len(report.kept)) == (archived, 4 - archived)

    virtual_time.run(main())


def test_what_carries_our_mark_twice_goes_and_what_looks_like_it_stays(path: Path) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box, people=1)
        await live(path, box, going)
        first = dict(active(box)[0])
        connection = sqlite3.connect(path)
        for n, kind in enumerate(("marked", "twin")):
            extra = f"00000000-0000-4000-8000-00000000000{n}"
            box.dataset.add("TimeEntries", first | {"id": extra})
            insert(connection, "extra", target=extra, entry=1, kind=kind, state="confirmed")
        connection.commit()
        connection.close()
        assert (await live(path, box, back)).report.exit is Exit.CLEAN
        assert [row["id"][-1] for row in active(box)] == ["1"]

    virtual_time.run(main())


@pytest.mark.parametrize("end_at", range(40, 60, 3))
@pytest.mark.parametrize("rules", [{}, {"keeps_client_ids": False, "keeps_platform": False}])
def test_what_is_in_doubt_is_settled_before(path: Path, end_at: int, rules: dict[str, Any]) -> None:
    async def main() -> None:
        box = sandbox(**rules)
        await planted(path, box)
        box.faults.add(Fault("commit_later", None, "POST", "TimeEntries", nth=2, after=300))
        await live(path, box, going, end_at=end_at)
        life = await live(path, box, back)
        assert life.error is None, life.error
        box.hosts.catch_up(whole=True)
        assert active(box) == []

    virtual_time.run(main())


def steps() -> int:
    async def main(path: Path) -> int:
        box = sandbox()
        await planted(path, box, people=4, entries=3)
        await live(path, box, going)
        return len((await live(path, box, back)).steps)

    with tempfile.TemporaryDirectory() as folder:
        return virtual_time.run(main(Path(folder) / "steps.jbmg"))


STEPS = steps()


@pytest.mark.parametrize("back_from_end", range(1, 5))
def test_one_that_was_nearly_at_its_end_comes_to_it(path: Path, back_from_end: int) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box, people=4, entries=3)
        await live(path, box, going)
        await live(path, box, back, end_at=STEPS + 1 - back_from_end)
        assert (await live(path, box, back)).report.exit is Exit.CLEAN
        await live(path, box, planned_anew)
        assert (await live(path, box, going)).report.exit is Exit.CLEAN

    virtual_time.run(main())


@pytest.mark.chaos
@pytest.mark.parametrize("end_at", ends(STEPS))
@pytest.mark.parametrize("rules", [{}, {"keeps_client_ids": False, "keeps_platform": False}])
def test_killed_anywhere_it_goes_on(path: Path, end_at: int, rules: dict[str, Any]) -> None:
    async def main() -> None:
        box = sandbox(**rules)
        await planted(path, box, people=4, entries=3)
        await live(path, box, going)
        await live(path, box, back, end_at=end_at)
        await rest(1.0)
        if end_at % 3 == 0:
            # A plan that is made half-way belongs to the next generation already.
            await live(path, box, planned_anew)
            life = await live(path, box, going)
            assert life.error is None or isinstance(life.error, MigrationError)
        life = await live(path, box, back)
        assert life.error is None
        assert life.report.generation == 1
        assert active(box) == []
        await live(path, box, planned_anew)
        life = await live(path, box, going)
        assert life.error is None, life.error
        assert life.report.exit is Exit.CLEAN, life.report
        assert seen(path, box) == Seen()

    virtual_time.run(main())
