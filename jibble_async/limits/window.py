"""A rolling window, exact as the server counts it, for one process."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from heapq import merge
from itertools import islice
from math import inf

from jibble_async.errors import ConfigurationError
from jibble_async.limits.loops import claim_loop, clock_of
from jibble_async.limits.queue import CallQueue, wait_too_long
from jibble_async.limits.reserve import Clicks, Reserve, RoundTrips
from jibble_async.limits.slots import CountedSlot, Outcome, Priority, Slot

__all__ = ["RollingWindow", "check_window"]


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
        check_window(name, limit, per, linger)
        self.limit = limit
        self.per = per
        self.linger = linger
        self._name = name
        self._reserve = Reserve(name, limit, per, reserve)
        self._free = limit
        self._answered: deque[float] = deque()
        self._abandoned: deque[float] = deque()
        # Slots that should be free, but for which the server has no room.
        self._held: deque[float] = deque()
        self._clicks = Clicks(limit, per)
        self._trips = RoundTrips()
        self._queue = CallQueue()
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._now: Callable[[], float] = time.monotonic

    def __repr__(self) -> str:
        return self._name

    @property
    def rate(self) -> float:
        """Requests per second in the long run, if answers took no time."""
        return self.limit / self.per

    @property
    def used(self) -> int:
        """Requests that count at present, those under way included."""
        self._reclaim()
        return self.limit - self._free - len(self._held)

    def hold(self, wait: float | None = None) -> float:
        """Hand out nothing until the oldest request no longer counts; see `Counting.hold`."""
        self._reclaim()
        due = min((counted[0] for counted in self._counted), default=self._now() + self.per)
        if wait is not None:
            due = self._now() + wait
        self._held = deque(sorted([*self._held, *[due] * self._free]))
        self._free = 0
        return self._wait_behind(0)

    async def acquire(
        self, *, priority: Priority = "interactive", max_wait: float | None = None
    ) -> Slot:
        """Wait for a slot; see `RateLimiter.acquire`.

        Whether `max_wait` can be met is judged as if every request under way were answered now,
        and nobody ahead gave up.
        """
        if self._loop is not asyncio.get_running_loop():
            self._bind()
        now = self._now()
        if priority == "interactive":
            self._clicks.add(now)
        if self._queue.may_pass(priority):
            if not self._free or priority == "bulk":
                self._reclaim()
            if self._free and (priority == "interactive" or self._bulk_from() <= now):
                slot = self._grant(priority, now)
                if self._queue:
                    self._queue.passed()
                    if self._queue.bulk_is_due:
                        self._serve()
                return slot
        if max_wait is not None:
            wait = self._wait_behind(self._queue.ahead_of(priority) - self._free)
            if priority == "bulk" and self._free:
                wait = max(wait, self._bulk_from() - now)
            if wait > max_wait:
                raise wait_too_long(max_wait, wait)
        self._arm()
        return await self._queue.wait(priority, max_wait)

    def take_back(self, key: str, outcome: Outcome, taken_at: float) -> None:
        """Count a slot on for as long as the server may; see `SlotOwner`."""
        now = self._now()
        if outcome is Outcome.ABANDONED:
            self._abandoned.append(now + self.per + self.linger)
        elif outcome is Outcome.NOT_SENT:
            self._free += 1
            if key == "interactive":
                self._clicks.take_back()
            self._serve()
        else:
            self._answered.append(now + self.per)
            if key == "bulk":
                self._trips.add(now - taken_at)
            if outcome is Outcome.THROTTLED:
                self.hold()
        if self._queue:
            self._arm()

    def lose(self, key: str, taken_at: float) -> None:
        """Count a slot that was dropped as abandoned; see `SlotOwner`."""
        loop = self._loop
        if loop is None or loop.is_closed():
            self._abandoned.append(self._now() + self.per + self.linger)
        else:
            loop.call_soon_threadsafe(self.take_back, key, Outcome.ABANDONED, taken_at)

    def _bind(self) -> None:
        self._loop = claim_loop(self, self._loop)
        self._now = clock_of(self._loop)
        self._queue = CallQueue()
        self._timer = None

    @property
    def _counted(self) -> list[deque[float]]:
        """When slots come free, in order, in queues of which none is empty."""
        return [dues for dues in (self._answered, self._abandoned, self._held) if dues]

    def _reclaim(self) -> None:
        now = self._now()
        for counted in self._counted:
            while counted and counted[0] <= now:
                counted.popleft()
                self._free += 1

    def _serve(self) -> None:
        while (
            self._free and self._queue and (not self._held_back or self._bulk_from() <= self._now())
        ):
            slot = self._grant(self._queue.first, self._now())
            if not self._queue.serve(slot):
                slot.release(Outcome.NOT_SENT)

    def _grant(self, priority: Priority, now: float) -> CountedSlot:
        self._free -= 1
        return CountedSlot(self, priority, now)

    @property
    def _held_back(self) -> bool:
        """Whether the next in line must leave room for interactive calls."""
        return self._queue.first == "bulk" and not self._queue.bulk_is_due

    def _bulk_from(self) -> float:
        now, clicks, reserve = self._now(), self._clicks, self._reserve
        soon = reserve.slot if clicks.one_by_one(now) else reserve.apart(self._trips)
        dues = merge(*self._counted)
        return reserve.bulk_from(self._free, dues, now, clicks.recent(now), soon)

    def _arm(self) -> None:
        if self._loop is None:
            return
        dues = [counted[0] for counted in self._counted]
        if self._free and self._held_back:
            dues.append(self._bulk_from())
        if not dues:
            return
        due = min(dues)
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._reclaim()
        self._serve()
        if self._queue:
            self._arm()

    def _wait_behind(self, ahead: int) -> float:
        """The shortest wait in seconds with `ahead` calls in front that no slot is free for."""
        if ahead < 0:
            return 0.0
        rounds, index = divmod(ahead, self.limit)
        now = self._now()
        due = next(islice(merge(*self._counted), index, None), inf)
        if sum(map(len, self._counted)) < self.limit:
            due = min(due, now + self.per)
        return max(0.0, due - now) + rounds * self.per


def check_window(name: str, limit: int, per: float, linger: float) -> None:
    """Raise if a window of these numbers could never send.

    Raises:
        ConfigurationError: With `name` in its message.
    """
    if limit < 1 or per <= 0 or linger < 0:
        raise ConfigurationError(
            f"{name} can't send anything: limit must be at least 1, per above 0, linger not below 0"
        )
