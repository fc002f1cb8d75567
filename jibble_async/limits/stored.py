"""A rolling window whose slots are counted in a store that several processes share."""

from __future__ import annotations

import asyncio
import math
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from jibble_async.errors import ConfigurationError
from jibble_async.limits.loops import claim_loop, clock_of
from jibble_async.limits.queue import STARVATION_BOUND, CallQueue
from jibble_async.limits.reserve import Reserve, RoundTrips
from jibble_async.limits.slots import CountedSlot, Outcome, Priority, Slot
from jibble_async.limits.window import check_window

__all__ = [
    "ASK_AGAIN",
    "OVERDUE",
    "Answer",
    "GivenBack",
    "SlotStore",
    "StoredWindow",
    "Terms",
    "Wanted",
]

HAND_OVER = 1.0
"""Seconds after which a granted slot that has not reached its caller is given back instead: the
process was stopped in between, and the slot's lease may be about to end."""

ASK_AGAIN = 1.0
"""Seconds after which a waiting process asks again in any case: another may have given back a slot
unused."""

OVERDUE = 0.05
"""Seconds by which a process in line may be late before those behind it stop waiting for it."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is promised, and under which assumptions.

    Attributes:
        limit: Requests that the server accepts in a period.
        per: The period in seconds.
        linger: Seconds for which a request that was given up may still be on its way.
        lease: Seconds from a slot's grant within which its request has ended.
        reserve: The part of the window that bulk calls leave to interactive ones at least.
    """

    limit: int
    per: float
    linger: float
    lease: float
    reserve: float

    @property
    def hold(self) -> float:
        """How long a slot counts whose holder is never heard of again, in seconds.

        The holder had it for up to `HAND_OVER` before its caller got it, the request was given up
        `lease` later at most, and may have arrived `linger` after that.
        """
        return HAND_OVER + self.lease + self.linger + self.per

    @property
    def patience(self) -> int:
        """Interactive calls that may overtake a bulk call; all that did are known for a period."""
        return min(STARVATION_BOUND, math.ceil(0.9 * self.limit))

    def check(self, name: str) -> Reserve:
        """Raise if a window of these terms could never send; what bulk calls leave of it.

        Raises:
            ConfigurationError: With `name` in its message.
        """
        check_window(name, self.limit, self.per, self.linger)
        if self.lease <= 0:
            raise ConfigurationError(f"{name} needs a lease above 0")
        return Reserve(name, self.limit, self.per, self.reserve)


@dataclass(frozen=True, slots=True)
class GivenBack:
    """A slot that came back: counted until `free_at`, or no longer if that is None."""

    key: str
    free_at: float | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """The calls that wait in a process.

    Attributes:
        interactive: How many of them are interactive.
        bulk: How many are bulk.
        bulk_is_due: Whether a bulk call goes first, as many have overtaken it.
        apart: How far apart slots may come due for bulk calls; see `Reserve.apart`.
    """

    interactive: int = 0
    bulk: int = 0
    bulk_is_due: bool = False
    apart: float = 0.0

    @property
    def total(self) -> int:
        """How many wait."""
        return self.interactive + self.bulk

    @property
    def priority(self) -> Priority:
        """The priority of the first of them."""
        return "interactive" if self.interactive and not self.bulk_is_due else "bulk"


