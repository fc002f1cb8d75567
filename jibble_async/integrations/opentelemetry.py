"""Traces and metrics for OpenTelemetry: a hook that makes spans of events. Needs the extra `otel`.

A list that is read is one span, `jibble people.list`, with a child for each page's call; any other
call is one span, `jibble people.get`. Below a call each request is a span of its own, of the kind
that HTTP clients have, with the semantic conventions' attributes. Waits and retries are events on
the call's span, pages on the list's. An export is a span above its calls.

The span of a call is the current one while it is made, so that other instrumentation nests below
it. That of a list is not: what a program does between two pages is its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import msgspec

from jibble_async.events import (
    AttemptFinished,
    AttemptStarted,
    CallEvent,
    CallFinished,
    CallStarted,
    Event,
    ExportEvent,
    ExportFinished,
    ExportReading,
    ExportSettled,
    ExportStarted,
    PageRead,
    RetryScheduled,
    SlotWaited,
    WalkEvent,
    WalkFinished,
    WalkStarted,
)
from jibble_async.version import __version__

try:
    from opentelemetry import context as otel_context
    from opentelemetry import metrics, trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    from jibble_async.integrations.opentelemetry_metrics import (
        Attributes,
        HasStats,
        Instruments,
        of_answer,
        of_error,
        of_named,
        of_request,
    )
except ImportError as _error:
    raise ImportError(
        "jibble_async.integrations.opentelemetry needs opentelemetry: "
        'pip install "jibble-async[otel]"',
        name=_error.name,
    ) from None

__all__ = ["HasStats", "OpenTelemetryHook"]

_SCOPE = "jibble_async"
_PROPAGATOR = TraceContextTextMapPropagator()


class _Open(msgspec.Struct, frozen=True):
    """A span that is the current one in its task.

    Attributes:
        key: What it is the span of.
        span: The span.
        token: What makes the one before it the current one again.
        outer: The span of ours that it is in, if there is one.
    """

    key: tuple[str, str]
    span: trace.Span
    token: Any
    outer: _Open | None


class OpenTelemetryHook:
    """Makes spans and metrics of what a client does; one can serve all clients of a process.

    Nothing that is made holds an id, a value of a query, a body or a header: see
    `jibble_async.events`.

    Args:
        tracer_provider: Where spans go; by default the global one.
        meter_provider: Where metrics go; by default the global one.

    Example:
        >>> hook = OpenTelemetryHook()
        >>> client = JibbleClient(key_id, secret, config=ClientConfig(hooks=(hook,)))
        >>> hook.watch(client)
    """

    def __init__(
        self,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
    ) -> None:
        self._tracer = trace.get_tracer(_SCOPE, __version__, tracer_provider)
        self._open: ContextVar[_Open | None] = ContextVar("jibble span", default=None)
        self._walks: dict[str, trace.Span] = {}
        meter = metrics.get_meter(_SCOPE, __version__, meter_provider)
        self._instruments = Instruments(meter)

    def __call__(self, event: Event) -> None:
        """Hear of an event."""
        match event:
            case CallEvent():
                self._of_call(event)
            case WalkEvent():
                self._of_walk(event)
            case ExportEvent():
                self._of_export(event)
            case _:
                pass
        self._instruments.count(event)

    def headers(self) -> Mapping[str, str]:
        """Where in the trace the request that begins belongs; see `TracingHook.headers`."""
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier)
        return carrier

    def watch(self, client: HasStats) -> None:
        """Measure how many calls of a client wait, and how fast it believes it may go.

        Args:
            client: A client of either API; it is not kept alive by this.
        """
        self._instruments.watched.add(client)

    def _of_call(self, event: CallEvent) -> None:
        call = ("call", event.call_id)
        match event:
            case CallStarted():
                walk = None if event.walk_id is None else self._walks.get(event.walk_id)
                name = f"jibble {event.operation}" + ("" if walk is None else " page")
                more: Attributes = {"jibble.priority": event.priority}
                more["jibble.call_id"] = event.call_id
                self._enter(call, name, of_named(event) | more, parent=walk)
            case AttemptStarted():
                asked, name = of_request(event), f"{event.method} {event.path}".rstrip()
                if event.resends:
                    asked["http.request.resend_count"] = event.resends
                attempt = ("attempt", event.call_id)
                self._enter(attempt, name, asked, kind=trace.SpanKind.CLIENT)
            case AttemptFinished():
                self._leave(("attempt", event.call_id), of_answer(event))
            case SlotWaited():
                self._note(call, "jibble.slot.waited", {"jibble.wait.seconds": event.seconds})
            case RetryScheduled():
                about: Attributes = {"error.type": event.error}
                about |= {"jibble.wait.seconds": event.seconds}
                self._note(call, "jibble.retry.scheduled", about)
            case CallFinished():
                ended = {"jibble.attempts": event.attempt, **of_error(event.error)}
                self._leave(call, ended)
            case _:
                pass

    def _of_walk(self, event: WalkEvent) -> None:
        if event.walk_id is None:
            return
        match event:
            case WalkStarted():
                self._walks[event.walk_id] = self._tracer.start_span(
                    f"jibble {event.operation}", attributes=of_named(event)
                )
            case PageRead():
                span = self._walks.get(event.walk_id)
                if span is not None:
                    total = {} if event.total is None else {"jibble.rows.total": event.total}
                    span.add_event("jibble.page.read", {"jibble.rows": event.rows, **total})
            case WalkFinished():
                span = self._walks.pop(event.walk_id, None)
                if span is not None:
                    counted = {"jibble.pages": event.pages, "jibble.rows": event.rows}
                    _end(span, counted | of_error(event.error))
            case _:
                pass

    def _of_export(self, event: ExportEvent) -> None:
        key = ("export", event.operation)
        match event:
            case ExportStarted():
                windows: Attributes = {"jibble.windows": event.windows}
                self._enter(key, f"jibble {event.operation}", of_named(event) | windows)
            case ExportReading():
                self._note(key, "jibble.export.read", {"jibble.rows": event.rows})
            case ExportSettled():
                found: Attributes = {"jibble.outcome": event.outcome}
                found |= {"jibble.rows.swept": event.swept, "jibble.rows.dropped": event.dropped}
                self._note(key, "jibble.export.settled", found)
            case ExportFinished():
                self._leave(key, {"jibble.rows": event.rows, **of_error(event.error)})
            case _:
                pass

    def _enter(
        self,
        key: tuple[str, str],
        name: str,
        attributes: Attributes,
        *,
        parent: trace.Span | None = None,
        kind: trace.SpanKind = trace.SpanKind.INTERNAL,
    ) -> None:
        above = None if parent is None else trace.set_span_in_context(parent)
        span = self._tracer.start_span(name, above, kind, attributes)
        token = otel_context.attach(trace.set_span_in_context(span))
        self._open.set(_Open(key, span, token, self._open.get()))

    def _leave(self, key: tuple[str, str], attributes: Attributes) -> None:
        opened = self._open.get()
        # Another one's where a task was thrown away half-way, and is ended by nobody knows whom.
        if opened is not None and opened.key == key:
            otel_context.detach(opened.token)
            self._open.set(opened.outer)
            _end(opened.span, attributes)

    def _note(self, key: tuple[str, str], name: str, attributes: Attributes) -> None:
        opened = self._open.get()
        while opened is not None and opened.key != key:
            opened = opened.outer
        if opened is not None:
            opened.span.add_event(name, attributes)


def _end(span: trace.Span, attributes: Attributes) -> None:
    span.set_attributes(attributes)
    error = attributes.get("error.type")
    # Who cancels a call has changed their mind: nothing went wrong.
    if error is not None and error != "CancelledError":
        span.set_status(trace.StatusCode.ERROR)
    span.end()
