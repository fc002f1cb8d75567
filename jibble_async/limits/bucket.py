"""A token bucket on aiolimiter, for a quota that is known."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from aiolimiter import AsyncLimiter

from jibble_async.checks import require_numbers
from jibble_async.errors import ConfigurationError
from jibble_async.limits.loops import claim_loop
from jibble_async.limits.queue import CallQueue, wait_too_long
from jibble_async.limits.slots import FREE_SLOT, Priority, Slot

__all__ = ["TokenBucket"]


class TokenBucket:
    """At most `limit` requests in any `per` seconds, spread evenly after a small burst.

    A plain bucket of size N that refills N per period lets nearly 2 N through in its worst
    period. This one is shaped so that `burst + rate * (per + jitter) <= limit`, which holds at
    the server too, as long as requests are not bunched up by more than `jitter` on the way.

    Args:
        limit: Requests that the server accepts in a period.
        per: The period in seconds.
        burst: Requests that may go at once; by default a tenth of `limit`, at least 1.
        jitter: Seconds by which the travel times of two requests may differ.

    Raises:
        ConfigurationError: The numbers leave nothing to send.

    Example:
        >>> client = JibbleClient(key_id, secret, limiter=TokenBucket(limit=300, per=60))
    """

    def __init__(
        self, limit: float, per: float = 1.0, *, burst: float | None = None, jitter: float = 0.05
    ) -> None:
        require_numbers("TokenBucket", "burst", limit=limit, per=per, burst=burst, jitter=jitter)
        if burst is None:
            burst = max(1.0, limit / 10)
        rate = (limit - burst) / (per + jitter) if per > 0 and jitter >= 0 else 0.0
        if burst < 1 or rate <= 0:
            raise ConfigurationError(
                f"TokenBucket(limit={limit}, per={per}, burst={burst}, jitter={jitter}) can't "
                "send anything: burst must be at least 1 and less than limit, per above 0"
            )
        self.limit = limit
        self.per = per
        self.burst = burst
        self.rate = rate
        self._loop: asyncio.AbstractEventLoop | None = None
        self._feeder: asyncio.Task[None] | None = None
        self._queue = CallQueue()

    def __repr__(self) -> str:
        return f"TokenBucket(limit={self.limit}, per={self.per}, burst={self.burst})"

    @property
    def waiting(self) -> Mapping[Priority, int]:
        """Calls that wait for a slot at this moment, by priority."""
        return self._queue.waiting

    async def acquire(
        self, *, priority: Priority = "interactive", max_wait: float | None = None
    ) -> Slot:
        """Wait for a slot; see `RateLimiter.acquire`."""
        if self._loop is not asyncio.get_running_loop():
            self._bind()
        if not self._queue and self._bucket.has_capacity():
            await self._bucket.acquire()
            return FREE_SLOT
        if max_wait is not None:
            shortest = (self._queue.ahead_of(priority) - self.burst) / self.rate
            if shortest > max_wait:
                raise wait_too_long(max_wait, shortest)
        if self._feeder is None:
            self._feeder = asyncio.create_task(self._feed())
        try:
            return await self._queue.wait(priority, max_wait)
        finally:
            if not self._queue:
                self._rest()

    async def _feed(self) -> None:
        while self._queue:
            await self._bucket.acquire()
            self._queue.serve(FREE_SLOT)
        self._feeder = None

    def _rest(self) -> None:
        if self._feeder is not None:
            self._feeder.cancel()
            self._feeder = None

    def _bind(self) -> None:
        self._loop = claim_loop(self, self._loop)
        self._bucket = AsyncLimiter(self.burst, self.burst / self.rate)
        self._queue = CallQueue()
        self._feeder = None
