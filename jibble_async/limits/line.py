"""Who waits for a slot, in which order they get one, and the slot they get."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping
from copy import copy
from itertools import chain
from typing import Protocol, TypeAlias

from jibble_async.limits.refusals import too_long
from jibble_async.limits.slots import Outcome, Priority

__all__ = ["CountedSlot", "Line", "SlotOwner", "Waiter"]


class SlotOwner(Protocol):
    """A limiter that counts a slot until it hears what became of it."""

    def take_back(self, key: str, outcome: Outcome, taken_at: float) -> None:
        """Count on, or not, according to `outcome`."""
        ...

    def lose(self, key: str, taken_at: float) -> None:
        """Take note of a slot that nobody can release any more; may come from any thread."""
        ...


class CountedSlot:
    """A slot whose owner wants to hear what became of it.

    Dropping it without a release is the same as `Outcome.ABANDONED`.

    Args:
        owner: The limiter that gave it.
        key: The owner's name for it.
        taken_at: When it was handed out, on the owner's clock.
    """

    __slots__ = ("_key", "_owner", "_taken_at")

    def __init__(self, owner: SlotOwner, key: str, taken_at: float) -> None:
        self._owner: SlotOwner | None = owner
        self._key = key
        self._taken_at = taken_at

    def release(self, outcome: Outcome, headers: Mapping[str, str] | None = None) -> None:
        """Give the slot back; only the first release counts."""
        owner = self._owner
        if owner is not None:
            self._owner = None
            owner.take_back(self._key, outcome, self._taken_at)

    def __del__(self) -> None:
        if self._owner is not None:
            self._owner.lose(self._key, self._taken_at)


class Waiter:
    """One call in the line.

    Attributes:
        deadline: When the call stops waiting, on the loop's clock; None for never.
        checked: Whether it is known that the deadline may be met.
    """

    __slots__ = ("checked", "deadline", "future", "max_wait")

    def __init__(self, loop: asyncio.AbstractEventLoop, max_wait: float | None) -> None:
        self.future: _Grant = loop.create_future()
        self.max_wait: float | None = max_wait
        self.deadline: float | None = None if max_wait is None else loop.time() + max_wait
        self.checked: bool = max_wait is None

    def refuse(self, wait: float | None = None) -> None:
        """Let the call fail, as `max_wait` can't be met."""
        if not self.future.done() and self.max_wait is not None:
            self.future.set_exception(too_long(self.max_wait, wait))


_Grant: TypeAlias = "asyncio.Future[CountedSlot]"


class Line:
    """Calls that wait, `interactive` before `bulk`, first come first served within each.

    The next in line is chosen when a slot is there, not before, so that an interactive call never
    stands behind a bulk call that came earlier.

    Args:
        patience: After this many slots in a row for `interactive` while `bulk` waits, one goes to
            `bulk`, so that a bulk job is slowed but never stopped.
    """

    def __init__(self, patience: int = 20) -> None:
        self._patience = patience
        self._streak = 0
        self._interactive: deque[Waiter] = deque()
        self._bulk: deque[Waiter] = deque()

    def __len__(self) -> int:
        return len(self._interactive) + len(self._bulk)

    def __bool__(self) -> bool:
        return bool(self._interactive or self._bulk)

    def __iter__(self) -> Iterator[Waiter]:
        return chain(self._interactive, self._bulk)

    @property
    def priority(self) -> Priority:
        """The priority of the next in line."""
        return "interactive" if self._interactive and not self.bulk_is_due else "bulk"

    @property
    def bulk_is_due(self) -> bool:
        """Whether a bulk call is next, since enough interactive ones have overtaken it."""
        return bool(self._bulk) and self._streak >= self._patience

    def count(self, priority: Priority) -> int:
        """How many of a priority wait."""
        return len(self._interactive if priority == "interactive" else self._bulk)

    def may_pass(self, priority: Priority) -> bool:
        """Whether a newcomer would be the next."""
        if self._interactive:
            return False
        return not self._bulk or (priority == "interactive" and not self.bulk_is_due)

    def passed(self) -> None:
        """Count a slot that went to an interactive newcomer."""
        self._streak = self._streak + 1 if self._bulk else 0

    def ahead_of(self, priority: Priority) -> int:
        """How many are served before a newcomer."""
        return len(self._interactive) if priority == "interactive" else len(self)

    async def wait(self, priority: Priority, max_wait: float | None) -> CountedSlot:
        """Wait for a slot; a slot that comes too late for a cancelled call is given back unused.

        Raises:
            RateLimitedError: `max_wait` has passed, or can't be met.
        """
        loop = asyncio.get_running_loop()
        waiter = Waiter(loop, max_wait)
        line = self._interactive if priority == "interactive" else self._bulk
        line.append(waiter)
        timer = None if max_wait is None else loop.call_later(max_wait, waiter.refuse)
        future = waiter.future
        try:
            return await future
        except asyncio.CancelledError:
            if not future.cancelled() and future.exception() is None:
                future.result().release(Outcome.NOT_SENT)
            raise
        finally:
            if timer is not None:
                timer.cancel()
            if waiter in line:
                line.remove(waiter)

    def serve(self, slot: CountedSlot) -> bool:
        """Give `slot` to the next in line; False if nobody waits."""
        while self:
            if self.priority == "interactive":
                waiter = self._interactive.popleft()
                streak = self._streak + 1 if self._bulk else 0
            else:
                waiter = self._bulk.popleft()
                streak = 0
            # One that was cancelled or refused stays in line until its task has run.
            if not waiter.future.done():
                self._streak = streak
                waiter.future.set_result(slot)
                return True
        return False

    def fail(self, error: BaseException) -> None:
        """Let every call in the line fail with `error`, or rather a copy that is its own."""
        for waiter in self:
            if not waiter.future.done():
                waiter.future.set_exception(copy(error))
