"""Tells hooks and the log what a client does: here events are made, if anybody wants them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from jibble_async import errors
from jibble_async.core import logs
from jibble_async.core.call import Call
from jibble_async.core.clock import Clock
from jibble_async.core.given_headers import given_headers
from jibble_async.core.opaque import Headers
from jibble_async.core.operation import Operation
from jibble_async.core.retry import Decision
from jibble_async.errors import APIError, JibbleError, RateLimitedError
from jibble_async.events import (
    AttemptFinished,
    AttemptStarted,
    CallFinished,
    CallStarted,
    Event,
    ExportFinished,
    Hook,
    PageRead,
    RetryScheduled,
    SlotWaited,
    TracingHook,
    WalkFinished,
    WalkStarted,
)

__all__ = ["Emitter", "error_name"]

E = TypeVar("E", bound=BaseException)

# What W3C's Trace Context has of a trace. Its baggage holds values of the program's own.
_TRACE = ("traceparent", "tracestate")
_ENDS = (AttemptFinished, CallFinished, WalkFinished, ExportFinished)


class Emitter:
    """Tells the hooks of one client, and its log, what becomes of calls.

    Args:
        hooks: Who hears of each event, in this order; of what ends, in the opposite one.
        clock: The client's.
        logger: The name of the logger.
    """

    def __init__(self, hooks: Iterable[Hook], clock: Clock, logger: str = logs.LOGGERS[0]) -> None:
        self._hooks = tuple(hooks)
        self._inside_out = self._hooks[::-1]
        self._tracing = tuple(hook for hook in self._hooks if isinstance(hook, TracingHook))
        self._clock = clock
        self._logger = logging.getLogger(logger)
        self._ids = 0
        self._prefix = ""

    def wants(self, level: int) -> bool:
        """Whether anybody hears of what is logged at a level."""
        return bool(self._hooks) or self._logger.isEnabledFor(level)

    def tell(self, event: Event) -> None:
        """Tell everybody of an event."""
        # What hooks open in each other, such as spans, is closed from the inside.
        hooks = self._inside_out if isinstance(event, _ENDS) else self._hooks
        for hook in hooks:
            try:
                hook(event)
            # A hook is the user's own: it looks on, and a write that was made stays made.
            except (Exception, asyncio.CancelledError):
                with logs.harmless():
                    self._logger.exception("a hook failed at %s", type(event).__name__)
        logs.log(self._logger, event)

    def new_id(self) -> str:
        """What tells a call or a walk from all others of this client, and most of other clients."""
        if not self._ids:
            self._prefix = f"{int(self._clock.random() * 0xFFFF_FFFF):08x}"
        self._ids += 1
        return f"{self._prefix}-{self._ids:x}"

    def new_walk_id(self) -> str | None:
        """What a walk is told as; None if nobody wants to know."""
        return self.new_id() if self.wants(logging.DEBUG) else None

    def call_started(self, call: Call[Any]) -> None:
        """Tell that a call begins."""
        call.told = True
        self.tell(CallStarted(*self._labels(call), call.options.priority, call.walk_id))

    def call_finished(self, call: Call[Any]) -> None:
        """Tell that a call came to its value, if its beginning was told."""
        if call.told:
            self.tell(CallFinished(*self._labels(call), self._clock.monotonic() - call.started))

    def call_failed(self, call: Call[Any], error: E) -> E:
        """Tell that a call ended with an error, which is given back."""
        if call.told or self.wants(logging.ERROR):
            seconds = self._clock.monotonic() - call.started
            about = seconds, error_name(error), _status(error)
            self.tell(CallFinished(*self._labels(call), *about))
        return error

    def slot_waited(self, call: Call[Any], seconds: float) -> None:
        """Tell that a call waited for its limiter."""
        if self.wants(logging.INFO):
            self.tell(SlotWaited(*self._labels(call), call.options.priority, seconds))

    def attempt_started(self, call: Call[Any], headers: Headers) -> Headers:
        """Tell that a request is about to be sent; its headers, with its place in a trace."""
        self.tell(AttemptStarted(*self._labels(call), *_place(call)))
        if not self._tracing or not call.authorised:
            return headers
        traced = Headers(headers)
        for hook in self._tracing:
            traced.update(self._trace_of(hook))
        return traced

    def attempt_finished(
        self, call: Call[Any], status: int | None, seconds: float, error: str | None
    ) -> None:
        """Tell that a request was answered or failed."""
        answer = status, seconds, error
        self.tell(AttemptFinished(*self._labels(call), *_place(call), *answer))

    def retry_scheduled(self, call: Call[Any], error: JibbleError, step: Decision) -> None:
        """Tell that a call will be tried again."""
        if self.wants(logging.WARNING):
            throttled = step.throttled or isinstance(error, RateLimitedError)
            about = step.delay, error_name(error), _status(error), throttled
            self.tell(RetryScheduled(*self._labels(call), *about))

    def page_read(
        self, operation: Operation, walk_id: str | None, rows: int, total: int | None
    ) -> None:
        """Tell that a page arrived."""
        if self.wants(logging.DEBUG):
            labels = operation.name, operation.service, operation.template
            self.tell(PageRead(*labels, walk_id, rows, total))

    def walk_started(
        self, operation: Operation, walk_id: str
    ) -> Callable[[int, int, str | None], None]:
        """Tell that a list begins to be read.

        Returns:
            What tells that it ended: takes pages, rows, and the class of the error.
        """
        labels = operation.name, operation.service, operation.template, walk_id
        started = self._clock.monotonic()
        self.tell(WalkStarted(*labels))

        def finished(pages: int, rows: int, error: str | None) -> None:
            seconds = self._clock.monotonic() - started
            self.tell(WalkFinished(*labels, pages, rows, seconds, error))

        return finished

    def _labels(self, call: Call[Any]) -> tuple[str, str, str, str, str, int]:
        if not call.id:
            call.id = self.new_id()
        what = call.request.operation
        return what.name, what.service, what.method, what.template, call.id, call.attempts

    def _trace_of(self, hook: TracingHook) -> Mapping[str, str]:
        try:
            given = hook.headers()
            return given_headers({name: given[name] for name in _TRACE if name in given})
        except (Exception, asyncio.CancelledError):
            with logs.harmless():
                self._logger.exception("a hook failed to give its headers")
            return {}


def _place(call: Call[Any]) -> tuple[int, str, int | None]:
    url = call.request.url
    return call.sends, url.raw_host or "", url.port


def error_name(error: BaseException) -> str:
    """The class of an error that users know; what is behind it may be one of the adapters'.

    Args:
        error: What something ended with.
    """
    if isinstance(error, GeneratorExit):
        # A task that was thrown away.
        return asyncio.CancelledError.__name__
    public = (each for each in type(error).__mro__ if each.__module__ == errors.__name__)
    return next(public, type(error)).__name__


def _status(error: BaseException) -> int | None:
    return error.status if isinstance(error, APIError) else None
