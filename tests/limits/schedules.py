"""Seeded schedules of calls against a server that counts, in virtual time."""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

from jibble_async.errors import RateLimitedError
from jibble_async.limits.slots import Outcome, Priority, RateLimiter
from tests.support import virtual_time

HAIR = 1e-6
"""What rounding may take from a period."""


@dataclass
class Schedule:
    """What happened at the server, and in the queue."""

    arrivals: list[float] = field(default_factory=list[float])
    round_trips: list[float] = field(default_factory=list[float])
    abandoned: int = 0


@dataclass(frozen=True)
class Load:
    """How callers behave.

    Attributes:
        callers: How many wait at a time.
        seconds: How long they start new calls.
        lost: The part of requests that is given up, and arrives up to `linger` later or never.
        unsent: The part that never leaves.
        cancelled: The part of waits that is cancelled in the queue.
        refused: The part of answers by which the server refuses for speed.
        interactive: The part of calls that are interactive; the others are bulk.
        slack: How much later than `linger` a request that was given up may arrive; 0 as promised.
    """

    callers: int
    seconds: float
    linger: float
    lost: float = 0.0
    unsent: float = 0.0
    cancelled: float = 0.0
    refused: float = 0.0
    interactive: float = 0.3
    slack: float = 0.0
    legs: tuple[float, float] = (0.02, 0.3)


def play(limiter: RateLimiter, load: Load, seed: int) -> Schedule:
    """Run the callers to their end, and tell what the server saw."""
    dice = random.Random(seed)
    schedule = Schedule()

    async def caller() -> None:
        loop = asyncio.get_running_loop()
        while loop.time() < load.seconds:
            await call(loop)

    async def call(loop: asyncio.AbstractEventLoop) -> None:
        priority: Priority = "interactive" if dice.random() < load.interactive else "bulk"
        max_wait = dice.uniform(0, 2) if dice.random() < load.cancelled else None
        if max_wait is not None and dice.random() < 0.5:
            try:
                async with asyncio.timeout(max_wait):
                    slot = await limiter.acquire(priority=priority)
            except TimeoutError:
                return
        else:
            try:
                slot = await limiter.acquire(priority=priority, max_wait=max_wait)
            except RateLimitedError:
                # As a caller would that is refused: it does something else first.
                await asyncio.sleep(0.05)
                return
        there, back = dice.uniform(*load.legs), dice.uniform(*load.legs)
        fate = dice.random()
        if fate < load.unsent:
            await asyncio.sleep(0.01)
            slot.release(Outcome.NOT_SENT)
        elif fate < load.unsent + load.lost:
            given_up = dice.uniform(0, there + back)
            late = loop.time() + given_up + (load.linger + load.slack) * dice.random()
            arrives = loop.time() + there if dice.random() < 0.3 else late
            if dice.random() < 0.8:
                schedule.arrivals.append(arrives)
            await asyncio.sleep(given_up)
            schedule.abandoned += 1
            slot.release(Outcome.ABANDONED)
        else:
            schedule.arrivals.append(loop.time() + there)
            schedule.round_trips.append(there + back)
            await asyncio.sleep(there + back)
            refused = dice.random() < load.refused
            slot.release(Outcome.THROTTLED if refused else Outcome.ANSWERED)

    async def main() -> None:
        await asyncio.gather(*(caller() for _ in range(load.callers)))

    virtual_time.run(main())
    schedule.arrivals.sort()
    return schedule


def tightest(arrivals: Sequence[float], limit: int) -> float:
    """The shortest time in which `limit + 1` requests arrived.

    Not below `per`: no window of that length, wherever it begins, has more than `limit`.
    """
    pairs = zip(arrivals, arrivals[limit:], strict=False)
    return min((later - earlier for earlier, later in pairs), default=float("inf"))


def used(schedule: Schedule, load: Load, limit: int, per: float) -> float:
    """The part of `limit / (per + mean round trip)` that was used while there was work.

    Of whole turns, without the first ten, in which slots that were all free at once spread out.
    """
    mean = sum(schedule.round_trips) / len(schedule.round_trips)
    first, last = 10, (bisect_left(schedule.arrivals, load.seconds) - 1) // limit
    seconds = schedule.arrivals[last * limit] - schedule.arrivals[first * limit]
    return (last - first) * limit / seconds / (limit / (per + mean))


def drawn(seed: int) -> tuple[int, float, Load]:
    """A limit, a period and a load, drawn by the seed."""
    dice = random.Random(seed)
    limit = dice.choice((1, 2, 3, 5, 10, 20))
    per = dice.choice((0.5, 1.0, 2.0))
    load = Load(
        callers=dice.choice((1, limit, 3 * limit + 1, 3 * limit + 1, 200)),
        seconds=dice.choice((2, 4)) * per,
        linger=dice.choice((0.5, 1.0)),
        lost=dice.choice((0.0, 0.1, 0.3)),
        unsent=dice.choice((0.0, 0.1)),
        cancelled=dice.choice((0.0, 0.2)),
        refused=dice.choice((0.0, 0.1)),
    )
    return limit, per, load
