"""The tables of `docs/engines.md`: what the command prints, and that exports ask for as much."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import pytest

from benchmarks.engines import quota
from benchmarks.measuring import table
from jibble_async.export import Exporter, Sync
from jibble_async.sandbox import Sandbox
from tests.docs.blocks import ROOT
from tests.support.memory_wire import MemoryWire, clock_from


def test_the_tables_are_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs/engines.md").read_text()
    for _, head, rows in quota.tables():
        table("", head, rows)
        printed = capsys.readouterr().out.strip()
        assert printed in page, printed


@pytest.mark.parametrize(
    ("people", "size"), [(3, 50), (3, 1_000), (25, 20), (25, 7)], ids=lambda each: str(each)
)
async def test_an_export_takes_as_many_requests(
    people: int, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = (date(2026, 7, 6), date(2026, 7, 10))
    box = Sandbox(people=people, since=days[0], until=days[1], seed=3)
    async with MemoryWire(box).client(monkeypatch, page_size=size) as client:
        await client.people.list(limit=1).collect()
        out = tmp_path / "entries.jsonl"
        since, until = days
        report = await Exporter(client, "time_entries", since=since, until=until, out=out).run()
    rows = len(box.ledger.rows("TimeEntries"))
    assert report.rows == rows
    most = 20 * size
    # The days are given, so the last one is not asked for; of its cuts some are uneven.
    expected = quota.full_load(rows, size, most) - (quota.windows(rows, most) > 1)
    assert report.requests == pytest.approx(expected, rel=0.1 if rows > most else 0)


@pytest.mark.parametrize("changed", [0, 30, 130])
async def test_a_night_takes_as_many_requests(changed: int, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
    clock = clock_from()
    box = Sandbox(8, since=date(2026, 7, 6), until=date(2026, 7, 10), seed=3, clock=clock)

    async def night() -> int:
        # A client that knows nothing of the one before.
        with pytest.MonkeyPatch.context() as patch:
            async with MemoryWire(box).client(patch, page_size=50) as client:
                report = await Sync(client, tmp_path / "copy", sets=["time_entries"]).run()
        (done,) = report.sets
        assert done.outcome == "proved"
        assert done.changed in {0, changed}
        return done.requests

    await night()
    await asyncio.sleep(3600)
    now = f"{clock():%Y-%m-%dT%H:%M:%S.%f}Z"
    for row in list(box.dataset.rows("TimeEntries"))[:changed]:
        box.dataset.update("TimeEntries", row["id"], {"note": "new", "updatedAt": now})
    # The set is at rest by then.
    await asyncio.sleep(3600)
    assert await night() == quota.nightly_load(changed, 50)
