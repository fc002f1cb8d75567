"""Exports of either API while a host is away, in virtual time."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal

import pytest

from jibble_async import ConnectionLostError, JibbleError
from jibble_async.core.operation import Request
from jibble_async.core.wire import Reply
from jibble_async.export import Exporter, ExportReport
from jibble_async.sandbox import Sandbox
from tests.legacy.exports import export, host_with, in_time
from tests.legacy.hosts import SandboxInMemory
from tests.support.chaos import seeds
from tests.support.memory_wire import MemoryWire
from tests.support.virtual_time import run

Trouble = Literal["lost", "503", "login page", "garbage"]
TROUBLES: list[Trouble] = ["lost", "503", "login page", "garbage"]
TEN_MINUTES = 600.0


class Outage:
    """Trouble that begins with the n-th request, and lasts for some seconds."""

    def __init__(self, trouble: Trouble, begins_with: int, seconds: float) -> None:
        self._trouble = trouble
        self._begins_with = begins_with
        self._seconds = seconds
        self._requests = 0
        self._ends: float | None = None

    def answer(self) -> Reply | None:
        """What a request gets instead of its answer."""
        now = asyncio.get_running_loop().time()
        self._requests += 1
        if self._requests == self._begins_with:
            self._ends = now + self._seconds
        if self._ends is None or now >= self._ends:
            return None
        match self._trouble:
            case "lost":
                raise ConnectionLostError("the connection was lost")
            case "503":
                return Reply(503, {}, b"")
            case "login page":
                return Reply(200, {"Content-Type": "text/html"}, b"<html>Sign in</html>")
            case "garbage":
                return Reply(200, {}, b"\x00\x00")


class TroubledWire(MemoryWire):
    outage: Outage

    async def send(self, request: Request, headers: Mapping[str, str], call: Any) -> Reply:
        trouble = self.outage.answer() if "TimeEntries" in request.url.path else None
        return await super().send(request, headers, call) if trouble is None else trouble


class TroubledHost(SandboxInMemory):
    outage: Outage

    async def send(self, request: Request, headers: Mapping[str, str], call: Any) -> Reply:
        trouble = self.outage.answer()
        return await super().send(request, headers, call) if trouble is None else trouble


def current(outage: Outage, out: Path, **arguments: Any) -> tuple[ExportReport, list[Any]]:
    box = Sandbox(people=6, since=date(2026, 7, 6), until=date(2026, 7, 19), seed=3)

    async def main() -> ExportReport:
        wire = TroubledWire(box)
        wire.outage = outage
        with pytest.MonkeyPatch.context() as patch:
            async with wire.client(patch, page_size=20) as jibble:
                return await Exporter(jibble, "time_entries", out=out, **arguments).run()

    report = run(main())
    return report, sorted(box.ledger.rows("TimeEntries"), key=lambda row: str(row["id"]))


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("trouble", TROUBLES)
def test_ten_minutes_without_the_host_cost_no_row(
    tmp_path: Path, trouble: Trouble, concurrency: int
) -> None:
    out = tmp_path / "entries.jsonl"
    outage = Outage(trouble, 4, TEN_MINUTES)
    report, rows = current(outage, out, concurrency=concurrency)
    assert lines(out) == rows
    assert (report.readings, report.counted, report.rows) == (1, True, len(rows))


@pytest.mark.parametrize("trouble", TROUBLES)
def test_nor_without_the_old_apis(tmp_path: Path, trouble: Trouble) -> None:
    host = host_with(350)
    host.__class__ = TroubledHost
    assert isinstance(host, TroubledHost)
    host.outage = Outage(trouble, 2, TEN_MINUTES)
    report = export(host, tmp_path / "all.jsonl")
    assert lines(tmp_path / "all.jsonl") == in_time(host.store.wire("timeentries"))
    # Every page that had come was kept.
    assert (report.readings, len(host.ledger.requests)) == (1, report.pages)


@seeds(4)
def test_outages_at_any_time_cost_no_row(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    outage = Outage(dice.choice(TROUBLES), dice.randint(1, 12), dice.uniform(0, TEN_MINUTES))
    report, rows = current(outage, tmp_path / "new.jsonl", concurrency=dice.randint(1, 6))
    assert lines(tmp_path / "new.jsonl") == rows
    assert (report.readings, report.rows) == (1, len(rows))
    host = host_with(dice.randint(0, 500))
    host.__class__ = TroubledHost
    assert isinstance(host, TroubledHost)
    host.outage = Outage(dice.choice(TROUBLES), dice.randint(1, 6), dice.uniform(0, TEN_MINUTES))
    export(host, tmp_path / "old.jsonl")
    assert lines(tmp_path / "old.jsonl") == in_time(host.store.wire("timeentries"))


@pytest.mark.parametrize(("give_up_after", "most"), [(900.0, 950.0), (30.0, 60.0), (0.0, 1.0)])
def test_an_outage_that_outlasts_the_patience_ends_an_export(
    tmp_path: Path, give_up_after: float, most: float
) -> None:
    asked: list[float] = []

    class Watched(Outage):
        def answer(self) -> Reply | None:
            asked.append(asyncio.get_running_loop().time())
            return super().answer()

    outage = Watched("503", 3, 1e6)
    with pytest.raises(JibbleError):
        current(outage, tmp_path / "all.jsonl", concurrency=1, give_up_after=give_up_after)
    assert give_up_after * 0.9 <= asked[-1] - asked[2] <= most
    assert list(tmp_path.iterdir()) == []
