"""The event loop that a limiter belongs to, and its clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from jibble_async.errors import ConfigurationError

__all__ = ["claim_loop", "clock_of"]


def claim_loop(
    limiter: object, bound: asyncio.AbstractEventLoop | None
) -> asyncio.AbstractEventLoop:
    """The running loop, for a limiter that was bound to `bound` before.

    Raises:
        ConfigurationError: That one is another loop, and not closed.
    """
    if bound is not None and not bound.is_closed():
        raise ConfigurationError(
            f"{limiter!r} is in use in another event loop: make one for each loop"
        )
    return asyncio.get_running_loop()


def clock_of(loop: asyncio.AbstractEventLoop) -> Callable[[], float]:
    """The finest clock that runs along with `loop.time()`.

    uvloop cuts its time to milliseconds, which could free a slot a moment before it is due.
    """
    return time.monotonic if abs(loop.time() - time.monotonic()) < 0.1 else loop.time
