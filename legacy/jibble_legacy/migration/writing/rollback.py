"""Rollback: what the ledger wrote is archived, newest first, and nothing else.

What somebody changed over there since is left as it is, and listed. Archived entries keep the ids
that they were sent with, so whatever is written later belongs to the next generation.
"""

from __future__ import annotations

import functools
import sqlite3
from collections import Counter, deque
from typing import TYPE_CHECKING

import msgspec

from jibble_async.entities import EntryStatus, TimeEntry
from jibble_async.errors import ConfigurationError, JibbleError
from jibble_async.query.vocabulary import fields
from jibble_legacy.migration.ledger.ledger import Ledger, note, put
from jibble_legacy.migration.moments import moment_at
from jibble_legacy.migration.progress import OnProgress, Progress, silent
from jibble_legacy.migration.states import ANSWERED, CREATED, Decision, Exit, Kind, State
from jibble_legacy.migration.target import account_of, bind, entry_of, in_bulk
from jibble_legacy.migration.writing.creations import Thing, things
from jibble_legacy.migration.writing.doubts import lanes_with, settle_doubts, verdict_of
from jibble_legacy.migration.writing.edits import archived_in_time, extra_archived, put_away
from jibble_legacy.migration.writing.lanes import LANES, MOST_TRIES, SETTLE, Event, event_after
from jibble_legacy.migration.writing.leavers import removed
from jibble_legacy.migration.writing.patience import Patience, side_by_side
from jibble_legacy.migration.writing.probed import Probed
from jibble_legacy.migration.writing.stopping import Brakes, echo_differences
from jibble_legacy.migration.writing.writes import Write, change, writes_in

if TYPE_CHECKING:
    from jibble_async.client import JibbleClient

__all__ = ["Kept", "RollbackReport", "rollback"]

_THERE = (*ANSWERED, State.UNDOING)
_DOUBTFUL = (State.SENT, State.DOUBTFUL)
_NAMES = (
    "id",
    "time",
    "type",
    "status",
    "person_id",
    "belongs_to_date",
    "offset",
    "activity_id",
    "project_id",
    "note",
    "location_id",
    "kiosk_id",
    "break_id",
)
# What no migration sends: whoever put it there worked on the entry.
_OTHERS = ("location_id", "kiosk_id", "break_id")


class Kept(msgspec.Struct, frozen=True):
    """An entry that a rollback left as it is.

    Attributes:
        legacy_id: The old id.
        target: The id over there.
        reason: What is different there, or why the server did not archive it.
    """

    legacy_id: str
    target: str
    reason: str


class RollbackReport(msgspec.Struct, frozen=True):
    """What a rollback did, or would do.

    Attributes:
        shown: Whether it was only shown, and nothing was sent.
        to_archive: Entries that the ledger wrote.
        to_remove: People whom it made.
        generation: How many rollbacks there were.
        archived: Entries that were archived.
        gone: Entries that somebody had archived or deleted already.
        kept: Entries that are as they were.
        removed: People who were removed.
        staying: The names of people whom it made, and who have other entries.
        projects: Projects that it made, which stay.
        unknown: Entries of which nobody can tell whether they are there.
        left: Entries that are still to be archived.
        stopped: Why it stopped by itself; None if it did not.
        exit: What a program ends with.
    """

    shown: bool
    to_archive: int
    to_remove: int
    generation: int
    archived: int = 0
    gone: int = 0
    kept: tuple[Kept, ...] = ()
    removed: int = 0
    staying: tuple[str, ...] = ()
    projects: int = 0
    unknown: int = 0
    left: int = 0
    stopped: str | None = None
    exit: Exit = Exit.CLEAN


async def rollback(
    ledger: Ledger,
    target: JibbleClient,
    *,
    go: bool = False,
    lanes: int = LANES,
    settle: float = SETTLE,
    base: str | None = None,
    on_progress: OnProgress = silent,
) -> RollbackReport:
    """Take back what was written; without `go` it only says what it would do.

    One that was ended goes on where it was. Later plans and applies work.

    Args:
        ledger: Of the migration.
        target: A client of the new account.
        go: Whether to do it.
        lanes: People whose entries are archived side by side.
        settle: Seconds after which a write whose answer was lost can't arrive any more.
        base: What the new account's address is called in the ledger; by default the URL.
        on_progress: Told of every few entries.

    Raises:
        ConfigurationError: An argument that can't be used.
        MigrationError: Nothing was probed, so nothing was written.
        JibbleError: The new account could not be asked what became of a write.
    """
    if lanes < 1:
        raise ConfigurationError("rollback() needs lanes from 1")
    rolling = _Rolling(ledger, target, settle, on_progress)
    if not go:
        return rolling.report(shown=True)
    begun = ledger.get("rolling back") or lanes_with(ledger, *_DOUBTFUL)
    if begun or rolling.to_archive() or _made_people(ledger):
        await bind(ledger, await account_of(target, base))
        # What is in doubt may be there, and would stay.
        await settle_doubts(ledger, rolling.target, settle=settle)
        await rolling.run(lanes)
    return rolling.report(shown=False)


