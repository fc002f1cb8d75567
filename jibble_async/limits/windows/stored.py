"""A rolling window whose slots are counted in a store that several processes share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Protocol

from msgspec import Struct

from jibble_async.errors import ConfigurationError
from jibble_async.limits.loops import claim_loop, clock_of
from jibble_async.limits.queue import CallQueue
from jibble_async.limits.slots import CountedSlot, Outcome, Priority, Slot
from jibble_async.limits.windows.policy import Policy, Wanted
from jibble_async.limits.windows.reserve import RoundTrips

__all__ = ["Answer", "GivenBack", "SlotStore", "StoredWindow"]


class GivenBack(Struct, frozen=True):
    """A slot that came back: counted until `free_at`, or no longer if that is None."""

    key: str
    free_at: float | None


class Answer(Struct, frozen=True):
    """What a store says to one exchange; all times are on the clock of the exchange.

    Attributes:
        granted: The keys of the slots that were granted.
        granted_at: A time not after the grant.
        dues: When the next slots come due for this process, as far as it is known; sorted.
        ask_again: When to ask again if nothing was granted.
        kept: What the store could not take note of, to be given to the next exchange.
        used: Requests that count at present, of all processes; None if the store does not say.
        oldest_due: When the first of them no longer counts.
    """

    granted: Sequence[str]
    granted_at: float
    dues: Sequence[float]
    ask_again: float
    kept: Sequence[GivenBack] = ()
    used: int | None = None
    oldest_due: float | None = None


class SlotStore(Protocol):
    """Where the slots are counted."""

    @property
    def degraded(self) -> str | None:
        """What is wrong with the store, in a sentence; None if it answers."""
        ...

    def open(self, clock: Callable[[], float]) -> None:
        """Get ready for the running loop, without I/O."""
        ...

    async def exchange(self, given_back: Sequence[GivenBack], wanted: Wanted, look: int) -> Answer:
        """Give slots back, and ask for new ones.

        If none is granted, this process keeps its places in the queue of processes until it asks
        for nothing.

        Args:
            given_back: What came back since the last exchange.
            wanted: The calls that wait in this process.
            look: How many dues to tell.
        """
        ...

    async def close(self) -> None:
        """Let go of files and connections; `open` may come again."""
        ...


class StoredWindow:
    """The common part of the windows that processes share: one queue of calls for each process.

    One task for each process talks to the store, and only while somebody waits or something is to
    be given back.

    Args:
        store: Where the slots are counted.
        policy: What is promised.
    """

    def __init__(self, store: SlotStore, policy: Policy) -> None:
        self.limit: int = policy.limit
        self.per: float = policy.per
        self.linger: float = policy.linger
        self.lease: float = policy.lease
        self._policy = policy
        self._store = store
        self._trips = RoundTrips()
        self._queue = CallQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._now: Callable[[], float] = time.monotonic
        self._given_back: list[GivenBack] = []
        self._closed_until = -inf
        self._exchanges: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._used: int | None = None
        self._oldest_due: float | None = None

    def __repr__(self) -> str:
        return self._policy.name

    @property
    def degraded(self) -> str | None:
        """What is wrong with the store, in a sentence; None if it answers."""
        return self._store.degraded

    @property
    def rate(self) -> float:
        """Requests per second in the long run, of all processes together."""
        return self.limit / self.per

    @property
    def waiting(self) -> Mapping[Priority, int]:
        """Calls that wait for a slot in this process, by priority."""
        return self._queue.waiting

    @property
    def used(self) -> int | None:
        """Requests that count, of all processes, as the store last told; None if it does not."""
        return self._used

    @property
    def room_in(self) -> float | None:
        """Seconds until the oldest request no longer counts, as the store last told, if it did."""
        return None if self._oldest_due is None else max(0.0, self._oldest_due - self._now())

    def hold(self, wait: float | None = None) -> float:
        """Let no process send until the oldest request no longer counts; see `Counting.hold`."""
        now = self._now()
        until = self._policy.hold_until(now, self._oldest_due, wait)
        self._closed_until = max(self._closed_until, until)
        self._exchange_soon()
        return self._closed_until - now

    async def acquire(
        self, *, priority: Priority = "interactive", max_wait: float | None = None
    ) -> Slot:
        """Wait for a slot; see `RateLimiter.acquire`.

        Whether `max_wait` can be met is known after one exchange with the store.
        """
        if self._loop is not asyncio.get_running_loop():
            self._bind()
        waiter = self._queue.enter(priority, max_wait)
        if self._exchanges is None or priority == "interactive" or max_wait is not None:
            self._exchange_soon()
        try:
            return await self._queue.served(waiter)
        finally:
            # The place among the processes is given up with the last call in the queue.
            if not self._queue:
                self._news.set()

    async def aclose(self) -> None:
        """Tell the store what came back last, and let go of it; waiting calls fail.

        The window can be used again afterwards. Without this, what was given back in the last
        moments counts until its lease ends.
        """
        if self._loop is asyncio.get_running_loop():
            self._queue.fail(ConfigurationError(f"{self!r} was closed"))
            await asyncio.sleep(0)
            exchanges = self._exchanges
            if exchanges is not None:
                self._news.set()
                await asyncio.wait([exchanges], timeout=self._policy.grant_timeout)
                exchanges.cancel()
        await self._store.close()
        self._loop = None

    def take_back(self, key: str, outcome: Outcome, taken_at: float) -> None:
        """Pass on what became of a slot; see `SlotOwner`."""
        now = self._now()
        self._given_back.append(GivenBack(key, self._policy.free_at(outcome, now)))
        if outcome is Outcome.ANSWERED or outcome is Outcome.THROTTLED:
            self._trips.add(now - taken_at)
        if outcome is Outcome.THROTTLED:
            self.hold()
        self._exchange_soon()

    def lose(self, key: str, taken_at: float) -> None:
        """Pass on that a slot was dropped; see `SlotOwner`."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.take_back, key, Outcome.ABANDONED, taken_at)

    def _bind(self) -> None:
        self._loop = claim_loop(self, self._loop)
        self._now = clock_of(self._loop)
        self._queue = CallQueue()
        self._news = asyncio.Event()
        self._exchanges = None
        self._store.open(self._now)

    def _exchange_soon(self) -> None:
        if self._exchanges is not None:
            self._news.set()
        elif self._loop is not None and not self._loop.is_closed():
            self._exchanges = self._loop.create_task(self._exchange(), name=self._policy.name)
            self._exchanges.add_done_callback(self._ended)

    def _ended(self, exchanges: asyncio.Task[None]) -> None:
        if exchanges is not self._exchanges:
            return
        self._exchanges = None
        error = None if exchanges.cancelled() else exchanges.exception()
        if error is not None:
            self._queue.fail(error)
        elif not exchanges.cancelled() and (self._queue or self._given_back):
            self._exchange_soon()

    async def _exchange(self) -> None:
        standing = True
        while self._queue or self._given_back or standing:
            self._news.clear()
            given_back, self._given_back = self._given_back, []
            wanted = self._wanted()
            look = min(self._queue.unchecked + 1, self.limit)
            try:
                answer = await self._store.exchange(given_back, wanted, look)
            except BaseException:
                self._given_back[:0] = given_back
                raise
            if answer.used is not None:
                self._used, self._oldest_due = answer.used, answer.oldest_due
            more = bool(self._given_back)
            self._given_back[:0] = answer.kept
            self._hand_out(answer)
            # While a call waits the process stands in the queue of processes, and has to leave it.
            standing = wanted.total > 0 and not answer.granted
            if answer.kept or (standing and self._queue and not more):
                await self._rest(answer.ask_again)

    def _wanted(self) -> Wanted:
        queue = self._queue
        return Wanted(
            interactive=queue.count("interactive"),
            bulk=queue.count("bulk"),
            bulk_is_due=queue.bulk_is_due,
            spacing=self._policy.reserve.spacing(self._trips),
            closed_until=self._closed_until,
        )

    def _hand_out(self, answer: Answer) -> None:
        now = self._now()
        late = now - answer.granted_at > self._policy.grant_timeout
        for key in answer.granted:
            slot = CountedSlot(self, key, now)
            if late or not self._queue.serve(slot):
                slot.release(Outcome.NOT_SENT)
        if answer.dues and not answer.granted:
            self._queue.refuse_late(lambda place: self._policy.due_of(answer.dues, place), now)

    async def _rest(self, until: float) -> None:
        assert self._loop is not None
        timer = self._loop.call_at(until, self._news.set)
        try:
            await self._news.wait()
        finally:
            timer.cancel()
