"""Accounts that keep less, or refuse more: what nobody knows of the current API, each way."""

from __future__ import annotations

from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from jibble_legacy.migration import Exit, Migration
from jibble_legacy.migration.writing.apply import ApplyReport

from jibble_async.sandbox import Rules
from tests.migration.invariants import assert_whole, rows_of
from tests.migration.program import move, plan
from tests.migration.world import World
from tests.support.virtual_time import run


def world(folder: Path, patch: pytest.MonkeyPatch, rules: Rules) -> World:
    return World(folder / "moved", patch, people=9, entries=60, rules=rules)


async def tried(migration: Migration, **options: Any) -> ApplyReport:
    """One apply of a plan in which nothing is asked any more."""
    await migration.extract()
    await plan(migration)
    probed = await migration.probe()
    assert probed.exit is Exit.CLEAN, probed
    return await migration.apply(plan=await plan(migration), go=True, **options)


@pytest.mark.parametrize(
    ("rules", "accept"),
    [
        ({"keeps_days": False}, ("belongsToDate", "offset")),
        ({"unique_emails": True}, ()),
        ({"removed_punch": False}, ()),
        ({"alternation": False}, ()),
        ({"future_refused": False}, ()),
        ({"platform_required": False, "keeps_platform": False}, ()),
        ({"catalog_writable": True}, ()),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_migration_is_whole_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rules: dict[str, Any], accept: tuple[str, ...]
) -> None:
    async def main() -> None:
        moved = world(tmp_path, monkeypatch, Rules(**rules))
        report = await moved.live(partial(move, accept=accept))
        assert report is not None
        assert report.colour != "red", report.reasons
        assert report.numbers.sums.arrived > 40
        assert_whole(moved)

    run(main())


@pytest.mark.parametrize(
    "rules",
    [{"keeps_time": "nothing"}, {"refused_before": date(2018, 1, 1)}],
    ids=lambda value: next(iter(value)),
)
def test_a_probe_says_that_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rules: dict[str, Any]
) -> None:
    async def life(migration: Migration) -> None:
        await migration.extract()
        hash_ = await plan(migration)
        probed = await migration.probe()
        assert probed.exit is Exit.STOPPED
        assert probed.verdict.stop
        assert "nothing can be written" in migration.status().next
        with pytest.raises(Exception, match="probe"):
            await migration.apply(plan=hash_, go=True)

    async def main() -> None:
        moved = world(tmp_path, monkeypatch, Rules(**rules))
        await moved.live(life)
        rows = moved.box.dataset.rows("TimeEntries")
        assert not [row for row in rows if row["status"] == "Active"]

    run(main())


def test_moments_that_are_cut_to_seconds_have_to_be_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def life(migration: Migration) -> None:
        await migration.extract()
        await plan(migration)
        await migration.probe()
        hash_ = await plan(migration)
        with pytest.raises(Exception, match="accept"):
            await migration.apply(plan=hash_, go=True)
        done = await migration.apply(plan=hash_, go=True, accept=["time"])
        assert done.exit is Exit.CLEAN
        report = await migration.verify()
        assert report.exit is Exit.CLEAN, report.reasons
        assert report.numbers.found.as_probed > 0

    async def main() -> None:
        moved = world(tmp_path, monkeypatch, Rules(keeps_time="seconds"))
        await moved.live(life)

    run(main())


def test_a_locked_period_is_refused_and_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = Rules()

    async def main() -> None:
        moved = world(tmp_path, monkeypatch, rules)
        await moved.live(tried_until_locked)
        rules.locked_until = None
        report = await moved.live(move)
        assert report is not None
        assert report.colour == "amber"
        assert report.numbers.sums.refused > 0
        assert_whole(moved)

    async def tried_until_locked(migration: Migration) -> None:
        await migration.extract()
        await plan(migration)
        await migration.probe()
        hash_ = await plan(migration)
        # An approval after the probe.
        rules.locked_until = date(2018, 12, 31)
        for _ in range(30):
            done = await migration.apply(plan=hash_, go=True)
            if done.exit is not Exit.STOPPED:
                break
            assert done.stopped
            assert "locked" in (done.first_refusal or "")
        assert done.exit is Exit.LEFT

    run(main())


def test_seats_that_are_used_up_stop_it_and_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = Rules()

    async def main() -> None:
        moved = world(tmp_path, monkeypatch, rules)
        people = moved.box.dataset.rows("People")
        rules.seats = sum(row["status"] != "Removed" for row in people) + 1
        done = await moved.live(tried)
        assert done is not None
        assert done.exit is Exit.STOPPED
        assert "402" in (done.stopped or "") + (done.first_refusal or "")
        rules.seats = None
        report = await moved.live(move)
        assert report is not None
        assert report.exit is Exit.CLEAN
        assert_whole(moved)
        left = rows_of(moved, "SELECT count(*) FROM write WHERE state != 'verified'")
        assert left == [(0,)]

    run(main())