class _Rolling:
    """One run of rollback."""

    def __init__(
        self, ledger: Ledger, target: JibbleClient, settle: float, on_progress: OnProgress
    ) -> None:
        self.target = in_bulk(target)
        self._ledger = ledger
        self._patience = Patience(target, settle)
        self._brakes = Brakes(self._patience.stopped.set)
        self._on_progress = on_progress
        self._did: Counter[str] = Counter()
        self._kept: list[Kept] = []
        self._staying: list[str] = []
        self._to_archive = self.to_archive()
        self._to_remove = len(_made_people(ledger))

    def to_archive(self) -> int:
        """How many entries are there that the ledger wrote."""
        return self._count(*_THERE)

    async def run(self, lanes: int) -> None:
        """Archive and remove what can be."""
        if not self._ledger.get("rolling back"):
            generation = self._ledger.get("generation", 0) + 1
            await self._ledger.write(functools.partial(self._begin, generation=generation))
        work = deque(lanes_with(self._ledger, *_THERE))
        verdict = verdict_of(self._ledger)
        workers = [self._work(work, verdict) for _ in range(lanes)]
        with self._brakes.on_errors():
            await side_by_side(workers, self._patience)
            await self._extras()
            for thing in _made_people(self._ledger):
                if not self._patience.stopped.is_set():
                    await self._leave(thing)
        if self._brakes.reason is None:
            await self._ledger.write(
                lambda connection: put(connection, "rolling back", value=False)
            )

    def report(self, *, shown: bool) -> RollbackReport:
        """What became of it."""
        unknown = self._count(State.UNKNOWN)
        left = self.to_archive() - len(self._kept)
        projects = things(
            self._ledger,
            "t.kind = ? AND t.decision = ? AND t.target IS NOT NULL AND t.state = ?",
            Kind.CLIENT,
            Decision.CREATE,
            State.CONFIRMED,
        )
        code = Exit.LEFT if unknown or self._kept or self._staying or left else Exit.CLEAN
        stopped = self._brakes.reason
        return RollbackReport(
            shown,
            self._to_archive,
            self._to_remove,
            self._ledger.get("generation", 0),
            archived=self._did["archived"],
            gone=self._did["gone"],
            kept=tuple(self._kept),
            removed=self._did["removed"],
            staying=tuple(self._staying),
            projects=len(projects),
            unknown=unknown,
            left=left,
            stopped=stopped,
            exit=Exit.CLEAN if shown else Exit.STOPPED if stopped is not None else code,
        )

    def _count(self, *states: State) -> int:
        marks = ", ".join("?" * len(states))
        query = f"SELECT count(*) FROM write WHERE state IN ({marks})"  # noqa: S608
        counted: int = self._ledger.value(query, *states)
        return counted

    def _begin(self, connection: sqlite3.Connection, *, generation: int) -> None:
        """Begin the next generation, first of all: a plan that is made half-way belongs to it."""
        put(connection, "generation", generation)
        put(connection, "rolling back", value=True)
        note(connection, self._patience.now(), "rollback began", generation=generation)

    async def _work(self, work: deque[int], verdict: Probed) -> None:
        while work and not self._patience.stopped.is_set():
            await self._lane(work.popleft(), verdict)

    async def _lane(self, lane: int, verdict: Probed) -> None:
        writes = [write for state in _THERE for write in writes_in(self._ledger, lane, state)]
        writes.sort(key=lambda write: (write.ms, write.entry), reverse=True)
        there = await self._there(writes)
        done: Write | None = None
        for write in writes:
            if self._patience.stopped.is_set():
                break
            answer = write.target or ""
            # One that is not where it was written may still be somewhere.
            row = there.get(answer.lower()) or await entry_of(self.target, answer)
            reason = _changed(write, row, verdict)
            if reason is not None:
                self._keep(write, reason)
                continue
            begun, done = await self._turn(done, write), None
            if begun is None or row is None or row.status == EntryStatus.ARCHIVED:
                self._note("gone")
                done = begun
            elif await self._archive(begun):
                done = begun
        await self._turn(done, None)

    async def _turn(self, done: Write | None, following: Write | None) -> Write | None:
        """The next write, of which it is on the disk that it will be archived, and that one is."""
        now = self._patience.now()

        def turn(connection: sqlite3.Connection) -> Write | None:
            if done is not None:
                put_away(connection, done, "rolled back", now)
                nothing = {"target": None, "stamp": None, "attempts": 0, "reason": None}
                change(connection, done, Event.ARCHIVED, now, **nothing)
            if following is None or following.state is State.UNDOING:
                return following
            return change(connection, following, Event.UNDONE_BEGUN, now)

        return await self._ledger.write(turn)

    async def _archive(self, write: Write) -> bool:
        """Whether an entry was archived; who refused is listed, and it is confirmed as before."""
        try:
            await archived_in_time(self.target, write.target or "", self._patience)
        except JibbleError as error:
            if event_after(error, MOST_TRIES) is not Event.REFUSED:
                raise
            reason, now = error.message, self._patience.now()
            await self._ledger.write(
                lambda connection: change(connection, write, Event.REFUSED, now, reason=reason)
            )
            self._keep(write, reason)
            self._brakes.refused(write.lane, error)
            return False
        self._note("archived")
        return True

    async def _there(self, writes: list[Write]) -> dict[str, TimeEntry]:
        """What is over there in the span of a lane's writes, by id."""
        if not writes:
            return {}
        row = fields(TimeEntry)
        span = row.time.between(moment_at(writes[-1].ms - 1000), moment_at(writes[0].ms + 1000))
        rows = self.target.time_entries.list(
            where=(row.person_id == writes[0].planned.person) & span,
            include_archived=True,
            select=_NAMES,
        )
        return {each.id.lower(): each async for each in rows}

    async def _extras(self) -> None:
        """Archive what carries a mark of ours beside the entry that answers for it."""
        found = self._ledger.read(
            "SELECT target FROM extra WHERE kind = 'marked' AND state = ?", State.CONFIRMED
        )
        for (target,) in found:
            await extra_archived(self._ledger, self.target, target, self._patience.now)

    async def _leave(self, thing: Thing) -> None:
        """Remove somebody whom the ledger made, and who has nothing else over there."""
        person = thing.target or ""
        where = fields(TimeEntry).person_id == person
        if await self.target.time_entries.list(where=where, select=["id"]).first() is not None:
            self._staying.append(thing.name or thing.legacy_id)
            return
        if thing.removal is not State.CONFIRMED:
            await removed(self._ledger, self.target, thing, self._patience)
            self._did["removed"] += 1
        leaves = State.PLANNED if thing.decision is Decision.CREATE_AND_REMOVE else None
        values = (State.UNDONE, self._patience.now(), leaves, thing.n)

        def forget(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE thing SET target = NULL, state = ?, since = ?, removal = ? WHERE n = ?",
                values,
            )
            note(connection, self._patience.now(), "person removed", id=person, name=thing.name)

        await self._ledger.write(forget)

    def _keep(self, write: Write, reason: str) -> None:
        self._kept.append(Kept(write.legacy_id, write.target or "", reason))

    def _note(self, what: str) -> None:
        self._did[what] += 1
        done = self._did["archived"] + self._did["gone"]
        self._on_progress(Progress("rollback", "entries", done, self._to_archive))


def _made_people(ledger: Ledger) -> list[Thing]:
    return things(
        ledger,
        "t.kind = ? AND t.root = t.n AND t.decision IN (?, ?) AND t.target IS NOT NULL"
        " AND t.state = ?",
        Kind.PERSON,
        *CREATED,
        State.CONFIRMED,
    )


def _changed(write: Write, row: TimeEntry | None, verdict: Probed) -> str | None:
    """What somebody changed of an entry since it was written; None if nothing."""
    if row is None or row.status == EntryStatus.ARCHIVED or write.state is State.UNDOING:
        return None
    differing = echo_differences(
        write.planned, row, verdict.kept, whole_seconds=verdict.whole_seconds
    )
    # A stale one differs from the old account by its very nature: what was sent is not known here.
    if write.state is State.STALE:
        differing = []
    differing += [name for name in _OTHERS if getattr(row, name) is not None]
    return f"changed over there: {', '.join(differing)}" if differing else None
