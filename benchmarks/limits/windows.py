"""The figures of the rolling windows: `python -m benchmarks.limits.windows [what] [--quick]`.

`what` is `schedules` (virtual time), `cost`, or `processes` (real ones, minutes; needs
redis-server for its second half).
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any

from aiolimiter import AsyncLimiter

from jibble_async.limits.adaptive.limiter import AdaptiveLimiter
from jibble_async.limits.adaptive.redis import RedisAdaptive
from jibble_async.limits.adaptive.sqlite import SharedAdaptive
from jibble_async.limits.slots import FREE_SLOT, Outcome, Priority, RateLimiter, Slot
from jibble_async.limits.stored import StoredLimiter
from jibble_async.limits.windows.local import RollingWindow
from jibble_async.limits.windows.redis import RedisWindow
from jibble_async.limits.windows.sqlite import SharedWindow
from tests.limits.fleet import Fleet, Job
from tests.limits.redis_server import RedisServer
from tests.limits.schedules import HAIR, Load, drawn, play, tightest, used

NAMES = ("a", "b", "c", "d")
WINDOWS = (
    (3, 1.0),
    (5, 1.0),
    (10, 1.0),
    (15, 2.0),
    (20, 2.0),
    (50, 1.0),
    (150, 60.0),
    (150, 3600.0),
)


class PlainBucket:
    """`AsyncLimiter(limit, per)` behind the slot protocol, as most clients use it."""

    def __init__(self, limit: int, per: float) -> None:
        self._numbers = (limit, per)
        self._bucket: AsyncLimiter | None = None

    async def acquire(
        self, *, priority: Priority = "interactive", max_wait: float | None = None
    ) -> Slot:
        """Wait for a slot."""
        self._bucket = self._bucket or AsyncLimiter(*self._numbers)
        await self._bucket.acquire()
        return FREE_SLOT


class Refunding(RollingWindow):
    """A window that counts a request that was given up as if it had been answered, or not sent."""

    def __init__(self, limit: int, per: float, as_if: Outcome) -> None:
        super().__init__(limit, per)
        self._as_if = as_if

    def take_back(self, key: str, outcome: Outcome, taken_at: float) -> None:
        """Take an abandoned slot back too early."""
        as_if = self._as_if if outcome is Outcome.ABANDONED else outcome
        super().take_back(key, as_if, taken_at)


def worst(arrivals: list[float], limit: int, per: float) -> float:
    """The largest number of arrivals in any window of `per`, as a part of the limit."""
    most, first = 0, 0
    for last, moment in enumerate(arrivals):
        while arrivals[first] <= moment - per + HAIR:
            first += 1
        most = max(most, last - first + 1)
    return most / limit


def schedules(count: int) -> None:
    """How often each rule goes over, and by how much."""
    rules: dict[str, Callable[[int, float, Load], RateLimiter]] = {
        "RollingWindow": lambda limit, per, load: RollingWindow(limit, per, load.linger),
        "the same, given up counts `per`": lambda limit, per, _: Refunding(
            limit, per, Outcome.ANSWERED
        ),
        "the same, given up is refunded": lambda limit, per, _: Refunding(
            limit, per, Outcome.NOT_SENT
        ),
        "AsyncLimiter(limit, per)": lambda limit, per, _: PlainBucket(limit, per),
    }
    print(f"| {count} seeded schedules | over the limit | worst window, of the limit |")
    print("|---|---|---|")
    for name, build in rules.items():
        over, most = 0, 0.0
        for seed in range(count):
            limit, per, load = drawn(seed)
            schedule = play(build(limit, per, load), load, seed)
            over += tightest(schedule.arrivals, limit) < per - HAIR
            most = max(most, worst(schedule.arrivals, limit, per))
        print(f"| {name} | {over} | {100 * most:.0f}% |")
    print("\n| 200 waiters, 20-300 ms each way | bulk | 30% interactive | interactive |")
    print("|---|---|---|---|")
    for limit, per in WINDOWS:
        cells = " | ".join(_use(limit, per, interactive) for interactive in (0.0, 0.3, 1.0))
        print(f"| {limit} per {per:g} s | {cells} |", flush=True)


def _use(limit: int, per: float, interactive: float) -> str:
    """The part of what is possible that is used: the mean and the least of six seeds."""
    load = Load(callers=200, seconds=100 * per, linger=1.0, interactive=interactive)
    parts = [
        100 * used(play(RollingWindow(limit, per, 1.0), load, seed), load, limit, per)
        for seed in range(6)
    ]
    return f"{fmean(parts):.1f}% ({min(parts):.1f}%)"


async def _each(make: Callable[[], RateLimiter], count: int, times: int) -> float:
    """Seconds that an uncontended slot takes: the best of some runs."""
    best = float("inf")
    for _ in range(times):
        limiter = make()
        (await limiter.acquire()).release(Outcome.ANSWERED)
        began = time.perf_counter()
        for _ in range(count):
            slot = await limiter.acquire()
            slot.release(Outcome.ANSWERED)
        best = min(best, (time.perf_counter() - began) / count)
        if isinstance(limiter, StoredLimiter):
            await limiter.aclose()
    return best


async def cost(count: int) -> None:
    """What an uncontended slot costs in each place where slots are counted."""
    print("| limiter | an uncontended slot |\n|---|---|")

    async def row(name: str, make: Callable[[], RateLimiter], *, stored: bool = False) -> None:
        seconds = await _each(make, count // 20 if stored else count, 3 if stored else 20)
        print(f"| {name} | {1e6 * seconds:.3g} us |", flush=True)

    limit, fast = 2 * count, 1e9
    await row("RollingWindow", lambda: RollingWindow(limit, 60))
    await row("AdaptiveLimiter", lambda: AdaptiveLimiter(fast))
    with tempfile.TemporaryDirectory() as folder:
        await row("SharedWindow", lambda: SharedWindow(f"{folder}/w", limit, 1), stored=True)
        await row(
            "SharedAdaptive", lambda: SharedAdaptive(f"{folder}/a", initial=fast), stored=True
        )
        program = shutil.which("redis-server")
        if program is None:
            print("redis-server is not installed")
            return
        server = RedisServer(program, Path(folder))
        server.start()
        try:
            await row(
                "RedisWindow",
                lambda: RedisWindow(server.url, limit, 1, workers=1, trust_empty=True),
                stored=True,
            )
            await row("RedisAdaptive", lambda: RedisAdaptive(server.url, initial=fast), stored=True)
        finally:
            server.kill()


async def processes(job: Job, leg: float, seconds: float, *, chaos: bool, seed: int) -> str:
    """One row: four processes, by the server's own clock."""
    dice = random.Random(seed)
    async with Fleet(leg) as fleet:
        for name in NAMES:
            await fleet.start(name, job)
        await fleet.heard(*NAMES, count=2)
        # Whatever the workers granted themselves while they came up is not measured.
        await asyncio.sleep(2 * job.per + 2)
        start, ends = len(fleet.arrivals), time.monotonic() + seconds
        while time.monotonic() < ends:
            if not chaos:
                await asyncio.sleep(1)
                continue
            await asyncio.sleep(dice.uniform(2, 5))
            killed, stopped = dice.sample(NAMES, 2)
            fleet.send_signal(stopped, signal.SIGSTOP)
            fleet.send_signal(killed, signal.SIGKILL)
            await fleet.start(killed, job)
            await asyncio.sleep(dice.uniform(0.1, 1.5))
            fleet.send_signal(stopped, signal.SIGCONT)
        times, counts = fleet.times(), fleet.counts(since=start)
        reports: list[dict[str, Any]] = [await fleet.finish(name) for name in NAMES]
    turns = (len(times) - start - 1) // job.limit
    spent = times[start + turns * job.limit] - times[start]
    used = turns * job.limit / spent / (job.limit / (job.per + 2 * leg))
    fair = sum(counts.values()) / len(NAMES)
    slowest = max(report["slowest"] for report in reports)
    gap = tightest(fleet.times(), job.limit) - job.per
    return (
        f"| {job.kind} | {job.limit} per {job.per:g} s | {2000 * leg:g} ms "
        f"| {'killed, stopped' if chaos else 'calm'} | {'no' if gap >= 0 else 'OVER'} "
        f"| T {1000 * gap:+.2f} ms | {100 * used:.1f}% "
        f"| {100 * min(counts[name] for name in NAMES) / fair:.0f}% | {1000 * slowest:.1f} ms |"
    )


