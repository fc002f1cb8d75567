"""What the tests of limiters do all the time."""

from __future__ import annotations

import asyncio

import pytest

from jibble_async.limits.slots import Outcome, Priority, RateLimiter, Slot


def now() -> float:
    """The time of the loop."""
    return asyncio.get_running_loop().time()


def is_due(moment: float) -> object:
    """Equal to `moment`, or a little later: stores are a millisecond away."""
    return pytest.approx(moment, abs=0.02)


async def send(
    window: RateLimiter, outcome: Outcome = Outcome.ANSWERED, priority: Priority = "interactive"
) -> None:
    """Take a slot, and give it back at once."""
    (await window.acquire(priority=priority)).release(outcome)


async def probe_of(limiter: RateLimiter) -> Slot:
    """The slot by which a limiter that was refused twice finds out whether it may go on."""
    for _ in range(2):
        (await limiter.acquire()).release(Outcome.THROTTLED)
    return await limiter.acquire()
