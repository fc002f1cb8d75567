"""What AdaptiveLimiter is measured against, behind the same protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from aiolimiter import AsyncLimiter

from jibble_async.limits.slots import FREE_SLOT, Outcome, Priority, Slot

__all__ = ["Aimd", "Told"]


class Told:
    """`AsyncLimiter(limit, per)`: knows the quota, and takes it for the size of its bucket."""

    def __init__(self, limit: float, per: float) -> None:
        self._bucket = AsyncLimiter(limit, per)

    async def acquire(
        self, *, priority: Priority = "interactive", max_wait: float | None = None
    ) -> Slot:
        """Wait for a slot."""
        await self._bucket.acquire()
        return FREE_SLOT


class Aimd:
    """Even pacing; one more request per second each second, half of them on a refusal."""

    def __init__(self, initial: float = 4.0) -> None:
        self.rate = initial
        self._cut_at = 0.0
        self._next_at = 0.0
        self._turn = asyncio.Lock()

    async def acquire(
        self, *, priority: Priority = "interactive", max_wait: float | None = None
    ) -> Slot:
        """Wait for a slot."""
        loop = asyncio.get_running_loop()
        async with self._turn:
            wait = self._next_at - loop.time()
            if wait > 0:
                woken = loop.create_future()
                loop.call_later(wait, woken.set_result, None)
                await woken
            self._next_at = loop.time() + 1 / self.rate
        return _AimdSlot(self, loop)

    def learn(self, sent_at: float, now: float, *, refused: bool) -> None:
        """Change the rate after an answer."""
        if not refused:
            self.rate += 1 / self.rate
        elif sent_at >= self._cut_at:
            self.rate = max(0.1, self.rate / 2)
            self._cut_at = now


class _AimdSlot:
    def __init__(self, limiter: Aimd, loop: asyncio.AbstractEventLoop) -> None:
        self._limiter = limiter
        self._loop = loop
        self._sent_at = loop.time()

    def release(self, outcome: Outcome, headers: Mapping[str, str] | None = None) -> None:
        refused = outcome is Outcome.THROTTLED
        self._limiter.learn(self._sent_at, self._loop.time(), refused=refused)
