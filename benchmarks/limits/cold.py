"""What a limiter does that knows nothing yet: `python -m benchmarks.limits.cold`.

Five calls in a row, as a command makes them; the first minute of a job; and five calls at once now
and then for two hours, as a page of a web application makes them. Virtual time.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from statistics import mean
from typing import Any

from benchmarks.limits.simulator import LATENCIES, Kind, Server, SimulatedLoop, simulate
from jibble_async.limits.adaptive.limiter import AdaptiveLimiter
from jibble_async.limits.slots import Outcome

__all__ = ["five_in_a_row", "now_and_then"]

QUOTAS: tuple[tuple[int, float], ...] = ((1, 1.0), (3, 1.0), (10, 1.0), (150, 3600.0), (500, 300.0))
KINDS: tuple[Kind, ...] = ("aligned", "anchored", "sliding", "bucket")
ROUND_TRIP = 0.1


async def _sleep(loop: SimulatedLoop, seconds: float) -> None:
    waking = loop.create_future()
    loop.call_later(seconds, waking.set_result, None)
    await waking


async def _call(
    loop: SimulatedLoop, limiter: AdaptiveLimiter, server: Server, waits: list[float]
) -> None:
    began = loop.now
    slot = await limiter.acquire()
    waits.append(loop.now - began)
    await _sleep(loop, ROUND_TRIP / 2)
    admitted, headers = server.ask(loop.now)
    await _sleep(loop, ROUND_TRIP / 2)
    slot.release(Outcome.ANSWERED if admitted else Outcome.THROTTLED, headers)


def five_in_a_row() -> float:
    """Seconds that five calls in a row take beyond their round trips, with no quota known."""
    loop, waits = SimulatedLoop(), list[float]()
    loop.now = 1000.0

    async def main() -> None:
        limiter, server = AdaptiveLimiter(), Server(1000, 1.0, "aligned")
        for _ in range(5):
            await _call(loop, limiter, server, waits)

    loop.run_for([main()], 2000)
    return sum(waits)


def now_and_then(
    quota: tuple[int, float], kind: Kind, every: float, seconds: float = 7200.0
) -> tuple[int, int, float]:
    """Five calls at once every so often: how many went, were refused, and the mean wait."""
    loop, waits = SimulatedLoop(), list[float]()
    loop.now = 1000.0
    server = Server(*quota, kind)

    async def main() -> None:
        limiter = AdaptiveLimiter()
        while True:
            for _ in range(5):
                loop.create_task(_call(loop, limiter, server, waits))
            await _sleep(loop, every)

    mains: list[Coroutine[Any, Any, None]] = [main()]
    loop.run_for(mains, 1000 + seconds)
    refused = sum(not admitted for _, admitted in server.log)
    return len(server.log), refused, mean(waits)


def _first_minute(quota: tuple[int, float], kind: Kind) -> str:
    refused, sent = list[int](), list[int]()
    for seed in range(5):
        server = Server(*quota, kind)
        simulate(AdaptiveLimiter, server, LATENCIES["20-300 ms, drifting"], seed=seed, until=60)
        refused.append(sum(not admitted for _, admitted in server.log))
        sent.append(len(server.log))
    return f"{mean(refused):.1f} of {mean(sent):.0f}"


def _rare(every: float) -> Callable[[tuple[int, float], Kind], str]:
    def cell(quota: tuple[int, float], kind: Kind) -> str:
        sent, refused, wait = now_and_then(quota, kind, every)
        return f"{refused} of {sent}, {wait:.2f} s"

    return cell


def _table(title: str, cell: Callable[[tuple[int, float], Kind], str]) -> None:
    print(f"\n### {title}\n")
    print("| quota | " + " | ".join(KINDS) + " |\n|---|" + "---|" * len(KINDS))
    for quota in QUOTAS:
        cells = " | ".join(cell(quota, kind) for kind in KINDS)
        print(f"| {quota[0]} per {quota[1]:g} s | {cells} |", flush=True)


def main() -> None:
    """Print the tables."""
    print(f"Five calls in a row wait for {five_in_a_row():.2f} s, all together.")
    _table("Refused in the first minute of 16 callers (mean of 5 seeds)", _first_minute)
    for every in (30.0, 120.0):
        _table(
            f"Five calls at once every {every:g} s for two hours: refused, mean wait", _rare(every)
        )


if __name__ == "__main__":
    main()
