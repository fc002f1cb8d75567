"""What changed in the old account after it was written: changed over there too, or written anew."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING

from jibble_async.errors import NotFoundError, ThrottledOrForbiddenError
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.states import MOVED, State
from jibble_legacy.migration.writing.lanes import Event, event_after, pause_after
from jibble_legacy.migration.writing.patience import Patience
from jibble_legacy.migration.writing.writes import Write, change, keep

if TYPE_CHECKING:
    from jibble_async.client import JibbleClient

__all__ = ["archived", "archived_in_time", "edit", "extra_archived", "put_away"]


async def edit(ledger: Ledger, target: JibbleClient, write: Write, patience: Patience) -> Write:
    """A stale write once it says over there what the old account says.

    Both ways may be gone again after a kill: a PATCH sets what it set before. One that moved is
    planned again, with another key, as the archived entry still holds the old one.

    Args:
        ledger: Where it is.
        target: The new account.
        write: A stale one.
        patience: Of the step.

    Raises:
        JibbleError: It was refused, or could not be sent; it is stale as before.
    """
    if write.target is None:
        raise ValueError(f"{write.legacy_id} is stale, and nothing answers for it")
    if write.reason == MOVED:
        await archived(target, write.target)
        return await ledger.write(lambda connection: _planned_anew(connection, write, patience))
    await target.time_entries.update(
        write.target,
        activity_id=write.activity,
        project_id=write.project,
        note=write.note or None,
    )
    # The answer to a PATCH is empty: only the entry says when the server changed it.
    row = await target.time_entries.get(write.target)
    return await ledger.write(
        lambda connection: keep(connection, write, Event.KEPT, row, patience.now())
    )


async def archived(target: JibbleClient, entry_id: str) -> None:
    """Put an entry away; one that is gone for good is away.

    Args:
        target: The new account.
        entry_id: Which.
    """
    try:
        await target.time_entries.archive(entry_id)
    except NotFoundError:
        return


async def archived_in_time(target: JibbleClient, entry_id: str, patience: Patience) -> None:
    """The same, after a while if it is turned away: a 403 without a reason may be throttling.

    Args:
        target: The new account.
        entry_id: Which.
        patience: Of the step.

    Raises:
        JibbleError: It was refused, or turned away for long.
    """
    tries = 0
    while True:
        try:
            return await archived(target, entry_id)
        except ThrottledOrForbiddenError as error:
            tries += 1
            if event_after(error, tries) is Event.REFUSED:
                raise
            await patience.rest(pause_after(error, tries))


async def extra_archived(
    ledger: Ledger, target: JibbleClient, entry_id: str, now: Callable[[], int]
) -> None:
    """Put away an entry that is there beside the one that answers, and note that.

    Args:
        ledger: Where it is.
        target: The new account.
        entry_id: Which.
        now: The present, in milliseconds.
    """
    await archived(target, entry_id)
    values = (State.UNDONE, now(), entry_id)
    await ledger.write(
        lambda connection: connection.execute(
            "UPDATE extra SET state = ?, since = ? WHERE target = ?", values
        )
    )


def put_away(connection: sqlite3.Connection, write: Write, why: str, now: int) -> None:
    """Note that the entry of a write answers for nothing any more.

    Args:
        connection: The ledger's.
        write: As it was.
        why: What it was archived for.
        now: In milliseconds.
    """
    connection.execute(
        "INSERT OR IGNORE INTO past (target, entry, generation, at, why) VALUES (?, ?, ?, ?, ?)",
        (write.target, write.entry, write.generation, now, why),
    )


def _planned_anew(connection: sqlite3.Connection, write: Write, patience: Patience) -> Write:
    now = patience.now()
    put_away(connection, write, MOVED, now)
    return change(
        connection, write, Event.ARCHIVED, now, target=None, stamp=None, attempts=0, reason=None
    )
