"""A repair that is killed at any step: the later of two is archived, once, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jibble_legacy.migration.checking.verify import verify
from jibble_legacy.migration.ledger.commits import InlineCommits
from jibble_legacy.migration.ledger.ledger import Ledger

from tests.migration.moving import accounts, moved, verified
from tests.migration.planning import rows
from tests.support.chaos import TIMES
from tests.support.memory_wire import KilledError, MemoryWire, clock_from

Row = dict[str, Any]


async def test_a_repair_killed_at_any_step_ends_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = accounts(40, people=3, alternation=False)
    await moved(box, tmp_path, monkeypatch)
    table = box.dataset.index("TimeEntries")
    first, second = (
        target for (target,) in rows(tmp_path, "SELECT target FROM write ORDER BY ms LIMIT 2")
    )
    copies = 0

    def double() -> None:
        """Put a later twin beside one entry, and an earlier one beside another."""
        nonlocal copies
        copies += 1
        ids = [f"{each[:-4]}{copies:03}{place}" for place, each in enumerate((first, second))]
        made = ("2030-01-01T00:00:00Z", f"2001-01-{copies:02}T00:00:00Z")
        for new, of, created in zip(ids, (first, second), made, strict=True):
            box.dataset.add("TimeEntries", {**table[of], "id": new, "createdAt": created})

    def active() -> set[str]:
        return {each for each, row in table.items() if row["status"] == "Active"}

    wanted = len(active())
    double()
    steps = await _repair(box, tmp_path, monkeypatch)
    assert len(active()) == wanted
    for step in range(1, steps + 1, 1 if TIMES > 1 else 19):
        now = [each for (each,) in rows(tmp_path, "SELECT target FROM write ORDER BY ms LIMIT 2")]
        first, second = now
        double()
        await _repair(box, tmp_path, monkeypatch, end_at=step)
        await _repair(box, tmp_path, monkeypatch)
        report = await verified(box, tmp_path, monkeypatch)
        assert report.colour == "green", (step, report.reasons)
        assert len(active()) == wanted
        assert rows(tmp_path, "SELECT count(*) FROM extra WHERE state <> 'undone'") == [(0,)]


async def _repair(
    box: Any, folder: Path, patch: pytest.MonkeyPatch, *, end_at: int | None = None
) -> int:
    """Verify and repair in one life; how many steps it made is given."""
    wire = MemoryWire(box, end_at=end_at)
    ledger = Ledger.open(
        folder / "ledger", now=clock_from(), commits=InlineCommits(), steps=wire.tick
    )
    async with wire.client(patch) as target:
        try:
            await verify(ledger, target, repair=True)
        except KilledError as error:
            ledger.abandon(error)
        finally:
            await ledger.aclose()
    return len(wire.steps)
