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
    """A request was answered or failed."""

    request: str
    """The request without query values."""
    attempt: int
    """Which attempt of its call it was, counted from 1."""
    status: int | None
    """The HTTP status; None if there was no answer."""
    seconds: float
    """How long it took, from sending to the end of the body."""
    error: str | None
    """The name of the error's class, if it failed."""


class RetryScheduled(msgspec.Struct, frozen=True):
    """A call will be tried again after `delay` seconds."""

    request: str
    """The request without query values."""
    attempt: int
    """Which attempt of its call it was, counted from 1."""
    delay: float
    """Seconds until then."""
    error: str
    """The name of the error's class."""


class SlotWaited(msgspec.Struct, frozen=True):
    """A call waited `seconds` for its limiter."""

    service: str
    """Whose limiter it was."""
    seconds: float
    """How long."""


class TokenRefreshed(msgspec.Struct, frozen=True):
    """A new token was fetched, `lifetime` seconds long as far as the server said."""

    lifetime: float | None
    """Seconds that it lasts; None if that is not known."""


class PageRead(msgspec.Struct, frozen=True):
    """A page of a walk arrived."""

    rows: int
    """Rows on it."""
    total: int | None
    """Rows of the whole walk as the server counts them, if it does."""


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
    """Sums over a client's life, shared by all that `with_options` made of it."""

    requests: int = 0
    """Requests sent, repeated ones and those for tokens included."""
    retries: int = 0
    """Requests that repeated one that had failed."""
    throttled: int = 0
    """Answers by which the server refused for speed."""
    waits: int = 0
    """Requests that had to wait for their limiter."""
    throttled_seconds: float = 0.0
    """Time spent waiting, for a limiter or because the server asked."""
    token_requests: int = 0
    """Requests for a token."""
    rows: int = 0
    """Rows delivered by pagers."""
    duplicates: int = 0
    """Rows that came twice in neighbouring pages and were delivered once."""
    moved: int = 0
    """Times that rows moved under a walk, and it went on by their order."""
    limiters: Mapping[str, RateLimiter] = msgspec.field(default_factory=dict[str, RateLimiter])
    """The limiter of each service."""

    @property
    def rates(self) -> dict[str, float]:
        """Requests per second that each service is believed to accept, where its limiter knows."""
        return {
            service: limiter.rate
            for service, limiter in self.limiters.items()
            if isinstance(limiter, Paced)
        }