def all_processes(seconds: float) -> None:
    """The table of real processes."""
    print(
        "| window | limit | RTT | processes | ever over | tightest N + 1 | used of N/(T + RTT) ",
        end="",
    )
    print("| least of fair share | slowest callback, CPU |\n|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        print_rows("shared", lambda number: f"{folder}/{number}.db", seconds)
        program = shutil.which("redis-server")
        if program is None:
            print("redis-server is not installed")
            return
        server = RedisServer(program, Path(folder))
        server.start()
        try:
            print_rows("redis", lambda number: f"{server.url}?db={number}", seconds)
        finally:
            server.kill()


def print_rows(kind: str, place: Callable[[int], str], seconds: float) -> None:
    """The rows of one kind of window."""
    cases = [
        (limit, per, leg, chaos)
        for limit, per in ((50, 1.0), (15, 2.0))
        for leg, chaos in ((0.0, False), (0.025, False), (0.025, True))
    ]
    for number, (limit, per, leg, chaos) in enumerate(cases):
        job = Job(kind, place(number), limit, per)
        row = processes(job, leg, seconds, chaos=chaos, seed=number)
        print(asyncio.run(row), flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=["schedules", "cost", "processes"])
    parser.add_argument("--quick", action="store_true", help="a tenth of the size")
    options = parser.parse_args()
    size = 0.1 if options.quick else 1
    if "schedules" in options.what:
        schedules(int(10_000 * size))
    if "cost" in options.what:
        asyncio.run(cost(10_000))
    if "processes" in options.what:
        all_processes(60 * size)


if __name__ == "__main__":
    main()
