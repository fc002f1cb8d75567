"""What may differ from call to call: time limits, patience, priority, and ids to find it by."""

from __future__ import annotations

import msgspec
from msgspec.structs import asdict

from jibble_async.checks import require_numbers
from jibble_async.core.opaque import Headers
from jibble_async.core.retry import RetryPolicy
from jibble_async.errors import ConfigurationError
from jibble_async.limits.slots import Priority

__all__ = ["CallOptions", "Timeouts"]


class Timeouts(msgspec.Struct, frozen=True):
    """How long things may take, in seconds; None means as long as they take."""

    total: float | None = 60.0
    """A call as a whole, waiting and retries included. Made for a person who waits."""
    attempt: float | None = 30.0
    """One request, from sending it to the end of the answer."""
    connect: float = 10.0
    """Opening a connection. The client's own settings decide this one."""

    def __post_init__(self) -> None:
        given = asdict(self)
        require_numbers("Timeouts", "total", "attempt", **given)
        for name, seconds in given.items():
            if seconds is not None and not seconds > 0:
                raise ConfigurationError(f"Timeouts({name}={seconds}): it must be above 0")


class CallOptions(msgspec.Struct, frozen=True):
    """What may differ from call to call.

    Attributes:
        timeouts: How long things may take.
        max_wait: Seconds to wait for the limiter at most; None: as long as the total allows.
        priority: Whom the limiter serves first.
        retry: How often and how patiently to try again.
        headers: What is sent with each request to the API, as `given_headers` has checked it.
    """

    timeouts: Timeouts
    retry: RetryPolicy
    max_wait: float | None = None
    priority: Priority = "interactive"
    headers: Headers = Headers()

    def __post_init__(self) -> None:
        require_numbers("with_options()", "max_wait", max_wait=self.max_wait)
