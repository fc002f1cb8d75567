"""What was in the new account before us, and what others put there since.

It proves that an entry found later is ours, and it says from when on somebody's time is tracked
there already. What we wrote is told by its mark, by our own notes, or, on a server that keeps no
mark, by being just what we are about to write.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

import msgspec

from jibble_legacy.migration.marks import OUR_VERSION, PROBE
from jibble_legacy.migration.states import State

__all__ = ["LOOK", "SINCE", "Seen", "keep", "taken"]

LOOK = ""
"""Whose snapshot that of everybody is."""
# What a server's clock may be off from ours, with room to spare: to see an entry twice is nothing.
SINCE = "SELECT at - 86400000 FROM snapshot_taken WHERE person = ?"
"""From when on entries have to be looked at, in ms; no row if none were looked at yet."""
_NEAR_MS = 1000


class Seen(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An entry of the new account.

    Attributes:
        person: The new id; empty if it names nobody.
        ms: The moment; None if it has none.
        kind: Such as `In`.
        active: Whether it counts.
        device: What it says of the device that made it: of ours, the old id.
        version: Which program made it.
    """

    id: str
    person: str
    ms: int | None
    kind: str
    active: bool
    device: str = ""
    version: str = ""


def keep(connection: sqlite3.Connection, seen: Iterable[Seen]) -> None:
    """Note the entries that aren't ours.

    Args:
        connection: The ledger's.
        seen: Entries of the new account.
    """
    for entry in seen:
        if entry.ms is None or not entry.person or _is_ours(connection, entry):
            continue
        values = (entry.person, entry.ms, entry.kind, entry.id, entry.active)
        # An entry whose moment was changed is another one in the order of time.
        connection.execute(
            "DELETE FROM snapshot WHERE person = ? AND id = ? AND ms <> ?",
            (entry.person, entry.id, entry.ms),
        )
        connection.execute("INSERT OR REPLACE INTO snapshot VALUES (?, ?, ?, ?, ?)", values)


def taken(connection: sqlite3.Connection, began: int) -> None:
    """Note that everything was looked at that had changed by a moment.

    Args:
        connection: The ledger's.
        began: When the look began, in ms.
    """
    connection.execute("INSERT OR REPLACE INTO snapshot_taken VALUES (?, ?, NULL)", (LOOK, began))


def _is_ours(connection: sqlite3.Connection, entry: Seen) -> bool:
    if entry.version == OUR_VERSION and _is_there(connection, _NAMED, entry.device):
        # Else another migration wrote it, of which this ledger knows nothing: a stranger's.
        return _is_there(connection, _SENT, entry.device)
    if entry.version == OUR_VERSION and entry.device == PROBE:
        return True
    ours = (entry.id,) * _OURS.count("?")
    return _is_there(connection, _OURS, *ours) or _is_there(connection, _TWIN, *_twin_of(entry))


_NAMED = "SELECT 1 FROM entry WHERE id = ?"
_SENT = """
SELECT 1 FROM entry JOIN write ON write.entry = entry.n
WHERE entry.id = ? AND (write.attempts > 0 OR write.state <> 'planned')
"""
_OURS = """
SELECT 1 FROM write WHERE target = ? UNION ALL SELECT 1 FROM past WHERE target = ?
UNION ALL SELECT 1 FROM extra WHERE target = ? UNION ALL SELECT 1 FROM probe WHERE target = ?
"""
_TWIN = """
SELECT 1 FROM thing JOIN write ON write.lane = thing.n AND write.state IN (?, ?, ?, ?)
    AND write.ms BETWEEN ? AND ?
WHERE thing.target = ? AND write.type = ? AND write.target IS NULL AND write.attempts > 0
"""


def _twin_of(entry: Seen) -> tuple[object, ...]:
    assert entry.ms is not None
    states = (State.PLANNED, State.DOUBTFUL, State.UNKNOWN, State.REFUSED)
    return (*states, entry.ms - _NEAR_MS, entry.ms + _NEAR_MS, entry.person, entry.kind)


def _is_there(connection: sqlite3.Connection, statement: str, *values: object) -> bool:
    return connection.execute(statement, values).fetchone() is not None
