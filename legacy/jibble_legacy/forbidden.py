"""What a 403 without a reason means: decided one step at a time, within the loop of retries.

The old API answers so to one who is over the limit (documented: old-limit), and perhaps to one who
lacks a right. Where nearly all of the limit is used, it is taken for the limit: everybody is held
back until there is room, and the request is sent again. Otherwise, or if that does not help, a
request that needs no particular right settles it. There is one such wait, one such question, and
the request is repeated twice at most.
"""

from __future__ import annotations

import asyncio
import enum
import math
from collections.abc import Awaitable, Callable
from typing import Any, get_args

from jibble_async.core.call import Call
from jibble_async.core.caller import Caller
from jibble_async.core.clock import Clock
from jibble_async.core.operation import Request, Safety
from jibble_async.core.retry import Decision
from jibble_async.core.wire import Reply
from jibble_async.errors import JibbleError
from jibble_async.limits.slots import Counting, Priority, RateLimiter
from jibble_legacy.config import PERIOD
from jibble_legacy.error_bodies import BareForbiddenError

__all__ = ["ForbiddenRecovery", "Probe", "Procedure", "Question", "Step", "nearly_full"]

_NEARLY = 0.9


class Step(enum.Enum):
    """What to do next."""

    WAIT = "hold everybody back until there is room, then send the request again"
    PROBE = "send a request that needs no particular right"
    AGAIN = "send the request again"
    FORBIDDEN = "give up: a right is missing"
    UNDECIDED = "give up: it can't be told"


class Probe(enum.Enum):
    """What became of the request that needs no particular right."""

    ANSWERED = "answered"
    REFUSED = "refused in the same way"
    FAILED = "failed in another way, or not sent"


class Procedure:
    """The steps after a first refusal of one request."""

    def __init__(self) -> None:
        self._waited = False
        self._probe: Probe | None = None

    def refused(self, *, crowded: bool) -> Step:
        """What to do after the request was refused, for the first time or again.

        Args:
            crowded: Whether there is reason to think that the limit is reached.
        """
        if self._probe is Probe.ANSWERED:
            return Step.FORBIDDEN
        if self._probe is not None:
            return Step.UNDECIDED
        return self._wait() if crowded and not self._waited else Step.PROBE

    def probed(self, probe: Probe) -> Step:
        """What to do after the question was put.

        Args:
            probe: What became of it.
        """
        self._probe = probe
        if probe is Probe.ANSWERED:
            return Step.AGAIN
        return self._wait() if probe is Probe.REFUSED and not self._waited else Step.UNDECIDED

    def _wait(self) -> Step:
        self._waited = True
        return Step.WAIT


def nearly_full(used: int | None, limit: int) -> bool:
    """Whether so much of a limit is used that a refusal is likely to be about it.

    Args:
        used: Requests that count at present; None if that is not known.
        limit: How many the server accepts.
    """
    return used is not None and used >= _NEARLY * limit


class Question:
    """A question that calls of one client share: each takes the answer to another's if it may.

    It may if the question was put after it was refused itself, since before there may have been
    room. If there was none either, it is enough that the answer came afterwards.
    """

    def __init__(self) -> None:
        # One for each priority, so that no interactive call waits for a bulk one's slot.
        self._locks = {priority: asyncio.Lock() for priority in get_args(Priority)}
        self._good_for = -math.inf
        self._answer = Probe.FAILED

    async def put(
        self,
        priority: Priority,
        refused_at: float,
        clock: Clock,
        ask: Callable[[], Awaitable[Probe]],
    ) -> Probe:
        """The answer.

        Args:
            priority: Of the call that has the question.
            refused_at: When it was refused, on the monotonic clock.
            clock: That clock.
            ask: Puts the question.
        """
        async with self._locks[priority]:
            if self._good_for >= refused_at:
                return self._answer
            asked_at = clock.monotonic()
            answer = await ask()
            # How one call failed says nothing to another, which may have more time.
            if answer is not Probe.FAILED:
                self._good_for = asked_at if answer is Probe.ANSWERED else clock.monotonic()
                self._answer = answer
            return answer


