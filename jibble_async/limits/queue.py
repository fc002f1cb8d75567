"""The priority queue of calls that wait for a slot."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import copy
from itertools import chain
from typing import get_args

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
        priority: The call's priority.
        max_wait: The longest wait in seconds; None for as long as it takes.
        slot: The slot that it gets.
        deadline: When the call stops waiting, on the loop's clock; None for never.
        checked: Whether it is known that the deadline may be met.
    """

    __slots__ = ("checked", "deadline", "max_wait", "priority", "slot")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, priority: Priority, max_wait: float | None
    ) -> None:
        self.priority: Priority = priority
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
        interactive, bulk = self._interactive, self._bulk
        # A call that was cancelled or refused stays in the queue until its task has run.
        while interactive and interactive[0].slot.done():
            interactive.popleft()
        while bulk and bulk[0].slot.done():
            bulk.popleft()
        return bool(interactive or bulk)

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
        return len(self._waiters(priority))

    @property
    def waiting(self) -> dict[Priority, int]:
        """How many calls of each priority wait."""
        return {priority: self.count(priority) for priority in get_args(Priority)}

    @property
    def unchecked(self) -> int:
        """The place of the last call of which it isn't known whether `max_wait` can be met."""
        places = (place for place, waiter in enumerate(self) if not waiter.checked)
        return max(places, default=0)

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
        """Enter the queue, and wait for a slot; see `served`."""
        return await self.served(self.enter(priority, max_wait))

    def enter(self, priority: Priority, max_wait: float | None) -> Waiter:
        """Stand in the queue; `served` has to follow."""
        waiter = Waiter(asyncio.get_running_loop(), priority, max_wait)
        self._waiters(priority).append(waiter)
        return waiter

    async def served(self, waiter: Waiter) -> Slot:
        """Wait for a slot; one that comes too late for a cancelled call is given back unused.

        Raises:
            RateLimitedError: `max_wait` has passed, or can't be met.
        """
        slot, timer = waiter.slot, None
        if waiter.deadline is not None:
            timer = slot.get_loop().call_at(waiter.deadline, waiter.refuse)
        try:
            return await slot
        except BaseException:
            with suppress(ValueError):
                self._waiters(waiter.priority).remove(waiter)
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

    def refuse_late(self, due_of: Callable[[int], float], now: float) -> None:
        """Let the calls fail whose `max_wait` can't be met.

        Args:
            due_of: When the call at a place in the queue gets a slot at the earliest.
            now: The time.
        """
        for place, waiter in enumerate(self):
            if waiter.deadline is not None and (due := due_of(place)) > waiter.deadline:
                waiter.refuse(due - now)
            waiter.checked = True

    def fail(self, error: BaseException) -> None:
        """Let every call in the queue fail with `error`, or rather a copy that is its own."""
        for waiter in self:
            if not waiter.slot.done():
                waiter.slot.set_exception(copy(error))

    def _waiters(self, priority: Priority) -> deque[Waiter]:
        return self._interactive if priority == "interactive" else self._bulk
