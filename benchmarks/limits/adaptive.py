"""How much of a quota is used, and how much refused: `python -m benchmarks.limits.adaptive`.

16 callers that always have work. Measured after 60 seconds, and after two windows where windows
are long: the first is spent on learning, and what it spent can't be had again.
"""

from __future__ import annotations

import argparse
import time
from bisect import bisect_left
from collections.abc import Callable
from itertools import accumulate
from statistics import mean

from benchmarks.limits.rivals import Aimd, Told
from benchmarks.limits.simulator import LATENCIES, Kind, Result, Server, simulate
from jibble_async.limits.adaptive.limiter import AdaptiveLimiter
from jibble_async.limits.slots import RateLimiter

__all__ = ["CHANGES", "KINDS", "QUOTAS", "settled_after", "shares"]

KINDS: tuple[Kind, ...] = ("aligned", "anchored", "sliding", "bucket")
QUOTAS: tuple[tuple[int, float], ...] = ((3, 1.0), (10, 1.0), (50, 1.0), (500, 300.0))
CHANGES: tuple[tuple[int, int], ...] = ((10, 4), (4, 20))
_CHANGED_AT = 200.0


def shares(
    make: Callable[[], RateLimiter],
    quota: tuple[int, float],
    kind: Kind,
    latency: str,
    seed: int,
    *,
    headers: bool = False,
) -> tuple[float, float]:
    """The share of the quota used and the share of requests refused, in per cent."""
    limit, per = quota
    since = max(60.0, 2 * per)
    until = since + (6 * per if per > 60 else 300.0 if limit < 50 else 60.0)
    server = Server(limit, per, kind, headers=headers)
    result = simulate(make, server, LATENCIES[latency], seed=seed, until=until)
    return result.shares(since, until, limit / per)


def settled_after(
    change: tuple[int, int], kind: Kind, latency: str, seed: int, *, headers: bool = False
) -> float:
    """Seconds from a change of the quota until the new one is used as it is in the long run.

    That is the beginning of the first ten seconds with at least 90 % of what is used in the last
    hundred, and with at most 5 % refused.
    """
    at = _CHANGED_AT + 0.37 * seed
    until = at + 300
    result = simulate(
        AdaptiveLimiter,
        Server(change[0], 1.0, kind, headers=headers),
        LATENCIES[latency],
        seed=seed,
        until=until,
        change=(at, change[1]),
    )
    usual, _ = result.shares(until - 100, until, change[1])
    return _settled(result, at, until, change[1] * usual / 100)


def _settled(result: Result, since: float, until: float, rate: float) -> float:
    times = [at for at, _ in result.log]
    accepted = list(accumulate((ok for _, ok in result.log), initial=0))
    for tenths in range(int((until - since - 10) * 10)):
        start = since + tenths / 10
        first, last = bisect_left(times, start), bisect_left(times, start + 10)
        inside = accepted[last] - accepted[first]
        if inside >= 9 * rate and (last - first) - inside <= 0.05 * (last - first):
            return tenths / 10
    return float("inf")


def _table(
    title: str,
    make: Callable[[tuple[int, float]], Callable[[], RateLimiter]],
    seeds: int,
    *,
    headers: bool = False,
) -> None:
    print(f"\n### {title}\n\nMean of {seeds} seeds, in brackets the worst: used / refused, %.\n")
    print("| round trip | windows | " + " | ".join(_name(quota) for quota in QUOTAS) + " |")
    print("|---|---|" + "---|" * len(QUOTAS))
    for latency in LATENCIES:
        for kind in KINDS:
            cells = [
                _cell(
                    [
                        shares(make(quota), quota, kind, latency, seed, headers=headers)
                        for seed in range(seeds)
                    ]
                )
                for quota in QUOTAS
            ]
            print(f"| {latency} | {kind} | " + " | ".join(cells) + " |", flush=True)


def _cell(runs: list[tuple[float, float]]) -> str:
    used, refused = [run[0] for run in runs], [run[1] for run in runs]
    return f"{mean(used):.1f} / {mean(refused):.2f} ({min(used):.1f} / {max(refused):.2f})"


def _name(quota: tuple[int, float]) -> str:
    limit, per = quota
    return f"{limit}/s" if per == 1 else f"{limit} per {per / 60:g} min"


def _changes(seeds: int, *, headers: bool) -> None:
    told = "with headers" if headers else "without headers"
    print(f"\n### A change of quota, {told}\n\nSeconds to settle: median, and worst of {seeds}.\n")
    print("| round trip | windows | 10 to 4 | 4 to 20 |\n|---|---|---|---|")
    for latency in LATENCIES:
        for kind in KINDS[:3]:
            cells: list[str] = []
            for change in CHANGES:
                waits = sorted(
                    settled_after(change, kind, latency, seed, headers=headers)
                    for seed in range(seeds)
                )
                cells.append(f"{waits[seeds // 2]:.0f}, {waits[-1]:.0f}")
            print(f"| {latency} | {kind} | " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3 seeds instead of 20")
    options = parser.parse_args()
    seeds, fewer = (3, 1) if options.quick else (20, 3)
    began = time.perf_counter()
    _table("AdaptiveLimiter, without headers", lambda _: AdaptiveLimiter, seeds)
    _table("AdaptiveLimiter, with headers", lambda _: AdaptiveLimiter, seeds, headers=True)
    _changes(seeds, headers=False)
    _changes(seeds, headers=True)
    _table("AsyncLimiter(limit, per)", lambda quota: lambda: Told(*quota), fewer)
    _table("Plain AIMD", lambda _: Aimd, fewer)
    print(f"\n{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
