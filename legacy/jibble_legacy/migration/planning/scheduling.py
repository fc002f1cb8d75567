"""Which entry is written, as whom, and on which day; and which is held back. One lane at a time.

A lane is one person of the new account, in the order of time. What was sent is not decided again:
plans go round it, and it still counts where entries are compared.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from jibble_async.entities import EntryType, TimeEntry
from jibble_legacy.days import DaySieve
from jibble_legacy.migration.moments import moment_at
from jibble_legacy.migration.planning.candidates import Candidate, Candidates
from jibble_legacy.migration.planning.deciding import Decided
from jibble_legacy.migration.planning.oddities import Oddities
from jibble_legacy.migration.planning.quarantine import Case, Held, Whose, held_back
from jibble_legacy.migration.planning.zones import Clock
from jibble_legacy.migration.states import MOVED, WRITTEN, Decision, Reason, State

__all__ = ["Schedule", "Scheduled"]

_BATCH = 500
_NEVER = date.min


class Scheduled(msgspec.Struct, kw_only=True):
    """What a plan came to.

    Attributes:
        planned: Entries to be written.
        kept: Entries that were sent before, and stay as they are.
        edited: Of these, how many were changed in the old account since.
        held: Entries held back, by reason.
        odd: What is odd, by root.
        first: The earliest moment that is to be written, in ms.
        last: The latest.
    """

    planned: int = 0
    kept: int = 0
    edited: int = 0
    held: dict[Reason, int] = {}
    odd: dict[int, Oddities] = {}
    first: int | None = None
    last: int | None = None


class Schedule:
    """Makes `write` and `quarantine` anew.

    Args:
        connection: The ledger's, within a transaction; `mend` is filled.
        decided: What was decided of people and things.
        clocks: The clocks of those whose zone is known, by root.
        held_from: From which moment on entries are held back, by the number of a member row.
        now: The present moment, in ms.
        generation: How many rollbacks there were.
        resolution: What the new account keeps of a moment: 1 ms, or 1000.
        refuses_repeats: Whether the probe showed that an Out after an Out is refused.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        decided: Decided,
        clocks: Mapping[int, Clock],
        held_from: Mapping[int, tuple[int, str]],
        *,
        now: int,
        generation: int,
        resolution: int,
        refuses_repeats: bool,
    ) -> None:
        self._connection = connection
        self._decided = decided
        self._clocks = clocks
        self._held_from = held_from
        self._now = now
        self._generation = generation
        self._resolution = resolution
        self._candidates = Candidates(connection, resolution)
        self._refuses_repeats = refuses_repeats
        self._digest = hashlib.sha256()
        self._found = Scheduled()
        self._whose = {n: self._known(n) for n in decided.people}

    def run(self) -> tuple[Scheduled, bytes]:
        """What the plan came to, and a hash of it."""
        self._connection.execute(_UNSENT)
        self._connection.execute("DELETE FROM quarantine")
        lanes = self._decided.lanes
        done = {n for members in lanes.values() for n in members}
        for root, members in sorted(lanes.items()):
            self._lane(root, members)
        for n in sorted(self._decided.people.keys() - done):
            self._hold(self._candidates.pending(n, [n]))
        self._hold(self._candidates.pending(None, []))
        return self._found, self._digest.digest()

    def _known(self, n: int) -> Whose:
        choice = self._decided.people[n]
        begin, why = self._held_from.get(n, (None, ""))
        return Whose(
            decision=choice.decision,
            has_zone=choice.root in self._clocks,
            held_from=begin,
            why=why or choice.question,
        )

    def _lane(self, root: int, members: Sequence[int]) -> None:
        clock = self._clocks.get(root)
        if clock is None:
            self._hold(self._candidates.pending(root, members))
            return
        lane = _Lane(self, root, clock)
        target = self._decided.people[root].target
        for row in self._candidates.lane(root, members, target):
            lane.take(row)
        lane.finish()
        self._found.odd[root] = lane.odd

    def _hold(self, rows: Iterator[Candidate]) -> None:
        """Hold back entries that nobody is known to whom they could be given."""
        held: list[tuple[int, Reason, str | None]] = []
        for row in rows:
            found = self.judged(row)
            assert found is not None
            held.append((row.n, found.reason, found.detail))
            if len(held) == _BATCH:
                self.keep_held(held)
                held = []
        self.keep_held(held)

    def judged(self, row: Candidate) -> Held | None:
        """Why a row is held back by itself."""
        case = Case(
            ms=row.ms,
            kind=row.kind,
            flaw=None if row.decision else row.flaw,
            decision=row.decision,
            has_activity=self._has_activity(row),
        )
        whose = None if row.member is None else self._whose[row.member]
        return held_back(case, whose, self._now)

    def _has_activity(self, row: Candidate) -> bool:
        activity = self._decided.activities.get(row.activity or 0)
        return activity is None or activity.decision is not Decision.UNDECIDED

    def repeats(self, row: Candidate, odd: Oddities) -> bool:
        """Whether a row is an Out after an Out that the new account refuses."""
        return self._refuses_repeats and odd.would_repeat(row.kind)

    def moment(self, row: Candidate) -> int:
        """A row's moment as far as the new account keeps it."""
        assert row.ms is not None
        return row.ms // self._resolution

    def keep_held(self, held: Sequence[tuple[int, Reason, str | None]]) -> None:
        """Write down what is held back."""
        self._connection.executemany("INSERT INTO quarantine VALUES (?, ?, ?)", held)
        counts = self._found.held
        for n, reason, _ in held:
            counts[reason] = counts.get(reason, 0) + 1
            self._digest.update(b"%d %s\n" % (n, reason.encode()))

    def keep(self, root: int, rows: Sequence[tuple[Candidate, date, int]]) -> None:
        """Write down what is to be written, and what was edited since it was."""
        choice = self._decided.people[root]
        planned: list[tuple[Any, ...]] = []
        found = self._found
        for row, day, offset in rows:
            activity, project = self._targets(row)
            values = (row.ms, row.kind, day.isoformat(), offset, activity, project)
            self._digest.update(repr((row.n, root, *values)).encode())
            if not row.state:
                planned.append((row.n, root, *values[:4], choice.target, *values[4:], row.hash))
                found.first = row.ms if found.first is None else min(found.first, row.ms or 0)
                found.last = row.ms if found.last is None else max(found.last, row.ms or 0)
                continue
            found.kept += 1
            # An edit that names an activity which nobody has decided waits for that.
            if row.state in WRITTEN and row.was[0] != row.hash and self._has_activity(row):
                found.edited += 1
                reason = None if row.was[1:] == (row.ms, row.kind) else MOVED
                self._connection.execute(_EDIT, (*values, row.hash, reason, self._now, row.n))
        found.planned += len(planned)
        self._connection.executemany(
            _PLAN, [(*each, State.PLANNED, self._now, self._generation) for each in planned]
        )

    def _targets(self, row: Candidate) -> tuple[str | None, str | None]:
        activity = self._decided.activities.get(row.activity or 0)
        client = self._decided.clients.get(row.client or 0)
        project = None if client is None else self._decided.clients[client.root]
        return (
            None if activity is None else activity.target,
            None if project is None else (client and client.target) or project.target,
        )


