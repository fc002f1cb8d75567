"""A limiter for a quota that nobody published: it is told by the server, or found by trying."""

from __future__ import annotations

import asyncio
import math
import time
import weakref
from collections.abc import Callable, Mapping
from os import PathLike
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from jibble_async.checks import require_numbers
from jibble_async.errors import ConfigurationError
from jibble_async.limits.adaptive.pacer import Heard, Pacer, Permit
from jibble_async.limits.adaptive.rate import RateEstimator
from jibble_async.limits.loops import claim_loop
from jibble_async.limits.queue import CallQueue, wait_too_long
from jibble_async.limits.slots import Outcome, Priority, Slot

if TYPE_CHECKING:
    from jibble_async.limits.adaptive.kept import KeptPacer

__all__ = ["AdaptiveLimiter", "PacedSlot", "first_pacer"]

# How often what was learnt is written, in seconds: what a killed process loses.
_SAVED_EVERY = 60.0


def first_pacer(owner: str, initial: float) -> Pacer:
    """What is known when nothing was sent yet.

    Args:
        owner: Whose it is, for the error.
        initial: Requests per second to begin with.

    Raises:
        ConfigurationError: That is not a number above 0.
    """
    require_numbers(owner, initial=initial)
    if not 0 < initial < math.inf:
        raise ConfigurationError(f"{owner}(initial={initial}) can't send anything")
    return Pacer(RateEstimator(initial))


class Learner(Protocol):
    """A limiter that learns from what becomes of its slots."""

    def learn(
        self, permit: Permit, outcome: Outcome, headers: Mapping[str, str] | None = None
    ) -> None:
        """Take a slot back with what became of its request."""
        ...


class PacedSlot(Struct, eq=False):
    """The right to send one request, of a limiter that learns from what becomes of it."""

    limiter: Learner | None
    permit: Permit

    def release(self, outcome: Outcome, headers: Mapping[str, str] | None = None) -> None:
        """Give the slot back; only the first release counts."""
        limiter, self.limiter = self.limiter, None
        if limiter is not None:
            limiter.learn(self.permit, outcome, headers)


class AdaptiveLimiter:
    """Finds the server's quota, uses nearly all of it, and is refused hardly ever.

    It begins with five requests at once, as fast as answers come. Without help from the server it
    climbs until a request is refused, settles just below, and looks again about every 140 requests,
    so it follows a quota that changes. Where answers carry `X-Rate-Limit-*` it spreads what is left
    over the time that is left by the server's clock, and need not be refused to learn.

    Use one for each credential and service, in one event loop.

    Args:
        initial: Requests per second to begin with, where nothing is known.
        state: A file that keeps what was learnt for the next time; one for each credential and
            service. After a week that is where to begin, and no more. It is written by `aclose`, at
            the end of the process, and once a minute; a file that can't be used is ignored, and the
            log says so. For programs that run one after the other: several at once don't know of
            each other by it, but by `SharedAdaptive`.

    Raises:
        ConfigurationError: `initial` is not a number above 0.

    Attributes:
        waits: How many requests had to wait for their slot.
        waited: Seconds they waited, all together.
        rejections: How many requests the server refused for going too fast.

    Example:
        >>> client = JibbleClient(key_id, secret, limiter=AdaptiveLimiter(initial=10))
    """

    def __init__(self, initial: float = 4.0, *, state: str | PathLike[str] | None = None) -> None:
        self._pacer = first_pacer("AdaptiveLimiter", initial)
        self.waits: int = 0
        self.waited: float = 0.0
        self.rejections: int = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._queue = CallQueue()
        self._kept: KeptPacer | None = None
        if state is not None:
            from jibble_async.limits.adaptive.kept import KeptPacer

            self._kept = KeptPacer(state)
        self._saved_at = -math.inf
        self._at_exit: weakref.finalize[..., AdaptiveLimiter] | None = None

    def __repr__(self) -> str:
        return f"<AdaptiveLimiter at {self.rate:.3g} requests per second>"

    @property
    def rate(self) -> float:
        """Requests per second that the server is believed to accept."""
        return self._pacer.rate

    @property
    def quota(self) -> tuple[int, float] | None:
        """Requests, and the seconds they are for, as the server tells; None if it doesn't."""
        return self._pacer.told_quota

    @property
    def waiting(self) -> Mapping[Priority, int]:
        """Calls that wait for a slot at this moment, by priority."""
        return self._queue.waiting

    async def acquire(
        self, *, priority: Priority = "interactive", max_wait: float | None = None
    ) -> Slot:
        """Wait for a slot; see `RateLimiter.acquire`."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._bind()
        now = loop.time()
        if not self._queue and self._pacer.due() <= now:
            return PacedSlot(self, self._pacer.let_go(now, held=False))
        if max_wait is not None:
            wait = self._pacer.soonest(now).of(self._queue.ahead_of(priority)) - now
            if wait > max_wait:
                raise wait_too_long(max_wait, wait)
        if self._timer is None:
            self._schedule(loop)
        slot = await self._queue.wait(priority, max_wait)
        self.waits += 1
        self.waited += loop.time() - now
        return slot

    def learn(
        self, permit: Permit, outcome: Outcome, headers: Mapping[str, str] | None = None
    ) -> None:
        """Take a slot back with what became of its request; called by the slot."""
        loop = self._loop
        assert loop is not None
        self.rejections += outcome is Outcome.THROTTLED
        now = loop.time()
        self._pacer.learn(Heard.of(permit, outcome, now, headers, time.time))
        if self._timer is not None:
            self._schedule(loop)
        if self._kept is not None and now - self._saved_at > _SAVED_EVERY:
            self._saved_at = now
            loop.call_soon(self._kept.save, self._pacer, now)

    async def aclose(self) -> None:
        """Write down what was learnt, if there is a file for it; the limiter can be used on."""
        if self._kept is not None and self._loop is not None:
            self._kept.save(self._pacer, self._loop.time())

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(max(self._pacer.due(), 0.0), self._serve, loop)

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        # A timer may fire early by the resolution of the clock.
        if self._queue and self._pacer.due() <= (now := loop.time()):
            self._queue.serve(PacedSlot(self, self._pacer.let_go(now, held=True)))
        if self._queue:
            self._schedule(loop)

    def _bind(self) -> None:
        before, self._loop = self._loop, claim_loop(self, self._loop)
        self._queue = CallQueue()
        self._timer = None
        if self._kept is not None:
            if before is not None:
                self._kept.save(self._pacer, before.time())
            self._begin(self._kept, self._loop.time)

    def _begin(self, kept: KeptPacer, clock: Callable[[], float]) -> None:
        now = self._saved_at = clock()
        pacer = self._pacer = kept.load(now) or self._pacer
        if self._at_exit is not None:
            self._at_exit.detach()
        self._at_exit = weakref.finalize(self, lambda: kept.save(pacer, clock()))
