"""One timer for all deadlines.

`asyncio.timeout` costs a tenth of a small call. Nearly every deadline is met, so here a deadline
is an entry in a heap, and a single timer wakes for the earliest.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from typing import Any

__all__ = ["Deadline", "Deadlines"]


class Deadline:
    """The latest moment for what the current task is doing.

    It cancels the task; whoever set it asks `expired` to tell that from another's cancellation.
    """

    __slots__ = ("_cancelling", "_task", "fired")

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self._task: asyncio.Task[Any] | None = task
        self._cancelling = task.cancelling()
        self.fired: bool = False

    @property
    def stopped(self) -> bool:
        """Whether the deadline no longer matters."""
        return self._task is None

    def stop(self) -> None:
        """The work is done, or has failed."""
        self._task = None

    def fire(self) -> None:
        """Cancel the task that set this deadline."""
        if self._task is not None:
            self.fired = True
            self._task.cancel()

    def expired(self) -> bool:
        """Whether the cancellation that just arrived is this deadline's, and nobody else's."""
        task = self._task
        return self.fired and task is not None and task.uncancel() <= self._cancelling


class Deadlines:
    """All deadlines of a client; bound to the running loop."""

    __slots__ = ("_heap", "_loop", "_order", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._heap: list[tuple[float, int, Deadline]] = []
        self._order = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    def start(self, seconds: float) -> Deadline:
        """A deadline for the current task, `seconds` from now."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a deadline needs a task")
        deadline = Deadline(task)
        heap = self._heap
        while heap and heap[0][2].stopped:
            heapq.heappop(heap)
        when = self._loop.time() + seconds
        heapq.heappush(heap, (when, next(self._order), deadline))
        timer = self._timer
        if timer is None:
            self._timer = self._loop.call_at(when, self._wake)
        elif when < timer.when():
            timer.cancel()
            self._timer = self._loop.call_at(when, self._wake)
        return deadline

    def close(self) -> None:
        """Forget all deadlines and the timer."""
        self._heap.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wake(self) -> None:
        heap = self._heap
        now = self._loop.time()
        while heap and (heap[0][2].stopped or heap[0][0] <= now):
            heapq.heappop(heap)[2].fire()
        self._timer = self._loop.call_at(heap[0][0], self._wake) if heap else None
