"""Exports that are killed at any moment, and gone on with until they are done."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import random
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from jibble_async.export import Exporter, ExportReport, Outcome, running
from jibble_async.sandbox import Sandbox
from tests.export.killing import one_life
from tests.support.chaos import seeds
from tests.support.memory_wire import KilledError, MemoryWire
from tests.support.virtual_time import run

DAYS: dict[str, Any] = {"since": date(2026, 7, 6), "until": date(2026, 7, 19)}


def ledger(box: Sandbox) -> list[Any]:
    return by_id(box.ledger.rows("TimeEntries", **DAYS))


def by_id(rows: list[Any]) -> list[Any]:
    return sorted(rows, key=lambda row: str(row["id"]))


def parts_of(out: Path) -> list[str]:
    """The names of the parts that make up a folder."""
    return [part["name"] for part in json.loads((out / "manifest.json").read_bytes())["parts"]]


def rows_of(out: Path) -> list[Any]:
    """What a program reads that takes an output for what it is."""
    if out.is_dir():
        data = b"".join((out / name).read_bytes() for name in parts_of(out))
    else:
        data = out.read_bytes()
    assert data.endswith(b"\n")
    return [json.loads(line) for line in data.splitlines()]


def pages_asked_for(box: Sandbox) -> int:
    """How many pages of windows were asked for; counts and sweeps ask for something else."""
    targets = [each.target for each in box.ledger.requests]
    return sum("top=12" in each and "updatedAt%20ge" not in each for each in targets)


def snapshot(live: Path, dead: Path) -> None:
    """Keep the disk as it is when everything ends: what tidies up then is not there in life."""
    if not dead.exists():
        shutil.copytree(live, dead)


def export(
    box: Sandbox, live: Path, name: str, dead: Path | None, end_at: int | None, concurrency: int
) -> tuple[ExportReport | None, int]:
    """What an export gives, if nothing ends it, and the steps that it makes."""

    async def main() -> tuple[ExportReport | None, int]:
        wire = MemoryWire(box, end_at=end_at)
        if dead is not None:
            wire.on_kill = functools.partial(snapshot, live, dead)
        with pytest.MonkeyPatch.context() as patch:
            async with wire.client(patch, page_size=12) as jibble:
                out = f"{live}/{name}"
                exporter = Exporter(
                    jibble, "time_entries", out=out, **DAYS, concurrency=concurrency, resume=True
                )
                try:
                    return await exporter.run(), len(wire.steps)
                except KilledError:
                    return None, len(wire.steps)

    return run(main())


@pytest.fixture(scope="module")
def small() -> Sandbox:
    """A company of which an export takes few requests: three windows of days."""
    return Sandbox(people=2, **DAYS, seed=3)


@pytest.mark.parametrize(("name", "first", "stride"), [("all.jsonl", 1, 2), ("copy/", 2, 6)])
def test_killed_at_every_step_an_export_goes_on(
    small: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, first: int,
    stride: int,
) -> None:  # fmt: skip
    monkeypatch.setattr(running, "_PAGES_OF_WINDOW", 3)
    (tmp_path / "whole").mkdir()
    report, steps = export(small, tmp_path / "whole", name, None, None, 2)
    assert report is not None
    assert rows_of(tmp_path / "whole" / name) != []
    for step in range(first, steps + 1, stride):
        live, dead = tmp_path / f"{step}", tmp_path / f"{step}-dead"
        live.mkdir()
        before = pages_asked_for(small)
        killed, _ = export(small, live, name, dead, step, 2)
        if killed is not None:
            # Of windows in flight the steps are not the same every time.
            assert step > steps - 10
            continue
        assert not (dead / name).is_file()
        resumed, _ = export(small, dead, name, None, None, 2)
        assert resumed is not None
        assert by_id(rows_of(dead / name)) == ledger(small)
        assert resumed.outcome is Outcome.PROVED
        assert (resumed.rows, resumed.pages) == (report.rows, report.pages)
        # But for those that were under way in two windows when it ended.
        asked = pages_asked_for(small) - before
        assert 0 <= asked - resumed.pages - resumed.reread_pages <= 2
        assert [each.name for each in dead.iterdir()] == [name.strip("/")]


async def lives(seed: int, folder: Path) -> None:
    chance = random.Random(seed)
    out = folder / chance.choice(["all.jsonl", "copy"])
    if out.suffix == "":
        out.mkdir()
    async with Sandbox(people=4, **DAYS, seed=3) as box:
        expected = ledger(box)
        report: dict[str, Any] | None = None
        for _ in range(200):
            concurrency = str(chance.randint(1, 4))
            report = await one_life(
                box, "TimeEntries", chance, "tests.export.exporting", str(out), concurrency
            )
            if report is not None:
                break
            # What a run that was killed made real in its last moment is whole, too.
            if out.is_file() or (out / "manifest.json").exists():
                assert by_id(rows_of(out)) == expected
        assert report is not None
        assert by_id(rows_of(out)) == expected
        assert (report["rows"], report["outcome"]) == (len(expected), Outcome.PROVED)
        assert os.listdir(folder) == [out.name]
        if out.is_dir():
            names = {
                part["name"] for part in json.loads((out / "manifest.json").read_bytes())["parts"]
            }
            assert {each.name for each in out.iterdir()} == {*names, "manifest.json"}


@seeds(3)
def test_killed_again_and_again_an_export_is_done_in_the_end(tmp_path: Path, seed: int) -> None:
    asyncio.run(lives(seed, tmp_path))
