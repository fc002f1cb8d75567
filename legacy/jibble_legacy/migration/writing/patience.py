"""When to look again, and when something that was given up can't arrive any more."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from jibble_legacy.migration.moments import milliseconds
from jibble_legacy.migration.target import clock_of
from jibble_legacy.migration.writing.lanes import SETTLE, settles_in

if TYPE_CHECKING:
    from jibble_async.client import JibbleClient

__all__ = ["Patience", "side_by_side"]

_FIRST_PAUSE = 15.0
_GRACE = 10.0
"""Seconds in which what is on the wire may come to its end."""


class Patience:
    """The clock of a step, and its waiting, which ends early when the step is to stop.

    Args:
        target: The client whose clock it is.
        settle: Seconds after which what was given up can't arrive any more.

    Attributes:
        stopped: Whether the step is to end as soon as what is under way is done.
        interrupted: Whether it was cancelled, and the next time ends it at once.
    """

    def __init__(self, target: JibbleClient, settle: float = SETTLE) -> None:
        self._target = target
        self._settle = settle
        self.stopped: asyncio.Event = asyncio.Event()
        self.interrupted: bool = False

    def now(self) -> int:
        """The present, in milliseconds."""
        return milliseconds(clock_of(self._target))

    async def rest(self, seconds: float) -> None:
        """Wait, unless the step is to stop.

        Args:
            seconds: How long.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.stopped.wait()

    async def looks(self, since: int, most: float | None = None) -> AsyncIterator[bool]:
        """The times to look for something that was given up; ends early if the step is to stop.

        Each is told by whether this is the last: if it is not there now, it can't arrive any more.

        Args:
            since: When it was given up, in milliseconds.
            most: Seconds to look for it, if that is less than usual.
        """
        settle = self._settle if most is None else min(most, self._settle)
        pause = _FIRST_PAUSE
        while not self.stopped.is_set():
            left = settles_in(since, self.now(), settle)
            yield left <= 0
            if left <= 0:
                return
            await self.rest(min(pause, left))
            pause *= 2


async def side_by_side(work: Sequence[Coroutine[Any, Any, None]], patience: Patience) -> None:
    """Do several things at once; the first error ends all of them, as does a cancellation.

    What is on the wire then is awaited for a while, so that it need not be looked up later. A
    second cancellation ends it at once.

    Args:
        work: What to do; each part ends soon after the step is to stop.
        patience: Of the step.

    Raises:
        BaseException: The first error.
    """
    tasks = [asyncio.ensure_future(each) for each in work]
    if not tasks:
        return
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        failed = [error for task in done if (error := task.exception()) is not None]
        if failed and isinstance(failed[0], Exception):
            patience.stopped.set()
            await asyncio.wait(tasks, timeout=_GRACE)
    except asyncio.CancelledError:
        patience.stopped.set()
        # What is done within another such is cancelled by that, once it has waited.
        if not patience.interrupted:
            patience.interrupted = True
            await asyncio.wait(tasks, timeout=_GRACE)
        raise
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if failed:
        raise failed[0]
