# pyright: reportUnknownMemberType=false, reportPrivateUsage=false
from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import pytest
import redis

from jibble_async.errors import RateLimitedError
from jibble_async.limits import redis as module
from jibble_async.limits.redis import RedisWindow
from jibble_async.limits.slots import Outcome
from jibble_async.limits.stored import Wanted
from tests.limits.calls import now
from tests.limits.schedules import HAIR, tightest
from tests.limits.script_model import ScriptModel
from tests.support import virtual_time

NOWHERE = "unix:///nonexistent/redis.sock"


@pytest.mark.parametrize("seed", range(16))
def test_outages_never_break_the_limit(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers, some of them idle for long, and a store that is down or flushed now and then."""
    dice = random.Random(seed)
    store = ScriptModel()
    limit, per, count = dice.choice([(8, 1.0, 4), (20, 2.0, 4), (6, 1.0, 2)])
    arrivals: list[float] = []
    on_share = 0

    async def call(
        self: Any, given_back: Sequence[Any], wanted: Wanted, *rest: Any
    ) -> list[str | int]:
        script = self._script

        async def run(keys: object, args: Sequence[str | float]) -> list[str | int]:
            await asyncio.sleep(0.001)
            if store.down:
                raise redis.ConnectionError
            reply = store.run(now(), args)
            await asyncio.sleep(0.001)
            return reply

        self._script = run
        try:
            return await original(self, given_back, wanted, *rest)
        finally:
            self._script = script

    original = module._RedisStore._call
    monkeypatch.setattr(module._RedisStore, "_call", call)

    async def caller(window: RedisWindow, until: float, rest: float) -> None:
        nonlocal on_share
        while now() < until:
            try:
                slot = await window.acquire(max_wait=dice.choice((None, 1.0)))
            except RateLimitedError:
                await asyncio.sleep(0.2)
                continue
            on_share += window.degraded is not None
            there = dice.uniform(0, 0.05)
            arrivals.append(now() + there)
            await asyncio.sleep(2 * there)
            slot.release(Outcome.ANSWERED)
            await asyncio.sleep(dice.uniform(0, rest))

    async def fate(until: float) -> None:
        while now() < until:
            await asyncio.sleep(dice.uniform(2, 12))
            if dice.random() < 0.3:
                store.flush()
            else:
                store.down = True
                await asyncio.sleep(dice.uniform(0.5, 20))
                if dice.random() < 0.3:
                    store.flush()
                store.down = False

    async def main() -> None:
        windows = [
            RedisWindow(NOWHERE, limit, per, 0.2, workers=count, lease=0.5, trust_empty=True)
            for _ in range(count)
        ]
        tasks = [asyncio.create_task(fate(100))]
        for window in windows:
            rest = dice.choice((0.0, 0.0, 20.0))
            tasks += [asyncio.create_task(caller(window, 100, rest)) for _ in range(6)]
        await asyncio.gather(*tasks)
        store.down = False
        for window in windows:
            await window.aclose()

    virtual_time.run(main())
    assert on_share
    assert tightest(sorted(arrivals), limit) >= per - HAIR
