"""What a migration takes: requests, hours of the old API's limit, CPU, memory and room on the disk.

    python -m benchmarks.migration extract --entries 10000 1000000
    python -m benchmarks.migration plan --entries 10000 1000000
    python -m benchmarks.migration apply --entries 10000 100000

Each size is read by a process of its own, in virtual time, from an account that is made up as it
is asked: what is measured is the reading alone. The ledger is synced as in life, unless `--tmp`
names a folder in memory.
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import contextlib
import csv
import multiprocessing
import resource
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
import pytest
from jibble_legacy import LegacyClient, LegacyConfig
from jibble_legacy.migration.ledger.commits import InlineCommits
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.planning.plan import plan
from jibble_legacy.migration.planning.plan_report import PlanReport
from jibble_legacy.migration.reading.extract import ExtractReport, extract
from jibble_legacy.migration.reading.storage import check_pages
from jibble_legacy.migration.source import Source
from jibble_legacy.migration.writing.apply import ApplyReport, apply
from jibble_legacy.migration.writing.probed import Probed

from jibble_async import JibbleClient, RollingWindow
from jibble_async.core.clock import Clock
from jibble_async.core.operation import Request
from jibble_async.core.wire import Reply
from jibble_async.sandbox import Sandbox
from jibble_async.sandbox.history.past import History
from tests.support.memory_wire import MemoryWire
from tests.support.virtual_time import run

_BEGIN = datetime(2026, 7, 13, 9, 0, tzinfo=UTC)
_FIRST = datetime(2016, 7, 13, 6, 0, tzinfo=UTC)
_PEOPLE = 400
_NOTES = ("Überstunden wegen Inventur", "客先訪問", "Waiting for parts, back at ten")
_SPACE = uuid.UUID(int=7)
_LATENCY = 0.2


class OldAccount:
    """An old account of any size, of which nothing lies in memory but the moments.

    Args:
        entries: How many time entries it has.
        people: How many people they are of.
    """

    def __init__(self, entries: int, people: int) -> None:
        self.entries = entries
        self.people = people
        self.requests = 0
        self._step = timedelta(days=3640) / entries
        self._lists = {
            "teams": [{"id": "team1", "name": "Werk Nord"}],
            "teammembers": [
                {"id": f"person{n}", "firstName": "Paul", "lastName": f"No. {n}"}
                for n in range(people // 2)
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
            "person": {"id": f"person{chance.int % self.people}"},
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


async def extracted(
    entries: int, path: Path, people: int = _PEOPLE
) -> tuple[ExtractReport, float, int]:
    """Extract so many entries to a ledger: the report, virtual seconds, and requests."""
    loop = asyncio.get_running_loop()
    account = OldAccount(entries, people)
    now = now_of(loop)
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


def now_of(loop: asyncio.AbstractEventLoop) -> Callable[[], datetime]:
    """The date and time of a loop's clock."""
    return lambda: _BEGIN + timedelta(seconds=loop.time())


def _one_extraction(entries: int, folder: str | None) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as home:
        path = Path(home) / "bench.jbmg"
        wall, cpu = time.perf_counter(), time.process_time()
        report, seconds, requests = run(extracted(entries, path))
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
        _apart(_one_extraction, size, folder)


@contextlib.asynccontextmanager
async def _beside_an_empty_account(
    path: Path, wire: type[MemoryWire] = MemoryWire
) -> AsyncGenerator[tuple[Ledger, JibbleClient]]:
    """A ledger, and the client of an account to which nothing was written."""
    now = now_of(asyncio.get_running_loop())
    box = Sandbox(people=20, until=_BEGIN.date(), history=History(40), clock=now)
    commits = InlineCommits()
    commits.synchronous = "FULL"
    with pytest.MonkeyPatch.context() as patch:
        async with (
            wire(box).client(patch) as client,
            Ledger.open(path, now=now, commits=commits) as ledger,
        ):
            yield ledger, client


async def _plan(path: Path, folder: Path) -> PlanReport:
    async with _beside_an_empty_account(path) as (ledger, client):
        return await plan(ledger, client, folder=folder, default_zone="Europe/Berlin")


