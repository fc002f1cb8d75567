"""What a client does as metrics for Prometheus, which a server would offer at `/metrics`."""

import asyncio

from prometheus_client import Counter, Gauge, Histogram, generate_latest

from jibble_async import ClientConfig, JibbleClient
from jibble_async.events import AttemptFinished, CallFinished, Event, SlotWaited

CALLS = Histogram("jibble_call_seconds", "Calls, waits included", ["operation", "error"])
REQUESTS = Counter("jibble_requests", "Requests that were sent", ["service", "status"])
WAITS = Counter("jibble_wait_seconds", "Time that calls waited for a slot", ["service"])
WAITING = Gauge("jibble_waiting", "Calls that wait for a slot now", ["service", "priority"])


def measure(event: Event) -> None:
    if isinstance(event, CallFinished):
        CALLS.labels(event.operation, event.error or "").observe(event.seconds)
    elif isinstance(event, AttemptFinished):
        REQUESTS.labels(event.service, event.status or event.error).inc()
    elif isinstance(event, SlotWaited):
        WAITS.labels(event.service).inc(event.seconds)


async def main() -> None:
    async with JibbleClient.from_env(config=ClientConfig(hooks=(measure,))) as jibble:
        await jibble.people.list().collect()
        for service, waiting in jibble.stats.waiting.items():
            for priority, calls in waiting.items():
                WAITING.labels(service, priority).set(calls)
        print(generate_latest().decode())


asyncio.run(main())
