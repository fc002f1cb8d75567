"""Sums of what a client did, and how it stands with its limiters."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from jibble_async.limits.slots import Paced, Priority, Queued, RateLimiter

__all__ = ["Stats"]


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
    limiter_wait_seconds: float = 0.0
    """Time that calls waited for their limiter."""
    server_wait_seconds: float = 0.0
    """Time that calls waited because the server had refused them for speed."""
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
    def throttled_seconds(self) -> float:
        """Time that calls waited, for their limiter or because the server had refused them."""
        return self.limiter_wait_seconds + self.server_wait_seconds

    @property
    def rates(self) -> dict[str, float]:
        """Requests per second that each service is believed to accept, where its limiter knows."""
        return {
            service: limiter.rate
            for service, limiter in self.limiters.items()
            if isinstance(limiter, Paced)
        }

    @property
    def waiting(self) -> dict[str, dict[Priority, int]]:
        """Calls that wait for a slot at this moment, by service and priority.

        Services that share a limiter share its queue. One whose limiter can't tell is left out.
        """
        return {
            service: dict(limiter.waiting)
            for service, limiter in self.limiters.items()
            if isinstance(limiter, Queued)
        }
