"""A rolling window whose slots are counted in a store that several processes share."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Protocol

from msgspec import Struct

from jibble_async.limits.slots import CountedSlot, Outcome
from jibble_async.limits.stored import Store, StoredLimiter
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


class SlotStore(Store, Protocol):
    """Where the slots are counted."""

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


class StoredWindow(StoredLimiter[GivenBack, Answer]):
    """The common part of the windows that processes share.

    Without `aclose`, what was given back in the last moments counts until its lease ends.

    Args:
        store: Where the slots are counted.
        policy: What is promised.
    """

    def __init__(self, store: SlotStore, policy: Policy) -> None:
        super().__init__(policy.name, store)
        self.grant_timeout: float = policy.grant_timeout
        self.limit: int = policy.limit
        self.per: float = policy.per
        self.linger: float = policy.linger
        self.lease: float = policy.lease
        self._policy = policy
        self._store = store
        self._trips = RoundTrips()
        self._closed_until = -inf
        self._used: int | None = None
        self._oldest_due: float | None = None

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
        """Let no process send until the oldest request no longer counts; see `Counting.hold`."""
        now = self._now()
        until = self._policy.hold_until(now, self._oldest_due, wait)
        self._closed_until = max(self._closed_until, until)
        self._exchange_soon()
        return self._closed_until - now

    def take_back(self, key: str, outcome: Outcome, taken_at: float) -> None:
        """Pass on what became of a slot; see `SlotOwner`."""
        now = self._now()
        self._give_back(GivenBack(key, self._policy.free_at(outcome, now)))
        if outcome is Outcome.ANSWERED or outcome is Outcome.THROTTLED:
            self._trips.add(now - taken_at)
        if outcome is Outcome.THROTTLED:
            self.hold()

    def lose(self, key: str, taken_at: float) -> None:
        """Pass on that a slot was dropped; see `SlotOwner`."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.take_back, key, Outcome.ABANDONED, taken_at)

    async def _ask(self, returned: Sequence[GivenBack]) -> Answer:
        look = min(self._queue.unchecked + 1, self.limit)
        answer = await self._store.exchange(returned, self._wanted(), look)
        if answer.used is not None:
            self._used, self._oldest_due = answer.used, answer.oldest_due
        return answer

    def _wanted(self) -> Wanted:
        queue = self._queue
        return Wanted(
            interactive=queue.count("interactive"),
            bulk=queue.count("bulk"),
            bulk_is_due=queue.bulk_is_due,
            spacing=self._policy.reserve.spacing(self._trips),
            closed_until=self._closed_until,
        )

    def _hand_out(self, reply: Answer, *, late: bool) -> None:
        now = self._now()
        for key in reply.granted:
            slot = CountedSlot(self, key, now)
            if late or not self._queue.serve(slot):
                slot.release(Outcome.NOT_SENT)
        if reply.dues and not reply.granted:
            self._queue.refuse_late(lambda place: self._policy.due_of(reply.dues, place), now)
