"""OpenTelemetry's SDK in memory: what our hook made of events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from jibble_async.integrations.opentelemetry import OpenTelemetryHook


class Telemetry:
    """A hook, and what it made."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.traces = TracerProvider(shutdown_on_exit=False)
        self.traces.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.metrics = MeterProvider([self._reader], shutdown_on_exit=False)
        self.hook = OpenTelemetryHook(self.traces, self.metrics)

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        return self._exporter.get_finished_spans()

    def tree(self) -> list[str]:
        """The spans, each indented below its parent, with their events and what went wrong."""
        spans = sorted(self.spans, key=lambda each: each.start_time or 0)

        def lines(parent: int | None, depth: int) -> Iterator[str]:
            for span in spans:
                if (span.parent.span_id if span.parent else None) != parent:
                    continue
                error = (span.attributes or {}).get("error.type")
                yield "  " * depth + span.name + (f" !{error}" if error else "")
                yield from ("  " * depth + f"* {event.name}" for event in span.events)
                assert span.context is not None
                yield from lines(span.context.span_id, depth + 1)

        return list(lines(None, 0))

    def span(self, name: str) -> ReadableSpan:
        return next(span for span in self.spans if span.name == name)

    def everything(self) -> str:
        """All that was made, as text."""
        return "".join(span.to_json() for span in self.spans) + repr(
            self._reader.get_metrics_data()
        )

    def points(self, name: str) -> list[tuple[dict[str, Any], Any]]:
        """The points of a metric: labels, and the sum or the number of what was measured."""
        data = self._reader.get_metrics_data()
        return [
            (dict(point.attributes or {}), getattr(point, "value", getattr(point, "count", None)))
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]
