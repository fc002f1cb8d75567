"""One timer for all deadlines, and one way to end everything that is under way.

`asyncio.timeout` costs a tenth of a small call. Nearly every deadline is met, so here a deadline
is a member of a set, and a single timer wakes for the earliest.
"""

from __future__ import annotations

import asyncio
import math
from typing import Any

from jibble_async.errors import ConfigurationError

__all__ = ["Deadline", "Deadlines"]


class Deadline:
    """The latest moment for what the current task is doing; there is none until `sooner`.

    It cancels the task; whoever set it asks `expired` to tell that from another's cancellation.
    """

    __slots__ = ("_all", "_cancelling", "_task", "closed", "fired", "when")

    def __init__(self, task: asyncio.Task[Any], deadlines: Deadlines) -> None:
        self._task = task
        self._all = deadlines
        self._cancelling = task.cancelling()
        self.when: float = math.inf
        self.fired: bool = False
        self.closed: bool = False

    def sooner(self, seconds: float | None) -> None:
        """Bring it forward to `seconds` from now; None, or one that is earlier, changes nothing."""
        if seconds is not None:
            deadlines = self._all
            when = deadlines.loop.time() + seconds
            if when < self.when:
                self.when = when
                if when < deadlines.wakes_at:
                    deadlines.wake_at(when)

    def rest(self) -> None:
        """What it was set for is done, or has failed; it may be set again."""
        self.when = math.inf
        # What was closed stays so: the task is to end, whatever it does about being cancelled.
        self.fired = self.closed

    def stop(self) -> None:
        """The task has done what it was all for."""
        self._all.running.discard(self)

    def fire(self) -> None:
        """Cancel the task that set this deadline."""
        self.when = math.inf
        self.fired = True
        self._task.cancel()

    def expired(self) -> bool:
        """Whether the cancellation that just arrived is this deadline's, and nobody else's."""
        return self.fired and self._task.uncancel() <= self._cancelling


class Deadlines:
    """All deadlines of a client; bound to the running loop.

    Attributes:
        running: Those that were started and not stopped.
        loop: The loop; its clock is what counts.
        wakes_at: When the timer is due.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop: asyncio.AbstractEventLoop = loop
        self._timer: asyncio.TimerHandle | None = None
        self.running: set[Deadline] = set()
        self.wakes_at: float = math.inf
        self._closed = False

    def start(self) -> Deadline:
        """A deadline for the current task, not set yet; `stop` has to follow.

        Raises:
            ConfigurationError: All were closed.
        """
        if self._closed:
            raise ConfigurationError("this client is closed: make another one")
        task = asyncio.current_task(self.loop)
        if task is None:
            raise RuntimeError("a deadline needs a task")
        deadline = Deadline(task, self)
        self.running.add(deadline)
        return deadline

    async def aclose(self) -> None:
        """End what is under way, and wait until it has let go of what it holds."""
        self._closed = True
        self.wake_at(math.inf)
        for deadline in self.running:
            deadline.closed = True
            deadline.fire()
        # A task that was cancelled unwinds in its next step; more than that nobody waits for.
        for _ in range(100):
            if not self.running:
                break
            await asyncio.sleep(0)

    def wake_at(self, when: float) -> None:
        """Look at all of them then; `inf` for never."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if when == math.inf else self.loop.call_at(when, self._wake)
        self.wakes_at = when

    def _wake(self) -> None:
        now = self.loop.time()
        for deadline in [each for each in self.running if each.when <= now]:
            deadline.fire()
        # By now the earliest is usually a whole time-out ahead: most of those that the timer was
        # set for were met.
        self.wake_at(min((each.when for each in self.running), default=math.inf))
