"""Outages of the store of `RedisWindow`, in virtual time; the script is run by a real server."""

from __future__ import annotations

import asyncio
import random

import pytest

from jibble_async.errors import RateLimitedError
from jibble_async.limits.slots import Outcome
from jibble_async.limits.windows.policy import Policy
from jibble_async.limits.windows.stored import StoredWindow
from tests.limits.calls import is_due, now, send
from tests.limits.redis_server import RedisServer
from tests.limits.schedules import HAIR, tightest
from tests.limits.stores import VirtualRedis
from tests.support import virtual_time
from tests.support.chaos import seeds


@seeds(16)
def test_outages_never_break_the_limit(seed: int, redis_server: RedisServer) -> None:
    """Workers, some of them idle for long, and a store that is down or flushed now and then."""
    dice = random.Random(seed)
    limit, per, count = dice.choice([(8, 1.0, 4), (20, 2.0, 4), (6, 1.0, 2)])
    policy = Policy("window", limit, per, linger=0.2, reserve=0.1, lease=0.5)
    arrivals: list[float] = []
    on_fallback = 0
    away = False

    def worker() -> StoredWindow:
        store = VirtualRedis(redis_server, policy, workers=count)
        store.link.away = lambda: away
        return StoredWindow(store, policy)

    async def caller(window: StoredWindow, until: float, rest: float) -> None:
        nonlocal on_fallback
        while now() < until:
            try:
                slot = await window.acquire(max_wait=dice.choice((None, 1.0)))
            except RateLimitedError:
                await asyncio.sleep(0.2)
                continue
            on_fallback += window.degraded is not None
            there = dice.uniform(0, 0.05)
            arrivals.append(now() + there)
            await asyncio.sleep(2 * there)
            slot.release(Outcome.ANSWERED)
            await asyncio.sleep(dice.uniform(0, rest))

    async def fate(until: float) -> None:
        nonlocal away
        while now() < until:
            await asyncio.sleep(dice.uniform(2, 12))
            flushed = dice.random() < 0.3
            if not flushed:
                away = True
                await asyncio.sleep(dice.uniform(0.5, 20))
                flushed = dice.random() < 0.3
            if flushed:
                redis_server.client.flushall()  # pyright: ignore[reportUnknownMemberType]
            away = False

    async def main() -> None:
        nonlocal away
        windows = [worker() for _ in range(count)]
        tasks = [asyncio.create_task(fate(100))]
        for window in windows:
            rest = dice.choice((0.0, 0.0, 20.0))
            tasks += [asyncio.create_task(caller(window, 100, rest)) for _ in range(6)]
        await asyncio.gather(*tasks)
        away = False
        for window in windows:
            await window.aclose()

    virtual_time.run(main())
    assert on_fallback
    assert tightest(sorted(arrivals), limit) >= per - HAIR


def test_a_wait_that_the_server_asks_for_holds_while_the_store_is_away(
    redis_server: RedisServer,
) -> None:
    policy = Policy("window", 4, 1.0, linger=0, reserve=0, lease=1.0)
    store = VirtualRedis(redis_server, policy, workers=2)
    window = StoredWindow(store, policy)

    async def main() -> tuple[float, float]:
        await send(window)
        await asyncio.sleep(0.01)
        store.link.away = lambda: True
        await send(window)
        on_fallback = now()
        window.hold(20)
        await send(window)
        return on_fallback, now()

    on_fallback, after_hold = virtual_time.run(main())
    assert on_fallback == is_due(policy.lost_after)
    assert after_hold == is_due(on_fallback + 20)


def test_an_empty_store_is_trusted_before_the_first_contact_only(redis_server: RedisServer) -> None:
    policy = Policy("window", 20, 1000.0, linger=1.0, reserve=0.0, lease=1.0)

    async def main() -> None:
        idle, busy = (StoredWindow(VirtualRedis(redis_server, policy, 5), policy) for _ in "ab")
        await send(idle)
        await asyncio.sleep(policy.lost_after + 1)
        for _ in range(20):
            await send(busy)
        redis_server.client.flushall()  # pyright: ignore[reportUnknownMemberType]
        # It has been idle for so long that it forgot what the store's memory was called.
        with pytest.raises(RateLimitedError):
            await idle.acquire(max_wait=10)
        assert idle.degraded is not None
        assert "lost its data" in idle.degraded

    virtual_time.run(main())


@pytest.mark.parametrize(("max_wait", "served"), [(3.0, True), (0.5, False)])
def test_a_short_absence_of_the_store_refuses_nobody_who_may_wait(
    redis_server: RedisServer, max_wait: float, served: bool
) -> None:
    policy = Policy("window", 20, 1.0, linger=60.0, reserve=0.0, lease=60.0)

    async def main() -> float:
        store = VirtualRedis(redis_server, policy, 4)
        window = StoredWindow(store, policy)
        await send(window)
        store.link.away = lambda: now() < began + 1.5
        began = now()
        if served:
            (await window.acquire(max_wait=max_wait)).release(Outcome.ANSWERED)
        else:
            with pytest.raises(RateLimitedError):
                await window.acquire(max_wait=max_wait)
        return now() - began

    assert virtual_time.run(main()) == pytest.approx(2.0 if served else 0, abs=0.02)
