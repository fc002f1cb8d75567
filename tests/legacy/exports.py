"""Companies with as many time entries as a test needs, and exports of them."""

from __future__ import annotations

import functools
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jibble_async import Unlimited
from jibble_async.export import Exporter, ExportReport
from jibble_async.sandbox.dataset import Dataset
from tests.legacy.hosts import SandboxInMemory
from tests.support.virtual_time import run

Row = dict[str, Any]
FIRST = datetime(2018, 1, 1, tzinfo=UTC)


@functools.cache
def company() -> Dataset:
    return Dataset(people=3, since=date(2026, 7, 6), until=date(2026, 7, 6), seed=3)


def host_with(entries: int) -> SandboxInMemory:
    """A host with so many time entries, two minutes apart."""
    host = SandboxInMemory(company())
    rows = host.store.rows("timeentries")
    pattern = dict(rows[0])
    rows[:] = [entry_at(pattern, number) for number in range(entries)]
    host.store.touch()
    return host


def entry_at(pattern: Row, number: int, key: str | None = None) -> Row:
    # Ids in another order than times.
    turned = f"{number * 7919 % 1_000_003:016}" if key is None else key
    moment = FIRST + timedelta(minutes=2 * number)
    return {**pattern, "id": turned, "date": f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"}


def export(host: SandboxInMemory, out: Path, **arguments: Any) -> ExportReport:
    """An export in virtual time."""
    limits = {} if arguments.pop("limited", False) else {"limiter": Unlimited()}
    what = arguments.pop("what", "time_entries")

    async def main() -> ExportReport:
        with pytest.MonkeyPatch.context() as patch:
            async with host.client(patch, **limits) as legacy:
                return await Exporter(legacy, what, out=out, **arguments).run()

    return run(main())


def lines(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def in_time(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row["date"], row["id"]))


def fewest(entries: int) -> int:
    """Pages of 100 that overlap by one, of which the last is short."""
    return max(1, -(-entries // 99))
