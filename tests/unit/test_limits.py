from __future__ import annotations

import asyncio
import random
from bisect import bisect_left
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jibble_async import ConfigurationError, Outcome, RateLimitedError, RateLimiter, TokenBucket
from jibble_async.limits.slots import FREE_SLOT, Priority, Unlimited
from tests.support.chaos import examples
from tests.support.virtual_time import run


def most_in_a_window(times: list[float], per: float) -> int:
    """The most of these moments that lie in one window, both ends included."""
    times = sorted(times)
    return max(
        (number + 1 - bisect_left(times, time - per) for number, time in enumerate(times)),
        default=0,
    )


def test_the_count_of_a_window() -> None:
    assert most_in_a_window([], 1) == 0
    assert most_in_a_window([0, 1, 1.5, 2, 2.1], 1) == 3
    assert most_in_a_window([0, 1], 1) == 2


@st.composite
def workloads(draw: st.DrawFn) -> tuple[dict[str, Any], int]:
    limit = draw(st.integers(2, 40))
    shape: dict[str, Any] = {"limit": limit, "per": draw(st.sampled_from([0.5, 1.0, 10.0, 60.0]))}
    if draw(st.booleans()):
        shape["burst"] = draw(st.integers(1, limit - 1))
    if draw(st.booleans()):
        shape["jitter"] = draw(st.sampled_from([0.0, 0.1, 1.0]))
    return shape, draw(st.integers(0, 2**32))


@examples(60)
@given(workloads())
def test_no_window_holds_more_than_the_limit(workload: tuple[dict[str, Any], int]) -> None:
    shape, seed = workload
    chance = random.Random(seed)
    bucket = TokenBucket(**shape)
    jitter: float = shape.get("jitter", 0.05)
    granted: list[float] = []

    async def ask(loop: asyncio.AbstractEventLoop) -> None:
        await asyncio.sleep(chance.choice([0, 0, chance.uniform(0, 3 * shape["per"])]))
        priority: Priority = chance.choice(["interactive", "bulk"])
        longest = chance.choice([None, None, chance.uniform(0, shape["per"])])
        try:
            slot = await bucket.acquire(priority=priority, max_wait=longest)
        except RateLimitedError:
            return
        granted.append(loop.time())
        slot.release(Outcome.ANSWERED)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        tasks = [asyncio.create_task(ask(loop)) for _ in range(4 * shape["limit"])]
        for task in chance.sample(tasks, len(tasks) // 8):
            loop.call_later(chance.uniform(0, 2 * shape["per"]), task.cancel)
        await asyncio.gather(*tasks, return_exceptions=True)

    run(main())
    assert granted
    assert most_in_a_window(granted, shape["per"]) <= shape["limit"]
    # On the way some are late by up to the jitter: still no more than the limit.
    arrived = [time + chance.uniform(0, jitter) for time in granted]
    assert most_in_a_window(arrived, shape["per"]) <= shape["limit"]


def test_the_limit_is_nearly_used() -> None:
    async def main() -> float:
        bucket = TokenBucket(limit=100, per=10, jitter=0)
        for _ in range(1000):
            await bucket.acquire()
        return asyncio.get_running_loop().time()

    assert run(main()) == pytest.approx((1000 - 10) / 9, rel=0.01)


def test_interactive_goes_before_bulk_and_each_in_order() -> None:
    async def main() -> list[str]:
        bucket = TokenBucket(limit=2, per=1, burst=1, jitter=0)
        order: list[str] = []

        async def ask(name: str, priority: Priority) -> None:
            await bucket.acquire(priority=priority)
            order.append(name)

        await bucket.acquire()
        tasks: list[asyncio.Task[None]] = []
        for name in ("b1", "b2", "i1", "b3", "i2", "i3"):
            priority: Priority = "bulk" if name.startswith("b") else "interactive"
            tasks.append(asyncio.create_task(ask(name, priority)))
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)
        return order

    assert run(main()) == ["i1", "i2", "i3", "b1", "b2", "b3"]


def test_cancelling_all_who_wait_leaves_the_bucket_usable() -> None:
    async def main() -> float:
        bucket = TokenBucket(limit=2, per=1, burst=1, jitter=0)
        await bucket.acquire()
        waiting = [asyncio.create_task(bucket.acquire()) for _ in range(3)]
        await asyncio.sleep(0.5)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert len(asyncio.all_tasks()) == 1
        await bucket.acquire()
        return asyncio.get_running_loop().time()

    assert run(main()) == pytest.approx(1, abs=0.001)


def test_a_wait_that_is_too_long_is_refused_at_once() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        bucket = TokenBucket(limit=2, per=10, burst=1, jitter=0)
        await bucket.acquire()
        waiting = [asyncio.create_task(bucket.acquire()) for _ in range(5)]
        await asyncio.sleep(0)
        began = loop.time()
        with pytest.raises(RateLimitedError, match="nothing was sent") as caught:
            await bucket.acquire(max_wait=5)
        assert loop.time() - began < 0.001
        assert caught.value.status == 429
        assert caught.value.retry_after == pytest.approx(40)
        await asyncio.gather(*waiting)
        assert loop.time() == pytest.approx(50, abs=0.1)

    run(main())


def test_a_wait_that_can_be_met_is_met_and_one_that_fails_leaves_no_trace() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        bucket = TokenBucket(limit=2, per=1, burst=1, jitter=0)
        await bucket.acquire()
        await bucket.acquire(max_wait=1.1)
        with pytest.raises(RateLimitedError):
            await bucket.acquire(max_wait=0.5)
        began = loop.time()
        await bucket.acquire(max_wait=1)
        assert loop.time() - began <= 1

    run(main())


@pytest.mark.parametrize(
    "shape",
    [
        {"limit": 0},
        {"limit": 1},
        {"limit": -5},
        {"limit": 10, "per": 0},
        {"limit": 10, "per": -1},
        {"limit": 10, "burst": 0},
        {"limit": 10, "burst": 10},
        {"limit": 10, "jitter": -1},
    ],
)
def test_a_bucket_that_could_send_nothing_is_refused(shape: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match="can't send anything"):
        TokenBucket(**shape)


def test_a_bucket_belongs_to_one_loop_at_a_time() -> None:
    bucket = TokenBucket(limit=10)

    async def elsewhere() -> None:
        await bucket.acquire()

    async def main() -> None:
        await bucket.acquire()
        with pytest.raises(ConfigurationError, match="another event loop"):
            await asyncio.to_thread(asyncio.run, elsewhere())

    asyncio.run(main())
    asyncio.run(main())


async def test_unlimited_never_waits() -> None:
    limiter = Unlimited()
    slot = await limiter.acquire(priority="bulk", max_wait=0)
    assert slot is FREE_SLOT
    for outcome in Outcome:
        slot.release(outcome, {})
    assert isinstance(limiter, RateLimiter)
    assert isinstance(TokenBucket(limit=5), RateLimiter)
