"""Carrying out what `jibble_legacy.forbidden` decides, on the wire and on the limiter."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import msgspec

from jibble_async.core.call import Caller
from jibble_async.core.clock import Clock
from jibble_async.core.operation import Request
from jibble_async.core.options import CallOptions
from jibble_async.core.wire import Reply
from jibble_async.errors import JibbleError
from jibble_async.limits.slots import Counting, RateLimiter
from jibble_legacy.config import PERIOD
from jibble_legacy.forbidden import Probe, Procedure, Step, nearly_full
from jibble_legacy.refusals import BareForbiddenError

__all__ = ["Settlement"]

T = TypeVar("T")


class Settlement:
    """Finds out what a 403 without a reason means, and gets the value if it can be had.

    Args:
        caller: Makes the calls.
        limiter: Is asked how much is used, and told to hold everybody back.
        probe: A request that needs no particular right.
        clock: For waiting where the server says how long.
    """

    def __init__(self, caller: Caller, limiter: RateLimiter, probe: Request, clock: Clock) -> None:
        self._caller = caller
        self._limiter = limiter
        self._probe = probe
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
        step = procedure.refused(crowded=refusal.told or self._crowded())
        while True:
            match step:
                case Step.PROBE:
                    step = procedure.probed(await self._ask(self._left(options, ends)))
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
                refusal = again
            except JibbleError as error:
                error.attempts += refusal.attempts
                error.maybe_processed = error.maybe_processed or refusal.maybe_processed
                raise
            step = procedure.refused(crowded=refusal.told or self._crowded())

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
