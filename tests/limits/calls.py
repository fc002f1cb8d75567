"""What the tests of the windows do all the time."""

from __future__ import annotations

import asyncio

from jibble_async.limits.slots import Outcome, RateLimiter


def now() -> float:
    """The time of the loop."""
    return asyncio.get_running_loop().time()


async def send(window: RateLimiter, outcome: Outcome = Outcome.ANSWERED) -> None:
    """Take a slot, and give it back at once."""
    (await window.acquire()).release(outcome)
