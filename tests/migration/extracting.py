"""A ten-year account in memory, and one life after the other of a program that reads it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jibble_legacy.migration.ledger.commits import InlineCommits
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.reading.extract import ExtractReport, extract
from jibble_legacy.migration.source import Source

from jibble_async import RollingWindow
from jibble_async.sandbox import Sandbox
from jibble_async.sandbox.history.past import History
from tests.support.memory_wire import BEGIN, MemoryWire, clock_from

KINDS = ("teams", "teammembers", "activities", "clients", "powerups")


def world(entries: int = 240, *, people: int = 20, **options: Any) -> Sandbox:
    """An old account; its clock is the running loop's."""
    options.setdefault("history", History(entries))
    return Sandbox(people=people, until=BEGIN.date(), clock=clock_from(), **options)


async def life(
    box: Sandbox,
    path: Path,
    patch: pytest.MonkeyPatch,
    *,
    delta: bool = False,
    limiter: Any = None,
    end_at: int | None = None,
    steps: Callable[[str], None] | None = None,
    on_progress: Any = None,
    page_size: int = 100,
) -> ExtractReport:
    """One life of the program: it reads as much as it can."""
    wire = MemoryWire(box, end_at=end_at)
    ledger = Ledger.open(path, create=True, now=clock_from(), commits=InlineCommits(), steps=steps)
    client = wire.legacy_client(patch, limiter=limiter, page_size=page_size)
    try:
        source = Source(client)
        return await extract(ledger, source, delta=delta, on_progress=on_progress)
    except BaseException as error:
        ledger.abandon(error)
        raise
    finally:
        await client.aclose()
        await ledger.aclose()


def quota(limit: int = 150) -> RollingWindow:
    """The old API's limit, counted over all lives, as `SharedWindow` does in a file."""
    return RollingWindow(limit, 3600.0)


def moment(ms: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)


def most_in(box: Sandbox, *, hours: float) -> int:
    """The most requests that the old API got in any period of so many hours."""
    times = [one.at for one in box.ledger.requests if one.service == "legacy"]
    period, most, first = timedelta(hours=hours), 0, 0
    for place, at in enumerate(times):
        while times[first] <= at - period:
            first += 1
        most = max(most, place - first + 1)
    return most
