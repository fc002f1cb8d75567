"""Making calls: slot, token, one attempt, value or error, and again where that is safe."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Protocol, TypeVar

from jibble_async.core.answers import Answers, ErrorReader
from jibble_async.core.call import Call
from jibble_async.core.config import BaseConfig
from jibble_async.core.deadlines import Deadlines
from jibble_async.core.events import (
    AttemptFinished,
    Event,
    RetryScheduled,
    SlotWaited,
    Stats,
    TokenRefreshed,
)
from jibble_async.core.opaque import Headers
from jibble_async.core.operation import JSON, Request, Safety
from jibble_async.core.options import CallOptions
from jibble_async.core.retry import (
    RETRYABLE,
    Decision,
    RetryBudget,
    decide,
    retry,
)
from jibble_async.core.tokens import Bearer, Grant, Tokens
from jibble_async.core.transport import Network, Transport
from jibble_async.core.wire import Reply
from jibble_async.errors import (
    AuthenticationError,
    ConfigurationError,
    DeadlineExceededError,
    JibbleError,
    RateLimitedError,
    TransportError,
)
from jibble_async.limits.slots import FREE_SLOT, Outcome, RateLimiter, Slot

__all__ = ["Caller", "Recovery"]

T = TypeVar("T")


class Recovery(Protocol):
    """What an API does about failures that its answers leave open: a hook of the retry loop."""

    @property
    def errors(self) -> tuple[type[JibbleError], ...]:
        """The failures that it is asked about."""
        ...

    async def next_step(self, error: JibbleError, call: Call[Any], caller: Caller) -> Decision:
        """When to make the next attempt of a call; `caller` makes others within its time.

        Raises:
            JibbleError: There is to be none; this is what the call ends with.
        """
        ...


class Caller:
    """Makes the calls of one client; opened by the first, and bound to the loop it is made in.

    Args:
        config: The settings.
        grant: Where tokens come from.
        limiters: A limiter for each service; a service without one is not held back.
        network: How to reach the network.
        read_error: How the API says that something went wrong.
        recovery: What the API does about failures that its answers leave open.
    """

    def __init__(
        self,
        config: BaseConfig,
        grant: Grant,
        limiters: Mapping[str, RateLimiter],
        network: Network,
        read_error: ErrorReader,
        recovery: Recovery | None = None,
    ) -> None:
        self.config: BaseConfig = config
        self.stats: Stats = Stats(limiters=limiters)
        self.tokens: Tokens = Tokens(grant, self._exchange, config.clock, self._token_refreshed)
        self._limiters = limiters
        self._network = network
        self._answers = Answers(read_error)
        self._clock = config.clock
        self._budget = RetryBudget()
        self._recovery = recovery
        self._retryable = RETRYABLE if recovery is None else RETRYABLE + recovery.errors
        # In aiohttp's own type, which it takes as it is.
        self._plain_headers = Headers({"Accept": JSON, "User-Agent": config.user_agent})
        self._bearer_headers = (0, self._plain_headers)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def open(self) -> None:
        """See to it that calls can be made in the running loop.

        Raises:
            ConfigurationError: The client is closed, or belongs to another loop.
        """
        loop = asyncio.get_running_loop()
        if self._closed:
            raise ConfigurationError("this client is closed: make another one")
        if self._loop is loop:
            return
        if self._loop is not None:
            raise ConfigurationError(
                "this client is in use in another event loop: make one client for each loop, "
                "and in notebooks await it directly instead of calling asyncio.run() again"
            )
        config = self.config
        self._transport = Transport(
            self._network,
            connect_timeout=config.timeouts.connect,
            max_body_bytes=config.max_body_bytes,
        )
        self._deadlines = Deadlines(loop)
        self._loop = loop

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
        self.open()
        return self._run(Call(request, read, options, self._end(options)), self._recovery)

    def call_within(
        self, call: Call[Any], request: Request, read: Callable[[Reply], T]
    ) -> Coroutine[Any, Any, T]:
        """The same for another request within the time of a call, without the API's recovery."""
        return self._run(Call(request, read, call.options, call.ends))

    def emit(self, event: Event) -> None:
        """Tell the hooks of an event."""
        for hook in self.config.hooks:
            hook(event)

    async def aclose(self) -> None:
        """Stop what is under way, and close the connections; calls are errors from then on."""
        self._closed = True
        if self._loop is not None:
            await self.tokens.aclose()
            self._deadlines.close()
            await self._transport.aclose()

    async def _exchange(self, request: Request) -> Reply:
        options = CallOptions(self.config.timeouts, self.config.retry)
        return await self._run(Call(request, _whole, options, self._end(options), authorised=False))

    def _end(self, options: CallOptions) -> float | None:
        total = options.timeouts.total
        return None if total is None else self._clock.monotonic() + total

    async def _run(self, call: Call[T], recovery: Recovery | None = None) -> T:
        """The one loop of retries, entered only once a first attempt has failed."""
        try:
            value = await self._attempt(call)
        except self._retryable as error:
            first_error: JibbleError = error
        except JibbleError as error:
            call.ended(error, call.attempts)
            raise
        else:
            self._budget.succeeded()
            return value

        async def attempt(number: int) -> T:
            call.attempts = number
            self.stats.retries += 1
            return await self._attempt(call)

        async def next_step(error: JibbleError, number: int) -> Decision | None:
            call.failed(error)
            step = await self._next_step(error, call, recovery)
            if step is not None and self.config.hooks:
                line, kind = call.request.line, type(error).__name__
                self.emit(RetryScheduled(line, number, step.delay, kind))
            return step

        try:
            return await retry(first_error, attempt, next_step, self._retryable, self._clock)
        except JibbleError as error:
            call.ended(error, call.attempts)
            raise

    async def _next_step(
        self, error: JibbleError, call: Call[Any], recovery: Recovery | None
    ) -> Decision | None:
        if error.request is not None:
            # From the call for a token, which had its retries, or a limiter that won't wait.
            return None
        if recovery is not None and isinstance(error, recovery.errors):
            return await recovery.next_step(error, call, self)
        safety = call.request.operation.safety
        step = decide(call.options.retry, error, safety, call.attempts, self._clock.random())
        if step is None:
            return None
        if call.ends is not None and self._clock.monotonic() + step.delay > call.ends:
            return None
        # Waiting that the server asked for adds no load, so it costs nothing.
        if not step.asked and not self._budget.take():
            error.retries_exhausted = True
            return None
        if isinstance(error, RateLimitedError):
            self.stats.throttled_seconds += step.delay
        return step

    async def _attempt(self, call: Call[T]) -> T:
        reply, error, bearer = await self._exchange_once(call)
        if isinstance(error, AuthenticationError) and bearer is not None:
            once = call.request.operation.safety is Safety.ONCE
            try:
                another = await self._within(call, self.tokens.replace(bearer))
            except JibbleError:
                # What was refused must not be taken for what was not sent.
                if once:
                    raise error from None
                raise
            # Once more with another token, if there is one: a second refusal is an error. Where
            # nothing is sent twice, the token is for the next call.
            if another is None or once:
                raise error
            reply, error, bearer = await self._exchange_once(call)
        if bearer is not None and not isinstance(error, AuthenticationError):
            bearer.accepted = True
        if error is not None:
            raise error
        return call.read(reply)

    async def _exchange_once(
        self, call: Call[Any]
    ) -> tuple[Reply, JibbleError | None, Bearer | None]:
        """One request: what was answered, the error that is, and the token that was used."""
        slot = await self._slot(call)
        outcome = Outcome.NOT_SENT
        reply: Reply | None = None
        try:
            # After the slot, which may take an hour: a token fetched before would be dead.
            tokens = self.tokens
            bearer = tokens.current() if call.authorised else None
            if call.authorised and bearer is None:
                bearer = await self._within(call, tokens.get())
            outcome = Outcome.ABANDONED
            reply = await self._send(call, bearer)
            outcome = Outcome.ANSWERED
            error = None
            if reply.status != 200:
                error = self._answers.error(
                    reply, call.request, self._clock, authorised=call.authorised
                )
            if isinstance(error, RateLimitedError):
                outcome = Outcome.THROTTLED
                self.stats.throttled += 1
            return reply, error, bearer  # noqa: TRY300 - an else would lose that reply is set
        except TransportError as failure:
            if not failure.sent:
                outcome = Outcome.NOT_SENT
            raise
        finally:
            slot.release(outcome, None if reply is None else reply.headers)

    async def _slot(self, call: Call[Any]) -> Slot:
        service = call.request.operation.service
        limiter = self._limiters.get(service)
        if limiter is None:
            return FREE_SLOT
        now = self._clock.monotonic()
        options = call.options
        longest = call.left(now, options.max_wait)
        try:
            slot = await limiter.acquire(priority=options.priority, max_wait=longest)
        except JibbleError as error:
            # This attempt was not made.
            call.ended(error, call.attempts - 1)
            raise
        waited = self._clock.monotonic() - now
        if waited > 0.001:
            self.stats.waits += 1
            self.stats.throttled_seconds += waited
            if self.config.hooks:
                self.emit(SlotWaited(service, waited))
        return slot

    async def _within(self, call: Call[Any], awaitable: Awaitable[T]) -> T:
        """What is awaited, if it comes before the call ends."""
        left = call.left(self._clock.monotonic())
        if left is None:
            return await awaitable
        deadline = self._deadlines.start(left)
        try:
            return await awaitable
        except asyncio.CancelledError:
            if not deadline.expired():
                raise
        finally:
            deadline.stop()
        raise DeadlineExceededError(f"no token within {left:.3g} s", sent=False)

    async def _send(self, call: Call[Any], bearer: Bearer | None) -> Reply:
        self.stats.requests += 1
        request = call.request
        clock = self._clock
        started = clock.monotonic()
        seconds = call.left(started, call.options.timeouts.attempt)
        deadline = None if seconds is None else self._deadlines.start(seconds)
        reply: Reply | None = None
        failure: str | None = "CancelledError"
        try:
            reply = await self._transport.send(request, self._headers(request, bearer))
            failure = None
        except asyncio.CancelledError:
            # Ours, or that of somebody who gave up on the whole: only ours becomes an error.
            if deadline is None or not deadline.expired():
                raise
            failure = DeadlineExceededError.__name__
        except TransportError as error:
            failure = type(error).__name__
            raise
        finally:
            if deadline is not None:
                deadline.stop()
            if self.config.hooks:
                status = None if reply is None else reply.status
                took = clock.monotonic() - started
                self.emit(AttemptFinished(request.line, call.attempts, status, took, failure))
        if reply is None:
            raise DeadlineExceededError(f"no complete answer within {seconds:.3g} s")
        return reply

    def _headers(self, request: Request, bearer: Bearer | None) -> Headers:
        headers = self._plain_headers
        if bearer is not None:
            generation, headers = self._bearer_headers
            if generation != bearer.generation:
                headers = Headers(self._plain_headers)
                headers["Authorization"] = bearer.authorization
                self._bearer_headers = (bearer.generation, headers)
        operation = request.operation
        if request.content_type is None and operation.accept == JSON:
            return headers
        headers = Headers(headers)
        headers["Accept"] = operation.accept
        if request.content_type is not None:
            headers["Content-Type"] = request.content_type
        return headers

    def _token_refreshed(self, lifetime: float | None) -> None:
        self.stats.token_requests += 1
        self.emit(TokenRefreshed(lifetime))


def _whole(reply: Reply) -> Reply:
    return reply
