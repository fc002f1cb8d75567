"""A migration that is killed: two accounts, a folder, and programs that go on where one died.

Each program is a *life*: it has a wire of its own to the same two accounts and opens the ledger
again. Its steps are those of its requests and of the ledger's transactions, counted together; at
one of them it may be killed, which rolls back what is not committed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import pytest
from jibble_legacy.migration.ledger.commits import InlineCommits
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.migration import Migration

from jibble_async import RollingWindow
from jibble_async.sandbox import Fault, History, Quota, Received, Rules, Sandbox
from tests.support.memory_wire import BEGIN, KilledError, MemoryWire, clock_from

T = TypeVar("T")
Row = dict[str, Any]
Life = Callable[[Migration], Awaitable[T]]

SETTLE = 600.0


class WatchedLedger(Ledger):
    """A ledger that is not read within a transaction, as it can't be where that has a thread."""

    writes = False

    def watch(self, what: str) -> None:
        self.writes = what == "begins"

    def read(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        assert not self.writes, query
        return super().read(query, *values)

    def scan(self, query: str, *values: Any, at_a_time: int = 1000) -> Iterator[tuple[Any, ...]]:
        assert not self.writes, query
        return super().scan(query, *values, at_a_time=at_a_time)

    def value(self, query: str, *values: Any) -> Any:
        assert not self.writes, query
        return super().value(query, *values)


class Accounts:
    """An old account beside a new one, and what tests did to them themselves.

    Args:
        folder: Where the migration is kept.
        box: Both accounts.
        limit: Requests that the old account takes in an hour.

    Attributes:
        source_before: What the old account should hold.
        foreign: Entries of the new account that no migration wrote.
        edited: Whether old entries were made or changed after the first reading.
    """

    def __init__(self, folder: Path, box: Sandbox, limit: int = 150) -> None:
        self.folder = folder
        self.box = box
        self.limit = limit
        self.source_before = snapshot(box.legacy.rows("timeentries"))
        self.foreign: list[Row] = []
        self.edited: bool = False

    def writes(self) -> int:
        """How many requests of the new account were no questions."""
        services = ("workspace", "time-tracking", "time-attendance")
        return sum(
            each.service in services and each.method != "GET" for each in self.box.ledger.requests
        )


class World(Accounts):
    """Accounts in memory, and one program after the other that works on them.

    Args:
        folder: Where the ledger and its files lie.
        patch: Puts each life's wire in the transport's place.
        people: How many member rows the old account's entries name.
        entries: How many entries it has.
        rules: What the new account keeps and refuses.
        seed: Of the accounts.
        latency: Seconds that a request takes each way.
        limit: Requests that the old account takes in an hour.

    Attributes:
        steps: What the last life did, step by step.
        kills: How many lives were killed.
    """

    def __init__(
        self,
        folder: Path,
        patch: pytest.MonkeyPatch,
        *,
        people: int = 9,
        entries: int = 120,
        rules: Rules | None = None,
        seed: int = 7,
        latency: float = 0.05,
        limit: int = 150,
    ) -> None:
        self.clock = clock_from()
        quota = Quota(limit, 3600, headers=False, kind="sliding", empty_403=True)
        box = Sandbox(
            people,
            until=BEGIN.date(),
            seed=seed,
            rules=rules,
            history=History(entries),
            legacy_quota=quota,
            clock=self.clock,
        )
        super().__init__(folder, box, limit)
        self.steps: list[str] = []
        self.kills = 0
        self._patch = patch
        self._latency = latency
        # It outlives the programs, as the file does in which they count their requests.
        self._window = RollingWindow(limit, 3600)

    async def live(self, life: Life[T], *, kill_at: int | None = None) -> T | None:
        """What a program's life gives; None if it was killed.

        Args:
            life: What it does.
            kill_at: The step at which it is killed, from 1; None for never.
        """
        wire = MemoryWire(self.box, end_at=kill_at, latency=self._latency)
        self.steps = wire.steps
        ledgers: list[WatchedLedger] = []

        def open_ledger(path: Path, **arguments: Any) -> Ledger:
            def step(what: str) -> None:
                ledgers[-1].watch(what)
                wire.tick(f"{what} transaction")

            commits = InlineCommits()
            ledgers.append(WatchedLedger.open(path, commits=commits, steps=step, **arguments))
            return ledgers[-1]

        def abandon() -> None:
            for ledger in ledgers:
                ledger.abandon(KilledError())

        wire.on_kill = abandon
        others = asyncio.all_tasks()
        task = asyncio.ensure_future(self._life(life, wire, open_ledger))
        await asyncio.wait([task])
        abandon()
        await _end(asyncio.all_tasks() - others)
        if not wire.dead:
            return task.result()
        task.exception()
        self.kills += 1
        return None

    async def _life(self, life: Life[T], wire: MemoryWire, open_ledger: Callable[..., Ledger]) -> T:
        async with (
            wire.legacy_client(self._patch, limiter=self._window) as source,
            wire.client(self._patch) as target,
        ):
            migration = Migration(self.folder, source=source, target=target)
            migration.open_ledger = open_ledger
            return await life(migration)

    async def work(self, random: Random) -> None:
        """Let somebody punch in the new account, as they do who use it already."""
        script, self.box.faults.script = self.box.faults.script, None
        people = [row for row in self.box.dataset.rows("People") if row["status"] == "Joined"]
        person = random.choice(people[:3])["id"]
        async with MemoryWire(self.box).client(self._patch) as target:
            for _ in range(random.randint(1, 3)):
                came = await target.time_entries.clock_in(person, note="own")
                await asyncio.sleep(random.uniform(60, 3600))
                went = await target.time_entries.clock_out(person)
                await asyncio.sleep(60)
                rows = self.box.dataset.index("TimeEntries")
                self.foreign += snapshot([rows[came.id], rows[went.id]])
        self.box.faults.script = script

    def edit(self, random: Random, number: int) -> None:
        """Change entries of the old account, as somebody does who corrects them.

        Args:
            random: Draws which, and how.
            number: How many.
        """
        self.edited = True
        now = f"{self.clock():%Y-%m-%dT%H:%M:%S.000Z}"
        rows = [row for row in self.box.legacy.rows("timeentries") if row.get("person")]
        for row in random.sample(rows, number):
            changes: Row = {"updated_at": now}
            kind = random.choice(["note", "moment", "new"])
            if kind == "note":
                changes["notes"] = f"corrected {random.randint(1, 99)}"
            elif row.get("date", "")[:4] > "2010":
                moment = datetime.fromisoformat(row["date"]) + timedelta(
                    seconds=random.randint(1, 90)
                )
                changes["date"] = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
            if kind == "new":
                row = {**row, **changes, "id": f"{random.getrandbits(64):016x}"}
                self.box.legacy.add("timeentries", row)
            else:
                self.box.legacy.update("timeentries", row["id"], changes)
        self.source_before = snapshot(self.box.legacy.rows("timeentries"))

    def trouble(self, random: Random, share: float, *, late: float = 300.0) -> None:
        """Let a share of all requests meet trouble that a network or a server makes.

        Args:
            random: Draws which, and what.
            share: Of requests, from 0 to 1.
            late: Seconds after which a commit may come at the latest.
        """

        def script(received: Received) -> Fault | None:
            if random.random() >= share:
                return None
            writes = received.method != "GET"
            kinds = [
                ("drop_before", {}),
                ("drop_after", {}),
                ("reset_after", {}),
                ("truncate", {}),
                ("html_502", {}),
                ("status", {"status": 500, "committed": random.random() < 0.5}),
                ("empty_403", {}),
            ]
            if received.service != "legacy":
                kinds.append(("too_many", {"retry_after": random.randint(1, 20)}))
            if writes:
                kinds += [("commit_later", {"after": random.uniform(1, late)})] * 2
            kind, parameters = random.choice(kinds)
            return Fault(kind, **parameters)

        self.box.faults.script = script


def snapshot(rows: list[Row]) -> list[Row]:
    """Copies of rows, by id."""
    return sorted(({**row} for row in rows), key=lambda row: str(row["id"]))


async def _end(tasks: set[asyncio.Task[Any]]) -> None:
    """What a killed program's tasks do no more."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.exception()
