"""Punches: how one is sent so that it can be found again, and what is found.

A punch carries a nonce that nobody else has. If its answer is lost it is looked up by that, and by
nothing that another may have, too: an entry that merely looks like it is somebody's telephone. Not
finding it proves nothing, since the server may still be at it, so it is never sent again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

import msgspec

from jibble_async.api.writing import lost
from jibble_async.entities import EntryType, TimeEntry
from jibble_async.errors import AmbiguousWriteError, JibbleError

__all__ = ["NEAR", "Punch", "recovered", "unknown_fate"]

E = TypeVar("E", bound=TimeEntry)

NEAR = 300.0
"""How far from its time an entry of the same kind is still worth showing, in seconds."""


class Punch(msgspec.Struct, Generic[E], frozen=True, kw_only=True):
    """A punch as it is sent.

    Attributes:
        nonce: What comes back in the entry.
        nonce_place: Where it does.
        person_id: Whose punch; None for whom the token belongs to.
        type: What it marks.
        at: Its moment, if one is sent; else the server takes its own.
        now: When it was made, by this machine.
        values: The body, by name on the wire.
    """

    nonce_place: ClassVar[str]

    nonce: str
    person_id: str | None
    type: EntryType
    at: datetime | None
    now: datetime
    values: dict[str, Any]

    def nonce_of(self, entry: E) -> str | None:
        """The nonce that an entry carries, if it carries one."""
        raise NotImplementedError

    @property
    def sent_id(self) -> str | None:
        """The id that is sent, if one is."""
        return None

    @property
    def trace(self) -> str:
        """How it can be found."""
        return f"look for {self.nonce} in `{self.nonce_place}`"

    def made(self, entry: E) -> bool:
        """Whether an entry carries the nonce."""
        return self.nonce_of(entry) == self.nonce

    def resembles(self, entry: E) -> bool:
        """Whether an entry could be this punch, were it known to be."""
        if entry.type != self.type or entry.time is None:
            return False
        return abs((entry.time - (self.at or self.now)).total_seconds()) <= NEAR


async def recovered(
    punch: Punch[E],
    error: JibbleError,
    latest: Callable[[], Awaitable[list[E]]],
    seen: Mapping[str, E] | None = None,
    known: str = "nothing carries the nonce that was sent",
) -> E:
    """The entry that a punch made whose answer was lost.

    Args:
        punch: What was sent.
        error: What its answer was lost with.
        latest: Gives the entries among which it must be.
        seen: Those that were looked at before, by id.
        known: What is known if it is not among them.

    Raises:
        AmbiguousWriteError: It was not found, or the lookup failed.
    """
    seen = {} if seen is None else seen
    try:
        rows = await latest()
    except JibbleError as trouble:
        known = f"looking it up failed ({trouble.message})"
        raise unknown_fate(punch, error, known, seen) from error
    made = {entry.id: entry for entry in rows if punch.made(entry)}
    if len(made) == 1:
        return made.popitem()[1]
    if made:
        raise unknown_fate(punch, error, "it is there more than once", made) from error
    similar = {entry.id: entry for entry in rows if punch.resembles(entry)}
    raise unknown_fate(punch, error, known, {**seen, **similar}) from error


def unknown_fate(
    punch: Punch[E], error: JibbleError, known: str, seen: Mapping[str, E]
) -> AmbiguousWriteError:
    """The error for a punch of which nobody can say whether it was done.

    Args:
        punch: What was sent.
        error: What its answer was lost with.
        known: What was found out.
        seen: What might be it, by id.
    """
    advice = f"it was not sent again: {punch.trace} before you do"
    candidates = tuple(seen.values())
    return lost(
        error, f"{known}; {advice}", candidates=candidates, sent_id=punch.sent_id, nonce=punch.nonce
    )
