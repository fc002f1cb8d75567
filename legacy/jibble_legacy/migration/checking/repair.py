"""What carries one mark twice is there once again: the later one is archived, and nothing else.

It happens where an answer was lost, the entry was sent again, and the first one arrived after all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from jibble_legacy.migration.checking.comparing import Copy, surplus
from jibble_legacy.migration.checking.judging import Extra
from jibble_legacy.migration.checking.readback import ThereEntry, one_row
from jibble_legacy.migration.ledger.ledger import Ledger, note
from jibble_legacy.migration.states import ANSWERED, State
from jibble_legacy.migration.writing.edits import extra_archived

if TYPE_CHECKING:
    from jibble_async.client import JibbleClient

__all__ = ["finish_repairs", "repair_extras"]


async def repair_extras(
    ledger: Ledger, target: JibbleClient, extras: Sequence[Extra], now: Callable[[], int]
) -> int:
    """Archive what is there once too often, and give how many that were.

    What only looks like ours is left alone.

    Args:
        ledger: Where it is noted, before and after.
        target: The new account.
        extras: What is there beside the entries that answer, of one person.
        now: The present, in milliseconds.

    Raises:
        JibbleError: An entry could not be read or archived.
    """
    ended = 0
    for entry in dict.fromkeys(extra.entry for extra in extras if extra.is_marked):
        ids = [extra.copy.id for extra in extras if extra.is_marked and extra.entry == entry]
        ended += await _repair(ledger, target, entry, ids, now)
    return ended


async def finish_repairs(ledger: Ledger, target: JibbleClient, now: Callable[[], int]) -> int:
    """Archive what a repair was about to archive when the program ended.

    Args:
        ledger: Where it is noted.
        target: The new account.
        now: The present, in milliseconds.
    """
    begun = ledger.read("SELECT target FROM extra WHERE state = ?", State.UNDOING)
    for (begun_id,) in begun:
        await extra_archived(ledger, target, begun_id, now)
    return len(begun)


async def _repair(
    ledger: Ledger, target: JibbleClient, entry: int, ids: Sequence[str], now: Callable[[], int]
) -> int:
    [(answer, state)] = ledger.read("SELECT target, state FROM write WHERE entry = ?", entry)
    answers = state in ANSWERED and answer is not None
    looked = [await one_row(target, each) for each in ([str(answer), *ids] if answers else ids)]
    rows = [row for row in looked if row is not None and row.found.active]
    copies = {row.found.id: Copy(row.found.id, row.created, row.found.active) for row in rows}
    # Of an entry that was rolled back none is to be there.
    too_many = surplus(copies.values()) if answers else list(copies.values())
    if not too_many:
        return 0
    away = {copy.id for copy in too_many}
    kept = next((row for row in rows if row.found.id not in away), None)

    def intend(connection: sqlite3.Connection) -> None:
        _intend(connection, entry, sorted(away), kept, now())

    await ledger.write(intend)
    for each in sorted(away):
        await extra_archived(ledger, target, each, now)
    return len(away)


def _intend(
    connection: sqlite3.Connection,
    entry: int,
    away: Sequence[str],
    kept: ThereEntry | None,
    now: int,
) -> None:
    """Note what is to be archived, and which entry answers from now on."""
    if kept is not None:
        connection.execute("DELETE FROM extra WHERE target = ?", (kept.found.id,))
        connection.execute(
            "UPDATE write SET target = ?, stamp = ? WHERE entry = ? AND target <> ?",
            (kept.found.id, kept.found.updated or kept.created, entry, kept.found.id),
        )
    connection.executemany(
        "INSERT INTO extra (target, entry, kind, state, since) VALUES (?, ?, 'marked', ?, ?) "
        "ON CONFLICT (target) DO UPDATE SET state = excluded.state, since = excluded.since",
        [(each, entry, State.UNDOING, now) for each in away],
    )
    note(connection, now, "repair begun", entry=entry, archived=list(away))
