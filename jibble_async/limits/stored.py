"""A limiter whose state is in a store that several processes share: one queue of calls for each."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Protocol, Self, TypeVar, cast

from jibble_async.errors import ConfigurationError
from jibble_async.limits.loops import claim_loop, clock_of
from jibble_async.limits.queue import CallQueue
from jibble_async.limits.slots import Priority, Slot

__all__ = [
    "ASK_AGAIN",
    "GRANT_TIMEOUT",
    "OVERDUE",
    "Reply",
    "Store",
    "StoredLimiter",
    "Timed",
    "catch_up",
]

GRANT_TIMEOUT = 1.0
"""Seconds after which a granted slot that has not reached its caller is given back instead: the
process was stopped in between, and what was decided may be about to be over."""

ASK_AGAIN = 1.0
"""Seconds after which a waiting process asks again in any case: what another tells the store may
let it go earlier."""

OVERDUE = 0.05
"""Seconds by which a process in the queue may be late before those behind it stop waiting for it.
"""

Returned = TypeVar("Returned")


class Timed(Protocol):
    """A shared value that holds times of a clock that may begin again.

    Attributes:
        seen: The latest time at which it was read.
    """

    seen: float

    def move(self, by: float) -> None:
        """Let all times be later by some seconds; who waited is gone."""
        ...

    def forget(self, now: float) -> None:
        """Drop what holds no longer."""
        ...


def catch_up(value: Timed, now: float) -> None:
    """Bring a shared value to the time; if its clock has begun again, as if none had passed."""
    if now < value.seen - 1.0:
        value.move(now - value.seen)
    value.seen = max(value.seen, now)
    value.forget(now)


class Reply(Protocol):
    """What every store says to an exchange; times are on the clock of the exchange."""

    @property
    def granted(self) -> Sequence[object]:
        """What was granted."""
        ...

    @property
    def granted_at(self) -> float:
        """A time not after the grant."""
        ...

    @property
    def ask_again(self) -> float:
        """When to ask again, for calls that were granted nothing."""
        ...

    @property
    def kept(self) -> Sequence[object]:
        """What the store could not take note of, to be given to the next exchange."""
        ...


ReplyT = TypeVar("ReplyT", bound=Reply)


class Store(Protocol):
    """Where the state is."""

    @property
    def degraded(self) -> str | None:
        """What is wrong with the store, in a sentence; None if it answers."""
        ...

    def open(self, clock: Callable[[], float]) -> None:
        """Get ready for the running loop, without I/O."""
        ...

    async def close(self) -> None:
        """Let go of files and connections; `open` may come again."""
        ...


class StoredLimiter(ABC, Generic[Returned, ReplyT]):
    """The common part of the limiters that processes share.

    One task for each process talks to the store, and only while somebody waits or something is to
    be given back. A process whose calls wait has a place in the queue of processes, until it asks
    for nothing.

    Args:
        name: The constructor's call, for messages.
        store: Where the state is.
    """

    grant_timeout: float = GRANT_TIMEOUT

    def __init__(self, name: str, store: Store) -> None:
        self._name = name
        self._state_store = store
        self._queue = CallQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._now: Callable[[], float] = time.monotonic
        self._returned: list[Returned] = []
        self._exchanges: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    def __repr__(self) -> str:
        return self._name

    async def __aenter__(self) -> Self:
        """Use it in `async with`, which closes it."""
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    @property
    def degraded(self) -> str | None:
        """What is wrong with the store, in a sentence; None if it answers."""
        return self._state_store.degraded

    @property
    def waiting(self) -> Mapping[Priority, int]:
        """Calls that wait for a slot in this process, by priority."""
        return self._queue.waiting

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

        The limiter can be used again afterwards.
        """
        if self._loop is asyncio.get_running_loop():
            self._queue.fail(ConfigurationError(f"{self!r} was closed"))
            await asyncio.sleep(0)
            exchanges = self._exchanges
            if exchanges is not None:
                self._news.set()
                await asyncio.wait([exchanges], timeout=self.grant_timeout)
                exchanges.cancel()
        await self._state_store.close()
        self._loop = None

    @abstractmethod
    async def _ask(self, returned: Sequence[Returned]) -> ReplyT:
        """Exchange with the store: what came back, for what the queue wants."""

    @abstractmethod
    def _hand_out(self, reply: ReplyT, *, late: bool) -> None:
        """Give the calls in the queue what was granted, or give it back if that came `late`."""

    def _bind(self) -> None:
        self._loop = claim_loop(self, self._loop)
        self._now = clock_of(self._loop)
        self._queue = CallQueue()
        self._news = asyncio.Event()
        self._exchanges = None
        self._state_store.open(self._now)

    def _give_back(self, returned: Returned) -> None:
        self._returned.append(returned)
        self._exchange_soon()

    def _exchange_soon(self) -> None:
        if self._exchanges is not None:
            self._news.set()
        elif self._loop is not None and not self._loop.is_closed():
            self._exchanges = self._loop.create_task(self._exchange(), name=self._name)
            self._exchanges.add_done_callback(self._ended)

    def _ended(self, exchanges: asyncio.Task[None]) -> None:
        if exchanges is not self._exchanges:
            return
        self._exchanges = None
        error = None if exchanges.cancelled() else exchanges.exception()
        if error is not None:
            self._queue.fail(error)
        elif not exchanges.cancelled() and (self._queue or self._returned):
            self._exchange_soon()

    async def _exchange(self) -> None:
        standing = True
        while self._queue or self._returned or standing:
            self._news.clear()
            returned, self._returned = self._returned, []
            wanted = len(self._queue)
            try:
                reply = await self._ask(returned)
            except BaseException:
                self._returned[:0] = returned
                raise
            more = bool(self._returned)
            kept = cast("Sequence[Returned]", reply.kept)
            self._returned[:0] = kept
            late = self._now() - reply.granted_at > self.grant_timeout
            self._hand_out(reply, late=late)
            # While a call waits the process stands in the queue of processes, and has to leave it.
            standing = wanted > len(reply.granted)
            if kept or (self._queue and not more and reply.ask_again > self._now()):
                await self._rest(reply.ask_again)

    async def _rest(self, until: float) -> None:
        assert self._loop is not None
        timer = self._loop.call_at(until, self._news.set)
        try:
            await self._news.wait()
        finally:
            timer.cancel()
