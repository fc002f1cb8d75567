"""What verifying a migration takes: CPU, memory, requests, and the room of its report.

    python -m benchmarks.verifying --entries 10000 100000

A ledger is made as the steps before leave it; the new account answers from it, so that all is
equal. What the account's answers cost is not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import re
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
from jibble_legacy.migration.checking.verify import VerifyReport, verify
from jibble_legacy.migration.ledger.commits import InlineCommits
from jibble_legacy.migration.ledger.ledger import Ledger, put
from jibble_legacy.migration.marks import entry_key
from jibble_legacy.migration.writing.writes import space_of

from benchmarks.migration import extracted, now_of
from jibble_async import ClientConfig, JibbleClient, Unlimited
from jibble_async.core.clock import Clock
from jibble_async.core.operation import Request
from jibble_async.core.wire import Reply
from tests.support.virtual_time import run

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ORGANIZATION = "00000000-0000-4000-8000-000000000001"
_STAMP = 1_800_000_000_000
_PLANNED = """
INSERT INTO write (entry, lane, ms, type, day, offset, person, state, since, generation, attempts,
    target, stamp, hash)
SELECT e.n, e.person, e.ms, CASE e.action WHEN 1 THEN 'In' ELSE 'Out' END,
    strftime('%Y-%m-%d', e.ms / 1000, 'unixepoch'), 7200, printf('%08x-0000-4000-8000-%012x', 1,
    e.person), 'confirmed', 0, 0, 1, key(e.id), ?, e.hash FROM entry AS e
"""
_ROWS = """
SELECT w.target, w.type, w.ms, w.day, w.person, e.note, e.id FROM write AS w
JOIN entry AS e ON e.n = w.entry WHERE w.lane = ? ORDER BY w.target LIMIT ? OFFSET ?
"""


class _Account:
    """A new account that has what a ledger says was written to it."""

    def __init__(self, path: Path) -> None:
        self._rows = sqlite3.connect(path)
        self.requests = 0
        self.cpu = 0.0

    async def send(self, request: Request, headers: Mapping[str, str], call: Any) -> Reply:
        """The answer to a request; see `jibble_async.core.transport.Transport`."""
        call.leaves(on_kept=True)
        self.requests += 1
        begin = time.process_time()
        body = self._answer(request)
        self.cpu += time.process_time() - begin
        await asyncio.sleep(0.2)
        return Reply(200, {}, msgspec.json.encode(body))

    async def aclose(self) -> None:
        """Nothing is open."""
        self._rows.close()

    def _answer(self, request: Request) -> Any:
        url = request.url
        if url.path.endswith("token"):
            return {"access_token": "t", "expires_in": 10**6, "organizationId": _ORGANIZATION}
        if "Organizations" in url.path:
            return {"@odata.count": 1, "value": [{"id": _ORGANIZATION, "name": "Acme"}]}
        one = re.search(r"TimeEntries[(/]([0-9a-f-]{36})", url.path)
        if one:
            [(lane,)] = self._rows.execute(
                "SELECT lane FROM write WHERE target = ?", (one[1],)
            ).fetchall()
            found = self._rows.execute(_ROWS, (lane, 10**9, 0)).fetchall()
            return next(_row(row) for row in found if row[0] == one[1])
        asked = re.search(r"personId eq [0-9a-f]{8}-0000-4000-8000-([0-9a-f]{12})", str(url.query))
        lane = int(asked[1], 16) if asked else 0
        top, skip = (int(url.query.get(name, 0)) for name in ("$top", "$skip"))
        rows = self._rows.execute(_ROWS, (lane, top or 1000, skip)).fetchall()
        total = self._rows.execute("SELECT count(*) FROM write WHERE lane = ?", (lane,)).fetchone()
        return {"@odata.count": total[0], "value": [_row(row) for row in rows]}


def _row(row: tuple[Any, ...]) -> dict[str, Any]:
    target, kind, ms, day, person, text, old_id = row
    moment = _EPOCH + timedelta(milliseconds=ms)
    return {
        "id": target,
        "type": kind,
        "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "localTime": (moment + timedelta(hours=2)).isoformat()[:-6] + "+02:00",
        "offset": "PT2H",
        "belongsToDate": day,
        "personId": person,
        "note": text,
        "status": "Active",
        "platform": {
            "clientVersion": "jibble-async migration",
            "deviceName": old_id,
            "eventId": target,
        },
        "createdAt": "2026-07-13T09:00:00Z",
        "updatedAt": "2026-07-13T09:00:00Z",
    }


async def _written(path: Path) -> None:
    """Let a ledger say that all it has was written."""
    async with Ledger.open(path, commits=InlineCommits()) as ledger:
        space = space_of(ledger)

        def write(connection: sqlite3.Connection) -> None:
            connection.create_function("key", 1, lambda old_id: entry_key(space, 0, old_id))
            connection.execute(_PLANNED, (_STAMP,))
            connection.execute(
                "INSERT INTO thing (n, kind, decision, root, target) SELECT n, kind, 'match', n, "
                "printf('%08x-0000-4000-8000-%012x', 1, n) FROM source WHERE kind = 'teammembers'"
            )
            put(connection, "probe", {})

        await ledger.write(write)


async def _verified(path: Path, folder: Path | None) -> tuple[VerifyReport, _Account]:
    loop = asyncio.get_running_loop()
    account, now = _Account(path), now_of(loop)
    clock = Clock(monotonic=loop.time, now=now, random=lambda: 0.5)
    with mock.patch("jibble_async.core.caller.Transport", return_value=account):
        client = JibbleClient("id", "s", config=ClientConfig(clock=clock), limiter=Unlimited())
        async with client, Ledger.open(path, now=now, commits=InlineCommits()) as ledger:
            return await verify(ledger, client, folder=folder), account


def _one(entries: int) -> None:
    with tempfile.TemporaryDirectory() as home:
        path = Path(home) / "bench.jbmg"
        run(extracted(entries, path))
        asyncio.run(_written(path))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        for folder in (None, Path(home) / "report"):
            wall, cpu = time.perf_counter(), time.process_time()
            report, account = run(_verified(path, folder))
            cpu, wall = time.process_time() - cpu - account.cpu, time.perf_counter() - wall
            assert report.colour == "green", report.reasons
            assert report.numbers.sums.arrived == entries
            megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            room = sum(each.stat().st_size for each in Path(home).rglob("report/**/*"))
            print(
                f"{entries:>10,}{'with files' if folder else 'alone':>12}{account.requests:>10,}"
                f"{cpu:>9.1f}{cpu / entries * 1e6:>9.0f}{before:>9.0f}{megabytes:>7.0f}"
                f"{room / entries:>9.0f}{wall:>9.1f}",
                flush=True,
            )


def main() -> None:
    """Measures ledgers of the sizes that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--entries", type=int, nargs="+", default=[10_000, 100_000])
    arguments = parser.parse_args()
    print(
        f"{'entries':>10}{'':>12}{'requests':>10}{'CPU s':>9}{'us/entry':>9}{'MB before':>9}"
        f"{'MB':>7}{'B/entry':>9}{'wall s':>9}"
    )
    for size in arguments.entries:
        process = multiprocessing.get_context("spawn").Process(target=_one, args=(size,))
        process.start()
        process.join()
        if process.exitcode:
            sys.exit(process.exitcode)


if __name__ == "__main__":
    main()
