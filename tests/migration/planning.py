"""A world in memory that is extracted and planned, and what its ledger then holds."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from jibble_legacy.migration.ledger.commits import InlineCommits
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.planning.plan import plan
from jibble_legacy.migration.planning.plan_report import PlanReport
from jibble_legacy.migration.reading.extract import extract
from jibble_legacy.migration.source import Source

from jibble_async.sandbox import Sandbox
from tests.support.memory_wire import MemoryWire, clock_from

ZONE = "Europe/Berlin"


def opened(path: Path, **options: Any) -> Ledger:
    return Ledger.open(path, create=True, now=clock_from(), commits=InlineCommits(), **options)


async def extracted(
    box: Sandbox, folder: Path, patch: pytest.MonkeyPatch, *, delta: bool = False
) -> None:
    """The old account, read into the ledger of a folder."""
    ledger = opened(folder / "ledger")
    client = MemoryWire(box).legacy_client(patch)
    try:
        await extract(ledger, Source(client), delta=delta)
    finally:
        await client.aclose()
        await ledger.aclose()


async def planned(
    box: Sandbox, folder: Path, patch: pytest.MonkeyPatch, **options: Any
) -> PlanReport:
    """A plan, in a life of its own."""
    ledger = opened(folder / "ledger", step="plan")
    client = MemoryWire(box).client(patch)
    options.setdefault("default_zone", ZONE)
    try:
        return await plan(ledger, client, folder=folder, **options)
    finally:
        await client.aclose()
        await ledger.aclose()


def rows(folder: Path, statement: str, *values: Any) -> list[Any]:
    """What the ledger of a folder holds."""
    ledger = Ledger.look(folder / "ledger")
    found = ledger.read(statement, *values)
    ledger.abandon(KeyboardInterrupt())
    return found


def sheet(folder: Path, name: str) -> list[dict[str, str]]:
    """The lines of a file."""
    text = (folder / name).read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def fill(folder: Path, name: str, *, key: str = "old_id", **lines: Mapping[str, str]) -> None:
    """Fill in a file as somebody does with Excel: saved with semicolons."""
    filled = [{**row, **lines.get(row[key].removeprefix("id:"), {})} for row in sheet(folder, name)]
    save(folder / name, filled)


def save(path: Path, filled: Iterable[Mapping[str, str]], encoding: str = "utf-8-sig") -> None:
    filled = list(filled)
    out = io.StringIO()
    writer = csv.DictWriter(out, list(filled[0]), delimiter=";")
    writer.writeheader()
    writer.writerows(filled)
    path.write_bytes(out.getvalue().encode(encoding))


def reasons(folder: Path) -> Counter[str]:
    return Counter(row[0] for row in rows(folder, "SELECT reason FROM quarantine"))
