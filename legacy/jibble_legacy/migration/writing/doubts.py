"""What became of writes whose answer was lost: looked up until they are found, or can't arrive."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from jibble_async.entities import TimeEntry
from jibble_async.errors import DecodeError, MigrationError
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.moments import moment_at
from jibble_legacy.migration.states import Kind, State
from jibble_legacy.migration.target import entry_of
from jibble_legacy.migration.writing.creations import Creations
from jibble_legacy.migration.writing.lanes import ATTEMPTS, SETTLE, Event, Finding, found_among
from jibble_legacy.migration.writing.patience import Patience, side_by_side
from jibble_legacy.migration.writing.probed import Probed
from jibble_legacy.migration.writing.stopping import Brakes
from jibble_legacy.migration.writing.writes import Write, change, find, space_of, writes_in

if TYPE_CHECKING:
    from jibble_async.client import JibbleClient

__all__ = ["Doubts", "Settled", "lanes_with", "settle_doubts", "verdict_of"]

_AROUND = 1000
"""Milliseconds around a moment that a look-up shows."""
_HELD = 60.0
"""Seconds in which an entry whose id the server says it knows must show itself."""
_AT_ONCE = 8


class Settled(msgspec.Struct, frozen=True):
    """What became of what was in doubt.

    Attributes:
        found: Writes that were done.
        planned: Writes that were not done, and may be sent again.
        unknown: Writes of which nobody can tell.
        creations: People and projects that were in doubt.
    """

    found: int = 0
    planned: int = 0
    unknown: int = 0
    creations: int = 0


class Doubts:
    """Looks up writes.

    Args:
        ledger: Where they are.
        target: The new account.
        verdict: What may be relied on there.
        patience: Of the step.
    """

    def __init__(
        self, ledger: Ledger, target: JibbleClient, verdict: Probed, patience: Patience
    ) -> None:
        self._ledger = ledger
        self._target = target
        self._verdict = verdict
        self._patience = patience
        self._space = space_of(ledger)

    async def looked_up(self, write: Write) -> Write:
        """A write that is planned, after a look whether it was done all the same.

        Args:
            write: The first of a lane.

        Raises:
            JibbleError: It could not be looked up.
        """
        finding, rows = await self._look(write)
        if finding.event is Event.ABSENT:
            return write
        return await self._note(write, finding, rows)

    async def settled(self, write: Write, *, conflict: str | None = None) -> Write:
        """A write that was in doubt; it still is if the step is to stop.

        Args:
            write: The write.
            conflict: The server's words, if it says that it knows the id.

        Raises:
            JibbleError: It could not be looked up.
        """
        most = None if conflict is None else _HELD
        async for last in self._patience.looks(write.since, most):
            finding, rows = await self._look(write)
            if conflict is not None and finding.event is Event.ABSENT:
                finding = await self._holder(write, finding)
            if finding.event is not Event.ABSENT:
                return await self._note(write, finding, rows)
            if last and conflict is not None:
                return await self._refused(write, conflict)
            if last:
                if write.attempts >= ATTEMPTS:
                    finding = Finding(Event.UNCLEAR)
                return await self._note(write, finding, rows)
        return write

    async def _look(self, write: Write) -> tuple[Finding, list[TimeEntry]]:
        person = write.planned.person
        try:
            rows = await self._target.time_entries.near(person, moment_at(write.ms))
        except DecodeError as error:
            if error.malformed:
                raise
            return Finding(Event.UNCLEAR), []
        if not rows:
            return Finding(Event.ABSENT), rows
        span = (write.ms - _AROUND, write.ms + _AROUND)
        before = self._ledger.read(
            "SELECT id FROM snapshot WHERE person = ? AND ms BETWEEN ? AND ?", person, *span
        )
        claims = (self._claimed(row.id.lower(), write.entry) for row in rows)
        finding = found_among(
            rows,
            write.sought(self._space),
            before={each for (each,) in before},
            claimed={each for each in claims if each is not None},
            by_twin=self._verdict.by_twin,
            whole_seconds=self._verdict.whole_seconds,
        )
        return finding, rows

    def _claimed(self, target: str, entry: int) -> str | None:
        """The id of an entry over there, if it answers for another row."""
        claimed: str | None = self._ledger.value(
            "SELECT target FROM write WHERE target = ? AND entry <> ? UNION ALL "
            "SELECT target FROM extra WHERE target = ? AND entry <> ?",
            *(target, entry) * 2,
        )
        return claimed

    async def _holder(self, write: Write, finding: Finding) -> Finding:
        """What has the id that the server says it knows."""
        row = await entry_of(self._target, write.key(self._space))
        # Else it may be an archived one that carries the nonce only.
        held = finding.candidates if row is None else (row.id,)
        return Finding(Event.UNCLEAR, candidates=held) if held else finding

    async def _note(self, write: Write, finding: Finding, rows: list[TimeEntry]) -> Write:
        now = self._patience.now()

        def note(connection: sqlite3.Connection) -> Write:
            return find(connection, write, finding, rows, now)

        try:
            return await self._ledger.write(note)
        except sqlite3.IntegrityError:
            held = Finding(Event.UNCLEAR, candidates=(finding.target or "",))
            return await self._ledger.write(
                lambda connection: find(connection, write, held, rows, now)
            )

    async def _refused(self, write: Write, reason: str) -> Write:
        now = self._patience.now()
        return await self._ledger.write(
            lambda connection: change(connection, write, Event.REFUSED, now, reason=reason)
        )


def verdict_of(ledger: Ledger) -> Probed:
    """What the probe found.

    Raises:
        MigrationError: There was none.
    """
    kept = ledger.get("probe")
    if kept is None:
        raise MigrationError("nothing is known of the new account yet: `probe` comes first")
    return msgspec.convert(kept, Probed)


def lanes_with(ledger: Ledger, *states: State) -> list[int]:
    """The lanes that have a write in one of some states, in the order of their numbers.

    Args:
        ledger: Where they are.
        *states: How far.
    """
    # By person, so that each is found by the index: most of a million writes are done.
    wanted = " OR ".join(
        "EXISTS (SELECT 1 FROM write WHERE lane = t.n AND state = ?)" for _ in states
    )
    query = f"SELECT t.n FROM thing AS t WHERE t.kind = ? AND ({wanted}) ORDER BY t.n"  # noqa: S608
    return [n for (n,) in ledger.read(query, Kind.PERSON, *states)]


async def settle_doubts(ledger: Ledger, target: JibbleClient, *, settle: float = SETTLE) -> Settled:
    """Find out what became of all that was in doubt, so that a plan decides on what is there.

    Args:
        ledger: Where it is.
        target: The new account.
        settle: Seconds after which what was given up can't arrive any more.

    Raises:
        MigrationError: Writes are in doubt, and no probe says what they are found by.
        JibbleError: It could not be looked up.
    """
    patience = Patience(target, settle)
    creations = Creations(ledger, target, patience, Brakes())
    await creations.settle()
    became: Counter[State] = Counter()
    writes = [
        write
        for lane in lanes_with(ledger, State.DOUBTFUL)
        for write in writes_in(ledger, lane, State.DOUBTFUL)
    ]
    if writes:
        doubts = Doubts(ledger, target, verdict_of(ledger), patience)
        room = asyncio.Semaphore(_AT_ONCE)

        async def one(write: Write) -> None:
            async with room:
                became[(await doubts.settled(write)).state] += 1

        await side_by_side([one(write) for write in writes], patience)
    return Settled(
        found=became[State.CONFIRMED],
        planned=became[State.PLANNED],
        unknown=became[State.UNKNOWN],
        creations=sum(creations.made.values()),
    )
