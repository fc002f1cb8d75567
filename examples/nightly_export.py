"""Yesterday's time entries in a file that is there whole or not at all.

`python nightly_export.py 2026-07-06` exports another day; exit code 1 is for whoever started it.
Started again after it was killed, it goes on where it was.
"""

import asyncio
import sys
from datetime import UTC, date, datetime, timedelta

from jibble_async import JibbleClient, JibbleError
from jibble_async.export import Exporter, Outcome


async def main(day: date) -> None:
    out = f"time-entries-{day}.jsonl"
    async with JibbleClient.from_env() as jibble:
        exporter = Exporter(jibble, "time_entries", since=day, until=day, out=out, resume=True)
        report = await exporter.run()
    print(f"{report.path}: {report.rows} rows, {report.outcome}, sha256 {report.sha256}")
    if report.outcome is Outcome.NOT_PROVED:
        sys.exit(report.reason)


yesterday = datetime.now(UTC).date() - timedelta(days=1)
try:
    asyncio.run(main(date.fromisoformat(sys.argv[1]) if sys.argv[1:] else yesterday))
except JibbleError as error:
    sys.exit(str(error))
