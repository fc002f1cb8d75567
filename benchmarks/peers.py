"""The same export in many ways: CPU, speed, memory and requests, at several latencies.

    python -m benchmarks.peers [--quick] [WAY ...]

Each measure is a process of its own, against a server in another; ways take turns in shuffled
order, and what is shown are medians. Ways whose packages are not installed are named.
"""

from __future__ import annotations

import argparse
import importlib.util
import platform
import random
import statistics
import subprocess
import sys
from collections.abc import Sequence

import msgspec

from benchmarks.measuring import ratios, table
from benchmarks.server import requests, serving
from benchmarks.ways import WAYS, Taken

LATENCIES = (0, 20, 100)
SIZE, CONCURRENCY = 1000, 8
# Rows, rounds.
FULL, QUICK = (100_000, 5), (4_000, 1)
# What ways to rows are compared with, and what ways to files are.
_FIRST = ("bare", "bare-jsonl")
_FILES = ("jsonl", "csv", "parquet", "dlt-parquet")
# And those into a warehouse.
_LOADED = ("dlt-source", "dlt-rest-parquet", "dlt-rest")


class Measured(msgspec.Struct, frozen=True):
    """One measure, and the requests that the server got for it."""

    taken: Taken
    requests: int


def available(names: Sequence[str]) -> list[str]:
    """The ways whose packages are there; those that are not are printed."""
    found: list[str] = []
    for name in names:
        missing = [each for each in WAYS[name].needs.split() if not _is_there(each)]
        if missing:
            print(f"left out: {WAYS[name].title}, for want of {' and '.join(missing)}")
        else:
            found.append(name)
    return found


def _is_there(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:
        return False


def measure(name: str, base: str, few: str, rows: int, concurrency: int) -> Measured:
    """One export in a new process.

    Args:
        name: The way.
        base: Of the set.
        few: Of a small set to begin with.
        rows: How many the set has.
        concurrency: Pages in flight, for ways that can have more than one.
    """
    numbers = map(str, (rows, SIZE, concurrency))
    command = [sys.executable, "-m", "benchmarks.ways", name, base, few, *numbers]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    taken = msgspec.json.decode(printed.splitlines()[-1], type=Taken)
    return Measured(taken, requests(base))


def _compare(
    names: list[str], base: str, few: str, rows: int, rounds: int, concurrency: int
) -> None:
    chance = random.Random(1)
    found: dict[str, list[Measured]] = {name: [] for name in names}
    order = list(names)
    for _ in range(rounds):
        chance.shuffle(order)
        for name in order:
            found[name].append(measure(name, base, few, rows, concurrency))
    lines: list[list[str]] = []
    for name, measured in found.items():
        against = found[_first_of(name, names)]
        cpu = [each.taken.cpu for each in measured]
        seconds = statistics.median(each.taken.seconds for each in measured)
        lines.append(
            [
                WAYS[name].title,
                f"{statistics.median(cpu) * 1e6 / rows:.2f}",
                *ratios(cpu, [each.taken.cpu for each in against]).text(3),
                f"{rows / seconds:,.0f}",
                f"{statistics.median(each.taken.peak for each in measured):.0f}",
                f"{statistics.median(each.requests for each in measured):.0f}",
            ]
        )
    head = ["", "CPU s per million rows", "ratio", "95%", "rows/s", "peak MB", "requests"]
    table(f"{base.rpartition('/')[2]}: {rounds} rounds of {rows} rows.", head, lines)


def _first_of(name: str, names: Sequence[str]) -> str:
    """What a way is compared with."""
    if name in _LOADED and _LOADED[0] in names:
        return _LOADED[0]
    return _FIRST[name.endswith("-jsonl") or name in (*_FILES, *_LOADED)]


def main() -> None:
    """Compare what the command line names, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ways", nargs="*", metavar="WAY", help=f"by default all: {', '.join(WAYS)}")
    parser.add_argument("--quick", action="store_true", help="fewer rows, one round")
    parser.add_argument(
        "--latency", type=int, action="append", help="milliseconds; may be repeated"
    )
    parser.add_argument("--mixed", action="store_true", help="ids that do not ascend as texts")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--concurrency", type=int, default=CONCURRENCY)
    given = parser.parse_args()
    rows, rounds = QUICK if given.quick else FULL
    rows, rounds = given.rows or rows, given.rounds or rounds
    names = available([*dict.fromkeys([*_FIRST, *(given.ways or WAYS)])])
    order = "-mixed" if given.mixed else ""
    print(f"{SIZE} rows a page, up to {given.concurrency} at a time.")
    print(f"Python {platform.python_version()}.")
    with serving() as origin:
        for latency in given.latency or LATENCIES:
            base = f"{origin}/{rows}-{latency}{order}"
            few = f"{origin}/{2 * SIZE}{order}"
            _compare(names, base, few, rows, rounds, given.concurrency)


if __name__ == "__main__":
    main()