@dataclass(frozen=True, slots=True)
class Answer:
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

        If none is granted, this process keeps its place in the line of processes until it asks
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
    """The common part of `SharedWindow` and `RedisWindow`: one line of calls for each process.

    One task for each process talks to the store, and only while somebody waits or something is to
    be given back.

    Args:
        name: The constructor's call, for messages.
        store: Where the slots are counted.
        terms: What is promised.

    Raises:
        ConfigurationError: The numbers leave nothing to send.
    """

    def __init__(self, name: str, store: SlotStore, terms: Terms) -> None:
        self._reserve = terms.check(name)
        self.limit: int = terms.limit
        self.per: float = terms.per
        self.linger: float = terms.linger
        self.lease: float = terms.lease
        self._name = name
        self._store = store
        self._trips = RoundTrips()
        self._queue = CallQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._now: Callable[[], float] = time.monotonic
        self._given_back: list[GivenBack] = []
        self._courier: asyncio.Task[None] | None = None
        self._bell = asyncio.Event()
        self._used: int | None = None
        self._oldest_due: float | None = None

    def __repr__(self) -> str:
        return self._name

    @property
    def degraded(self) -> str | None:
        """What is wrong with the store, in a sentence; None if it answers."""
        return self._store.degraded

    @property
    def rate(self) -> float:
        """Requests per second in the long run, of all processes together."""
        return self.limit / self.per

    @property
    def used(self) -> int | None:
        """Requests that count, of all processes, as the store last told; None if it does not."""
        return self._used

    @property
    def room_in(self) -> float | None:
        """Seconds until the oldest request no longer counts, as the store last told, if it did."""
        return None if self._oldest_due is None else max(0.0, self._oldest_due - self._now())

    def hold(self, wait: float | None = None) -> float:
        """Let no process send until the oldest request no longer counts; see `Counting.hold`.

        A store that does not tell what is used can't be held, and 0 is what this gives then.
        """
        if self._used is None:
            return 0.0
        now = self._now()
        due = now + self.per if self._oldest_due is None else max(now, self._oldest_due)
        if wait is not None:
            due = now + wait
        # Slots that should be free, but for which the server has no room.
        for _ in range(self.limit - self._used):
            self._pass_on(GivenBack(f"held:{uuid.uuid4().hex}", due))
        self._used = self.limit
        return due - now

    async def acquire(
        self, *, priority: Priority = "interactive", max_wait: float | None = None
    ) -> Slot:
        """Wait for a slot; see `RateLimiter.acquire`.

        Whether `max_wait` can be met is known after one exchange with the store.
        """
        if self._loop is not asyncio.get_running_loop():
            self._bind()
        if self._courier is None:
            self._send_courier()
        elif priority == "interactive" or max_wait is not None:
            self._bell.set()
        try:
            return await self._queue.wait(priority, max_wait)
        finally:
            # The place among the processes is given up with the last call in line.
            if not self._queue:
                self._bell.set()

    async def aclose(self) -> None:
        """Tell the store what came back last, and let go of it; waiting calls fail.

        The window can be used again afterwards. Without this, what was given back in the last
        moments counts until its lease ends.
        """
        if self._loop is asyncio.get_running_loop():
            self._queue.fail(ConfigurationError(f"{self!r} was closed"))
            await asyncio.sleep(0)
            courier = self._courier
            if courier is not None:
                self._bell.set()
                await asyncio.wait([courier], timeout=HAND_OVER)
                courier.cancel()
        await self._store.close()
        self._loop = None

    def take_back(self, key: str, outcome: Outcome, taken_at: float) -> None:
        """Pass on what became of a slot; see `SlotOwner`."""
        now = self._now()
        free_at: float | None = now + self.per
        if outcome is Outcome.NOT_SENT:
            free_at = None
        elif outcome is Outcome.ABANDONED:
            free_at = now + self.per + self.linger
        else:
            self._trips.add(now - taken_at)
        self._pass_on(GivenBack(key, free_at))
        if outcome is Outcome.THROTTLED:
            self.hold()

    def _pass_on(self, slot: GivenBack) -> None:
        self._given_back.append(slot)
        if self._courier is not None:
            self._bell.set()
        elif self._loop is not None and not self._loop.is_closed():
            self._send_courier()

    def lose(self, key: str, taken_at: float) -> None:
        """Pass on that a slot was dropped; see `SlotOwner`."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.take_back, key, Outcome.ABANDONED, taken_at)

    def _bind(self) -> None:
        self._loop = claim_loop(self, self._loop)
        self._now = clock_of(self._loop)
        self._queue = CallQueue()
        self._bell = asyncio.Event()
        self._courier = None
        self._store.open(self._now)

    def _send_courier(self) -> None:
        assert self._loop is not None
        self._courier = self._loop.create_task(self._run(), name=self._name)
        self._courier.add_done_callback(self._returned)

    def _returned(self, courier: asyncio.Task[None]) -> None:
        if courier is not self._courier:
            return
        self._courier = None
        error = None if courier.cancelled() else courier.exception()
        if error is not None:
            self._queue.fail(error)
        elif not courier.cancelled() and (self._queue or self._given_back):
            self._send_courier()

    async def _run(self) -> None:
        queued = True
        while self._queue or self._given_back or queued:
            self._bell.clear()
            given_back, self._given_back = self._given_back, []
            wanted, look = self._wanted(), self._unchecked()
            try:
                answer = await self._store.exchange(given_back, wanted, look)
            except BaseException:
                self._given_back[:0] = given_back
                raise
            if answer.used is not None:
                self._used, self._oldest_due = answer.used, answer.oldest_due
            news = bool(self._given_back)
            self._given_back[:0] = answer.kept
            self._hand_out(answer)
            queued = wanted.total > 0 and not answer.granted
            if answer.kept or (queued and self._queue and not news):
                await self._rest(answer.ask_again)

    def _wanted(self) -> Wanted:
        line = self._queue
        apart = self._reserve.apart(self._trips)
        return Wanted(line.count("interactive"), line.count("bulk"), line.bulk_is_due, apart)

    def _unchecked(self) -> int:
        """How many dues are needed to tell every new call whether its `max_wait` can be met."""
        last = 1
        for place, waiter in enumerate(self._queue, start=1):
            if not waiter.checked:
                last = place
        return min(last, self.limit)

    def _hand_out(self, answer: Answer) -> None:
        now = self._now()
        late = now - answer.granted_at > HAND_OVER
        for key in answer.granted:
            slot = CountedSlot(self, key, now)
            if late or not self._queue.serve(slot):
                slot.release(Outcome.NOT_SENT)
        if answer.granted or not answer.dues:
            return
        for place, waiter in enumerate(self._queue):
            due = answer.dues[min(place, len(answer.dues) - 1)]
            if waiter.deadline is not None and due > waiter.deadline:
                waiter.refuse(due - now)
            waiter.checked = True

    async def _rest(self, until: float) -> None:
        assert self._loop is not None
        timer = self._loop.call_at(until, self._bell.set)
        try:
            await self._bell.wait()
        finally:
            timer.cancel()
