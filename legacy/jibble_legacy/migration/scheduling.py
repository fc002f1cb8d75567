"""Which entry is written, as whom, and on which day; and which is held back. One lane at a time.

A lane is one person of the new account, in the order of time. What was sent is not decided again:
plans go round it, and it still counts where entries are compared.
"""

from __future__ import annotations

import hashlib
import heapq
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec

from jibble_async.entities import EntryType, TimeEntry
from jibble_legacy.days import DaySieve
from jibble_legacy.migration.deciding import Decided
from jibble_legacy.migration.oddities import Oddities
from jibble_legacy.migration.quarantine import Case, Held, Whose, held_back, kind_of
from jibble_legacy.migration.states import Decision, Reason, State
from jibble_legacy.migration.zones import Clock, moment_at

__all__ = ["Schedule", "Scheduled"]

_BATCH = 500
_NEVER = date.min
_EDITED = {State.CONFIRMED, State.VERIFIED}


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
        warnings: What people should look at.
    """

    planned: int = 0
    kept: int = 0
    edited: int = 0
    held: dict[Reason, int] = {}
    odd: dict[int, Oddities] = {}
    first: int | None = None
    last: int | None = None
    warnings: list[str] = []


class _Row(NamedTuple):
    """An entry in a lane: to be decided, sent before (`state`), or there before (`n` is 0)."""

    n: int
    id: str
    member: int | None
    ms: int | None
    kind: str
    activity: int | None
    client: int | None
    hash: bytes
    flaw: str | None
    decision: str
    state: str
    was: tuple[Any, ...]


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
            self._hold(self._pending(n, [n]))
        self._hold(self._pending(None, []))
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
            self._hold(self._pending(root, members))
            return
        lane = _Lane(self, root, clock)
        streams = [self._sent(root), self._foreign(root), self._pending(root, members)]
        for row in heapq.merge(*streams, key=self._order):
            lane.take(row)
        lane.finish()
        self._found.odd[root] = lane.odd

    def _order(self, row: _Row) -> tuple[int, int, int, bool, int]:
        """Where a row stands: of equal ones, what is there stands before what may be written."""
        ms = row.ms if row.ms is not None else _NO_MOMENT
        return (ms // self._resolution, not row.state, ms, row.kind == "In", row.n)

    def _hold(self, rows: Iterator[_Row]) -> None:
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

    def judged(self, row: _Row) -> Held | None:
        """Why a row is held back by itself."""
        activity = self._decided.activities.get(row.activity or 0)
        case = Case(
            ms=row.ms,
            kind=row.kind,
            flaw=None if row.decision else row.flaw,
            decision=row.decision,
            has_activity=activity is None or activity.decision is not Decision.UNDECIDED,
        )
        whose = None if row.member is None else self._whose[row.member]
        return held_back(case, whose, self._now)

    def repeats(self, row: _Row, odd: Oddities) -> bool:
        """Whether a row is an Out after an Out that the new account refuses."""
        return self._refuses_repeats and odd.would_repeat(row.kind)

    def moment(self, row: _Row) -> int:
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

    def keep(self, root: int, rows: Sequence[tuple[_Row, date, int]]) -> None:
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
            if row.state in _EDITED and row.was[0] != row.hash:
                found.edited += 1
                moved = State.STALE if row.was[1:] != (row.ms, row.kind) else None
                self._connection.execute(
                    _EDIT, (*values, row.hash, "moved" if moved else None, self._now, row.n)
                )
        found.planned += len(planned)
        self._connection.executemany(
            _PLAN, [(*each, State.PLANNED, self._now, self._generation) for each in planned]
        )

    def _targets(self, row: _Row) -> tuple[str | None, str | None]:
        activity = self._decided.activities.get(row.activity or 0)
        client = self._decided.clients.get(row.client or 0)
        project = None if client is None else self._decided.clients[client.root]
        return (
            None if activity is None else activity.target,
            None if project is None else (client and client.target) or project.target,
        )

    def _pending(self, root: int | None, members: Sequence[int]) -> Iterator[_Row]:
        """The entries that are to be decided, in the order of time."""
        numbers = msgspec.json.encode(list(members)).decode()
        values = {"members": numbers, "lane": root, "resolution": self._resolution}
        statement = _NOBODYS if root is None else _PENDING
        if root is None:
            del values["lane"], values["members"]
        for (
            n,
            old_id,
            member,
            ms,
            action,
            activity,
            client,
            digest,
            flaw,
            said,
        ) in self._connection.execute(statement, values):
            decision = said or ""
            kind = kind_of(action, decision)
            yield _Row(
                n, old_id, member, ms, kind, activity, client, digest, flaw, decision, "", ()
            )

    def _sent(self, root: int) -> Iterator[_Row]:
        """What was sent before. What was edited since stands where it belongs now."""
        for (
            n,
            old_id,
            member,
            ms,
            action,
            activity,
            client,
            digest,
            said,
            *was,
            state,
        ) in self._connection.execute(_SENT, {"lane": root, "resolution": self._resolution}):
            before = tuple(was)
            kind = kind_of(action, said or "")
            if state not in _EDITED or before[0] == digest or not kind or ms is None:
                ms, kind = before[1], before[2]
            yield _Row(
                n, old_id, member, ms, kind, activity, client, digest, None, "", state, before
            )

    def _foreign(self, root: int) -> Iterator[_Row]:
        """What others put there."""
        target = self._decided.people[root].target
        for ms, kind in self._connection.execute(
            "SELECT ms, type FROM snapshot WHERE person = ? AND active ORDER BY ms, type = 'In'",
            (target,),
        ):
            yield _Row(0, "", None, ms, kind, None, None, b"", None, "", "there", ())


class _Lane:
    """The entries of one person of the new account, in the order of time."""

    def __init__(self, schedule: Schedule, root: int, clock: Clock) -> None:
        self.odd = Oddities()
        self._schedule = schedule
        self._root = root
        self._sieve = DaySieve(clock, None, None, in_order=True)
        self._now: int | None = None
        self._here: set[str] = set()
        self._kept: list[_Row] = []
        self._held: list[tuple[int, Reason, str | None]] = []

    def take(self, row: _Row) -> None:
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
        if not row.n:
            self.odd.follow(row.kind)
            return
        self.odd.add(row.kind)
        self._kept.append(row)
        if len(self._kept) == _BATCH:
            self.finish()

    def _hold(self, row: _Row, held: Held) -> None:
        self._held.append((row.n, *held))
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
        days: list[tuple[_Row, date, int]] = []
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


_NO_MOMENT = -(2**53)
# What was never sent, or surely is not there, is decided anew. What was refused stays until people
# say what is to become of it, or the old account's row is another one.
_UNSENT = """
DELETE FROM write WHERE state = 'undone' OR (state = 'planned' AND attempts = 0)
    OR (state = 'refused' AND (entry IN (SELECT entry FROM mend)
        OR hash <> (SELECT hash FROM entry WHERE n = write.entry)))
