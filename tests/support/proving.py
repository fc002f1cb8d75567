"""Exports of a set that never rests, by the way that is published and by others that are wrong.

Each run says what it claims, and whether that is so: a claim of proof is wrong unless what is held
is the set as it was at the last count, row for row and byte for byte.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any
from unittest import mock

import msgspec

from jibble_async import JibbleClient, Unlimited
from jibble_async.api.base_client import session_of
from jibble_async.core.call import Call
from jibble_async.core.operation import Request
from jibble_async.core.pages import RawRow
from jibble_async.core.wire import Reply
from jibble_async.errors import PaginationError
from jibble_async.export.proof.anchored import AnchorLostError
from jibble_async.export.proof.asking import ask, count
from jibble_async.export.proof.plan import Extent, Partition
from jibble_async.export.proof.reading import read_partition
from jibble_async.export.proof.scope import Scope
from jibble_async.export.proof.sweep import OVERLAP, begin, settle
from jibble_async.export.proof.verdicts import Outcome, SweptRow
from tests.support.changing_set import FIRST_DAY, UNIT, ChangingSet, Entry, Habits
from tests.support.virtual_time import run as run_in_virtual_time

__all__ = ["WAYS", "Parts", "Run", "Setting", "prove"]

SEAM = "jibble_async.core.caller.Transport"
_MOST_READINGS = 5


@dataclass(frozen=True)
class Setting:
    """What one run is like.

    Attributes:
        habits: The server.
        page_size: Rows to ask for at a time.
        windows: About how many there are.
        flying: Windows in flight.
    """

    habits: Habits
    page_size: int = 50
    windows: int = 6
    flying: int = 4


@dataclass(frozen=True)
class Run:
    """What became of a run.

    Attributes:
        outcome: What it claims.
        wrong: Whether it claims proof of what is not so.
        requests: How many it took.
        ideal: How many pages of the rows there are.
        reason: Why it claims no more.
    """

    outcome: Outcome
    wrong: bool
    requests: int
    ideal: int
    reason: str = ""


class Parts:
    """What an export holds: a list of rows for each window, and what was swept up."""

    def __init__(self) -> None:
        self.windows: dict[int, list[RawRow]] = {}
        self._swept: dict[str, msgspec.Raw] = {}

    def rows(self) -> list[RawRow]:
        """All of it."""
        return [*(row for part in self.windows.values() for row in part), *self._swept.items()]

    def __len__(self) -> int:
        return sum(map(len, self.windows.values())) + len(self._swept)

    async def count(self) -> int:
        return len(self)

    async def replace(self, rows: Sequence[SweptRow]) -> None:
        gone = {row.id for row in rows}
        self._keep(lambda key: key not in gone)
        self._swept.update((row.id, row.raw) for row in rows if row.in_scope)

    async def retain(self, present: Callable[[str], bool]) -> int:
        before = len(self)
        self._keep(present)
        return before - len(self)

    def _keep(self, wanted: Callable[[str], bool]) -> None:
        for index, part in self.windows.items():
            self.windows[index] = [row for row in part if wanted(row[0])]
        self._swept = {key: raw for key, raw in self._swept.items() if wanted(key)}


class Wire:
    """A transport to a changing set; answers come in no certain order.

    Args:
        server: The set.
        latency: Seconds that a request takes at most, and its answer.
    """

    def __init__(self, server: ChangingSet, latency: float = 1.0) -> None:
        self._server = server
        self._latency = latency

    async def send(self, request: Request, headers: Mapping[str, str], call: Call[Any]) -> Reply:
        await asyncio.sleep(self._latency * self._server.random.random())
        call.leaves(on_kept=False)
        answer = self._server.answer(request, headers)
        await asyncio.sleep(self._latency * self._server.random.random())
        return answer

    async def aclose(self) -> None:
        pass


class _Attempt:
    """One export."""

    def __init__(self, client: JibbleClient, server: ChangingSet, setting: Setting) -> None:
        self.client = client
        self.server = server
        self.setting = setting
        days = setting.habits.days
        self.extent = Extent(
            set="time_entries",
            # Some days are not meant: rows move out of the set and into it.
            since=FIRST_DAY + timedelta(days=2),
            until=FIRST_DAY + timedelta(days=days - 3),
            page_size=setting.page_size,
        )
        self.parts = Parts()
        since, until = map(str, (self.extent.since, self.extent.until))

        def meant(entry: Entry) -> bool:
            return not entry.archived and since <= entry.day <= until

        server.watch(meant)

    async def read_windows(self, lapse: timedelta = OVERLAP) -> str:
        """Read all windows, and tell the mark from before them."""
        setting = self.setting
        rows = max(2, setting.habits.rows // setting.windows)
        mark, partitions = await begin(self.client, self.extent, rows=rows, overlap=lapse)
        flying = asyncio.Semaphore(setting.flying)

        async def read(partition: Partition) -> None:
            async with flying:
                await self._read(partition)

        async with asyncio.TaskGroup() as group:
            for partition in partitions:
                group.create_task(read(partition))
        return mark

    async def _read(self, partition: Partition) -> None:
        for _ in range(_MOST_READINGS):
            part = self.parts.windows[partition.index] = []
            place: str | None = None
            try:
                while True:
                    # Killed and resumed now and then.
                    killed_after = self.server.random.choice((1, 100, 100, 100))
                    batches = read_partition(self.client, partition, place=place)
                    async for batch in batches:
                        part += batch.rows
                        place = batch.place
                        killed_after -= 1
                        if not killed_after:
                            break
                    await batches.aclose()
                    if killed_after:
                        return
            except AnchorLostError:
                continue
        raise PaginationError("a window can't be read")

    async def swept(self, overlap: float = 2.2) -> tuple[Outcome, str]:
        """The way that is published."""
        lapse = timedelta(seconds=overlap * UNIT)
        mark = await self.read_windows(lapse)
        verdict = await settle(self.client, self.extent, mark, self.parts, overlap=lapse)
        return verdict.outcome, verdict.reason

    async def no_overlap(self) -> tuple[Outcome, str]:
        """Sweeps from the very moment of the server's clock."""
        return await self.swept(overlap=0.0)

    async def unchecked(self) -> tuple[Outcome, str]:
        """Rows are not looked at whether they are what was asked for."""
        with mock.patch.object(Scope, "admits", return_value=True):
            return await self.swept()

    async def unswept(self) -> tuple[Outcome, str]:
        """Windows, and an equal count."""
        await self.read_windows()
        return await self._by_count()

    async def equal_counts(self) -> tuple[Outcome, str]:
        """Page by page, until the server gives no more, and an equal count."""
        raw, session = self.extent.raw_set(self.client), session_of(self.client)
        rows = self.parts.windows[0] = []
        while page := (await ask(session, raw.pages, len(rows), self.setting.page_size)).rows:
            rows += page
        return await self._by_count()

    async def _by_count(self) -> tuple[Outcome, str]:
        raw, session = self.extent.raw_set(self.client), session_of(self.client)
        counted, _ = await count(session, raw.pages)
        if counted == len(self.parts):
            return Outcome.PROVED, ""
        return Outcome.NOT_PROVED, "another count"


