"""OpenTelemetry's instruments for what a client does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeAlias
from weakref import WeakSet

from opentelemetry import metrics

from jibble_async.core.stats import Stats
from jibble_async.events import (
    AttemptEvent,
    AttemptFinished,
    CallEvent,
    CallFinished,
    Event,
    ExportEvent,
    PageRead,
    RetryScheduled,
    SlotWaited,
    TokenRefreshed,
    WalkEvent,
)
from jibble_async.limits.slots import Queued

__all__ = [
    "Attributes",
    "HasStats",
    "Instruments",
    "of_answer",
    "of_error",
    "of_named",
    "of_request",
]

Attributes: TypeAlias = dict[str, str | int | float]

# Those that the semantic conventions recommend for durations of requests, in seconds.
_BOUNDARIES = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
# Waits for an hourly quota are longer than any request.
_WAITS = (*_BOUNDARIES, 30, 60, 300, 900, 1800, 3600)


class HasStats(Protocol):
    """A client, of either API."""

    @property
    def stats(self) -> Stats:
        """What was done so far."""
        ...


class Instruments:
    """The instruments; their units are codes of UCUM.

    Args:
        meter: Makes them.

    Attributes:
        watched: The clients whose queues are measured.
    """

    def __init__(self, meter: metrics.Meter) -> None:
        self.watched: WeakSet[HasStats] = WeakSet()
        histogram, counter = meter.create_histogram, meter.create_counter
        self._requests = histogram(
            "http.client.request.duration",
            "s",
            "Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=_BOUNDARIES,
        )
        self._calls = histogram(
            "jibble.client.call.duration",
            "s",
            "Duration of calls, waits and retries included.",
            explicit_bucket_boundaries_advisory=_WAITS,
        )
        self._waits = histogram(
            "jibble.client.wait.duration",
            "s",
            "Time that calls waited for their limiter, for the server, or before a retry.",
            explicit_bucket_boundaries_advisory=_WAITS,
        )
        self._retries = counter("jibble.client.retries", "{retry}", "Attempts made again.")
        self._refusals = counter(
            "jibble.client.refusals", "{refusal}", "Answers that refuse for speed."
        )
        self._rows = counter("jibble.client.rows", "{row}", "Rows that came.")
        self._tokens = counter("jibble.client.tokens", "{token}", "Tokens that were fetched.")
        meter.create_observable_up_down_counter(
            "jibble.client.waiting", [self._waiting], "{call}", "Calls that wait for a slot."
        )
        meter.create_observable_gauge(
            "jibble.client.rate", [self._rate], "{request}/s", "Requests that may be sent."
        )

    def count(self, event: Event) -> None:
        """Count an event."""
        match event:
            case AttemptFinished():
                self._requests.record(event.seconds, of_request(event) | of_answer(event))
                if event.status == 429:
                    self._refusals.add(1, of_named(event))
            case CallFinished():
                self._calls.record(event.seconds, of_named(event) | of_error(event.error))
            case SlotWaited():
                self._waits.record(event.seconds, of_named(event) | {"jibble.wait.for": "limiter"})
            case RetryScheduled():
                self._retries.add(1, of_named(event) | of_error(event.error))
                why = "server" if event.throttled else "retry"
                self._waits.record(event.seconds, of_named(event) | {"jibble.wait.for": why})
                if event.throttled and event.status != 429:
                    self._refusals.add(1, of_named(event))
            case PageRead():
                self._rows.add(event.rows, of_named(event))
            case TokenRefreshed():
                self._tokens.add(1)
            case _:
                pass

    def _waiting(self, _: metrics.CallbackOptions) -> Iterable[metrics.Observation]:
        sums: dict[tuple[str, str], int] = {}
        # Clients may share a limiter, as what `with_options` makes does.
        queues = {
            (service, id(limiter)): (service, limiter)
            for client in list(self.watched)
            for service, limiter in client.stats.limiters.items()
        }
        for service, limiter in queues.values():
            if isinstance(limiter, Queued):
                for priority, calls in limiter.waiting.items():
                    key = service, priority
                    sums[key] = sums.get(key, 0) + calls
        for (service, name), calls in sums.items():
            yield metrics.Observation(calls, {"jibble.service": service, "jibble.priority": name})

    def _rate(self, _: metrics.CallbackOptions) -> Iterable[metrics.Observation]:
        for client in list(self.watched):
            for service, rate in client.stats.rates.items():
                yield metrics.Observation(rate, {"jibble.service": service})


def of_named(event: CallEvent | WalkEvent | ExportEvent) -> Attributes:
    """What was done, and at which service."""
    return {"jibble.operation": event.operation, "jibble.service": event.service}


def of_request(event: AttemptEvent) -> Attributes:
    """The attributes of a request."""
    request: Attributes = {
        "http.request.method": event.method,
        "url.template": event.path,
        "server.address": event.host,
    }
    if event.port is not None:
        request["server.port"] = event.port
    return request


def of_answer(event: AttemptFinished) -> Attributes:
    """The attributes of an answer, or of its absence."""
    if event.status is None:
        return of_error(event.error)
    answer: Attributes = {"http.response.status_code": event.status}
    return answer | of_error(str(event.status) if event.status >= 400 else None)


def of_error(error: str | None) -> Attributes:
    """The attribute of an error, if there was one."""
    return {} if error is None else {"error.type": error}
