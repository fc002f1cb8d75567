"""People who left: there while their entries are written, so that one seat is enough for all."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from jibble_async.errors import NotFoundError
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.states import State
from jibble_legacy.migration.writing.creations import Thing
from jibble_legacy.migration.writing.patience import Patience

if TYPE_CHECKING:
    from jibble_async.client import JibbleClient

__all__ = ["may_leave", "removed"]

_AT_WORK = (State.PLANNED, State.SENT, State.DOUBTFUL, State.UNKNOWN, State.STALE)


def may_leave(ledger: Ledger, thing: Thing) -> bool:
    """Whether somebody who left is there, and all that can be written of them is.

    Args:
        ledger: Says so.
        thing: The person.
    """
    if not thing.leaves or thing.target is None or thing.removal is State.CONFIRMED:
        return False
    return all(
        ledger.value("SELECT 1 FROM write WHERE lane = ? AND state = ? LIMIT 1", thing.n, state)
        is None
        for state in _AT_WORK
    )


async def removed(ledger: Ledger, target: JibbleClient, thing: Thing, patience: Patience) -> None:
    """Remove somebody over there; what they did is kept.

    Twice is the same as once, so that nothing need be looked up after a kill.

    Args:
        ledger: Where that is noted.
        target: The new account.
        thing: The person.
        patience: Of the step.

    Raises:
        JibbleError: It was refused, or could not be sent.
    """
    await _note(ledger, thing, State.SENT, patience)
    # Who is not there was deleted for good meanwhile.
    with contextlib.suppress(NotFoundError):
        await target.people.remove(thing.target or "")
    await _note(ledger, thing, State.CONFIRMED, patience)


async def _note(ledger: Ledger, thing: Thing, removal: State, patience: Patience) -> None:
    values = (removal, patience.now(), thing.n)
    await ledger.write(
        lambda connection: connection.execute(
            "UPDATE thing SET removal = ?, since = ? WHERE n = ?", values
        )
    )
