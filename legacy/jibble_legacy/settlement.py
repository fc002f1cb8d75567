"""Carrying out what `jibble_legacy.forbidden` decides, on the wire and on the limiter."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import TypeVar, get_args

import msgspec

from jibble_async.core.call import Caller
from jibble_async.core.clock import Clock
from jibble_async.core.operation import Request
from jibble_async.core.options import CallOptions
from jibble_async.core.wire import Reply
from jibble_async.errors import JibbleError
from jibble_async.limits.slots import Counting, Priority, RateLimiter
from jibble_legacy.config import PERIOD
from jibble_legacy.forbidden import Probe, Procedure, Step, nearly_full
from jibble_legacy.refusals import BareForbiddenError

__all__ = ["Question", "Settlement"]

T = TypeVar("T")


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


class Settlement:
    """Finds out what a 403 without a reason means, and gets the value if it can be had.

    Args:
        caller: Makes the calls.
        limiter: Is asked how much is used, and told to hold everybody back.
        probe: A request that needs no particular right.
        question: Shares its answer with other calls.
        clock: For waiting where the server says how long.
    """

    def __init__(
        self,
        caller: Caller,
        limiter: RateLimiter,
        probe: Request,
        question: Question,
        clock: Clock,
    ) -> None:
        self._caller = caller
        self._limiter = limiter
        self._probe = probe
        self._question = question
        self._clock = clock

    async def settle(
        self,
        request: Request,
        read: Callable[[Reply], T],
        options: CallOptions,
        ends: float | None,
        refusal: BareForbiddenError,
    ) -> T:
        """The value in the answer to a request that was refused once.

        Args:
            request: What was refused.
            read: Finds the value in the answer.
            options: What holds for the call.
            ends: When the call must have ended, on the monotonic clock.
            refusal: The refusal.

        Raises:
            PermissionDeniedError: A right is missing.
            ThrottledOrForbiddenError: It can't be told, or there is no time to find out.
            RateLimitedError: The server said that it refuses for speed, and for longer than the
                call may take, or than a limit can mean.
            JibbleError: As any call does.
        """
        procedure, counted = Procedure(), self._counted()
        refused_at = self._clock.monotonic()
        step = procedure.refused(crowded=refusal.told or self._crowded())
        while True:
            match step:
                case Step.PROBE:
                    step = procedure.probed(await self._answer(options, ends, refused_at))
                    continue
                case Step.WAIT:
                    await self._wait(refusal, counted, options, ends)
                case Step.AGAIN:
                    pass
                case Step.FORBIDDEN:
                    raise refusal.forbidden()
                case Step.UNDECIDED:
                    raise refusal.undecided(counted)
            try:
                return await self._caller.call(request, read, self._left(options, ends))
            except BareForbiddenError as again:
                again.attempts += refusal.attempts
                again.maybe_processed = again.maybe_processed or refusal.maybe_processed
                refusal, refused_at = again, self._clock.monotonic()
            except JibbleError as error:
                error.attempts += refusal.attempts
                error.maybe_processed = error.maybe_processed or refusal.maybe_processed
                raise
            step = procedure.refused(crowded=refusal.told or self._crowded())

    async def _answer(self, options: CallOptions, ends: float | None, refused_at: float) -> Probe:
        left = None if ends is None else ends - self._clock.monotonic()
        try:
            async with asyncio.timeout(left):
                return await self._question.put(
                    options.priority,
                    refused_at,
                    self._clock,
                    lambda: self._ask(self._left(options, ends)),
                )
        except TimeoutError:
            return Probe.FAILED

    async def _ask(self, options: CallOptions) -> Probe:
        try:
            await self._caller.call(self._probe, _nothing, options)
        except BareForbiddenError:
            return Probe.REFUSED
        except JibbleError:
            return Probe.FAILED
        return Probe.ANSWERED

    async def _wait(
        self,
        refusal: BareForbiddenError,
        counted: str,
        options: CallOptions,
        ends: float | None,
    ) -> None:
        """See to it that the next request is sent when there is room."""
        stats, limiter = self._caller.stats, self._limiter
        stats.throttled += 1
        asked = refusal.retry_after
        longest = math.inf if ends is None else ends - self._clock.monotonic()
        if options.max_wait is not None:
            longest = min(longest, options.max_wait)
        # No limit that the documentation may mean makes anybody wait for longer.
        period = limiter.per if isinstance(limiter, Counting) else PERIOD
        wait, meant = asked or 0.0, asked is None or asked <= max(period, PERIOD)
        if isinstance(limiter, Counting) and meant:
            held = limiter.hold(asked)
            wait = held if asked is None else asked
        if wait > longest or not meant:
            refusal.retry_after = wait
            raise refusal.throttled(counted) if refusal.told else refusal.undecided(counted)
        # Where the limiter holds everybody back, the wait is for the slot.
        if asked is not None:
            stats.throttled_seconds += asked
            await self._clock.sleep(asked)

    def _left(self, options: CallOptions, ends: float | None) -> CallOptions:
        """The options, with what is left of the time."""
        if ends is None:
            return options
        # A time limit must be above 0, and this one is as good as over.
        left = max(0.001, ends - self._clock.monotonic())
        timeouts = msgspec.structs.replace(options.timeouts, total=left)
        return msgspec.structs.replace(options, timeouts=timeouts)

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