"""
_PENDING = """
SELECT * FROM (
    SELECT e.n, e.id, coalesce(m.person, e.person), coalesce(m.ms, e.ms) AS moment, e.action,
        e.activity, e.client, e.hash, e.flaw, m.decision
    FROM entry e LEFT JOIN mend m ON m.entry = e.n
    WHERE e.person IN (SELECT value FROM json_each(:members))
        AND (m.lane IS NULL OR m.lane = :lane)
        AND NOT EXISTS (SELECT 1 FROM write WHERE entry = e.n)
    UNION ALL
    SELECT e.n, e.id, m.person, coalesce(m.ms, e.ms), e.action, e.activity, e.client, e.hash,
        e.flaw, m.decision
    FROM mend m JOIN entry e ON e.n = m.entry
    WHERE m.lane = :lane
        AND (e.person IS NULL OR e.person NOT IN (SELECT value FROM json_each(:members)))
        AND NOT EXISTS (SELECT 1 FROM write WHERE entry = e.n)
) ORDER BY moment / :resolution, moment, action = 1, n
"""
_NOBODYS = """
SELECT e.n, e.id, NULL, coalesce(m.ms, e.ms) AS moment, e.action, e.activity, e.client, e.hash,
    e.flaw, m.decision
FROM entry e LEFT JOIN mend m ON m.entry = e.n
WHERE e.person IS NULL AND m.lane IS NULL AND NOT EXISTS (SELECT 1 FROM write WHERE entry = e.n)
ORDER BY moment / :resolution, n
"""
_SENT = """
SELECT e.n, e.id, e.person, coalesce(m.ms, e.ms), e.action, e.activity, e.client, e.hash,
    m.decision, w.hash, w.ms, w.type, w.state
FROM write w JOIN entry e ON e.n = w.entry LEFT JOIN mend m ON m.entry = e.n
WHERE w.lane = :lane AND NOT (w.state = 'planned' AND w.attempts = 0)
    AND w.state NOT IN ('refused', 'skipped')
ORDER BY CASE WHEN w.state IN ('confirmed', 'verified') AND w.hash <> e.hash
    AND e.ms IS NOT NULL THEN coalesce(m.ms, e.ms) ELSE w.ms END, w.type = 'In', e.n
"""
_PLAN = """
INSERT INTO write (entry, lane, ms, type, day, offset, person, activity, project, hash, state,
    since, generation) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_EDIT = """
UPDATE write SET ms = ?, type = ?, day = ?, offset = ?, activity = ?, project = ?, hash = ?,
    reason = ?, since = ?, state = 'stale' WHERE entry = ?
"""
