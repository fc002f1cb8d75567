"""A rolling window, exact as the server counts it, for one process."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_right, insort
from collections.abc import Callable, Mapping
from math import inf

from jibble_async.limits.loops import claim_loop, clock_of
from jibble_async.limits.queue import CallQueue
from jibble_async.limits.slots import CountedSlot, Outcome, Priority, Slot
from jibble_async.limits.windows.policy import Decision, Policy, State, Wanted
from jibble_async.limits.windows.reserve import Clicks, RoundTrips

__all__ = ["RollingWindow"]


class RollingWindow:
    """At most `limit` requests in any `per` seconds, as the server counts them.

    The server counts a request at a moment between its sending and the arrival of its answer. So a
    slot is free again `per` after the answer came; at once if the request was surely not sent; and
    `per + linger` after it was given up, since it may still arrive. The promise holds as long as
    no request that was given up is under way for more than `linger`, nobody else uses the
    credentials, and the two clocks run at the same speed.

    A refusal by the server means that somebody else uses the credentials, or that the limit is
    another one. Then nobody gets a slot until the oldest request no longer counts.

    What it costs is the time of waiting for answers: `limit / (per + round trip)` requests a second
    at most.

    Beside a bulk job an interactive call waits for the time of one slot, `per / limit`, at most, as
    long as such calls come one by one, and no more of them than `reserve`, or than in the period
    before. When none came for ten seconds, or many at once, it may wait for as long as slots come
    due apart: `(per + round trip) / limit`, and more where answers take unevenly long.

    Args:
        limit: Requests that the server accepts in a period.
        per: The period in seconds.
        linger: Seconds for which a request that was given up may still be on its way.
        reserve: The part of the window that bulk calls leave to interactive ones at least, until
            the next slots come due. It delays a bulk job that begins, and costs next to nothing in
            the long run, but while interactive calls come one by one: then some per cent of a small
            window where answers take long.

    Raises:
        ConfigurationError: The numbers leave nothing to send.

    Example:
        >>> client = LegacyClient(token, limiter=RollingWindow(limit=150, per=3600))
    """

    def __init__(
        self, limit: int, per: float, linger: float = 60.0, *, reserve: float = 0.1
    ) -> None:
        name = f"RollingWindow(limit={limit}, per={per}, linger={linger})"
        self._policy = Policy(name, limit, per, linger, reserve)
        self.limit: int = limit
        self.per: float = per
        self.linger: float = linger
        self._free = limit
        self._dues: list[float] = []
        self._clicks = Clicks(limit, per)
        self._closed_until = -inf
        self._trips = RoundTrips()
        self._queue = CallQueue()
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._now: Callable[[], float] = time.monotonic

    def __repr__(self) -> str:
        return self._policy.name

    @property
    def rate(self) -> float:
        """Requests per second in the long run, if answers took no time."""
        return self.limit / self.per

    @property
    def waiting(self) -> Mapping[Priority, int]:
        """Calls that wait for a slot at this moment, by priority."""
        return self._queue.waiting

    @property
    def used(self) -> int:
        """Requests that count at present, those under way included."""
        self._reclaim(self._now())
        return self.limit - self._free

    def hold(self, wait: float | None = None) -> float:
        """Hand out nothing until the oldest request no longer counts; see `Counting.hold`."""
        now = self._now()
        self._reclaim(now)
        until = self._policy.hold_until(now, self._dues[0] if self._dues else None, wait)
        self._closed_until = max(self._closed_until, until)
        return self._closed_until - now

    async def acquire(
        self, *, priority: Priority = "interactive", max_wait: float | None = None
    ) -> Slot:
        """Wait for a slot; see `RateLimiter.acquire`.

        Whether `max_wait` can be met is judged as if every request under way were answered now,
        and nobody ahead gave up.
        """
        if self._loop is not asyncio.get_running_loop():
            self._bind()
        queue = self._queue
        # What the policy would say, if nobody goes before an interactive call, at a tenth of the
        # cost.
        waiting = len(queue)
        if priority == "interactive" and (not waiting or queue.may_pass(priority)):
            now = self._now()
            if not self._free:
                self._reclaim(now)
            if self._free and self._closed_until <= now:
                self._free -= 1
                self._clicks.add(now)
                slot = CountedSlot(self, priority, now)
                if waiting:
                    queue.passed()
                    if queue.bulk_is_due:
                        self._serve(now)
                return slot
        waiter = queue.enter(priority, max_wait)
        now = self._now()
        look = 1 if max_wait is None else min(queue.ahead_of(priority), self.limit)
        decision = self._serve(now, look)
        if max_wait is not None and decision is not None and not waiter.slot.done():
            wait = self._policy.due_of(decision.dues, queue.ahead_of(priority) - 1) - now
            if wait > max_wait:
                waiter.refuse(wait)
        return await queue.served(waiter)

    def take_back(self, key: str, outcome: Outcome, taken_at: float) -> None:
        """Count a slot on for as long as the server may; see `SlotOwner`."""
        now = self._now()
        due: float | None = now + self.per
        # The usual case is spared a call.
        if outcome is not Outcome.ANSWERED:
            due = self._policy.free_at(outcome, now)
        if due is None:
            self._free += 1
            if key == "interactive":
                self._clicks.take_back(taken_at)
        else:
            if self._dues and due < self._dues[-1]:
                insort(self._dues, due)
            else:
                self._dues.append(due)
            if key == "bulk" and outcome is not Outcome.ABANDONED:
                self._trips.add(now - taken_at)
            if outcome is Outcome.THROTTLED:
                self.hold()
        # Where nothing is free, a timer is set for when the next slot may be at the earliest.
        if self._queue and self._free:
            self._serve(now)

    def lose(self, key: str, taken_at: float) -> None:
        """Count a slot that was dropped as abandoned; see `SlotOwner`."""
        loop = self._loop
        if loop is None or loop.is_closed():
            insort(self._dues, self._now() + self.per + self.linger)
        else:
            loop.call_soon_threadsafe(self.take_back, key, Outcome.ABANDONED, taken_at)

    def _bind(self) -> None:
        self._loop = claim_loop(self, self._loop)
        self._now = clock_of(self._loop)
        self._queue = CallQueue()
        self._timer = None

    def _grant(self, priority: Priority, now: float) -> CountedSlot:
        self._free -= 1
        if priority == "interactive":
            self._clicks.add(now)
        return CountedSlot(self, priority, now)

    def _reclaim(self, now: float) -> None:
        gone = bisect_right(self._dues, now)
        del self._dues[:gone]
        self._free += gone

    def _serve(self, now: float, look: int = 1) -> Decision | None:
        """Give slots to those who may have one now; what else was decided if somebody waits on."""
        queue = self._queue
        self._reclaim(now)
        while queue:
            decision = self._decide(now, look)
            if not decision.granted:
                self._wake_at(decision.dues[0])
                return decision
            for _ in range(decision.granted):
                if queue:
                    queue.serve(self._grant(queue.first, now))
        return None

    def _decide(self, now: float, look: int) -> Decision:
        queue = self._queue
        under_way = self.limit - self._free - len(self._dues)
        state = State(self._dues, under_way, self._clicks, closed_until=self._closed_until)
        spacing = self._policy.reserve.spacing(self._trips)
        calls = queue.count("interactive"), queue.count("bulk")
        self._clicks.wait(calls[0], now)
        return self._policy.decide(state, Wanted(*calls, queue.bulk_is_due, spacing), now, look)

    def _wake_at(self, due: float) -> None:
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        assert self._loop is not None
        self._timer = self._loop.call_at(due, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._serve(self._now())
