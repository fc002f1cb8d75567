"""What an interactive call waits for beside a bulk job: `python -m benchmarks.limits.clicks`.

16 callers send bulk as fast as they may; from a moment on there is an interactive call every
second, or one so rarely that nothing announces it. A wait is told in slots: the time in which the
quota accepts one request.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from itertools import chain
from statistics import mean

from benchmarks.limits.rivals import Told
from benchmarks.limits.simulator import LATENCIES, Kind, Result, Server, simulate
from jibble_async.limits.adaptive.limiter import AdaptiveLimiter
from jibble_async.limits.slots import RateLimiter
from jibble_async.limits.windows.local import RollingWindow

__all__ = ["beside_bulk"]

QUOTAS: tuple[tuple[int, float], ...] = ((3, 1.0), (10, 1.0), (50, 1.0), (15, 2.0), (500, 300.0))
RARELY = 60.0
ROUND_TRIPS = ("loopback", "20-300 ms, drifting", "20-300 ms, random")


def beside_bulk(
    make: Callable[[], RateLimiter],
    quota: tuple[int, float],
    kind: Kind,
    latency: str,
    seed: int,
    *,
    headers: bool = False,
    windows: float = 60,
    every: float = 1.0,
) -> tuple[Result, list[float], float]:
    """A run: its result, the waits of interactive calls in slots, and when they began.

    They begin after 60 seconds, or where windows are long after as many of them as it takes to
    find such a quota. A window that is known leaves the first to be guessed: two are left out.
    """
    limit, per = quota
    begun = max(60.0, 15 * per)
    settled = begun + 2 * per
    until = settled + max(120.0, 20 * every, windows * per if per < 60 else 10 * per)
    server = Server(limit, per, kind, headers=headers)
    result = simulate(
        make,
        server,
        LATENCIES[latency],
        seed=seed,
        until=until,
        clicks_from=begun,
        clicks_every=every,
    )
    waits = [click.waited * limit / per for click in result.clicks if click.at >= settled]
    return result, waits, settled


def _table(
    title: str,
    make: Callable[[tuple[int, float]], Callable[[], RateLimiter]],
    seeds: int,
    *,
    kind: Kind = "sliding",
    headers: bool = False,
    every: float = 1.0,
) -> None:
    print(f"\n### {title}\n")
    print("| round trip | quota | waits in slots: median, 99 %, longest | used, % | refused, % |")
    print("|---|---|---|---|---|")
    for latency in ROUND_TRIPS:
        for quota in QUOTAS:
            runs = [
                beside_bulk(make(quota), quota, kind, latency, seed, headers=headers, every=every)
                for seed in range(seeds)
            ]
            waits = sorted(chain.from_iterable(waits for _, waits, _ in runs))
            rate = quota[0] / quota[1]
            shares = [result.shares(since, result.log[-1][0], rate) for result, _, since in runs]
            print(
                f"| {latency} | {quota[0]} per {quota[1]:g} s "
                f"| {waits[len(waits) // 2]:.2f}, {waits[int(0.99 * len(waits))]:.2f}, "
                f"{waits[-1]:.2f} | {mean(used for used, _ in shares):.1f} "
                f"| {mean(refused for _, refused in shares):.2f} |",
                flush=True,
            )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1 seed instead of 6")
    seeds = 1 if parser.parse_args().quick else 6
    began = time.perf_counter()
    _table("RollingWindow", lambda quota: lambda: RollingWindow(*quota), seeds)
    _table(
        f"RollingWindow, a click every {RARELY:g} s",
        lambda quota: lambda: RollingWindow(*quota),
        seeds,
        every=RARELY,
    )
    _table("AdaptiveLimiter, without headers", lambda _: AdaptiveLimiter, seeds)
    _table(
        "AdaptiveLimiter, with headers",
        lambda _: AdaptiveLimiter,
        seeds,
        kind="aligned",
        headers=True,
    )
    _table("AsyncLimiter(limit, per)", lambda quota: lambda: Told(*quota), seeds)
    print(f"\n{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
