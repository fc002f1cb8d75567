"""The entries that are to be written, as the ledger has them, and how they change there.

What changes a row runs within a transaction of `Ledger.write`, and says from which state.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from jibble_async.entities import Platform, TimeEntry
from jibble_async.errors import AmbiguousWriteError, MigrationError
from jibble_async.query.values import is_guid
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.marks import OUR_VERSION, entry_key, namespace
from jibble_legacy.migration.moments import milliseconds, moment_at
from jibble_legacy.migration.states import State
from jibble_legacy.migration.writing.lanes import Event, Finding, Sought, after
from jibble_legacy.migration.writing.stopping import Planned

if TYPE_CHECKING:
    from jibble_async.client import JibbleClient

__all__ = [
    "SELECT",
    "Write",
    "begin_next",
    "change",
    "find",
    "keep",
    "peek",
    "sent_once",
    "space_of",
    "stamp_of",
    "writes_in",
]


SELECT = """
SELECT w.entry, e.id, w.lane, w.ms, w.type, w.day, w.offset,
    coalesce(w.person, p.target), w.activity, coalesce(w.project, c.target), e.note,
    w.state, w.since, w.generation, w.attempts, w.target, w.reason,
    (SELECT count(*) FROM past
     WHERE past.entry = w.entry AND past.generation = w.generation)
