"""Commits that come later than anybody waits for, and a ledger that is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jibble_legacy.migration import Exit, Migration
from jibble_legacy.migration.checking.verify import VerifyReport

from jibble_async.sandbox import Fault, Rules
from tests.migration.invariants import assert_whole
from tests.migration.program import move, plan
from tests.migration.world import World
from tests.support.virtual_time import run

LATE = 3000.0


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., World]:
    return lambda **options: World(tmp_path / "moved", monkeypatch, people=9, entries=60, **options)


def be_late(world: World, *places: int) -> None:
    """Let some entries be committed long after they were given up."""
    for nth in places:
        fault = Fault("commit_later", method="POST", path="/v1/TimeEntries", nth=nth, after=LATE)
        world.box.faults.add(fault)


async def verified(migration: Migration) -> VerifyReport:
    return await migration.verify()


async def repaired(migration: Migration) -> VerifyReport:
    return await migration.verify(repair=True)


def test_an_account_that_keeps_ids_takes_none_twice(world: Callable[..., World]) -> None:
    async def main() -> None:
        moved = world()
        be_late(moved, 8, 13, 21)
        await moved.live(move)
        moved.box.hosts.catch_up(whole=True)
        report = await moved.live(verified)
        assert report is not None
        assert report.exit is Exit.CLEAN
        assert_whole(moved)

    run(main())


@pytest.mark.parametrize("keeps_mark", [True, False])
def test_what_came_too_late_is_found_and_ended(
    world: Callable[..., World], keeps_mark: bool
) -> None:
    # One that refuses a second Out refuses most of what comes late, too.
    rules = Rules(keeps_client_ids=False, keeps_platform=keeps_mark, alternation=False)

    async def main() -> None:
        moved = world(rules=rules)
        be_late(moved, 8, 13, 21)
        await moved.live(move)
        moved.box.hosts.catch_up(whole=True)
        with pytest.raises(AssertionError, match="is nobody's"):
            assert_whole(moved)
        report = await moved.live(verified)
        assert report is not None
        assert (report.exit, report.colour, report.numbers.found.doubled) == (Exit.LEFT, "red", 3)
        assert any("there twice" in reason for reason in report.reasons)
        assert_whole(moved, doubled=True)
        report = await moved.live(repaired)
        assert report is not None
        assert (report.exit, report.repaired) == (Exit.CLEAN, 3)
        assert_whole(moved)

    run(main())


@pytest.mark.parametrize("keeps", [True, False])
def test_a_lost_ledger_is_found_again_without_a_write(
    world: Callable[..., World], keeps: bool
) -> None:
    rules: Any = Rules(keeps_client_ids=keeps, keeps_platform=keeps)

    async def main() -> None:
        moved = world(rules=rules)
        await moved.live(move)
        moved.folder = moved.folder.with_name("again")
        before = moved.writes()

        async def found(migration: Migration) -> str:
            await migration.extract()
            await migration.recover()
            return await plan(migration)

        made = await moved.live(found)
        assert moved.writes() == before

        async def followed(migration: Migration) -> VerifyReport:
            await migration.probe()
            again = await plan(migration)
            probed = moved.writes()
            done = await migration.apply(plan=again, go=True)
            assert (done.exit, done.written, moved.writes()) == (Exit.CLEAN, 0, probed)
            return await migration.verify()

        assert made is not None
        report = await moved.live(followed)
        assert report is not None
        assert report.exit is Exit.CLEAN, report.reasons
        assert_whole(moved)

    run(main())
