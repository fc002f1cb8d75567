"""A quarter of time entries from a local Jibble to a file, checked row by row.

No account and no network: the sandbox runs in this program. Run it with `make demo`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import msgspec

from jibble_async import JibbleClient, TimeEntry, TokenBucket, work_sessions
from jibble_async.export import Exporter, ExportReport
from jibble_async.sandbox import Fault, Quota, Sandbox

FIRST, LAST = date(2026, 7, 1), date(2026, 9, 30)
OUT = Path("demo-output/time-entries.jsonl")
DAYS_SHOWN = 28
BAR_WIDTH = 50


async def export(box: Sandbox) -> ExportReport:
    """Exports the quarter, through a quota and two faults."""
    box.quota = Quota(limit=30, per=1)
    box.faults.add(Fault("status", path="TimeEntries", nth=9, status=503))
    box.faults.add(Fault("drop_before", path="TimeEntries", nth=23))
    limiter = TokenBucket(limit=30, per=1)
    async with JibbleClient.from_env(box.environment(), limiter=limiter) as jibble:
        exporter = Exporter(jibble, "time_entries", since=FIRST, until=LAST, out=OUT)
        return await exporter.run()


def equal_to_ledger(box: Sandbox) -> bool:
    """Whether the file holds each row of the sandbox, once and unchanged."""
    rows = box.ledger.rows("TimeEntries", since=FIRST, until=LAST)
    rows.sort(key=lambda row: row["id"])
    with OUT.open("rb") as lines:
        exported = [json.loads(line) for line in lines]
    exported.sort(key=lambda row: row["id"])
    return exported == rows


def show_hours() -> None:
    with OUT.open("rb") as lines:
        sessions = work_sessions(msgspec.json.decode(line, type=TimeEntry) for line in lines)
    hours = sessions.by_day()
    total = sessions.worked / timedelta(hours=1)
    print(f"\nHours worked per day: {total:,.0f} h in the quarter, its last four weeks below")
    longest = max(hours.values()) / timedelta(hours=1)
    for back in reversed(range(DAYS_SHOWN)):
        day = LAST - timedelta(days=back)
        today = hours.get(day, timedelta()) / timedelta(hours=1)
        bar = "█" * round(BAR_WIDTH * today / longest)
        print(f"  {day:%a %d %b} {today:5.0f} {bar}")
    unpaired = Counter(f"{each.entry.type} with {each.reason}" for each in sessions.leftovers)
    missing = ", ".join(f"{count} {what}" for what, count in sorted(unpaired.items()))
    print(f"Left out, because they have no counterpart: {missing or 'none'}")


async def main() -> int:
    OUT.parent.mkdir(exist_ok=True)
    async with Sandbox(people=100, since=FIRST, until=LAST) as box:
        print(f"A local Jibble with 100 people is at {box.url}. It allows")
        print("30 requests a second, answers one with 503, and hangs up on another.")
        report = await export(box)
        equal = equal_to_ledger(box)
    facts = {
        "file": f"{OUT}, {report.bytes / 1e6:.1f} MB",
        "rows": f"{report.rows:,}",
        "pages": f"{report.pages}",
        "requests": f"{report.requests}",
        "retries": f"{report.retries}",
        "throttled": f"{report.throttled_seconds:.1f} s, in sum over 4 calls at a time",
        "time": f"{report.seconds:.1f} s",
        "equal to the ledger": "yes, every row" if equal else "NO",
    }
    print()
    for name, value in facts.items():
        print(f"  {name:<21}{value}")
    show_hours()
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