FROM write AS w
JOIN entry AS e ON e.n = w.entry
LEFT JOIN thing AS p ON p.n = w.lane
LEFT JOIN thing AS m ON m.n = e.client AND m.decision IN ('match', 'create')
LEFT JOIN thing AS c ON c.n = m.root
WHERE w.lane = ? AND w.state = ?
ORDER BY w.ms, w.entry
"""
"""The writes of a lane in a state, in order. What did not exist over there when the plan was made,
a person or a project, is found when it is sent."""


class Write(msgspec.Struct, frozen=True):
    """One entry that is to be written, or was.

    Attributes:
        entry: Its number in the ledger.
        legacy_id: The old id.
        lane: The number of the person as whom it is written.
        ms: Its moment.
        type: What it marks.
        day: The working day.
        offset: What the person's clock was ahead of UTC, in seconds.
        person: The person over there.
        activity: The activity over there.
        project: The project over there.
        note: The note.
        state: How far it is.
        since: When that began, in milliseconds.
        generation: How many rollbacks there were when it was planned.
        attempts: How often it was sent.
        target: The id over there, once it has one.
        reason: Why it is where it is.
        revision: How often it was archived to be written anew.
    """

    entry: int
    legacy_id: str
    lane: int
    ms: int
    type: str
    day: str
    offset: int
    person: str | None
    activity: str | None
    project: str | None
    note: str | None
    state: State
    since: int
    generation: int
    attempts: int
    target: str | None
    reason: str | None
    revision: int = 0

    def key(self, space: uuid.UUID) -> str:
        """The id and nonce that it is sent with."""
        return entry_key(space, self.generation, self.legacy_id, self.revision)

    def sought(self, space: uuid.UUID) -> Sought:
        """The same, to be looked for."""
        return Sought(self.key(space), self.ms, self.type, self.attempts, self.person or "")

    @property
    def planned(self) -> Planned:
        """What of it is sent.

        Raises:
            MigrationError: It has no person over there.
        """
        if self.person is None:
            raise MigrationError(
                f"the entry {self.legacy_id} has nobody over there to belong to: plan again"
            )
        return Planned(
            self.person,
            self.ms,
            self.type,
            self.day,
            self.offset,
            self.activity,
            self.project,
            self.note,
        )


def space_of(ledger: Ledger) -> uuid.UUID:
    """The namespace of the old account's marks.

    Raises:
        MigrationError: Nothing was extracted yet.
    """
    source = ledger.get("source")
    if source is None:
        raise MigrationError("the ledger knows of no old account: `extract` comes first")
    return namespace(source["base"], ",".join(source["teams"]))


async def sent_once(
    target: JibbleClient, sent: Planned, key: str, *, device_name: str
) -> TimeEntry:
    """The entry that is made of what is sent, once; see `TimeEntries.send`.

    Args:
        target: The new account.
        sent: The entry.
        key: Its id and nonce.
        device_name: What it says of where it comes from.

    Raises:
        JibbleError: It was not made, or the answer was lost.
    """
    entries = target.time_entries
    punch = entries.prepare(
        sent.person,
        sent.type,
        moment_at(sent.ms),
        date.fromisoformat(sent.day),
        offset=timedelta(seconds=sent.offset),
        id=key,
        activity_id=sent.activity,
        project_id=sent.project,
        note=sent.note or None,
        platform=Platform(client_version=OUR_VERSION, device_name=device_name),
    )
    made = await entries.send(punch)
    if not is_guid(made.id):
        # Nothing could be asked of it by this: it is to be looked up.
        raise AmbiguousWriteError(f"the answer to a new entry has the id {made.id!r}", sent_id=key)
    return made


def stamp_of(row: TimeEntry) -> int | None:
    """When the server last changed an entry, by its own clock."""
    moment = row.updated_at or row.created_at
    return None if moment is None else milliseconds(moment)


def writes_in(ledger: Ledger, lane: int, state: State) -> list[Write]:
    """The writes of a lane that are in a state, in the order of time; few of them are.

    Args:
        ledger: Where they are.
        lane: Whose.
        state: How far.
    """
    return [_write(row) for row in ledger.read(SELECT, lane, state)]


def peek(ledger: Ledger, lane: int) -> Write | None:
    """The next write of a lane, which stays planned."""
    rows = ledger.read(f"{SELECT} LIMIT 1", lane, State.PLANNED)
    return _write(rows[0]) if rows else None


def begin_next(connection: sqlite3.Connection, lane: int, now: int) -> Write | None:
    """The next write of a lane, of which it is now said that it will be sent; None if none is left.

    Args:
        connection: The ledger's.
        lane: Whose.
        now: In milliseconds.
    """
    row = connection.execute(f"{SELECT} LIMIT 1", (lane, State.PLANNED)).fetchone()
    if row is None:
        return None
    write = _write(row)
    return change(
        connection,
        write,
        Event.INTENDED,
        now,
        attempts=write.attempts + 1,
        person=write.person,
        project=write.project,
    )


def change(
    connection: sqlite3.Connection, write: Write, event: Event, now: int, **columns: Any
) -> Write:
    """A write after something befell it.

    Args:
        connection: The ledger's.
        write: As it was.
        event: What befell it.
        now: In milliseconds.
        **columns: What else changes.

    Raises:
        MigrationError: The ledger has it otherwise.
        sqlite3.IntegrityError: Its target answers for another one.
    """
    values = {"state": after(write.state, event), "since": now, **columns}
    names = ", ".join(f"{name} = ?" for name in values)
    done = connection.execute(
        f"UPDATE write SET {names} WHERE entry = ? AND state = ?",  # noqa: S608 - our own names
        (*values.values(), write.entry, write.state),
    )
    if done.rowcount != 1:
        raise MigrationError(f"the entry {write.legacy_id} is not {write.state} any more")
    known = {name: value for name, value in values.items() if name in Write.__struct_fields__}
    return replace(write, **known)


def keep(
    connection: sqlite3.Connection, write: Write, event: Event, row: TimeEntry, now: int
) -> Write:
    """A write that an entry over there answers for.

    Args:
        connection: The ledger's.
        write: As it was.
        event: `KEPT` or `FOUND`.
        row: The entry.
        now: In milliseconds.
    """
    stamp = stamp_of(row)
    return change(
        connection, write, event, now, target=row.id.lower(), stamp=stamp or now, reason=None
    )


def find(
    connection: sqlite3.Connection,
    write: Write,
    finding: Finding,
    rows: Iterable[TimeEntry],
    now: int,
) -> Write:
    """A write after it was looked up.

    Args:
        connection: The ledger's.
        write: As it was.
        finding: What the look-up shows.
        rows: What it is made from.
        now: In milliseconds.
    """
    if finding.event is not Event.FOUND:
        reason = None
        if finding.event is Event.UNCLEAR:
            shown = ", ".join(finding.candidates) or "none"
            reason = f"what became of it can't be told; candidates: {shown}"
        return change(connection, write, finding.event, now, reason=reason)
    kind = "marked" if finding.by == "mark" else "twin"
    connection.executemany(
        "INSERT OR IGNORE INTO extra (target, entry, kind, state, since) VALUES (?, ?, ?, ?, ?)",
        [(extra, write.entry, kind, State.CONFIRMED, now) for extra in finding.extras],
    )
    row = next(each for each in rows if each.id.lower() == finding.target)
    found = keep(connection, write, Event.FOUND, row, now)
    connection.execute(
        "UPDATE write SET person = ?, project = ? WHERE entry = ?",
        (write.person, write.project, write.entry),
    )
    return found


def _write(row: tuple[Any, ...]) -> Write:
    values = list(row)
    values[11] = State(values[11])
    values[12] = values[12] or 0
    return Write(*values)
