"""A limiter against a server with a quota, in virtual time: hours of traffic in seconds.

The limiter is the shipped class, run by a small event loop that has timers and tasks but no I/O.
Everything random comes from one seed.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import random
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias, cast

from jibble_async.limits.slots import Outcome, Priority, RateLimiter

__all__ = ["LATENCIES", "Kind", "Latency", "Result", "Server", "SimulatedLoop", "simulate"]

Kind: TypeAlias = Literal["aligned", "anchored", "sliding", "bucket"]
Latency: TypeAlias = Callable[[random.Random], Callable[[float], tuple[float, float]]]

_EPOCH = datetime(2026, 1, 5, tzinfo=UTC)


class _Timer:
    """A handle that asyncio can cancel."""

    __slots__ = ("_args", "_callback", "_when")

    def __init__(
        self, callback: Callable[..., object], args: tuple[Any, ...], when: float = 0.0
    ) -> None:
        self._callback: Callable[..., object] | None = callback
        self._args = args
        self._when = when

    def when(self) -> float:
        return self._when

    def cancel(self) -> None:
        self._callback = None

    def cancelled(self) -> bool:
        return self._callback is None

    def run(self) -> None:
        callback = self._callback
        if callback is not None:
            callback(*self._args)


class SimulatedLoop:
    """Tasks, futures and timers in virtual time; nothing else."""

    def __init__(self) -> None:
        self.now = 0.0
        self._ready: deque[_Timer] = deque()
        self._timers: list[tuple[float, int, _Timer]] = []
        self._serial = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    def time(self) -> float:
        """Seconds since the beginning."""
        return self.now

    def get_debug(self) -> bool:
        """What tasks ask."""
        return False

    def is_closed(self) -> bool:
        """Whether the run is over."""
        return self._closed

    def is_running(self) -> bool:
        """Whether the run goes on."""
        return not self._closed

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Any = None) -> _Timer:
        """Call at once, after what is already waiting."""
        timer = _Timer(callback, args)
        self._ready.append(timer)
        return timer

    def call_soon_threadsafe(self, callback: Callable[..., object], *args: Any) -> _Timer:
        """Call next; there are no other threads."""
        return self.call_soon(callback, *args)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> _Timer:
        """Call at a time."""
        timer = _Timer(callback, args, when)
        self._serial += 1
        # Time moves with every timer: what waits for a rounding error to pass can't spin for ever.
        heapq.heappush(self._timers, (max(when, self.now + 1e-7), self._serial, timer))
        return timer

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Any = None
    ) -> _Timer:
        """Call after some seconds."""
        return self.call_at(self.now + delay, callback, *args)

    def create_future(self) -> asyncio.Future[Any]:
        """Make a future of this loop."""
        return asyncio.Future(loop=cast("asyncio.AbstractEventLoop", self))

    def create_task(self, coro: Any, **options: Any) -> asyncio.Task[Any]:
        """Start a task."""
        task = asyncio.Task(coro, loop=cast("asyncio.AbstractEventLoop", self), **options)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Let no error pass in silence."""
        raise context.get("exception") or RuntimeError(context["message"])

    def run_for(self, mains: list[Coroutine[Any, Any, None]], until: float) -> None:
        """Run `mains` till `until`, then drop what is left of them and of what they started."""
        tasks = [self.create_task(main) for main in mains]
        asyncio._set_running_loop(cast("asyncio.AbstractEventLoop", self))
        try:
            self._run(until)
            for task in tuple(self._tasks):
                task.cancel()
            self._run(self.now)
            for task in tasks:
                if task.done() and not task.cancelled():
                    task.result()
        finally:
            asyncio._set_running_loop(None)
            self._closed = True

    def _run(self, until: float) -> None:
        ready, timers = self._ready, self._timers
        while True:
            while ready:
                ready.popleft().run()
            if not timers or timers[0][0] > until:
                return
            when, _, timer = heapq.heappop(timers)
            self.now = max(self.now, when)
            timer.run()


