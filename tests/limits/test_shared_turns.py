from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from jibble_async.limits.slots import Outcome, Priority
from jibble_async.limits.stored import (
    StoredWindow,
)
from tests.limits.calls import now, served_beside_bulk
from tests.limits.processes import process
from tests.limits.schedules import HAIR, Load, play, tightest, used
from tests.support import virtual_time


def test_processes_take_turns(path: Path) -> None:
    async def main() -> list[int]:
        counts = [0, 0, 0, 0]
        windows = [process(path, 10, 1) for _ in counts]

        async def caller(number: int) -> None:
            while now() < 20:
                slot = await windows[number].acquire()
                counts[number] += 1
                await asyncio.sleep(0.02)
                slot.release(Outcome.ANSWERED)

        # The first has fifty tasks, the others one each, which can't use a quarter's half more.
        crowd = [caller(0) for _ in range(50)]
        await asyncio.gather(*crowd, *(caller(i) for i in (1, 2, 3) for _ in range(5)))
        return counts

    counts = virtual_time.run(main())
    assert min(counts) >= 0.5 * sum(counts) / 4
    assert sum(counts) >= 0.97 * 20 * 10 / 1.02


def test_interactive_of_one_process_goes_before_bulk_of_another(path: Path) -> None:
    main = served_beside_bulk(process(path, 1, 1), process(path, 1, 1), later=0.5)
    assert virtual_time.run(main) == ["click", "bulk 0", "bulk 1", "bulk 2"]


@pytest.mark.parametrize(("limit", "per"), [(50, 1.0), (15, 2.0), (3, 1.0)])
def test_interactive_of_one_process_waits_for_one_slot_beside_jobs_in_all(
    path: Path, limit: int, per: float
) -> None:
    dice = random.Random(1)
    waits: list[float] = []
    arrivals: list[float] = []

    async def call(window: StoredWindow, priority: Priority) -> None:
        began = now()
        slot = await window.acquire(priority=priority)
        if priority == "interactive":
            waits.append(now() - began)
        there, back = dice.uniform(0.01, 0.1), dice.uniform(0.01, 0.1)
        arrivals.append(now() + there)
        await asyncio.sleep(there + back)
        slot.release(Outcome.ANSWERED)

    async def job(window: StoredWindow) -> None:
        while now() < 20 * per:
            await call(window, "bulk")

    async def main() -> None:
        windows = [process(path, limit, per) for _ in range(4)]
        async with asyncio.TaskGroup() as group:
            for window in windows:
                for _ in range(8):
                    group.create_task(job(window))
            # The first windows show how many interactive calls there are.
            await asyncio.sleep(1.37)
            while now() < 18 * per:
                group.create_task(call(windows[0], "interactive"))
                await asyncio.sleep(1)

    virtual_time.run(main())
    # A process asks the store up to twice before it knows that a slot is there.
    assert max(waits) <= per / limit + 0.004
    assert tightest(sorted(arrivals), limit) >= per - HAIR
    assert len(arrivals) >= 0.93 * 20 * limit * per / (per + 0.11)


def test_a_job_of_uneven_round_trips_uses_nearly_all_of_a_small_window(path: Path) -> None:
    load = Load(callers=20, seconds=100, linger=1.0, interactive=0)
    schedule = play(process(path, 5, 1.0), load, seed=1)
    assert tightest(schedule.arrivals, 5) >= 1 - HAIR
    assert used(schedule, load, 5, 1.0) >= 0.98


def test_bulk_of_one_process_is_not_starved_by_another(path: Path) -> None:
    async def main() -> dict[str, int]:
        windows = {"interactive": process(path, 10, 1), "bulk": process(path, 10, 1)}
        counts = {"interactive": 0, "bulk": 0}

        async def caller(priority: Priority) -> None:
            while now() < 40:
                slot = await windows[priority].acquire(priority=priority)
                counts[priority] += 1
                slot.release(Outcome.ANSWERED)

        await asyncio.gather(*(caller("interactive") for _ in range(30)), caller("bulk"))
        return counts

    counts = virtual_time.run(main())
    assert counts["bulk"] >= counts["interactive"] / 31
    assert counts["interactive"] >= 5 * counts["bulk"]
