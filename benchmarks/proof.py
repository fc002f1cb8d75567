"""Exports of sets that never rest: what they claim, whether it is so, and what they cost.

    python -m benchmarks.proof [--runs 5000] [--rates 0.1 0.3] [--broken 300] [--large 40]

A run reads 1,500 to 2,000 rows in windows of days, 1 to 8 of them in flight, from a server in
memory whose set changes at every request (`tests/support/changing_set.py`): its clocks are wrong,
its changes are seen late, and in a third of the runs its pages are capped. Rates are changes for
each request. What claims to be proved is compared with the server's own rows, byte for byte. Five
broken ways go through the same: that their faults are found shows that faults would be.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from random import Random

from benchmarks.measuring import table
from jibble_async.export.proof.verdicts import Outcome
from tests.support.changing_set import Habits
from tests.support.proving import Run, Setting, prove

__all__ = ["BROKEN", "broken", "large", "published", "summary"]

RATES = (0.01, 0.03, 0.1, 0.3, 1.0)
BROKEN: dict[str, tuple[str, dict[str, object]]] = {
    "`$skip` and equal counts": ("$skip and equal counts", {}),
    "windows without a sweep": ("windows without a sweep", {}),
    "no time overlap": ("no time overlap", {}),
    "`updatedAt` not set by half of the moves": ("as published", {"unstamped": 0.5}),
    "a term ignored, and rows not looked at": ("rows not looked at", {"ignored": "status"}),
}
_HEAD = (
    "",
    "runs",
    "proved",
    "complete",
    "not proved",
    "proved and wrong",
    "requests / ideal",
    "worst",
)


def published(rate: float, seed: str) -> Run:
    """A run by the way that is published."""
    random = Random(seed)
    habits = Habits(
        rows=random.choice((1_500, 1_750, 2_000)),
        rate=rate,
        cap=random.choice((None, None, None, None, 17, 49)),
        skew=random.uniform(0, 0.5),
    )
    setting = Setting(habits, windows=random.choice((4, 6, 6, 9)), flying=random.randint(1, 8))
    return prove("as published", setting, seed)


def large(seed: str) -> Run:
    """A run of pages of 1,000, at 0.3 changes for each request."""
    return prove("as published", Setting(Habits(rows=40_000, rate=0.3), 1_000, windows=2), seed)


def broken(name: str, seed: str) -> Run:
    """A run by a way that is wrong."""
    way, habits = BROKEN[name]
    rate = 1.0 if way == "no time overlap" else 0.1
    setting = Setting(Habits(rate=rate, **habits), flying=Random(seed).randint(1, 8))  # type: ignore[arg-type]
    return prove(way, setting, seed)


def summary(name: str, runs: Iterable[Run]) -> list[str]:
    """A line of the table."""
    runs = list(runs)
    outcomes = [run.outcome for run in runs]
    ratios = [run.requests / run.ideal for run in runs]
    return [
        name,
        f"{len(runs):,}",
        *(f"{outcomes.count(each):,}" for each in Outcome),
        f"{sum(run.wrong for run in runs):,}",
        f"{sum(ratios) / max(1, len(ratios)):.2f}",
        f"{max(ratios, default=0):.2f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5_000)
    parser.add_argument("--broken", type=int, default=300)
    parser.add_argument("--large", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rates", type=float, nargs="*", default=RATES)
    asked = parser.parse_args()
    every = asked.runs // max(1, len(asked.rates))
    if asked.runs:
        table(
            "As published",
            _HEAD,
            (
                summary(
                    f"{rate} changes a request",
                    (published(rate, f"{asked.seed} {rate} {number}") for number in range(every)),
                )
                for rate in asked.rates
            ),
        )
    if asked.large:
        table(
            "Pages of 1,000",
            _HEAD,
            [
                summary(
                    "0.3 changes a request",
                    (large(f"{asked.seed} large {number}") for number in range(asked.large)),
                )
            ],
        )
    if asked.broken:
        table(
            "Ways that are wrong",
            _HEAD,
            (
                summary(name, (broken(name, f"{asked.seed} {n}") for n in range(asked.broken)))
                for name in BROKEN
            ),
        )


if __name__ == "__main__":
    main()
