"""What the tests of the windows do all the time."""

from __future__ import annotations

import asyncio

from jibble_async.limits.slots import Outcome, Priority, RateLimiter


def now() -> float:
    """The time of the loop."""
    return asyncio.get_running_loop().time()


async def send(window: RateLimiter, outcome: Outcome = Outcome.ANSWERED) -> None:
    """Take a slot, and give it back at once."""
    (await window.acquire()).release(outcome)


async def served_beside_bulk(job: RateLimiter, web: RateLimiter, later: float) -> list[str]:
    """The order in which three bulk calls are served, and a click that comes `later`."""
    await send(job)
    served: list[str] = []

    async def call(name: str, window: RateLimiter, priority: Priority) -> None:
        slot = await window.acquire(priority=priority)
        served.append(name)
        slot.release(Outcome.ANSWERED)

    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(call(f"bulk {number}", job, "bulk"))
        await asyncio.sleep(later)
        group.create_task(call("click", web, "interactive"))
    return served
