"""What nobody can tell but a person: whether a write of which nothing is known was done."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from datetime import datetime

import msgspec

from jibble_async.errors import ConfigurationError, MigrationError
from jibble_legacy.migration.ledger.ledger import Ledger, note
from jibble_legacy.migration.moments import milliseconds
from jibble_legacy.migration.planning.matching import is_guid
from jibble_legacy.migration.states import Exit, State

__all__ = ["SEND_AGAIN", "ResolveReport", "resolve"]

SEND_AGAIN = "to be sent again, as was decided"
"""The reason of a planned write of which a person said that it was not done."""


class ResolveReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided.

    Attributes:
        exit: Clean if nothing else is unknown.
        old_id: Of what.
        state: What it is now.
        left: How many are still unknown.
    """

    exit: Exit
    old_id: str
    state: str
    left: int


async def resolve(
    ledger: Ledger,
    old_id: str,
    *,
    found: str | None = None,
    send_again: bool = False,
    skip: bool = False,
    now: Callable[[], datetime],
) -> ResolveReport:
    """End an unknown by a person's decision, who has looked into the new account.

    Args:
        ledger: The migration's.
        old_id: The old id of the entry, or of the person or client whose creation is unknown.
        found: It was done: the GUID of what it became there.
        send_again: It was not done, and is sent again, with the same mark.
        skip: It is left out.
        now: The time, which is written down.

    Raises:
        ConfigurationError: Not just one decision is given, or the GUID is none.
        MigrationError: Nothing of this id is unknown, or the GUID answers for another entry.

    Example:
        >>> await resolve(ledger, "aB12", found="4e2b…", now=clock)
    """
    if (found is not None) + send_again + skip != 1:
        raise ConfigurationError("give one of found=, send_again=True and skip=True")
    if found is not None and not is_guid(found):
        raise ConfigurationError(f"found={found!r} is no GUID: copy the id from the new account")
    ended = State.PLANNED if send_again else State.SKIPPED
    state = ended if found is None else State.CONFIRMED
    found = None if found is None else found.lower()
    old_id = re.sub(r"^id:", "", old_id)
    at = milliseconds(now())

    def end(connection: sqlite3.Connection) -> None:
        if not (
            _end_write(connection, old_id, state, found, at)
            or _end_creation(connection, old_id, state, found, at)
        ):
            raise MigrationError(
                f"nothing of the old id {old_id!r} is unknown: rejects.csv lists what is"
            )
        note(connection, at, "resolved", id=old_id, state=state, target=found)

    await ledger.write(end)
    left = int(ledger.value(_LEFT) or 0)
    return ResolveReport(
        exit=Exit.LEFT if left else Exit.CLEAN, old_id=old_id, state=state, left=left
    )


_LEFT = """
SELECT (SELECT count(*) FROM write WHERE state = 'unknown')
    + (SELECT count(*) FROM thing WHERE state = 'unknown')
"""


def _end_write(
    connection: sqlite3.Connection, old_id: str, state: State, found: str | None, at: int
) -> bool:
    row = connection.execute(
        "SELECT write.entry FROM write JOIN entry ON entry.n = write.entry"
        " WHERE entry.id = ? AND write.state = 'unknown'",
        (old_id,),
    ).fetchone()
    if row is None:
        return False
    try:
        connection.execute(
            "UPDATE write SET state = ?, target = ?, since = ?, reason = ?,"
            " attempts = max(attempts, 1) WHERE entry = ?",
            (state, found, at, SEND_AGAIN if state is State.PLANNED else None, row[0]),
        )
    except sqlite3.IntegrityError:
        raise MigrationError(
            f"{found} answers for another old entry already: one new entry can't be two old ones"
        ) from None
    return True


def _end_creation(
    connection: sqlite3.Connection, old_id: str, state: State, found: str | None, at: int
) -> bool:
    # A creation that is left out is one that was not done: a plan decides it anew.
    outcome = State.REFUSED if state is State.SKIPPED else state
    done = connection.execute(
        "UPDATE thing SET state = ?, target = ?, since = ?, attempts = 0"
        " WHERE state = 'unknown' AND n IN (SELECT n FROM source WHERE id = ?)",
        (outcome, found, at, old_id),
    )
    return done.rowcount > 0
