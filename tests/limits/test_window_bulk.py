from __future__ import annotations

import asyncio
import random

import pytest

from jibble_async.errors import ConfigurationError, RateLimitedError
from jibble_async.limits.slots import Outcome, Priority
from jibble_async.limits.window import RollingWindow
from tests.limits.calls import now
from tests.limits.schedules import HAIR, tightest
from tests.support import virtual_time


def test_bulk_is_not_starved() -> None:
    async def main() -> tuple[int, int]:
        window = RollingWindow(10, 1)
        served = {"interactive": 0, "bulk": 0}

        async def keep_calling(priority: Priority) -> None:
            while now() < 60:
                slot = await window.acquire(priority=priority)
                served[priority] += 1
                slot.release(Outcome.ANSWERED)

        callers = [keep_calling("interactive") for _ in range(30)]
        await asyncio.gather(*callers, keep_calling("bulk"))
        return served["interactive"], served["bulk"]

    interactive, bulk = virtual_time.run(main())
    # At most 20 go before it, and up to 9 more that come due together with its own.
    assert bulk >= interactive / 31


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


@pytest.mark.parametrize(("limit", "per"), [(50, 1.0), (15, 2.0), (10, 1.0), (3, 1.0)])
def test_interactive_waits_for_one_slot_beside_a_job_that_fills_the_quota(
    limit: int, per: float
) -> None:
    waits, arrivals, bulk = beside_a_job(RollingWindow(limit, per), per, every=1.0)
    # Nothing announced the first.
    assert waits[0] <= 2 * (per + 0.16) / limit
    assert max(waits[1:]) <= per / limit + HAIR
    assert tightest(arrivals, limit) >= per - HAIR
    # Bulk gets what is left of what travel times of 0.16 s leave.
    assert bulk >= 0.9 * (30 * limit * per / (per + 0.16) - len(waits))


def test_more_is_left_to_interactive_calls_where_that_is_said() -> None:
    # Four of ten slots are wanted, which nothing announces in the first window.
    surprised, _, _ = beside_a_job(RollingWindow(10, 60.0), 60.0, every=15.0)
    expected, _, _ = beside_a_job(RollingWindow(10, 60.0, reserve=0.5), 60.0, every=15.0)
    assert max(surprised) > 10
    assert max(expected) <= 6 + HAIR


def test_what_was_left_is_taken_in_the_end() -> None:
    async def main() -> list[float]:
        window = RollingWindow(10, 100)
        granted: list[float] = []
        for _ in range(30):
            slot = await window.acquire(priority="bulk")
            granted.append(now())
            slot.release(Outcome.ANSWERED)
        return granted

    granted = virtual_time.run(main())
    assert granted[8] <= HAIR
    assert granted[9] >= 80
    assert granted[29] <= 300


def test_interactive_calls_under_way_are_expected_again() -> None:
    async def main() -> None:
        window = RollingWindow(10, 100)
        under_way = [await window.acquire() for _ in range(4)]
        with pytest.raises(RateLimitedError):
            await window.acquire(priority="bulk", max_wait=1)
        for slot in under_way:
            slot.release(Outcome.NOT_SENT)
        for _ in range(9):
            await window.acquire(priority="bulk", max_wait=1)

    virtual_time.run(main())


def test_bulk_that_is_held_back_goes_when_twenty_have_passed_it() -> None:
    async def main() -> list[bool]:
        window = RollingWindow(100, 100, reserve=0.5)
        taken = [await window.acquire(priority="bulk") for _ in range(50)]
        held_back = asyncio.create_task(window.acquire(priority="bulk"))
        served: list[bool] = []
        for _ in range(20):
            await asyncio.sleep(0)
            served.append(held_back.done())
            (await window.acquire()).release(Outcome.NOT_SENT)
        await asyncio.sleep(0)
        served.append(held_back.done())
        assert len(taken) == 50
        held_back.cancel()
        return served

    assert virtual_time.run(main()) == [False] * 20 + [True]


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


def test_bulk_that_is_held_back_may_be_waited_for_as_long_as_that_takes() -> None:
    async def main() -> float:
        window = RollingWindow(10, 100)
        for _ in range(9):
            (await window.acquire(priority="bulk")).release(Outcome.ANSWERED)
        with pytest.raises(RateLimitedError) as caught:
            await window.acquire(priority="bulk", max_wait=89)
        assert caught.value.retry_after == pytest.approx(90)
        await window.acquire(priority="bulk", max_wait=91)
        return now()

    assert virtual_time.run(main()) == pytest.approx(90)


def test_without_a_reserve_a_job_takes_all_at_once() -> None:
    async def main() -> None:
        window = RollingWindow(10, 100, reserve=0)
        for _ in range(10):
            (await window.acquire(priority="bulk", max_wait=0)).release(Outcome.ANSWERED)

    virtual_time.run(main())


@pytest.mark.parametrize("reserve", [-0.1, 1.0])
def test_a_reserve_that_is_no_part_is_refused(reserve: float) -> None:
    with pytest.raises(ConfigurationError, match="reserve"):
        RollingWindow(10, 1, reserve=reserve)
