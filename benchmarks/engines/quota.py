"""What a quota allows, how many requests in flight use it, and what loads cost.

    python -m benchmarks.engines.quota

Nothing is measured here. Requests are counted by what decides on them in an export: the size of
its windows, and the anchored walk over each. What a row costs is read from the tables of
`docs/performance.md`, where it was measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from jibble_legacy.config import LIMIT, MAX_PAGE_SIZE, PERIOD

from benchmarks.measuring import table
from jibble_async import JibbleClient, StaticToken
from jibble_async.export.proof.anchored import OVERLAP, AnchoredCourse, Lengths
from jibble_async.export.proof.plan import ROWS, Extent, is_cut

__all__ = ["Table", "asked", "full_load", "nightly_load", "tables", "windows"]

Table = tuple[str, Sequence[str], Sequence[Sequence[str]]]

NIGHT = 8 * 3600
USED = 0.97
"""Of a quota that nobody told, by the promise of `AdaptiveLimiter` in `docs/limits.md`."""
ROW_BYTES = 1160
"""Of a time entry, as `docs/performance.md` measures with."""
QUOTAS = {
    "1 a second": (1, 1),
    "3 a second": (3, 1),
    "10 a second": (10, 1),
    "50 a second": (50, 1),
    "500 in 5 minutes": (500, 300),
}
OLD_QUOTAS = {
    "150 an hour": (LIMIT, PERIOD),
    "150 in 5 minutes": (LIMIT, 300),
    "150 a minute": (LIMIT, 60),
}
LATENCIES = (0.1, 0.3, 1.0)
LOADS = (10_000, 100_000, 1_000_000, 10_000_000)
CHANGED = (0, 500, 5_000, 50_000)

_PERFORMANCE = Path(__file__).parents[2] / "docs/performance.md"


def page_size(what: str) -> int:
    """How many rows of a set are asked for at a time."""
    client = JibbleClient(auth=StaticToken("none"))
    days = date(2026, 7, 1), date(2026, 7, 31)
    since, until = days if what == "timesheets" else (None, None)
    return Extent(set=what, since=since, until=until).raw_set(client).page_size  # type: ignore[arg-type]


def asked(rows: int, size: int, lengths: Lengths) -> int:
    """The requests of a walk over a window of so many rows, of which none comes or goes."""
    course, requests = AnchoredCourse(size, lengths=lengths), 0
    while not course.done:
        skip, most = course.request()
        course.take([str(each) for each in range(skip, min(skip + most, rows))], rows)
        requests += 1
    return requests


def windows(rows: int, most: int = ROWS) -> int:
    """How many windows a set is cut into, of which all days have as many rows."""
    if not is_cut(rows, most):
        return 1
    return windows(rows // 2, most) + windows(rows - rows // 2, most)


def full_load(rows: int, size: int, most: int = ROWS) -> int:
    """The requests of an export of a set at rest, for the service of the set."""
    parts, lengths = windows(rows, most), Lengths()
    # The first count, that of each cut, and where the last day is.
    planning = 1 if parts == 1 else 1 + parts
    sizes = [rows // parts + (index < rows % parts) for index in range(parts)]
    walks = sum(asked(each, size, lengths) for each in sizes)
    # Nothing changed; a count; nothing changed.
    return planning + walks + asked(0, size, lengths) + 1 + asked(0, size, lengths)


def nightly_load(changed: int, size: int) -> int:
    """The requests for what changed since the night before, of a set at rest by now."""
    lengths = Lengths()
    return asked(changed, size, lengths) + 1 + asked(0, size, lengths)


def tables() -> Iterator[Table]:
    """The tables: what they are of, their heads, their rows."""
    entries, sheets = page_size("time_entries"), page_size("timesheets")
    yield (
        "What a night of 8 hours has room for",
        [
            "quota of a service",
            "requests",
            f"million rows at {entries:,} a page",
            f"million rows at {sheets} a page",
        ],
        [
            [
                name,
                _number(night),
                _millions(night * _new(entries)),
                _millions(night * _new(sheets)),
            ]
            for name, (limit, per) in QUOTAS.items()
            for night in [math.floor(NIGHT * USED * limit / per)]
        ],
    )
    yield (
        "The same of the old API",
        ["quota", "requests", f"rows at {MAX_PAGE_SIZE} a page"],
        [
            [name, _number(night), _number(night * (MAX_PAGE_SIZE - 1))]
            for name, (limit, per) in OLD_QUOTAS.items()
            for night in [math.floor(NIGHT * limit / per)]
        ],
    )
    yield (
        "What uses a quota up",
        [
            "quota",
            *(f"in flight at {latency:g} s an answer" for latency in LATENCIES),
            "rows a second",
            "MB a second",
            "processors to JSON lines",
            "processors to Parquet",
        ],
        [
            [
                name,
                *(str(math.ceil(limit / per * latency)) for latency in LATENCIES),
                _number(rows),
                f"{rows * ROW_BYTES / 1e6:.1f}",
                f"{rows * _measured('.jsonl') / 1e6:.2f}",
                f"{rows * _measured('.parquet') / 1e6:.2f}",
            ]
            for name, (limit, per) in QUOTAS.items()
            for rows in [round(limit / per * _new(entries))]
        ],
    )
    yield (
        "A full load of time entries",
        ["rows", "windows", "requests", *QUOTAS, "CPU s to JSON lines", "CPU s to Parquet"],
        [
            [
                _number(rows),
                _number(windows(rows)),
                _number(requests),
                *_durations(requests),
                f"{rows * _measured('.jsonl') / 1e6:.1f}",
                f"{rows * _measured('.parquet') / 1e6:.1f}",
            ]
            for rows in LOADS
            for requests in [full_load(rows, entries)]
        ],
    )
    yield (
        "A nightly load of time entries",
        ["rows that changed", "requests", *QUOTAS],
        [
            [_number(changed), _number(requests), *_durations(requests)]
            for changed in CHANGED
            for requests in [nightly_load(changed, entries)]
        ],
    )


def _new(size: int) -> int:
    """The rows of a full page that are not of the one before."""
    return size - OVERLAP


def _durations(requests: int) -> list[str]:
    return [_duration(requests * per / limit / USED) for limit, per in QUOTAS.values()]


def _duration(seconds: float) -> str:
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"


def _millions(value: float) -> str:
    return f"{float(f'{value / 1e6:.3g}'):,g}"


def _number(value: float) -> str:
    return f"{value:,.0f}"


def _measured(kind: str) -> float:
    """CPU seconds for a million rows, of the first table that has a format."""
    for line in _PERFORMANCE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] == kind:
            return float(cells[1])
    raise LookupError(f"{_PERFORMANCE} measures no {kind}")


def main() -> None:
    for title, head, rows in tables():
        table(title, head, rows)


if __name__ == "__main__":
    main()
