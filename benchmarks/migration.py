"""What a migration takes: requests, hours of the old API's limit, CPU, memory and room on the disk.

    python -m benchmarks.migration extract --entries 10000 1000000

Each size is read by a process of its own, in virtual time, from an account that is made up as it
is asked: what is measured is the reading alone. The ledger is synced as in life, unless `--tmp`
names a folder in memory.
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import multiprocessing
import resource
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
from jibble_legacy import LegacyClient, LegacyConfig
from jibble_legacy.migration.commits import InlineCommits
from jibble_legacy.migration.extract import ExtractReport, extract
from jibble_legacy.migration.keeping import check_pages
from jibble_legacy.migration.ledger import Ledger
from jibble_legacy.migration.source import Source

from jibble_async import RollingWindow
from jibble_async.core.clock import Clock
from jibble_async.core.operation import Request
from jibble_async.core.wire import Reply
from tests.support.virtual_time import run

_BEGIN = datetime(2026, 7, 13, 9, 0, tzinfo=UTC)
_FIRST = datetime(2016, 7, 13, 6, 0, tzinfo=UTC)
_PEOPLE = 400
_NOTES = ("Überstunden wegen Inventur", "客先訪問", "Waiting for parts, back at ten")
_SPACE = uuid.UUID(int=7)
_LATENCY = 0.2


class _Account:
    """An old account of any size, of which nothing lies in memory but the moments.

    Args:
        entries: How many time entries it has.
    """

    def __init__(self, entries: int) -> None:
        self.entries = entries
        self.requests = 0
        self._step = timedelta(days=3640) / entries
        self._lists = {
            "teams": [{"id": "team1", "name": "Werk Nord"}],
            "teammembers": [
                {"id": f"person{n}", "firstName": "Paul", "lastName": f"No. {n}"}
                for n in range(_PEOPLE // 2)
            ],
            "activities": [{"id": f"act{n}", "name": f"Activity {n}"} for n in range(20)],
            "clients": [{"id": f"client{n}", "name": f"Client {n}"} for n in range(30)],
            "powerups": [],
        }

    async def send(self, request: Request, headers: Mapping[str, str], call: Any) -> Reply:
        """The answer to a request; see `jibble_async.core.transport.Transport`."""
        call.leaves(on_kept=False)
        self.requests += 1
        await asyncio.sleep(_LATENCY)
        kind, _, key = request.url.path.removeprefix("/api/v1/").partition("/")
        if key:
            return Reply(404, {}, b'{"error":{"statusCode":404,"message":"Unknown id"}}')
        query = request.url.query
        skip, limit = int(query.get("filter[skip]", 0)), int(query["filter[limit]"])
        if kind != "timeentries":
            rows = self._lists[kind][skip : skip + limit]
        else:
            first = self._place(query.get("filter[where][date][gte]")) + skip
            rows = [self._row(n) for n in range(first, min(first + limit, self.entries))]
        return Reply(200, {}, msgspec.json.encode(rows))

    async def aclose(self) -> None:
        """Nothing is open."""

    def _place(self, since: str | None) -> int:
        if since is None:
            return 0
        return bisect.bisect_left(range(self.entries), since, key=self._moment)

    def _moment(self, number: int) -> str:
        moment = _FIRST + self._step * number
        return f"{moment.isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"

    def _row(self, number: int) -> dict[str, Any]:
        moment = self._moment(number)
        chance = uuid.uuid5(_SPACE, str(number))
        row: dict[str, Any] = {
            "id": chance.hex[:16],
            "person": {"id": f"person{chance.int % _PEOPLE}"},
            "action": number % 2 + 1,
            "meta": {"app": "ios", "appVer": "3.1.2"},
            "date": moment,
            "updated_at": moment,
            "created_at": moment,
        }
        if chance.int % 10 < 6:
            row["activity"] = {"id": f"act{chance.int % 20}"}
        if chance.int % 10 > 5:
            row["client"] = {"id": f"client{chance.int % 30}"}
        if chance.int % 30 < 3:
            row["notes"] = _NOTES[chance.int % 3]
        return row


async def _extract(entries: int, path: Path) -> tuple[ExtractReport, float, int]:
    loop = asyncio.get_running_loop()
    account = _Account(entries)
    now = _now_of(loop)
    clock = Clock(monotonic=loop.time, now=now, random=lambda: 0.5)
    commits = InlineCommits()
    commits.synchronous = "FULL"
    with mock.patch("jibble_async.core.caller.Transport", return_value=account):
        client = LegacyClient(
            "the-token", config=LegacyConfig(clock=clock), limiter=RollingWindow(150, 3600)
        )
        async with client, Ledger.open(path, create=True, now=now, commits=commits) as ledger:
            begin = loop.time()
            report = await extract(ledger, Source(client))
            return report, loop.time() - begin, account.requests


def _now_of(loop: asyncio.AbstractEventLoop) -> Callable[[], datetime]:
    return lambda: _BEGIN + timedelta(seconds=loop.time())


def _one_extraction(entries: int, folder: str | None) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as home:
        path = Path(home) / "bench.jbmg"
        wall, cpu = time.perf_counter(), time.process_time()
        report, seconds, requests = run(_extract(entries, path))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        assert report.entries == entries, report
        megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        size = path.stat().st_size
        packed = asyncio.run(_checked(path))
    # What the limit leaves no way around: a full window for every 150 requests but the last.
    least = (requests - 1) // 150 * 3600
    print(
        f"{entries:>10,}{requests:>10,}{seconds / 3600:>9.2f}{seconds / max(least, 1):>9.4f}"
        f"{size / entries:>9.0f}{packed / entries:>9.0f}{megabytes:>7.0f}{cpu:>9.1f}{wall:>9.1f}",
        flush=True,
    )


async def _checked(path: Path) -> int:
    """The bytes of all pages of a ledger, which is looked through."""
    async with Ledger.look(path) as ledger:
        ledger.check()
        check_pages(ledger)
        packed: int = ledger.value("SELECT sum(length(body)) FROM page")
        return packed


def _extractions(sizes: list[int], folder: str | None) -> None:
    print(
        f"{'entries':>10}{'requests':>10}{'hours':>9}{'of least':>9}{'B/entry':>9}{'of pages':>9}"
        f"{'MB':>7}{'CPU s':>9}{'wall s':>9}"
    )
    for size in sizes:
        process = multiprocessing.get_context("spawn").Process(
            target=_one_extraction, args=(size, folder)
        )
        process.start()
        process.join()
        if process.exitcode:
            sys.exit(process.exitcode)


def main() -> None:
    """Measures the step that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    steps = parser.add_subparsers(dest="step", required=True)
    extracting = steps.add_parser("extract", help="reading the old account")
    extracting.add_argument("--entries", type=int, nargs="+", default=[10_000, 1_000_000])
    extracting.add_argument("--tmp", help="a folder for the ledger; by default the system's")
    arguments = parser.parse_args()
    _extractions(arguments.entries, arguments.tmp)


if __name__ == "__main__":
    main()
