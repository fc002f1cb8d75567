"""What only the window of one process does: see `test_contract.py` for what all do."""

from __future__ import annotations

import asyncio
import random
from statistics import fmean

import pytest

from jibble_async.errors import ConfigurationError, RateLimitedError
from jibble_async.limits.slots import Outcome, Priority
from jibble_async.limits.windows.local import RollingWindow
from tests.limits.calls import now
from tests.limits.schedules import HAIR, Load, drawn, play, tightest, used
from tests.support import virtual_time
from tests.support.chaos import TIMES

SEEDS = 400 * TIMES


@pytest.mark.chaos
def test_server_never_counts_more_than_the_limit() -> None:
    gave_up = 0
    for seed in range(SEEDS):
        limit, per, load = drawn(seed)
        schedule = play(RollingWindow(limit, per, load.linger), load, seed)
        assert tightest(schedule.arrivals, limit) >= per - HAIR, f"seed {seed}"
        gave_up += schedule.abandoned
    assert gave_up > SEEDS


def test_without_the_assumption_the_limit_breaks() -> None:
    # Proves that the test above can see it.
    load = Load(callers=20, seconds=10, linger=1.0, lost=0.3, slack=2.0)
    gaps = [tightest(play(RollingWindow(5, 1, 1.0), load, seed).arrivals, 5) for seed in range(20)]
    assert min(gaps) < 1 - HAIR


@pytest.mark.parametrize("interactive", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(
    ("limit", "per"), [(50, 1.0), (15, 2.0), (10, 1.0), (5, 1.0), (3, 1.0), (150, 60.0)]
)
def test_two_hundred_waiters_use_nearly_all(limit: int, per: float, interactive: float) -> None:
    seconds = max(20, 1500 / limit) * per
    load = Load(callers=200, seconds=seconds, linger=1.0, interactive=interactive)
    shares: list[float] = []
    for seed in range(1 if TIMES == 1 else 3):
        schedule = play(RollingWindow(limit, per, 1.0), load, seed)
        assert tightest(schedule.arrivals, limit) >= per - HAIR
        shares.append(used(schedule, load, limit, per))
    assert fmean(shares) >= 0.99


def test_what_was_sent_outlives_its_loop() -> None:
    window = RollingWindow(1, 10)

    async def send() -> None:
        (await window.acquire()).release(Outcome.ANSWERED)

    async def refused() -> None:
        with pytest.raises(RateLimitedError):
            await window.acquire(max_wait=9)

    virtual_time.run(send())
    virtual_time.run(refused())


def test_second_loop_is_refused_while_the_first_lives() -> None:
    window = RollingWindow(1, 10)
    first = virtual_time.VirtualTimeLoop()
    first.run_until_complete(window.acquire())
    with pytest.raises(ConfigurationError, match="another event loop"):
        virtual_time.run(window.acquire())
    first.close()


def test_uncontended_slots_start_no_timer_and_no_task() -> None:
    async def main() -> int:
        window = RollingWindow(100, 1)
        for _ in range(100):
            (await window.acquire()).release(Outcome.ANSWERED)
        return len(asyncio.all_tasks())

    assert virtual_time.run(main()) == 1


def beside_a_job(
    window: RollingWindow, per: float, every: float, seed: int = 1
) -> tuple[list[float], list[float], int]:
    """What calls at regular times wait for, and when all requests arrive, and how many are bulk."""
    dice = random.Random(seed)
    waits: list[float] = []
    arrivals: list[float] = []
    bulk = 0

    async def send(priority: Priority) -> None:
        began = now()
        slot = await window.acquire(priority=priority)
        if priority == "interactive":
            waits.append(now() - began)
        there, back = dice.uniform(0.01, 0.15), dice.uniform(0.01, 0.15)
        arrivals.append(now() + there)
        await asyncio.sleep(there + back)
        slot.release(Outcome.ANSWERED)

    async def job() -> None:
        nonlocal bulk
        while now() < 30 * per:
            await send("bulk")
            bulk += 1

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(2 * window.limit):
                group.create_task(job())
            while now() < 28 * per:
                await asyncio.sleep(every)
                group.create_task(send("interactive"))

    virtual_time.run(main())
    return waits, sorted(arrivals), bulk


def test_more_is_left_to_interactive_calls_where_that_is_said() -> None:
    # Four of ten slots are wanted, which nothing announces in the first window.
    surprised, _, _ = beside_a_job(RollingWindow(10, 60.0), 60.0, every=15.0)
    expected, _, _ = beside_a_job(RollingWindow(10, 60.0, reserve=0.5), 60.0, every=15.0)
    assert max(surprised) > 10
    assert max(expected) <= 6 + HAIR


def test_no_slot_stays_free_when_twenty_have_passed_bulk() -> None:
    async def main() -> tuple[int, float]:
        window = RollingWindow(100, 3600, reserve=0.5)
        for _ in range(50):
            (await window.acquire(priority="bulk")).release(Outcome.ANSWERED)
        held_back = asyncio.create_task(window.acquire(priority="bulk"))
        await asyncio.sleep(1)
        for _ in range(49):
            (await window.acquire()).release(Outcome.ANSWERED)
        await held_back
        return window.used, now()

    used_up, moment = virtual_time.run(main())
    assert used_up == 100
    assert moment == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("reserve", [-0.1, 1.0])
def test_a_reserve_that_is_no_part_is_refused(reserve: float) -> None:
    with pytest.raises(ConfigurationError, match="reserve"):
        RollingWindow(10, 1, reserve=reserve)
