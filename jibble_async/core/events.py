"""What a client tells about its work, as it happens and in sum."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import TypeAlias

import msgspec

from jibble_async.limits.slots import Paced, RateLimiter

__all__ = [
    "AttemptFinished",
    "Event",
    "Hook",
    "PageRead",
    "RetryScheduled",
    "SlotWaited",
    "Stats",
    "TokenRefreshed",
    "tell",
]

_LOG = logging.getLogger("jibble_async")


class AttemptFinished(msgspec.Struct, frozen=True):
    """A request was answered or failed.

    Attributes:
        request: The request without query values.
        attempt: Which attempt of its call it was, counted from 1.
        status: The HTTP status; None if there was no answer.
        seconds: How long it took, from sending to the end of the body.
        error: The name of the error's class, if it failed.
    """

    request: str
    attempt: int
    status: int | None
    seconds: float
    error: str | None


class RetryScheduled(msgspec.Struct, frozen=True):
    """A call will be tried again after `delay` seconds."""

    request: str
    attempt: int
    delay: float
    error: str


class SlotWaited(msgspec.Struct, frozen=True):
    """A call waited `seconds` for its limiter."""

    service: str
    seconds: float


class TokenRefreshed(msgspec.Struct, frozen=True):
    """A new token was fetched, `lifetime` seconds long as far as the server said."""

    lifetime: float | None


class PageRead(msgspec.Struct, frozen=True):
    """A page of a walk arrived.

    Attributes:
        rows: Rows on it.
        total: Rows of the whole walk as the server counts them, if it does.
    """

    rows: int
    total: int | None


Event: TypeAlias = AttemptFinished | RetryScheduled | SlotWaited | TokenRefreshed | PageRead
Hook: TypeAlias = Callable[[Event], None]
"""Called synchronously; what it raises is logged, and harms no call."""


def tell(hooks: tuple[Hook, ...], event: Event) -> None:
    """Tell hooks of an event."""
    for hook in hooks:
        try:
            hook(event)
        # A hook is the user's own: it looks on, and a write that was made stays made.
        except (Exception, asyncio.CancelledError):
            _LOG.exception("a hook failed at %s", type(event).__name__)


class Stats(msgspec.Struct):
    """Sums over a client's life, shared by all that `with_options` made of it.

    Attributes:
        requests: Requests sent, repeated ones and those for tokens included.
        retries: Requests that repeated one that had failed.
        throttled: Answers by which the server refused for speed.
        waits: Requests that had to wait for their limiter.
        throttled_seconds: Time spent waiting, for a limiter or because the server asked.
        token_requests: Requests for a token.
        rows: Rows delivered by pagers.
        duplicates: Rows that came twice in neighbouring pages and were delivered once.
        moved: Times that rows moved under a walk, and it went on by their order.
        limiters: The limiter of each service.
    """

    requests: int = 0
    retries: int = 0
    throttled: int = 0
    waits: int = 0
    throttled_seconds: float = 0.0
    token_requests: int = 0
    rows: int = 0
    duplicates: int = 0
    moved: int = 0
    limiters: Mapping[str, RateLimiter] = msgspec.field(default_factory=dict[str, RateLimiter])

    @property
    def rates(self) -> dict[str, float]:
        """Requests per second that each service is believed to accept, where its limiter knows."""
        return {
            service: limiter.rate
            for service, limiter in self.limiters.items()
            if isinstance(limiter, Paced)
        }
