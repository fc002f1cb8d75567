"""Copies whose sync is killed at any moment, and gone on with until they are in step."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from jibble_async.export import Outcome
from jibble_async.sandbox import Sandbox
from tests.export.copied import SETS, TARGETS, Reader, copied, meant, of_database
from tests.export.killing import one_life
from tests.support.chaos import seeds

DAYS: dict[str, Any] = {"since": date(2026, 7, 6), "until": date(2026, 7, 10)}


def change(box: Sandbox, chance: random.Random) -> None:
    """What people do by day, and what somebody deletes for good."""
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
    for row in chance.sample(box.dataset.rows("TimeEntries"), 6):
        values: dict[str, Any] = chance.choice(
            [{"note": str(chance.random())}, {"status": "Archived"}, {"status": "Active"}]
        )
        box.dataset.update("TimeEntries", str(row["id"]), {**values, "updatedAt": now})
    for name in ("TimeEntries", "TimeOffOverview"):
        gone = chance.choice(box.dataset.rows(name))
        table = box.dataset.table(name)
        table.remove(next(row for row in table.rows if row["id"] == gone["id"]))


async def nights(into: Path, read: Reader, seed: int) -> None:
    chance = random.Random(seed)
    async with Sandbox(people=6, **DAYS, seed=3) as box:
        before: Any = None
        for _ in range(2):
            now = meant(box)
            told: Any = None
            while told is None:
                told = await one_life(box, "/v1/", chance, "tests.export.syncing", str(into))
                if before is not None:
                    # Sets are put in step one after the other.
                    found = copied(into, read)
                    assert all(found[what] in (before[what], now[what]) for what in SETS)
            assert set(told.values()) == {Outcome.PROVED}
            assert copied(into, read) == now
            left = [each.name for each in into.parent.iterdir()]
            assert left == [into.name]
            before = now
            change(box, chance)


@pytest.mark.real_time
@seeds(1)
def test_killed_again_and_again_a_copy_is_put_in_step(tmp_path: Path, seed: int) -> None:
    name, read = TARGETS[(seed + 1) % len(TARGETS)]
    if read is of_database:
        pytest.importorskip("duckdb", reason="the extra duckdb is not installed")
    asyncio.run(nights(tmp_path / name, read, seed))
