"""Whether and when to try again: a pure decision, and tenacity to carry it out."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from msgspec.structs import asdict
from tenacity import AsyncRetrying, RetryCallState

from jibble_async.checks import require_numbers
from jibble_async.core.clock import Clock
from jibble_async.core.operation import Safety
from jibble_async.errors import (
    APIError,
    BadRequestError,
    ConfigurationError,
    ConnectFailedError,
    ConnectionLostError,
    DeadlineExceededError,
    DecodeError,
    JibbleError,
    ProtocolError,
    RateLimitedError,
    ServerError,
    ThrottledOrForbiddenError,
    TransportError,
)

__all__ = [
    "REPEATABLE",
    "RETRYABLE",
    "Decision",
    "RetryBudget",
    "RetryPolicy",
    "decide",
    "may_have_been_processed",
    "retry",
]

T = TypeVar("T")

# An allow-list.
RETRYABLE = (
    BadRequestError,
    ConnectFailedError,
    ConnectionLostError,
    DeadlineExceededError,
    DecodeError,
    ProtocolError,
    RateLimitedError,
    ServerError,
)
REPEATABLE = frozenset({Safety.READ, Safety.IDEMPOTENT})
"""What it does no harm to send twice."""
# 408 and 425: the server does not want this request on this connection. From 520 on it is a proxy
# between it and us that says what befell it there.
_TRANSIENT_STATUSES = frozenset({408, 425, 500, 502, 503, 504, *range(520, 531)})


class RetryPolicy(msgspec.Struct, frozen=True):
    """How often and how patiently a failed call is tried again.

    What may be tried again at all depends on the operation's safety: see `docs/reliability.md`.
    """

    attempts: int = 4
    """Attempts in all for lost connections and failing servers; 1 means no retries."""
    throttled_attempts: int = 10
    """Attempts in all when the server refuses for speed."""
    base_delay: float = 0.5
    """Seconds; the first wait is a random part of this, and it doubles each time."""
    max_delay: float = 20.0
    """Seconds; the longest wait that is our own choice."""
    max_retry_after: float = 120.0
    """Seconds; where the server asks for more, the error is raised at once."""
    patience: float | None = None
    """Seconds from a call's first failure on in which it is tried again however many attempts that
    takes; None: the numbers of attempts hold. For work that nobody waits for: it is to outlast an
    outage, and then `Timeouts.total` must not end it earlier."""

    def __post_init__(self) -> None:
        require_numbers("RetryPolicy", "patience", **asdict(self))
        counts = (self.attempts, self.throttled_attempts)
        delays = (self.base_delay, self.max_delay, self.max_retry_after, self.patience or 0.0)
        if min(counts) < 1 or min(delays) < 0 or not all(map(math.isfinite, delays)):
            raise ConfigurationError(f"{self} can't be used: attempts from 1, delays from 0")


class RetryBudget:
    """How many retries a client may add to the load of a server in trouble.

    Each retry takes one token; each call that succeeds at once gives a tenth back. So in a long
    outage retries stay below a tenth of the calls.

    Args:
        capacity: Retries that may be made in a row.
    """

    def __init__(self, capacity: float = 50.0) -> None:
        self._capacity = capacity
        self._tokens = capacity

    def take(self) -> bool:
        """Take a token for a retry; False if there is none."""
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def succeeded(self) -> None:
        """Note that a call succeeded without a retry."""
        if self._tokens < self._capacity:
            self._tokens = min(self._capacity, self._tokens + 0.1)


class Decision(msgspec.Struct, frozen=True):
    """Try again after a while.

    Attributes:
        delay: Seconds.
        asked: Whether it was the server that wanted so many.
        throttled: Whether the server refused for speed, although the error does not say so.
    """

    delay: float
    asked: bool
    throttled: bool = False


def decide(
    policy: RetryPolicy,
    error: JibbleError,
    safety: Safety,
    attempt: int,
    chance: float,
    failing_for: float = 0.0,
) -> Decision | None:
    """Whether to try again.

    Args:
        policy: How often and how patiently.
        error: Why the attempt failed.
        safety: What it means to send the request twice.
        attempt: How many attempts were made, counted from 1.
        chance: A random number from 0 to 1 for the jitter.
        failing_for: Seconds since the first of them failed.

    Returns:
        When to try again; None to give up.
    """
    if not _may_repeat(error, safety):
        return None
    throttled = isinstance(error, RateLimitedError)
    patience_left = (policy.patience or 0.0) - failing_for
    limit: float = policy.throttled_attempts if throttled else policy.attempts
    if policy.patience is not None:
        limit = math.inf if patience_left > 0 else 0
    if isinstance(error, ThrottledOrForbiddenError):
        limit = min(limit, 2)
    if attempt >= limit:
        return None
    # Exponential back-off with full jitter: any part of a ceiling that doubles, since a crowd that
    # failed at once would else come back at once. The exponent is bounded, as a float is.
    own = chance * min(policy.max_delay, policy.base_delay * 2.0 ** min(attempt - 1, 30))
    wait = error.retry_after if isinstance(error, APIError) else None
    if wait is None:
        return Decision(own, asked=False)
    if wait > max(policy.max_retry_after, patience_left):
        return None
    # A little more than was asked for, so that a crowd does not come back as one; and never less
    # than without being asked: a server in trouble that says "at once" is not to be flooded.
    jitter = chance * min(1.0, policy.base_delay)
    return Decision(max(wait + jitter, own), asked=wait > (policy.base_delay if throttled else own))


def _may_repeat(error: JibbleError, safety: Safety) -> bool:
    match error:
        case ConnectFailedError():
            return not error.permanent
        case RateLimitedError():
            return safety is not Safety.ONCE
        case ConnectionLostError() | DeadlineExceededError() | ProtocolError():
            return not error.permanent and (safety in REPEATABLE or not error.sent)
        case ServerError() | BadRequestError():
            return safety in REPEATABLE and error.status in _TRANSIENT_STATUSES
        case DecodeError():
            return safety in REPEATABLE and error.malformed
        case _:
            return False


def may_have_been_processed(error: JibbleError) -> bool:
    """Whether the server may have done what it was asked in an attempt that failed so.

    Args:
        error: What the attempt failed with.
    """
    match error:
        case TransportError():
            return error.sent
        case ServerError() | DecodeError():
            return True
        case _:
            return False


async def retry(
    first_error: JibbleError,
    attempt: Callable[[int], Awaitable[T]],
    next_step: Callable[[JibbleError, int], Awaitable[Decision | None]],
    retryable: tuple[type[JibbleError], ...],
    clock: Clock,
) -> T:
    """Carry on after a first attempt that failed; tenacity is not entered before that.

    Args:
        first_error: What the first attempt raised.
        attempt: Makes the attempt of the given number.
        next_step: Decides after each failure; None gives up, and what it raises ends the call.
        retryable: What it is asked about; anything else, cancellation above all, passes untouched.
        clock: For sleeping.

    Raises:
        JibbleError: The last attempt's error.
    """
    delay = 0.0

    async def again(state: RetryCallState) -> bool:
        nonlocal delay
        error = None if state.outcome is None else state.outcome.exception()
        if not isinstance(error, retryable):
            return False
        step = await next_step(error, state.attempt_number)
        delay = 0.0 if step is None else step.delay
        return step is not None

    # The predicate is what decides, being what tenacity awaits: so a hook may ask a question. The
    # first attempt is over; its error is raised in its place.
    async for state in AsyncRetrying(retry=again, wait=lambda _: delay, sleep=clock.sleep):
        with state:
            number = state.retry_state.attempt_number
            if number > 1:
                return await attempt(number)
            raise first_error
    raise first_error
