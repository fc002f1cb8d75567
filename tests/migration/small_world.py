"""A ledger whose plan is made by hand, over a sandbox, and lives that end at any step.

Five people: one is there already, two are to be created, two left and are created only to be
removed again. A client becomes a project. What the sandbox has in the end is the oracle.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jibble_legacy.migration.ledger.commits import InlineCommits
from jibble_legacy.migration.ledger.ledger import Ledger, put
from jibble_legacy.migration.marks import entry_key
from jibble_legacy.migration.moments import milliseconds, moment_at
from jibble_legacy.migration.states import Decision, Kind
from jibble_legacy.migration.writing.probed import Probed
from jibble_legacy.migration.writing.writes import space_of

from jibble_async import JibbleClient
from jibble_async.core.operation import Request
from jibble_async.sandbox import History, Rules, Sandbox
from jibble_async.sandbox.scalars import parse_instant
from tests.support.chaos import TIMES
from tests.support.memory_wire import KilledError, MemoryWire, clock_from

HASH = "0123456789abcdef0123456789abcdef"
OLDEST = milliseconds(datetime(2017, 3, 1, 8, 0, tzinfo=UTC))
HOUR = 3_600_000
NOTES = (None, "Überstunden ☕", "", "  two blanks before")
PEOPLE = (
    (Decision.MATCH, "p1"),
    (Decision.CREATE, "p2"),
    (Decision.CREATE, "p3"),
    (Decision.CREATE_AND_REMOVE, "p4"),
    (Decision.CREATE_AND_REMOVE, "p5"),
)
CLIENT = len(PEOPLE) + 1


def sandbox(**rules: Any) -> Sandbox:
    """The new account, in which nobody worked yet."""
    return Sandbox(
        people=8,
        history=History(entries=40, oddities=False),
        rules=Rules(**rules),
        clock=clock_from(),
    )


def verdict_for(box: Sandbox) -> Probed:
    """What a probe would say of a sandbox's rules."""
    rules = box.rules
    return Probed(keeps_id=rules.keeps_client_ids, keeps_mark=rules.keeps_platform)


async def planted(
    path: Path, box: Sandbox, *, people: int = 5, entries: int = 4, verdict: Probed | None = None
) -> None:
    """Make a ledger as extract, plan and probe leave it.

    Args:
        path: Where.
        box: The new account.
        people: How many of `PEOPLE`.
        entries: Of each.
        verdict: What the probe found; by default what is so.
    """
    async with Ledger.open(path, create=True, commits=InlineCommits()) as ledger:
        told = verdict_for(box) if verdict is None else verdict
        await ledger.write(
            lambda connection: _plant(connection, box, PEOPLE[:people], entries, told)
        )


def _plant(
    connection: sqlite3.Connection,
    box: Sandbox,
    people: tuple[tuple[Decision, str], ...],
    entries: int,
    verdict: Probed,
) -> None:
    put(connection, "source", {"base": "https://old.example", "teams": ["t1"]})
    put(connection, "probe", {name: getattr(verdict, name) for name in verdict.__struct_fields__})
    put(connection, "generation", 0)
    put(connection, "chain", "c0")
    insert(connection, "plan", at=0, hash=HASH, detail='{"chain":"c0","generation":0}')
    there = box.dataset.rows("People")[1]["id"]
    activity = box.dataset.rows("Activities")[0]["id"]
    for n, (decision, legacy_id) in enumerate(people, 1):
        target = there if decision is Decision.MATCH else None
        leaves = "planned" if decision is Decision.CREATE_AND_REMOVE else None
        insert(connection, "source", n=n, kind=Kind.PERSON, id=legacy_id)
        insert(
            connection,
            "thing",
            n=n,
            kind=Kind.PERSON,
            decision=decision,
            root=n,
            target=target,
            name=f"Name {legacy_id}",
            email=f"{legacy_id}@old.example",
            code=f"L-{legacy_id}",
            state=None if target else "planned",
            removal=leaves,
        )
    insert(connection, "source", n=CLIENT, kind=Kind.CLIENT, id="c1")
    insert(
        connection,
        "thing",
        n=CLIENT,
        kind=Kind.CLIENT,
        decision=Decision.CREATE,
        root=CLIENT,
        name="O'Brien & Sons",
        code="legacy client c1",
        state="planned",
    )
    number = 0
    for lane in range(1, len(people) + 1):
        for place in range(entries):
            number += 1
            ms = OLDEST + place * 4 * HOUR + lane
            insert(
                connection,
                "entry",
                n=number,
                id=f"e{number}",
                person=lane,
                ms=ms,
                action=place % 2 + 1,
                client=CLIENT if place == 2 else None,
                note=NOTES[place % len(NOTES)],
                hash=b"h" * 16,
                page=1,
                pos=number,
            )
            insert(
                connection,
                "write",
                entry=number,
                lane=lane,
                ms=ms,
                type=("In", "Out")[place % 2],
                day=f"{moment_at(ms).date()}",
                offset=7200,
                person=there if lane == 1 else None,
                activity=activity if place % 2 else None,
                state="planned",
                generation=0,
                hash=b"h" * 16,
            )


def insert(connection: sqlite3.Connection, table: str, **columns: Any) -> None:
    """Put a row into a table of a ledger."""
    names, places = ", ".join(columns), ", ".join("?" * len(columns))
    connection.execute(
        f"INSERT INTO {table} ({names}) VALUES ({places})",
        tuple(columns.values()),
    )


