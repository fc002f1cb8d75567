"""A limiter for a quota that nobody published: it is told by the server, or found by trying."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping

from msgspec import Struct

from jibble_async.checks import require_numbers
from jibble_async.errors import ConfigurationError
from jibble_async.limits.adaptive.quota import ToldQuota, Window
from jibble_async.limits.adaptive.rate import RateEstimator
from jibble_async.limits.headers import read_date, read_limits, read_retry_after
from jibble_async.limits.loops import claim_loop
from jibble_async.limits.queue import CallQueue, wait_too_long
from jibble_async.limits.slots import Outcome, Priority, Slot

__all__ = ["AdaptiveLimiter"]

# A shorter wait is the business of the refused call alone: if all obeyed it, a window of one
# second would stay unused for up to a fifth.
_STOPS_ALL = 2.0
# After this one request asks again, whatever was announced: a wait that is wrong must not outlast
# its cause by years.
_ASKS_AGAIN = 3600.0


class _Slot(Struct, eq=False):
    """The right to send one request, and what must be known when its answer comes."""

    limiter: AdaptiveLimiter | None
    sent_at: float
    held: bool
    window: Window | None
    serial: int

    def release(self, outcome: Outcome, headers: Mapping[str, str] | None = None) -> None:
        limiter, self.limiter = self.limiter, None
        if limiter is not None:
            limiter.learn(self, outcome, headers)


class AdaptiveLimiter:
    """Finds the server's quota, uses nearly all of it, and is refused hardly ever.

    Without help from the server it climbs until a request is refused, settles just below, and
    looks again about every 140 requests, so it follows a quota that changes. Where answers carry
    `X-Rate-Limit-*` it spreads what is left over the time that is left by the server's clock, and
    need not be refused to learn.

    Use one for each credential and service, in one event loop.

    Args:
        initial: Requests per second to begin with.

    Raises:
        ConfigurationError: `initial` is not a number above 0.

    Attributes:
        waits: How many requests had to wait for their slot.
        waited: Seconds they waited, all together.
        rejections: How many requests the server refused for going too fast.

    Example:
        >>> client = JibbleClient(key_id, secret, limiter=AdaptiveLimiter(initial=10))
    """

    def __init__(self, initial: float = 4.0) -> None:
        require_numbers("AdaptiveLimiter", initial=initial)
        if not 0 < initial < math.inf:
            raise ConfigurationError(f"AdaptiveLimiter(initial={initial}) can't send anything")
        self.waits: int = 0
        self.waited: float = 0.0
        self.rejections: int = 0
        self._estimator = RateEstimator(initial)
        self._quota = ToldQuota()
        self._told = False
        self._asked_at = self._stopped_until = -math.inf
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._queue = CallQueue()

    def __repr__(self) -> str:
        return f"<AdaptiveLimiter at {self.rate:.3g} requests per second>"

    @property
    def rate(self) -> float:
        """Requests per second that the server is believed to accept."""
        return self._quota.limit / self._quota.per if self._told else self._estimator.rate

    @property
    def quota(self) -> tuple[int, float] | None:
        """Requests, and the seconds they are for, as the server tells; None if it doesn't."""
        return (self._quota.limit, self._quota.per) if self._told else None

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
        if not self._queue and self._due() <= now:
            return self._grant(now, held=False)
        if max_wait is not None and (wait := self._shortest_wait(priority, now)) > max_wait:
            raise wait_too_long(max_wait, wait)
        if self._timer is None:
            self._schedule(loop)
        slot = await self._queue.wait(priority, max_wait)
        self.waits += 1
        self.waited += loop.time() - now
        return slot

    def learn(
        self, slot: _Slot, outcome: Outcome, headers: Mapping[str, str] | None = None
    ) -> None:
        """Take a slot back with what became of its request; called by the slot."""
        loop = self._loop
        assert loop is not None
        now = loop.time()
        if outcome is Outcome.ANSWERED or outcome is Outcome.THROTTLED:
            self._answered(slot, now, headers, refused=outcome is Outcome.THROTTLED)
        else:
            sent = outcome is not Outcome.NOT_SENT
            if not self._told:
                self._estimator.unanswered(slot.sent_at, sent=sent)
            elif not sent:
                self._quota.unsent(slot.window)
        if self._told is not self._quota.known:
            if self._told:
                quota = self._quota
                self._estimator = RateEstimator.told(
                    quota.limit, quota.per, now, slides=not quota.hidden
                )
            self._told = not self._told
        if self._timer is not None:
            self._schedule(loop)

    def _answered(
        self, slot: _Slot, now: float, headers: Mapping[str, str] | None, *, refused: bool
    ) -> None:
        reading = wait = None
        if headers:
            reading = read_limits(headers)
            date = read_date(headers)
            if reading is not None and self._quota.timed(slot.sent_at, now, reading, date):
                self._quota.told(slot.window, slot.serial, reading, refused=refused)
            if refused:
                wait = read_retry_after(headers, time.time())
        if not refused:
            if not self._told:
                self._estimator.accepted(slot.sent_at, now, held=slot.held)
            return
        self.rejections += 1
        if wait is not None:
            wait = min(wait, _ASKS_AGAIN) if wait > _STOPS_ALL else None
        if not self._told:
            self._estimator.refused(slot.sent_at, now, wait)
        elif reading is None:
            self._quota.refused(slot.window)
        if wait is not None:
            self._stopped_until = max(self._stopped_until, now + wait)

    def _shortest_wait(self, priority: Priority, now: float) -> float:
        """How long a newcomer has to wait at least, by what is known and not by a guess."""
        estimator = self._estimator
        if not self._told and estimator.probe_at is not None:
            # The answer to the probe may come at any time, and open the window.
            return max(0.0, self._stopped_until - now)
        wait = self._due() - now
        if self._told or estimator.near:
            wait += self._queue.ahead_of(priority) / self.rate
        return wait

    def _due(self) -> float:
        if self._told:
            due = min(self._quota.due(), self._asked_at + _ASKS_AGAIN)
        else:
            due = self._estimator.due()
        return max(due, self._stopped_until)

    def _grant(self, now: float, *, held: bool) -> Slot:
        if not self._told:
            self._estimator.sent(now)
        self._asked_at = now
        window, serial = self._quota.sent(now)
        return _Slot(self, now, held, window, serial)

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(self._due(), self._serve, loop)

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        # A timer may fire early by the resolution of the clock.
        if self._queue and self._due() <= (now := loop.time()):
            self._queue.serve(self._grant(now, held=True))
        if self._queue:
            self._schedule(loop)

    def _bind(self) -> None:
        self._loop = claim_loop(self, self._loop)
        self._queue = CallQueue()
        self._timer = None