@dataclass
class Server:
    """A quota as a server counts it; refused requests don't count.

    Args:
        limit: Requests in a window.
        per: Length of a window in seconds.
        kind: Windows `aligned` to the server's clock, `anchored` at the first request after the
            last one ended, `sliding`, or a token `bucket` that holds `limit`.
        headers: Whether answers carry `X-Rate-Limit-*`.
        retry_after: Whether refusals carry `Retry-After`.
        ahead: Seconds by which the server's clock is ahead of ours.
    """

    limit: int
    per: float
    kind: Kind
    headers: bool = False
    retry_after: bool = False
    ahead: float = 0.0
    log: list[tuple[float, bool]] = field(default_factory=list)
    _admitted: deque[float] = field(default_factory=deque)
    _ends: float = -math.inf
    _count: int = 0
    _tokens: float = math.inf
    _filled: float = 0.0

    def ask(self, now: float) -> tuple[bool, dict[str, str] | None]:
        """Whether a request that arrives at `now` (our clock) is admitted, and its headers."""
        at = now + self.ahead
        admitted, left, ends = self._count_in(at)
        self.log.append((now, admitted))
        headers: dict[str, str] | None = None
        if self.headers:
            headers = {
                "X-Rate-Limit-Limit": f"{self.per:g}s" if self.per < 60 else f"{self.per / 60:g}m",
                "X-Rate-Limit-Remaining": str(left),
                "X-Rate-Limit-Reset": _instant(ends),
                "Date": f"{_EPOCH + timedelta(seconds=int(at)):%a, %d %b %Y %H:%M:%S} GMT",
            }
        if self.retry_after and not admitted:
            headers = headers or {}
            headers["Retry-After"] = str(max(1, math.ceil(ends - at)))
        return admitted, headers

    def _count_in(self, at: float) -> tuple[bool, int, float]:
        limit, per = self.limit, self.per
        if self.kind == "sliding":
            log = self._admitted
            while log and log[0] <= at - per:
                log.popleft()
            admitted = len(log) < limit
            if admitted:
                log.append(at)
            return admitted, max(0, limit - len(log)), log[0] + per
        if self.kind == "bucket":
            rate = limit / per
            self._tokens = min(limit, self._tokens + (at - self._filled) * rate)
            self._filled = at
            admitted = self._tokens >= 1
            if admitted:
                self._tokens -= 1
            return admitted, int(self._tokens), at + (1 - self._tokens % 1) / rate
        if at >= self._ends:
            self._count = 0
            self._ends = at + per if self.kind == "anchored" else (at // per + 1) * per
        admitted = self._count < limit
        if admitted:
            self._count += 1
        return admitted, max(0, limit - self._count), self._ends


def _instant(seconds: float) -> str:
    # .NET writes seven digits.
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def _loopback(rng: random.Random) -> Callable[[float], tuple[float, float]]:
    return lambda _: (rng.uniform(1e-4, 3e-4), rng.uniform(1e-4, 3e-4))


def _drifting(rng: random.Random) -> Callable[[float], tuple[float, float]]:
    slow, slower = rng.uniform(50, 80), rng.uniform(120, 200)
    first, second = rng.uniform(0, math.tau), rng.uniform(0, math.tau)

    def legs(now: float) -> tuple[float, float]:
        wave = math.sin(now / slow * math.tau + first) + math.sin(now / slower * math.tau + second)
        leg = 0.080 + 0.035 * wave
        return leg + rng.uniform(0, 1e-3), leg + rng.uniform(0, 1e-3)

    return legs


def _jittery(rng: random.Random) -> Callable[[float], tuple[float, float]]:
    def leg() -> float:
        spike = rng.uniform(0.05, 0.2) if rng.random() < 0.01 else 0.0
        return max(0.01, rng.gauss(0.040, 0.006)) + spike

    return lambda _: (leg(), leg())


def _random(rng: random.Random) -> Callable[[float], tuple[float, float]]:
    return lambda _: (rng.uniform(0.01, 0.15), rng.uniform(0.01, 0.15))


LATENCIES: dict[str, Latency] = {
    "loopback": _loopback,
    "20-300 ms, drifting": _drifting,
    "80 ms, jitter and spikes": _jittery,
    "20-300 ms, random": _random,
}


@dataclass(frozen=True)
class Click:
    """An interactive call: when it came, how long it waited, and whether it was accepted."""

    at: float
    waited: float
    accepted: bool


@dataclass(frozen=True)
class Result:
    """What came of a run."""

    log: list[tuple[float, bool]]
    limiter: RateLimiter
    clicks: list[Click] = field(default_factory=list)

    def shares(self, since: float, until: float, rate: float) -> tuple[float, float]:
        """The share of the quota used and the share of requests refused, in per cent."""
        inside = [ok for at, ok in self.log if since <= at < until]
        accepted = sum(inside)
        return (
            100 * accepted / (rate * (until - since)),
            100 * (len(inside) - accepted) / max(1, len(inside)),
        )


def simulate(
    make: Callable[[], RateLimiter],
    server: Server,
    latency: Latency,
    *,
    seed: int,
    until: float,
    callers: int = 16,
    change: tuple[float, int] | None = None,
    clicks_from: float | None = None,
    clicks_every: float = 1.0,
) -> Result:
    """Let `callers` send as fast as the limiter lets them.

    Args:
        make: Makes the limiter under test.
        server: The server; its clock is set off by the seed.
        latency: How long requests and answers travel.
        seed: Of everything random.
        until: Seconds to simulate.
        callers: How many send, each one request at a time.
        change: When, and to what, the server's limit changes.
        clicks_from: From when on there are interactive calls.
        clicks_every: Seconds between them.
    """
    rng = random.Random(seed)
    loop = SimulatedLoop()
    server.ahead = rng.uniform(0, 1000)
    legs = latency(rng)
    limiter = make()
    clicks: list[Click] = []

    def arrive(answer: asyncio.Future[Any], back: float) -> None:
        loop.call_later(back, answer.set_result, server.ask(loop.now))

    async def caller(start: float) -> None:
        waking = loop.create_future()
        loop.call_later(start, waking.set_result, None)
        await waking
        while True:
            await call("bulk")

    async def call(priority: Priority) -> None:
        began = loop.now
        slot = await limiter.acquire(priority=priority)
        waited = loop.now - began
        there, back = legs(loop.now)
        answer = loop.create_future()
        loop.call_later(there, arrive, answer, back)
        admitted, headers = await answer
        slot.release(Outcome.ANSWERED if admitted else Outcome.THROTTLED, headers)
        if priority == "interactive":
            clicks.append(Click(began, waited, admitted))

    def click() -> None:
        loop.create_task(call("interactive"))
        loop.call_later(clicks_every, click)

    if change is not None:
        loop.call_at(change[0], setattr, server, "limit", change[1])
    if clicks_from is not None:
        loop.call_at(clicks_from + clicks_every * rng.random(), click)
    loop.run_for([caller(rng.uniform(0, 0.05)) for _ in range(callers)], until)
    return Result(server.log, limiter, clicks)