WAYS: dict[str, Callable[[_Attempt], Any]] = {
    "as published": _Attempt.swept,
    "$skip and equal counts": _Attempt.equal_counts,
    "windows without a sweep": _Attempt.unswept,
    "no time overlap": _Attempt.no_overlap,
    "rows not looked at": _Attempt.unchecked,
}


def prove(
    way: str, setting: Setting, seed: str, make: Callable[..., ChangingSet] = ChangingSet
) -> Run:
    """One export of a set that never rests.

    Args:
        way: One of `WAYS`.
        setting: What it is like.
        seed: Decides all that is left to chance.
        make: Makes the server.
    """

    async def main() -> Run:
        server = make(setting.habits, Random(seed))
        with mock.patch(SEAM, return_value=Wire(server)):
            async with JibbleClient(auth=server.auth, limiter=Unlimited()) as client:
                attempt = _Attempt(client, server, setting)
                try:
                    outcome, reason = await WAYS[way](attempt)
                except* PaginationError as errors:
                    outcome, reason = Outcome.NOT_PROVED, str(errors.exceptions[0])
        rows = ((key, server.as_written(bytes(raw))) for key, raw in attempt.parts.rows())
        wrong = outcome is Outcome.PROVED and sorted(rows) != sorted(server.counted.items())
        size = min(setting.page_size, setting.habits.cap or setting.page_size)
        ideal = max(1, math.ceil(len(server.counted or server.state) / size))
        return Run(outcome, wrong, server.requests, ideal, reason)

    return run_in_virtual_time(main())
