"""Two workers of a web backend and a quota that they don't know, in virtual time."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from benchmarks.limits.simulator import Server, SimulatedLoop
from jibble_async.errors import RateLimitedError
from jibble_async.limits.slots import Outcome, Priority, RateLimiter

__all__ = ["Backend", "serve"]


@dataclass
class Backend:
    """What came of a run.

    Attributes:
        log: When requests arrived at the server, and whether they were accepted.
        waits: How long users waited for their slots, in seconds.
        too_long: How many were told that it would take too long.
    """

    log: list[tuple[float, bool]]
    waits: list[float] = field(default_factory=list[float])
    too_long: int = 0

    def refused(self, since: float = 0.0) -> float:
        """The part of the requests that was refused."""
        inside = [accepted for at, accepted in self.log if at >= since]
        return inside.count(False) / max(1, len(inside))

    def used(self, limit: int, since: float, until: float) -> float:
        """The part of a quota of `limit` requests a second that was used."""
        return sum(ok for at, ok in self.log if since <= at < until) / (limit * (until - since))


def serve(
    make: Callable[[], Sequence[RateLimiter]],
    server: Server,
    seed: int,
    *,
    seconds: float = 300.0,
    users: int = 10,
    max_wait: float = 5.0,
) -> Backend:
    """Let users click every one to three seconds while each worker exports, four pages at a time.

    Args:
        make: Makes the limiter of each worker.
        server: The server; its clock is set off by the seed.
        seed: Of everything random.
        seconds: How long it lasts.
        users: How many there are; whichever worker is free serves them.
        max_wait: How long a user's call may wait.
    """
    dice = random.Random(seed)
    loop = SimulatedLoop()
    server.ahead = dice.uniform(0, 1000)
    limiters = make()
    backend = Backend(server.log)

    async def sleep(duration: float) -> None:
        waking = loop.create_future()
        loop.call_later(duration, waking.set_result, None)
        await waking

    async def call(limiter: RateLimiter, priority: Priority, longest: float | None) -> None:
        began = loop.now
        slot = await limiter.acquire(priority=priority, max_wait=longest)
        if priority == "interactive":
            backend.waits.append(loop.now - began)
        await sleep(dice.uniform(0.001, 0.02))
        admitted, headers = server.ask(loop.now)
        await sleep(dice.uniform(0.001, 0.02))
        slot.release(Outcome.ANSWERED if admitted else Outcome.THROTTLED, headers)

    async def user() -> None:
        while True:
            await sleep(dice.uniform(1, 3))
            try:
                await call(dice.choice(limiters), "interactive", max_wait)
            except RateLimitedError:
                backend.too_long += 1

    async def pages(limiter: RateLimiter) -> None:
        await sleep(dice.uniform(0, 1))
        while True:
            await call(limiter, "bulk", None)

    mains: list[Any] = [user() for _ in range(users)]
    mains += [pages(limiter) for limiter in limiters for _ in range(4)]
    loop.run_for(cast("Any", mains), seconds)
    return backend
