"""Making calls: slot, token, one attempt, value or error, and again where that is safe."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeVar

from jibble_async.checks import require_kind
from jibble_async.core.answers import Answers, ErrorReader
from jibble_async.core.call import Call, begun
from jibble_async.core.call_options import CallOptions
from jibble_async.core.config import BaseConfig
from jibble_async.core.deadlines import Deadlines
from jibble_async.core.emitter import Emitter, error_name
from jibble_async.core.headers import KeptHeaders
from jibble_async.core.logs import LOGGERS
from jibble_async.core.operation import Request, Safety
from jibble_async.core.quoting import metadata_of
from jibble_async.core.recovery import Recovery
from jibble_async.core.retry import (
    REPEATABLE,
    RETRYABLE,
    Decision,
    RetryBudget,
    decide,
    retry,
)
from jibble_async.core.stats import Stats
from jibble_async.core.tokens import Bearer, Grant, Tokens
from jibble_async.core.transport import Network, Transport
from jibble_async.core.wire import Reply, whole
from jibble_async.errors import (
    AuthenticationError,
    ConfigurationError,
    DeadlineExceededError,
    JibbleError,
    RateLimitedError,
    TransportError,
)
from jibble_async.events import TokenRefreshed
from jibble_async.limits.slots import FREE_SLOT, Outcome, RateLimiter, Slot

__all__ = ["Caller"]

T = TypeVar("T")


class Caller:
    """Makes the calls of one client; opened by the first, and bound to the loop it is made in.

    Args:
        config: The settings.
        grant: Where tokens come from.
        limiters: A limiter for each service; a service without one is not held back.
        network: How to reach the network.
        read_error: How the API says that something went wrong.
        recovery: What the API does about failures that its answers leave open.
        logger: The name of the logger that is told of calls.
    """

    def __init__(
        self,
        config: BaseConfig,
        grant: Grant,
        limiters: Mapping[str, RateLimiter],
        network: Network,
        read_error: ErrorReader,
        recovery: Recovery | None = None,
        logger: str = LOGGERS[0],
    ) -> None:
        for limiter in limiters.values():
            require_kind("limiter=", limiter, RateLimiter)
        self.config: BaseConfig = config
        self.stats: Stats = Stats(limiters=limiters)
        self.emitter: Emitter = Emitter(config.hooks, config.clock, logger)
        self.tokens: Tokens = Tokens(grant, self._exchange, config.clock, self._token_refreshed)
        self._limiters = limiters
        self._network = network
        self._answers = Answers(read_error)
        self._clock = config.clock
        self._budget = RetryBudget()
        self._recovery = recovery
        self._retryable = RETRYABLE if recovery is None else RETRYABLE + recovery.errors
        self._headers = KeptHeaders(config.user_agent)
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
        self,
        request: Request,
        read: Callable[[Reply], T],
        options: CallOptions,
        walk_id: str | None = None,
    ) -> Coroutine[Any, Any, T]:
        """Send a request, again where that is safe, and give the value in its answer.

        Args:
            request: What to send.
            read: Finds the value in the answer.
            options: What holds for this call.
            walk_id: The walk that it fetches a page for, if it does.

        Raises:
            JibbleError: What the last attempt failed with.
        """
        self.open()
        now = self._clock.monotonic()
        return self._run(begun(request, read, options, now, walk_id), self._recovery)

    def call_within(
        self, call: Call[Any], request: Request, read: Callable[[Reply], T]
    ) -> Coroutine[Any, Any, T]:
        """The same for another request within the time of a call, without the API's recovery."""
        now = self._clock.monotonic()
        return self._run(Call(request, read, call.options, call.ends, now))

    async def aclose(self) -> None:
        """End what is under way, and close the connections; calls are errors from then on.

        Raises:
            ConfigurationError: This is another loop than the calls were made in.
        """
        self._closed = True
        loop = self._loop
        if loop is None:
            return
        if loop is asyncio.get_running_loop():
            await self._deadlines.aclose()
            await self.tokens.aclose()
            await self._transport.aclose()
            return
        if loop.is_closed():
            await self._transport.aclose()
        else:
            loop.call_soon_threadsafe(lambda: loop.create_task(self.aclose()))
        raise ConfigurationError(
            "this client was used in another event loop, and is closed there if that still runs: "
            "close it in the loop that it is used in"
        )

    async def _exchange(self, request: Request) -> Reply:
        options = CallOptions(self.config.timeouts, self.config.retry)
        call = begun(request, whole, options, self._clock.monotonic())
        call.authorised = False
        return await self._run(call)

    async def _run(self, call: Call[T], recovery: Recovery | None = None) -> T:
        """The one loop of retries, entered only once a first attempt has failed."""
        deadline = call.deadline = self._deadlines.start()
        emitter = self.emitter
        try:
            if emitter.wants(logging.DEBUG):
                emitter.call_started(call)
            try:
                value = await self._attempt(call)
            except self._retryable as error:
                first_error: JibbleError = error
            else:
                self._budget.succeeded()
                if call.told:
                    emitter.call_finished(call)
                return value
            value = await self._try_again(first_error, call, recovery)
        except JibbleError as error:
            call.ended(error, call.attempts)
            emitter.call_failed(call, error)
            raise
        except asyncio.CancelledError as cancelled:
            # Ours, or that of somebody who gave up on the whole: only ours becomes an error.
            if not (deadline.closed and deadline.expired()):
                call.cancelled(cancelled)
                emitter.call_failed(call, cancelled)
                raise
        except BaseException as error:
            # What a reader of the caller's own raised.
            emitter.call_failed(call, error)
            raise
        else:
            emitter.call_finished(call)
            return value
        finally:
            deadline.stop()
        raise emitter.call_failed(call, call.closed())

    async def _try_again(
        self, first_error: JibbleError, call: Call[T], recovery: Recovery | None
    ) -> T:
        async def attempt(number: int) -> T:
            call.attempts = number
            self.stats.retries += 1
            return await self._attempt(call)

        async def next_step(error: JibbleError, number: int) -> Decision | None:
            step = await self._next_step(error, call, recovery)
            if step is not None:
                self.emitter.retry_scheduled(call, error, step)
            return step

        return await retry(first_error, attempt, next_step, self._retryable, self._clock)

    async def _next_step(
        self, error: JibbleError, call: Call[Any], recovery: Recovery | None
    ) -> Decision | None:
        stale, safety = call.failed(error), call.request.operation.safety
        policy, now = call.options.retry, self._clock.monotonic()
        if stale and safety in REPEATABLE and policy.attempts > 1:
            call.spared += 1
            return Decision(0.0, asked=True)
        if error.request is not None:
            # From the call for a token, which had its retries, or a limiter that won't wait.
            if policy.patience is None or error.request == call.request.line:
                return None
            safety = Safety.IDEMPOTENT
        elif recovery is not None and isinstance(error, recovery.errors):
            return await recovery.next_step(error, call, self)
        if call.failed_at is None:
            call.failed_at = now
        attempt, chance = call.attempts - call.spared, self._clock.random()
        step = decide(policy, error, safety, attempt, chance, now - call.failed_at)
        # Waiting that the server asked for adds no load, so it costs nothing.
        if step is not None and not step.asked and not self._budget.take():
            if policy.patience is None:
                error.retries_exhausted = True
                return None
            # Who has time does not give up, but comes as seldom as may be.
            step = Decision(max(step.delay, policy.max_delay), asked=False)
        if step is None or (call.ends is not None and now + step.delay > call.ends):
            return None
        if isinstance(error, RateLimitedError):
            self.stats.server_wait_seconds += step.delay
        return step

    async def _attempt(self, call: Call[T]) -> T:
        reply, error, bearer = await self._exchange_once(call)
        if isinstance(error, AuthenticationError) and bearer is not None:
            once = call.request.operation.safety is Safety.ONCE
            try:
                another = await self._token(call, self.tokens.replace(bearer))
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
        try:
            return call.read(reply)
        except JibbleError as unreadable:
            unreadable.response = unreadable.response or metadata_of(reply)
            raise

    async def _exchange_once(
        self, call: Call[Any]
    ) -> tuple[Reply, JibbleError | None, Bearer | None]:
        """One request: what was answered, the error that is, and the token that was used."""
        slot = await self._slot(call)
        call.sent = call.on_kept = False
        outcome: Outcome | None = None
        reply: Reply | None = None
        try:
            # After the slot, which may take an hour: a token fetched before would be dead.
            tokens = self.tokens
            bearer = tokens.current() if call.authorised else None
            if call.authorised and bearer is None:
                bearer = await self._token(call, tokens.get())
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
            return reply, error, bearer
        finally:
            if outcome is None:
                outcome = Outcome.ABANDONED if call.sent else Outcome.NOT_SENT
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
            self.stats.limiter_wait_seconds += waited
            self.emitter.slot_waited(call, waited)
        return slot

    async def _token(self, call: Call[Any], fetched: Awaitable[T]) -> T:
        """A token, if it comes before the call ends."""
        deadline = call.deadline
        assert deadline is not None
        left = call.left(self._clock.monotonic())
        deadline.sooner(left)
        try:
            return await fetched
        except asyncio.CancelledError:
            if deadline.closed or not deadline.expired():
                raise
        finally:
            deadline.rest()
        raise DeadlineExceededError(f"no token within {left:.3g} s", sent=False)

    async def _send(self, call: Call[Any], bearer: Bearer | None) -> Reply:
        request, deadline, clock = call.request, call.deadline, self._clock
        assert deadline is not None
        started = clock.monotonic()
        left = call.left(started)
        # Until it leaves only the end of the call counts: an attempt's time begins then.
        deadline.sooner(left)
        # Not to the token host, which is nobody's to trace.
        more = call.options.headers if call.authorised else None
        reply: Reply | None = None
        failure: str | None = "CancelledError"
        headers = self._headers.of(request, bearer, more)
        if call.told:
            headers = self.emitter.attempt_started(call, headers)
        try:
            reply = await self._transport.send(request, headers, call)
            failure = None
        except asyncio.CancelledError:
            if deadline.closed or not deadline.expired():
                raise
            failure = DeadlineExceededError.__name__
        except TransportError as error:
            failure = error_name(error)
            raise
        finally:
            deadline.rest()
            self.stats.requests += call.sent
            if call.told:
                status = None if reply is None else reply.status
                took = clock.monotonic() - started
                self.emitter.attempt_finished(call, status, took, failure)
            call.sends += call.sent
        if reply is not None:
            return reply
        if not call.sent:
            raise DeadlineExceededError(f"no connection within {left:.3g} s", sent=False)
        seconds = call.left(started, call.options.timeouts.attempt)
        raise DeadlineExceededError(f"no complete answer within {seconds:.3g} s")

    def _token_refreshed(self, lifetime: float | None) -> None:
        self.stats.token_requests += 1
        self.emitter.tell(TokenRefreshed(lifetime))