class Counted(MemoryWire):
    """A wire whose steps, and those of a ledger's transactions, are counted together."""

    def transaction(self, name: str) -> None:
        """What `Ledger.open(steps=)` takes."""
        self._breathe()
        self.steps.append(f"transaction {name}")
        if len(self.steps) == self._end_at:
            self._dead = True
            raise KilledError

    async def send(self, request: Request, headers: Any, call: Any) -> Any:
        reply = await super().send(request, headers, call)
        # A task that was on its way when everything ended does not get home.
        self._breathe()
        return reply


@dataclass
class Life:
    """How a program's life went."""

    steps: list[str] = field(default_factory=list)
    report: Any = None
    error: BaseException | None = None


async def live(
    path: Path,
    box: Sandbox,
    work: Callable[[Ledger, JibbleClient], Awaitable[Any]],
    *,
    end_at: int | None = None,
) -> Life:
    """One life of a program: it opens the ledger, works, and ends by itself or is killed.

    Args:
        path: The ledger.
        box: The new account.
        work: What it does.
        end_at: The step at which it is killed.
    """
    wire, life = Counted(box, end_at=end_at), Life()
    with pytest.MonkeyPatch.context() as patch:
        async with wire.client(patch) as client:
            ledger = Ledger.open(
                path, commits=InlineCommits(), steps=wire.transaction, now=clock_from()
            )
            try:
                life.report = await work(ledger, client)
            except KilledError as error:
                life.error = error
                ledger.abandon(error)
            except Exception as error:
                life.error = error
                await ledger.aclose()
            else:
                await ledger.aclose()
    life.steps = wire.steps
    return life


@dataclass
class Seen:
    """What is over there, against what was planned.

    Attributes:
        doubled: Planned entries that are there more than once, by old id.
        missing: Planned entries that are not there and whose write says otherwise, or nothing.
        foreign: Entries that nobody planned.
        wrong: Entries that differ from what was planned.
    """

    doubled: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def seen(path: Path, box: Sandbox) -> Seen:
    """Hold what is over there against the ledger; see `Seen`."""
    ledger = Ledger.look(path)
    ledger.check()
    told, space = Seen(), space_of(ledger)
    active = [row for row in box.dataset.rows("TimeEntries") if row["status"] == "Active"]
    there = Counter((row["personId"], _ms(row), row["type"]) for row in active)
    by_id = {row["id"]: row for row in active}
    planned: set[tuple[str, int, str]] = set()
    for (
        entry,
        legacy_id,
        ms,
        kind,
        day,
        activity,
        note,
        state,
        target,
        person,
        generation,
    ) in ledger.read(
        "SELECT w.entry, e.id, w.ms, w.type, w.day, w.activity, e.note, w.state, w.target,"
        " coalesce(w.person, t.target), w.generation FROM write AS w"
        " JOIN entry AS e ON e.n = w.entry JOIN thing AS t ON t.n = w.lane"
    ):
        assert entry
        key = (person, ms, kind)
        planned.add(key)
        count = there[key]
        if count > 1:
            told.doubled.append(legacy_id)
        if count != (state in {"confirmed", "verified", "stale"}):
            told.missing.append(f"{legacy_id} is {state} and there {count} times")
        row = by_id.get(target or "")
        if row is None:
            continue
        if box.rules.keeps_client_ids and not ledger.value(
            "SELECT 1 FROM past WHERE entry = ?", entry
        ):
            assert target == entry_key(space, generation, legacy_id)
        if (row["belongsToDate"], row["activityId"], row["note"] or "") != (
            day,
            activity,
            note or "",
        ):
            told.wrong.append(legacy_id)
    told.foreign = [row["id"] for row in active if (row["personId"], _ms(row), row["type"])
                    not in planned]  # fmt: skip
    return told


def people_made(box: Sandbox) -> list[str]:
    """The codes of people whom a migration made, sorted; each should be there once."""
    return sorted(
        row["code"] for row in box.dataset.rows("People") if (row["code"] or "").startswith("L-")
    )


def in_order(box: Sandbox) -> bool:
    """Whether the entries of each person were committed in the order of their time."""
    rows = {row["id"]: row for row in box.dataset.rows("TimeEntries")}
    latest: dict[str, int] = {}
    for commit in box.ledger.committed:
        if commit.entity_set == "TimeEntries" and commit.change == "created":
            row = rows[commit.id]
            if latest.get(row["personId"], 0) > _ms(row):
                return False
            latest[row["personId"]] = _ms(row)
    return True


def writes_sent(box: Sandbox) -> int:
    """How many requests there were that change something."""
    return sum(
        each.method in {"POST", "PATCH", "DELETE"} and each.service != "identity"
        for each in box.ledger.requests
    )


def ends(number: int, *, first: int = 1) -> range:
    """Steps at which to end a program that makes so many: all in `make chaos`, else some.

    Args:
        number: How many there are.
        first: The first of them; with other ones, tests of one matter try different steps.
    """
    return range(first, number + 1, 1 if TIMES > 1 else 7)


async def rest(seconds: float) -> None:
    """Let so much time pass between two lives."""
    await asyncio.sleep(seconds)


def _ms(row: dict[str, Any]) -> int:
    return milliseconds(parse_instant(row["time"]))