class ForbiddenRecovery:
    """The hook of the retry loop; see `jibble_async.core.recovery.Recovery`.

    Args:
        limiter: Is asked how much is used, and told to hold everybody back.
        probe: A request that needs no particular right.
        clock: The client's.
    """

    errors: tuple[type[JibbleError], ...] = (BareForbiddenError,)

    def __init__(self, limiter: RateLimiter, probe: Request, clock: Clock) -> None:
        self._limiter = limiter
        self._probe = probe
        self._clock = clock
        self._question = Question()

    async def next_step(self, error: JibbleError, call: Call[Any], caller: Caller) -> Decision:
        """When to send a request that was refused again.

        Raises:
            PermissionDeniedError: A right is missing.
            ThrottledOrForbiddenError: It can't be told, or there is no time to find out.
            RateLimitedError: The server said that it refuses for speed, and for longer than the
                call may take, or than a limit can mean.
        """
        assert isinstance(error, BareForbiddenError)
        if call.memory is None:
            call.memory = Procedure(), self._counted()
        procedure, counted = call.memory
        step = procedure.refused(crowded=error.told or self._crowded())
        if step is Step.PROBE:
            step = procedure.probed(await self._ask(call, caller))
        if step in {Step.WAIT, Step.AGAIN} and call.request.operation.safety is Safety.ONCE:
            raise error.undecided(f"{counted}; what is for once is not sent again")
        match step:
            case Step.WAIT:
                caller.stats.throttled += 1
                delay = self._hold(error, counted, call)
                caller.stats.server_wait_seconds += delay
                return Decision(delay, asked=True, throttled=True)
            case Step.AGAIN:
                return Decision(0.0, asked=True)
            case Step.FORBIDDEN:
                raise error.forbidden()
            case _:
                raise error.undecided(counted)

    async def _ask(self, call: Call[Any], caller: Caller) -> Probe:
        async def ask() -> Probe:
            try:
                await caller.call_within(call, self._probe, _nothing)
            except BareForbiddenError:
                return Probe.REFUSED
            except JibbleError:
                return Probe.FAILED
            return Probe.ANSWERED

        refused_at = self._clock.monotonic()
        try:
            # Another call's question may take longer than this call has.
            async with asyncio.timeout(call.left(refused_at)):
                return await self._question.put(call.options.priority, refused_at, self._clock, ask)
        except TimeoutError:
            return Probe.FAILED

    def _hold(self, refusal: BareForbiddenError, counted: str, call: Call[Any]) -> float:
        """See to it that the next request is sent when there is room; the seconds to wait first."""
        limiter, asked = self._limiter, refusal.retry_after
        longest = call.left(self._clock.monotonic(), call.options.max_wait)
        # No limit that the documentation may mean makes anybody wait for longer.
        period = limiter.per if isinstance(limiter, Counting) else PERIOD
        wait, meant = asked or 0.0, asked is None or asked <= max(period, PERIOD)
        if isinstance(limiter, Counting) and meant:
            held = limiter.hold(asked)
            wait = held if asked is None else asked
        if not meant or (longest is not None and wait > longest):
            refusal.retry_after = wait
            raise refusal.throttled(counted) if refusal.told else refusal.undecided(counted)
        # Where the limiter holds everybody back, the wait is for the slot.
        return asked or 0.0

    def _crowded(self) -> bool:
        limiter = self._limiter
        return isinstance(limiter, Counting) and nearly_full(limiter.used, limiter.limit)

    def _counted(self) -> str:
        limiter = self._limiter
        if not isinstance(limiter, Counting) or limiter.used is None:
            return "how much of the limit is used is not known here"
        return f"{limiter.used} of {limiter.limit} requests in {limiter.per:g} s were made here"


def _nothing(_: Reply) -> None:
    """What the probe is asked for."""
