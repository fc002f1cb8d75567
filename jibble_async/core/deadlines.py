"""One timer for all deadlines.

`asyncio.timeout` costs a tenth of a small call. Nearly every deadline is met, so here a deadline
is a member of a set, and a single timer wakes for the earliest.
"""

from __future__ import annotations

import asyncio
import math
from typing import Any

__all__ = ["Deadline", "Deadlines"]


class Deadline:
    """The latest moment for what the current task is doing.

    It cancels the task; whoever set it asks `expired` to tell that from another's cancellation.
    """

    __slots__ = ("_cancelling", "_running", "_task", "fired", "when")

    def __init__(self, task: asyncio.Task[Any], when: float, running: set[Deadline]) -> None:
        self._task = task
        self._cancelling = task.cancelling()
        self._running = running
        self.when: float = when
        self.fired: bool = False
        running.add(self)

    def stop(self) -> None:
        """The work is done, or has failed."""
        self._running.discard(self)

    def fire(self) -> None:
        """Cancel the task that set this deadline."""
        self._running.discard(self)
        self.fired = True
        self._task.cancel()

    def expired(self) -> bool:
        """Whether the cancellation that just arrived is this deadline's, and nobody else's."""
        return self.fired and self._task.uncancel() <= self._cancelling


class Deadlines:
    """All deadlines of a client; bound to the running loop."""

    __slots__ = ("_loop", "_running", "_timer", "_wakes_at")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._running: set[Deadline] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._wakes_at = math.inf

    def start(self, seconds: float) -> Deadline:
        """A deadline for the current task, `seconds` from now."""
        task = asyncio.current_task(self._loop)
        if task is None:
            raise RuntimeError("a deadline needs a task")
        when = self._loop.time() + seconds
        if when < self._wakes_at:
            self._wake_at(when)
        return Deadline(task, when, self._running)

    def close(self) -> None:
        """Forget all deadlines and the timer."""
        self._running.clear()
        self._wake_at(math.inf)

    def _wake_at(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if when == math.inf else self._loop.call_at(when, self._wake)
        self._wakes_at = when

    def _wake(self) -> None:
        now = self._loop.time()
        for deadline in [each for each in self._running if each.when <= now]:
            deadline.fire()
        # By now the earliest is usually a whole time-out ahead: most of those that the timer was
        # set for were met.
        self._wake_at(min((each.when for each in self._running), default=math.inf))
