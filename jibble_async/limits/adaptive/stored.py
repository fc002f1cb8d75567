"""An adaptive limiter whose state is in a store that several processes share."""

from __future__ import annotations

import logging
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from math import inf

from msgspec.structs import replace

from jibble_async.limits.adaptive.limiter import PacedSlot
from jibble_async.limits.adaptive.pacer import Heard, Pacer, Permit, Soonest
from jibble_async.limits.adaptive.turns import Asked, SharedPacer, Told
from jibble_async.limits.slots import Outcome, Priority, Slot
from jibble_async.limits.stored import StoredLimiter, catch_up

__all__ = ["AwayError", "PacerStore", "StoredAdaptive"]

SOONEST_RETRY, LATEST_RETRY = 1.0, 16.0
"""Seconds between attempts to reach a store that is away: twice as many each time."""

logger: logging.Logger = logging.getLogger("jibble_async.limits")


class AwayError(Exception):
    """The store can't be reached now; the words say why."""


class PacerStore(ABC):
    """Where a `SharedPacer` is, and what is done while that is away.

    Then each process goes on by what it saw last, with its part of the rate: that is divided by as
    many processes as were heard of in the last minute. What is learnt meanwhile is forgotten when
    the store is back.

    Args:
        first: What is known when nothing was sent yet.
    """

    def __init__(self, first: Pacer) -> None:
        self.degraded: str | None = None
        self.holder: str = ""
        # How far the store's clock is ahead of ours.
        self.ahead: float = 0.0
        self._last = SharedPacer(-inf, first)
        self._own: SharedPacer | None = None
        self._retry_at = -inf
        self._retry_after = SOONEST_RETRY
        self._clock: Callable[[], float] = time.monotonic

    @property
    def pacer(self) -> Pacer:
        """What is known, as last seen."""
        return self._last.pacer

    def open(self, clock: Callable[[], float]) -> None:
        """Get ready for the running loop, without I/O."""
        self._clock = clock
        self.holder = uuid.uuid4().hex[:12]

    @abstractmethod
    async def close(self) -> None:
        """Let go of files and connections; `open` may come again."""

    @abstractmethod
    async def _exchange(self, asked: Asked) -> tuple[SharedPacer, Told]:
        """Exchange with the store, on its clock; what is there afterwards, and the answer.

        Raises:
            AwayError: It can't be reached; nothing was done.
        """

    async def exchange(self, asked: Asked) -> Told:
        """Tell what was heard, and ask for slots; all times are on our clock, but of permits."""
        asked = replace(
            asked, heard=[replace(heard, at=heard.at + self.ahead) for heard in asked.heard]
        )
        now = self._clock()
        if self._own is None or now >= self._retry_at:
            try:
                self._last, told = await self._exchange(asked)
            except AwayError as error:
                self._lost(error, now)
            else:
                self._back()
                return self._by_our_clock(told)
        assert self._own is not None
        now = self._clock() + self.ahead
        catch_up(self._own, now)
        return self._by_our_clock(self._own.exchange(asked, now))

    def _see_clock(self, least: float, most: float) -> None:
        """The store's clock is ahead of ours by this at least, and at most."""
        # Within that it is left as it was, so that it doesn't waver with the way there.
        self.ahead = min(max(self.ahead, least), most)

    def _by_our_clock(self, told: Told) -> Told:
        ahead = self.ahead
        return replace(
            told,
            granted_at=told.granted_at - ahead,
            ask_again=told.ask_again - ahead,
            soonest=Soonest(told.soonest.at - ahead, told.soonest.gap),
        )

    def _lost(self, error: AwayError, now: float) -> None:
        if self._own is None:
            workers = max(1, len(self._last.heard_of))
            self._own = SharedPacer(self._last.seen, self._last.pacer.part(workers))
            self.degraded = f"{error}: this process sends a part of the rate, one of {workers}"
            logger.warning("shared limit: %s", self.degraded)
        self._retry_at = now + self._retry_after
        self._retry_after = min(2 * self._retry_after, LATEST_RETRY)

    def _back(self) -> None:
        if self._own is not None:
            logger.warning("shared limit: the store answers again")
            self._own = self.degraded = None
            self._retry_after = SOONEST_RETRY


class StoredAdaptive(StoredLimiter[Heard, Told]):
    """The common part of the adaptive limiters that processes share.

    Args:
        name: The constructor's call, for messages.
        store: Where the state is.

    Attributes:
        waits: How many requests of this process had to wait for their slot.
        waited: Seconds they waited, all together.
        rejections: How many requests of this process the server refused for going too fast.
    """

    def __init__(self, name: str, store: PacerStore) -> None:
        super().__init__(name, store)
        self.waits: int = 0
        self.waited: float = 0.0
        self.rejections: int = 0
        self._store = store

    @property
    def rate(self) -> float:
        """Requests per second that the server is believed to accept, as the store last told."""
        return self._store.pacer.rate

    @property
    def quota(self) -> tuple[int, float] | None:
        """Requests, and the seconds they are for, as the server tells; None if it doesn't."""
        return self._store.pacer.told_quota

    async def acquire(
        self, *, priority: Priority = "interactive", max_wait: float | None = None
    ) -> Slot:
        """Wait for a slot; see `RateLimiter.acquire`.

        Whether `max_wait` can be met is known after one exchange with the store.
        """
        began = self._now()
        slot = await super().acquire(priority=priority, max_wait=max_wait)
        if isinstance(slot, PacedSlot) and slot.permit.held:
            self.waits += 1
            self.waited += self._now() - began
        return slot

    def learn(
        self, permit: Permit, outcome: Outcome, headers: Mapping[str, str] | None = None
    ) -> None:
        """Take a slot back with what became of its request; called by the slot."""
        self.rejections += outcome is Outcome.THROTTLED
        self._give_back(Heard.of(permit, outcome, self._now(), headers, time.time))

    async def _ask(self, returned: Sequence[Heard]) -> Told:
        queue = self._queue
        return await self._store.exchange(
            Asked(self._store.holder, returned, len(queue), not queue.count("interactive"))
        )

    def _hand_out(self, reply: Told, *, late: bool) -> None:
        for permit in reply.granted:
            slot = PacedSlot(self, permit)
            if late or not self._queue.serve(slot):
                slot.release(Outcome.NOT_SENT)
        if self._queue:
            self._queue.refuse_late(reply.soonest.of, self._now())