class _Lane:
    """The entries of one person of the new account, in the order of time."""

    def __init__(self, schedule: Schedule, root: int, clock: Clock) -> None:
        self.odd = Oddities()
        self._schedule = schedule
        self._root = root
        self._sieve = DaySieve(clock, None, None, in_order=True)
        self._now: int | None = None
        self._here: set[str] = set()
        self._kept: list[Candidate] = []
        self._held: list[tuple[int, Reason, str | None]] = []

    def take(self, row: Candidate) -> None:
        """Decide the next one."""
        if not row.state and (held := self._schedule.judged(row)) is not None:
            self._hold(row, held)
            return
        moment = self._schedule.moment(row)
        if moment != self._now:
            self._now, self._here = moment, set()
        if not row.state and row.kind in self._here:
            self._hold(row, Held(Reason.DUPLICATE))
            return
        if not row.state and row.decision != "move" and self._schedule.repeats(row, self.odd):
            self._hold(row, Held(Reason.OUT_WITHOUT_IN))
            return
        self._here.add(row.kind)
        if not row.n or row.state == State.REFUSED:
            # What was refused keeps its place: otherwise each plan would let go what it held back.
            self.odd.follow(row.kind)
            return
        self.odd.add(row.kind)
        self._kept.append(row)
        if len(self._kept) == _BATCH:
            self.finish()

    def _hold(self, row: Candidate, held: Held) -> None:
        self._held.append((row.n, held.reason, held.detail))
        if len(self._held) == _BATCH:
            self.finish()

    def finish(self) -> None:
        """Find the days of those that were taken, and write them down."""
        rows, self._kept = self._kept, []
        person = str(self._root)
        entries = [
            TimeEntry(
                id=row.id, person_id=person, type=EntryType(row.kind), time=moment_at(row.ms or 0)
            )
            for row in rows
        ]
        days: list[tuple[Candidate, date, int]] = []
        for row, entry in zip(rows, self._sieve(entries, 0), strict=True):
            local, offset = entry.local_time, entry.offset
            assert local is not None
            assert offset is not None
            if row.kind == "In":
                self.odd.begin_at(local.hour)
            days.append((row, entry.belongs_to_date or _NEVER, int(offset.total_seconds())))
        self._schedule.keep(self._root, days)
        self._schedule.keep_held(self._held)
        self._held = []


# What was never sent, or surely is not there, is decided anew. What was refused stays until people
# say what is to become of it, or the old account's row is another one.
_UNSENT = """
DELETE FROM write WHERE state = 'undone' OR (state = 'planned' AND attempts = 0)
    OR (state = 'refused' AND (entry IN (SELECT entry FROM mend)
        OR hash <> (SELECT hash FROM entry WHERE n = write.entry)))
"""
_PLAN = """
INSERT INTO write (entry, lane, ms, type, day, offset, person, activity, project, hash, state,
    since, generation) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_EDIT = """
UPDATE write SET ms = ?, type = ?, day = ?, offset = ?, activity = ?, project = ?, hash = ?,
    reason = ?, since = ?, state = 'stale' WHERE entry = ?
"""
