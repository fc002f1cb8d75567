"""What must not be left behind: tasks and slots."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from jibble_async import Outcome, Slot
from jibble_async.limits.slots import Priority


async def settled(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for something that must come about, and fail if it does not."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds
    while not condition():
        assert loop.time() < ends, "it did not come about"
        await asyncio.sleep(0.0005)


def other_tasks() -> set[asyncio.Task[Any]]:
    """All tasks but the current one, and but those that serve connections of a test's server."""
    return {
        task
        for task in asyncio.all_tasks()
        if task is not asyncio.current_task() and "_connected" not in repr(task.get_coro())
    }


class RecordingSlot:
    """A slot that can be given back once."""

    def __init__(self, limiter: RecordingLimiter) -> None:
        self._limiter = limiter
        self._released = False

    def release(self, outcome: Outcome, headers: Mapping[str, str] | None = None) -> None:
        assert not self._released, "released twice"
        self._released = True
        self._limiter.held -= 1
        self._limiter.outcomes.append(outcome)
        self._limiter.headers.append(headers)


class RecordingLimiter:
    """A limiter that notes what it is asked and told.

    Attributes:
        held: Slots that were not given back.
        outcomes: What became of the others.
        headers: The headers they were given back with.
        asked: The arguments of each `acquire`.
    """

    def __init__(self, wait: Callable[[], Any] | None = None) -> None:
        self.held = 0
        self.outcomes: list[Outcome] = []
        self.headers: list[Mapping[str, str] | None] = []
        self.asked: list[tuple[Priority, float | None]] = []
        self._wait = wait

    async def acquire(
        self, *, priority: Priority = "interactive", max_wait: float | None = None
    ) -> Slot:
        self.asked.append((priority, max_wait))
        if self._wait is not None:
            await self._wait()
        self.held += 1
        return RecordingSlot(self)
