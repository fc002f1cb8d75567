"""A call: slot, token, one attempt, value or error, and again where that is safe."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeVar

from multidict import CIMultiDict

from jibble_async.core.clock import Clock
from jibble_async.core.deadlines import Deadlines
from jibble_async.core.events import (
    AttemptFinished,
    Event,
    Hook,
    RetryScheduled,
    SlotWaited,
    Stats,
    TokenRefreshed,
)
from jibble_async.core.operation import JSON, Request, Safety
from jibble_async.core.options import CallOptions
from jibble_async.core.retry import (
    RETRYABLE,
    Decision,
    RetryBudget,
    decide,
    may_have_been_processed,
    retry,
)
from jibble_async.core.tokens import Bearer, Grant, Tokens
from jibble_async.core.transport import Transport
from jibble_async.core.wire import ErrorReader, Reply
from jibble_async.errors import (
    AuthenticationError,
    DeadlineExceededError,
    JibbleError,
    ProtocolError,
    RateLimitedError,
    ThrottledOrForbiddenError,
    TransportError,
)
from jibble_async.limits.headers import read_remaining, read_retry_after
from jibble_async.limits.slots import FREE_SLOT, Outcome, RateLimiter, Slot

__all__ = ["Caller"]

T = TypeVar("T")


class Caller:
    """Makes the calls of one client; bound to the loop it was made in.

    Args:
        transport: Makes single attempts.
        grant: Where tokens come from.
        limiters: A limiter for each service; a service without one is not held back.
        read_error: How the API says that something went wrong.
        options: What holds for requests for tokens.
        clock: Time, sleep and chance.
        stats: The sums to keep.
        budget: What retries draw on.
        hooks: Told of each event.
        user_agent: What the client calls itself.
    """

    def __init__(
        self,
        transport: Transport,
        grant: Grant,
        limiters: Mapping[str, RateLimiter],
        read_error: ErrorReader,
        options: CallOptions,
        clock: Clock,
        stats: Stats,
        budget: RetryBudget,
        hooks: tuple[Hook, ...],
        user_agent: str,
    ) -> None:
        self._transport = transport
        self._limiters = limiters
        self._read_error = read_error
        self._options = options
        self._clock = clock
        self._hooks = hooks
        self._budget = budget
        self._deadlines = Deadlines(asyncio.get_running_loop())
        self._throttled_at: dict[str, float] = {}
        # In aiohttp's own type, which it takes as it is.
        self._plain_headers = CIMultiDict({"Accept": JSON, "User-Agent": user_agent})
        self._bearer_headers = (0, self._plain_headers)
        self.stats = stats
        self.tokens: Tokens = Tokens(grant, self._exchange, clock, self._token_refreshed)

    def call(
        self, request: Request, read: Callable[[Reply], T], options: CallOptions
    ) -> Coroutine[Any, Any, T]:
        """Send a request, again where that is safe, and give the value in its answer.

        Args:
            request: What to send.
            read: Finds the value in the answer.
            options: What holds for this call.

        Raises:
            JibbleError: What the last attempt failed with.
        """
        return self._persist(request, read, options, authorise=True)

    def emit(self, event: Event) -> None:
        """Tell the hooks of an event."""
        for hook in self._hooks:
            hook(event)

    async def aclose(self) -> None:
        """Stop what is under way, and close the connections."""
        await self.tokens.aclose()
        self._deadlines.close()
        await self._transport.aclose()

    async def _exchange(self, request: Request) -> Reply:
        return await self._persist(request, _whole, self._options, authorise=False)

    async def _persist(
        self, request: Request, read: Callable[[Reply], T], options: CallOptions, *, authorise: bool
    ) -> T:
        total = options.timeouts.total
        ends = None if total is None else self._clock.monotonic() + total
        try:
            value = await self._attempt(request, read, options, ends, 1, authorise)
        except RETRYABLE as error:
            first_error = error
        except JibbleError as error:
            _locate(error, request, 1, doubtful=authorise and _doubtful(error, request))
            raise
        else:
            self._budget.succeeded()
            return value

        made = 1
        doubtful = False

        async def attempt(number: int) -> T:
            nonlocal made
            made = number
            self.stats.retries += 1
            return await self._attempt(request, read, options, ends, number, authorise)

        def next_step(error: JibbleError, number: int) -> Decision | None:
            nonlocal doubtful
            doubtful = doubtful or (authorise and _doubtful(error, request))
            return self._next_step(error, number, request, options, ends)

        try:
            return await retry(first_error, attempt, next_step, self._clock)
        except JibbleError as error:
            doubtful = doubtful or (authorise and _doubtful(error, request))
            _locate(error, request, made, doubtful=doubtful)
            raise

    def _next_step(
        self,
        error: JibbleError,
        number: int,
        request: Request,
        options: CallOptions,
        ends: float | None,
    ) -> Decision | None:
        if error.request is not None:
            # From the call for a token, which had its retries, or a limiter that won't wait.
            return None
        safety = request.operation.safety
        step = decide(options.retry, error, safety, number, self._clock.random())
        if step is None:
            return None
        if ends is not None and self._clock.monotonic() + step.delay > ends:
            return None
        # Waiting that the server asked for adds no load, so it costs nothing.
        if not step.asked and not self._budget.take():
            error.retries_exhausted = True
            return None
        if isinstance(error, RateLimitedError):
            self.stats.throttled_seconds += step.delay
        if self._hooks:
            self.emit(RetryScheduled(request.line, number, step.delay, type(error).__name__))
        return step

    async def _attempt(
        self,
        request: Request,
        read: Callable[[Reply], T],
        options: CallOptions,
        ends: float | None,
        number: int,
        authorise: bool,
    ) -> T:
        reply, error, bearer = await self._exchange_once(request, options, ends, number, authorise)
        if isinstance(error, AuthenticationError) and bearer is not None:
            once = request.operation.safety is Safety.ONCE
            try:
                another = await self._within(ends, self.tokens.replace(bearer))
            except JibbleError:
                # What was refused must not be taken for what was not sent.
                if once:
                    raise error from None
                raise
            # Once more with another token, if there is one: a second refusal is an error. Where
            # nothing is sent twice, the token is for the next call.
            if another is None or once:
                raise error
            reply, error, bearer = await self._exchange_once(
                request, options, ends, number, authorise
            )
        if bearer is not None and not isinstance(error, AuthenticationError):
            bearer.accepted = True
        if error is not None:
            raise error
        return read(reply)

    async def _exchange_once(
        self,
        request: Request,
        options: CallOptions,
        ends: float | None,
        number: int,
        authorise: bool,
    ) -> tuple[Reply, JibbleError | None, Bearer | None]:
        """One request: what was answered, the error that is, and the token that was used."""
        slot = await self._slot(request, options, ends)
        outcome = Outcome.NOT_SENT
        reply: Reply | None = None
        try:
            # After the slot, which may take an hour: a token fetched before would be dead.
            tokens = self.tokens
            bearer = tokens.current() if authorise else None
            if authorise and bearer is None:
                bearer = await self._within(ends, tokens.get())
            outcome = Outcome.ABANDONED
            reply = await self._send(request, bearer, options, ends, number)
            outcome = Outcome.ANSWERED
            error = self._error(request, reply) if reply.status >= 300 else None
            if isinstance(error, RateLimitedError):
                outcome = Outcome.THROTTLED
            return reply, error, bearer  # noqa: TRY300 - an else would lose that reply is set
        except TransportError as failure:
            if not failure.sent:
                outcome = Outcome.NOT_SENT
            raise
        finally:
            slot.release(outcome, None if reply is None else reply.headers)

    async def _slot(self, request: Request, options: CallOptions, ends: float | None) -> Slot:
        service = request.operation.service
        limiter = self._limiters.get(service)
        if limiter is None:
            return FREE_SLOT
        now = self._clock.monotonic()
        longest = options.max_wait
        if ends is not None:
            left = max(0.0, ends - now)
            longest = left if longest is None else min(longest, left)
        try:
            slot = await limiter.acquire(priority=options.priority, max_wait=longest)
        except JibbleError as error:
            _locate(error, request, 0)
            raise
        waited = self._clock.monotonic() - now
        if waited > 0.001:
            self.stats.waits += 1
            self.stats.throttled_seconds += waited
            if self._hooks:
                self.emit(SlotWaited(service, waited))
        return slot

    async def _within(self, ends: float | None, awaitable: Awaitable[T]) -> T:
        """What is awaited, if it comes before the call ends."""
        if ends is None:
            return await awaitable
        left = max(0.0, ends - self._clock.monotonic())
        deadline = self._deadlines.start(left)
        try:
            return await awaitable
        except asyncio.CancelledError:
            if not deadline.expired():
                raise
        finally:
            deadline.stop()
        raise DeadlineExceededError(f"no token within {left:.3g} s", sent=False)

    async def _send(
        self,
        request: Request,
        bearer: Bearer | None,
        options: CallOptions,
        ends: float | None,
        number: int,
    ) -> Reply:
        self.stats.requests += 1
        clock = self._clock
        started = clock.monotonic()
        seconds = options.timeouts.attempt
        if ends is not None:
            left = max(0.0, ends - started)
            seconds = left if seconds is None else min(seconds, left)
        deadline = None if seconds is None else self._deadlines.start(seconds)
        reply: Reply | None = None
        failure: str | None = "CancelledError"
        try:
            reply = await self._transport.send(request, self._headers(request, bearer))
            failure = None
        except asyncio.CancelledError:
            if deadline is None or not deadline.expired():
                raise
            failure = DeadlineExceededError.__name__
        except TransportError as error:
            failure = type(error).__name__
            raise
        finally:
            if deadline is not None:
                deadline.stop()
            if self._hooks:
                status = None if reply is None else reply.status
                took = clock.monotonic() - started
                self.emit(AttemptFinished(request.line, number, status, took, failure))
        if reply is None:
            raise DeadlineExceededError(f"no complete answer within {seconds:.3g} s")
        return reply

    def _headers(self, request: Request, bearer: Bearer | None) -> CIMultiDict[str]:
        headers = self._plain_headers
        if bearer is not None:
            generation, headers = self._bearer_headers
            if generation != bearer.generation:
                headers = self._plain_headers.copy()
                headers["Authorization"] = bearer.authorization
                self._bearer_headers = (bearer.generation, headers)
        operation = request.operation
        if request.content_type is None and operation.accept == JSON:
            return headers
        headers = headers.copy()
        headers["Accept"] = operation.accept
        if request.content_type is not None:
            headers["Content-Type"] = request.content_type
        return headers

    def _error(self, request: Request, reply: Reply) -> JibbleError:
        if reply.status < 400:
            redirect = ProtocolError(
                f"the server answered with a redirect ({reply.status}), which is never followed"
            )
            redirect.permanent = True
            return redirect
        service = request.operation.service
        now = self._clock.monotonic()
        recent = now - self._throttled_at.get(service, -math.inf) < 60.0
        wait = read_retry_after(reply.headers, self._clock.now().timestamp())
        throttling = recent or wait is not None or read_remaining(reply.headers) == 0
        error = self._read_error(reply, throttling=throttling, wait=wait)
        if isinstance(error, RateLimitedError):
            self.stats.throttled += 1
            if not isinstance(error, ThrottledOrForbiddenError):
                self._throttled_at[service] = now
        return error

    def _token_refreshed(self, lifetime: float | None) -> None:
        self.stats.token_requests += 1
        self.emit(TokenRefreshed(lifetime))


def _whole(reply: Reply) -> Reply:
    return reply


def _doubtful(error: JibbleError, request: Request) -> bool:
    # One that knows its request is that of a call for a token: this one was not sent then.
    if request.operation.safety is Safety.READ or error.request is not None:
        return False
    return may_have_been_processed(error)


def _locate(error: JibbleError, request: Request, attempts: int, *, doubtful: bool = False) -> None:
    error.maybe_processed = error.maybe_processed or doubtful
    if error.request is None:
        error.request = request.line
        error.attempts = attempts
