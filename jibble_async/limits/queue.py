"""The priority queue of calls that wait for a slot."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from copy import copy
from itertools import chain

from jibble_async.errors import RateLimitedError
from jibble_async.limits.slots import Outcome, Priority, Slot

__all__ = ["STARVATION_BOUND", "CallQueue", "Waiter", "wait_too_long"]

STARVATION_BOUND = 20
"""Slots that may go to `interactive` calls in a row while a `bulk` call waits."""


def wait_too_long(max_wait: float, wait: float | None = None) -> RateLimitedError:
    """The error of a call that would have to wait for more than `max_wait` seconds.

    Args:
        max_wait: The longest wait that was allowed, in seconds.
        wait: The shortest wait that would have been needed, where it is known.
    """
    known = "" if wait is None else f"; it would take {wait:.1f} s or more"
    return RateLimitedError(
        f"no slot within max_wait={max_wait:g} s{known}; nothing was sent",
        status=429,
        retry_after=wait,
    )


class Waiter:
    """One call in the queue.

    Attributes:
        deadline: When the call stops waiting, on the loop's clock; None for never.
        checked: Whether it is known that the deadline may be met.
    """

    __slots__ = ("checked", "deadline", "max_wait", "slot")

    def __init__(self, loop: asyncio.AbstractEventLoop, max_wait: float | None) -> None:
        self.slot: asyncio.Future[Slot] = loop.create_future()
        self.max_wait: float | None = max_wait
        self.deadline: float | None = None if max_wait is None else loop.time() + max_wait
        self.checked: bool = max_wait is None

    def refuse(self, wait: float | None = None) -> None:
        """Let the call fail, as `max_wait` can't be met."""
        if not self.slot.done() and self.max_wait is not None:
            self.slot.set_exception(wait_too_long(self.max_wait, wait))


class CallQueue:
    """Calls that wait, `interactive` before `bulk`, first come first served within each.

    Who is next is decided when a slot is there, not before, so that an interactive call never
    stands behind a bulk call that came earlier.

    Args:
        starvation_bound: After this many slots in a row for `interactive` while `bulk` waits, one
            goes to `bulk`, so that a bulk job is slowed but never stopped.
    """

    def __init__(self, starvation_bound: int = STARVATION_BOUND) -> None:
        self._bound = starvation_bound
        self._overtaken = 0
        self._interactive: deque[Waiter] = deque()
        self._bulk: deque[Waiter] = deque()

    def __len__(self) -> int:
        return len(self._interactive) + len(self._bulk)

    def __bool__(self) -> bool:
        """Whether a slot is wanted."""
        for waiters in (self._interactive, self._bulk):
            # A call that was cancelled or refused stays in the queue until its task has run.
            while waiters and waiters[0].slot.done():
                waiters.popleft()
        return bool(self._interactive or self._bulk)

    def __iter__(self) -> Iterator[Waiter]:
        return chain(self._interactive, self._bulk)

    @property
    def first(self) -> Priority:
        """The priority of the next call."""
        return "interactive" if self._interactive and not self.bulk_is_due else "bulk"

    @property
    def bulk_is_due(self) -> bool:
        """Whether a bulk call is next, since as many as may have overtaken it."""
        return bool(self._bulk) and self._overtaken >= self._bound

    def count(self, priority: Priority) -> int:
        """How many calls of a priority wait."""
        return len(self._interactive if priority == "interactive" else self._bulk)

    def may_pass(self, priority: Priority) -> bool:
        """Whether a newcomer would be the next."""
        if self._interactive:
            return False
        return not self._bulk or (priority == "interactive" and not self.bulk_is_due)

    def passed(self) -> None:
        """Count a slot that went to an interactive newcomer."""
        self._overtaken = self._overtaken + 1 if self._bulk else 0

    def ahead_of(self, priority: Priority) -> int:
        """How many calls are served before a newcomer."""
        return len(self._interactive) if priority == "interactive" else len(self)

    async def wait(self, priority: Priority, max_wait: float | None) -> Slot:
        """Wait for a slot; one that comes too late for a cancelled call is given back unused.

        Raises:
            RateLimitedError: `max_wait` has passed, or can't be met.
        """
        loop = asyncio.get_running_loop()
        waiter = Waiter(loop, max_wait)
        waiters = self._interactive if priority == "interactive" else self._bulk
        waiters.append(waiter)
        timer = None if max_wait is None else loop.call_later(max_wait, waiter.refuse)
        slot = waiter.slot
        try:
            return await slot
        except BaseException:
            with suppress(ValueError):
                waiters.remove(waiter)
            if not slot.cancelled() and slot.exception() is None:
                slot.result().release(Outcome.NOT_SENT)
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def serve(self, slot: Slot) -> bool:
        """Give `slot` to the next call; False if none waits."""
        if not self:
            return False
        if self.first == "interactive":
            self.passed()
            waiter = self._interactive.popleft()
        else:
            self._overtaken = 0
            waiter = self._bulk.popleft()
        waiter.slot.set_result(slot)
        return True

    def fail(self, error: BaseException) -> None:
        """Let every call in the queue fail with `error`, or rather a copy that is its own."""
        for waiter in self:
            if not waiter.slot.done():
                waiter.slot.set_exception(copy(error))