def _answer(path: Path) -> None:
    """Decides everything that is asked in a file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    for line in lines:
        if "decision" in line:
            line.update(decision="create", new_name=line["old_id"])
        else:
            line["new_name"] = "-"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(lines)


def _extract_to(entries: int, path: Path, people: int = _PEOPLE) -> None:
    run(extracted(entries, path, people))


def _plan_once(entries: int, path: Path, what: str) -> None:
    cpu = time.process_time()
    report = run(_plan(path, path.parent))
    cpu = time.process_time() - cpu
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{entries:>10,}{report.planned:>10,}{sum(report.held.values()):>10,}"
        f"{path.stat().st_size / entries:>9.0f}{megabytes:>7.0f}{cpu:>9.1f}  {what}",
        flush=True,
    )


def _plans(sizes: list[int], folder: str | None) -> None:
    print(f"{'entries':>10}{'planned':>10}{'held':>10}{'B/entry':>9}{'MB':>7}{'CPU s':>9}")
    for size in sizes:
        with tempfile.TemporaryDirectory(dir=folder) as home:
            path = Path(home) / "bench.jbmg"
            _apart(_extract_to, size, path)
            _apart(_plan_once, size, path, "nothing decided")
            _answer(path.with_name("people.csv"))
            _answer(path.with_name("activities.csv"))
            _apart(_plan_once, size, path, "everything decided, of as many rejects")
            _apart(_plan_once, size, path, "once more")


class _Echoing(MemoryWire):
    """A new account that keeps no entry: it answers what it was sent."""

    async def send(self, request: Request, headers: Mapping[str, str], call: Any) -> Reply:
        """The answer to a request; see `jibble_async.core.transport.Transport`."""
        if request.url.path != "/v1/TimeEntries":
            return await super().send(request, headers, call)
        call.leaves(on_kept=True)
        await asyncio.sleep(_LATENCY)
        if request.operation.method == "GET":
            return Reply(200, {}, b'{"value":[]}')
        sent = msgspec.json.decode(request.body or b"")
        stamps = dict.fromkeys(("createdAt", "updatedAt"), "2026-07-13T09:00:00Z")
        return Reply(201, {}, msgspec.json.encode({**sent, **stamps, "isManual": True}))


async def _apply(path: Path, lanes: int) -> tuple[ApplyReport, float]:
    async with _beside_an_empty_account(path, _Echoing) as (ledger, client):
        await ledger.put("probe", Probed(out_after_out="taken"))
        made = await plan(ledger, client, folder=path.parent, default_zone="Europe/Berlin")
        cpu = time.process_time()
        report = await apply(ledger, client, plan=made.hash, go=True, lanes=lanes)
        return report, time.process_time() - cpu


def _apply_once(entries: int, path: Path, lanes: int) -> None:
    report, cpu = run(_apply(path, lanes))
    assert report.left == 0, report
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = path.stat().st_size
    print(
        f"{entries:>10,}{report.written:>10,}{report.people:>9,}{lanes:>7}"
        f"{size / entries:>9.0f}{megabytes:>7.0f}{cpu / report.written * 1000:>10.2f}",
        flush=True,
    )


def _applies(sizes: list[int], folder: str | None) -> None:
    print(
        f"{'entries':>10}{'written':>10}{'people':>9}{'lanes':>7}{'B/entry':>9}{'MB':>7}"
        f"{'CPU ms':>10}"
    )
    # Many people, and one: an entry costs the same, however many its person has.
    for people in (_PEOPLE, 1):
        for size in sizes:
            with tempfile.TemporaryDirectory(dir=folder) as home:
                path = Path(home) / "bench.jbmg"
                _apart(_extract_to, size, path, people)
                _apart(_plan_once, size, path, "nothing decided")
                _answer(path.with_name("people.csv"))
                _answer(path.with_name("activities.csv"))
                _apart(_apply_once, size, path, 8)


def _apart(function: Callable[..., None], *arguments: Any) -> None:
    """Runs a function in a process of its own, so that its memory is what is measured."""
    process = multiprocessing.get_context("spawn").Process(target=function, args=arguments)
    process.start()
    process.join()
    if process.exitcode:
        sys.exit(process.exitcode)


def main() -> None:
    """Measures the step that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    steps = parser.add_subparsers(dest="step", required=True)
    for name, about in (
        ("extract", "reading the old account"),
        ("plan", "planning the move"),
        ("apply", "writing to the new account"),
    ):
        step = steps.add_parser(name, help=about)
        step.add_argument("--entries", type=int, nargs="+", default=[10_000, 1_000_000])
        step.add_argument("--tmp", help="a folder for the ledger; by default the system's")
    arguments = parser.parse_args()
    measure = {"extract": _extractions, "plan": _plans, "apply": _applies}[arguments.step]
    measure(arguments.entries, arguments.tmp)


if __name__ == "__main__":
    main()
