"""Comparing on a noisy machine: short slices in shuffled order, compared within their round."""

from __future__ import annotations

import argparse
import math
import platform
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Spread", "differences", "interleave", "quick", "ratios", "table"]

Variant = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Spread:
    """A median, and the interval that holds the true one with about 95%."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """The spread of some samples, by their ranks: nothing is assumed of their distribution."""
        ranked = sorted(values)
        reach = 0.98 * math.sqrt(len(ranked))
        middle = (len(ranked) - 1) / 2
        low = ranked[max(0, math.floor(middle - reach))]
        high = ranked[min(len(ranked) - 1, math.ceil(middle + reach))]
        return cls(statistics.median(ranked), low, high)

    def text(self, digits: int, scale: float = 1.0) -> list[str]:
        """Two cells of a table: the median, and the interval."""
        low, high = self.low * scale, self.high * scale
        return [f"{self.median * scale:.{digits}f}", f"{low:.{digits}f} to {high:.{digits}f}"]


async def interleave(variants: Mapping[str, Variant], rounds: int) -> dict[str, list[float]]:
    """The CPU seconds of this process that each variant took in each round.

    Args:
        variants: What to compare; each call is a slice of some tens of milliseconds.
        rounds: How often each is called, in an order that is shuffled every time.
    """
    chance = random.Random(1)
    for variant in variants.values():
        await variant()
    taken: dict[str, list[float]] = {name: [] for name in variants}
    order = list(variants)
    for _ in range(rounds):
        chance.shuffle(order)
        for name in order:
            started = time.process_time()
            await variants[name]()
            taken[name].append(time.process_time() - started)
    return taken


def ratios(values: Sequence[float], base: Sequence[float]) -> Spread:
    """How many times the base, round by round."""
    return Spread.of(value / other for value, other in zip(values, base, strict=True))


def differences(values: Sequence[float], base: Sequence[float]) -> Spread:
    """How much above the base, round by round."""
    return Spread.of(value - other for value, other in zip(values, base, strict=True))


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table in Markdown."""
    print(f"\n{title}\n")
    print(f"| {' | '.join(head)} |")
    print(f"|---|{'---:|' * (len(head) - 1)}")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


def quick(description: str) -> bool:
    """Whether the command line asks for a short run; says what is measured and with what."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, wider intervals")
    arguments = parser.parse_args()
    print(f"{description} Python {platform.python_version()}.", flush=True)
    return bool(arguments.quick)
