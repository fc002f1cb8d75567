"""What limiters refuse: a wait that is too long, and a second event loop."""

from __future__ import annotations

import asyncio

from jibble_async.errors import ConfigurationError, RateLimitedError

__all__ = ["claim_loop", "too_long"]


def too_long(max_wait: float, wait: float | None = None) -> RateLimitedError:
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
