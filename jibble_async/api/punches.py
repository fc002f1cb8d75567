"""Punches: how one is sent so that it can be found again, and what is found.

A punch carries a nonce that nobody else has. If its answer is lost it is looked up by that, and by
nothing that another may have, too: an entry that merely looks like it is somebody's telephone. Not
finding it proves nothing, since the server may still be at it, so it is never sent again.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

import msgspec

from jibble_async.api.session import Session
from jibble_async.api.writing import looking, lost, new, noting_cancellation
from jibble_async.core.operation import Operation
from jibble_async.core.wire import Reply
from jibble_async.entities import EntryType, TimeEntry
from jibble_async.errors import ConflictError, JibbleError, NotFoundError

__all__ = ["NEAR", "Punch", "found", "sent"]

E = TypeVar("E", bound=TimeEntry)

NEAR = 300.0
"""How far from its time an entry of the same kind is still worth showing, in seconds."""


class Punch(msgspec.Struct, Generic[E], frozen=True, kw_only=True):
    """A punch as it is sent.

    Attributes:
        nonce_place: Where it does.
    """

    nonce_place: ClassVar[str]

    nonce: str
    """What comes back in the entry."""
    nonce_of: Callable[[E], str | None]
    """Finds the nonce that an entry carries, if it carries one."""
    person_id: str | None
    """Whose punch; None for whom the token belongs to."""
    type: EntryType
    """What it marks."""
    at: datetime | None
    """Its moment, if one is sent; else the server takes its own."""
    now: datetime
    """When it was made, by this machine."""
    values: dict[str, Any]
    """The body, by name on the wire."""
    id: str | None = None
    """The id that is sent, if one is."""
    ours: bool = False
    """Whether that was made here, for this punch, so that it alone proves the entry."""

    @property
    def marks(self) -> str:
        """What tells it from others."""
        return "nonce" if self.id is None else "id or the nonce"

    @property
    def trace(self) -> str:
        """How it can be found."""
        return f"look for {self.nonce} in `{self.nonce_place}`"

    def made(self, entry: E) -> bool:
        """Whether an entry carries the nonce, or none but an id that only this punch has."""
        nonce = self.nonce_of(entry)
        by_id = self.ours and entry.id.lower() == self.id
        return nonce == self.nonce if nonce is not None else by_id

    def resembles(self, entry: E) -> bool:
        """Whether an entry could be this punch, were it known to be."""
        if entry.type != self.type or entry.time is None:
            return False
        return abs((entry.time - (self.at or self.now)).total_seconds()) <= NEAR


async def sent(
    session: Session,
    operation: Operation,
    punch: Punch[E],
    read: Callable[[Reply], E],
    newest: AsyncIterable[E],
    get: Callable[[str], Awaitable[E]] | None = None,
) -> E:
    """The entry that a punch makes; it is sent once, and looked up if its answer is lost.

    Args:
        session: Sends it.
        operation: What to do.
        punch: What to send.
        read: Finds the entry in the answer.
        newest: The entries among which a lost one must be.
        get: Gives the entry with an id, where one is sent.

    Raises:
        ConflictError: Another entry has its id.
        AmbiguousWriteError: The answer was lost, and so is what became of it.
    """
    request = new(session, operation, punch.values)
    with noting_cancellation(punch.trace):
        try:
            return await session.call(request, read)
        except JibbleError as error:
            if not error.maybe_processed and not isinstance(error, ConflictError):
                raise
            return await found(session, punch, error, newest, get)


async def found(
    session: Session,
    punch: Punch[E],
    error: JibbleError,
    newest: AsyncIterable[E],
    get: Callable[[str], Awaitable[E]] | None = None,
) -> E:
    """The entry of a punch whose answer was lost, or which collides with one that is there.

    `error` is what its call ended with, the other arguments are those of `sent`.

    Raises:
        ConflictError: It collides with another entry.
        AmbiguousWriteError: It was not found, or the lookup failed.
    """
    conflict = isinstance(error, ConflictError)
    named: E | None = None
    rows: list[E] = []
    trouble = ""
    async with looking(session) as looked:
        if get is not None and punch.id is not None:
            try:
                named = await get(punch.id)
            except NotFoundError:
                pass
            except JibbleError as failure:
                why = f"its id could not be asked for ({failure.message})"
                trouble = f"nothing carries its nonce, and {why}"
        # The entry of its id is enough if it is the one, or what it collides with.
        if named is None or not (conflict or punch.made(named)):
            async for row in newest:
                rows.append(row)  # noqa: PERF401 - those before a failure count, too
    if looked.trouble:
        trouble = f"looking it up failed ({looked.trouble})"
    if named is not None and punch.made(named):
        return named
    made = {entry.id: entry for entry in rows if punch.made(entry)}
    if len(made) == 1:
        return made.popitem()[1]
    if conflict and not made and (named is not None or not trouble):
        raise error
    if made:
        known, candidates = "it is there more than once", tuple(made.values())
    else:
        known = trouble or f"nothing carries the {punch.marks} that was sent"
        similar = [entry for entry in rows if punch.resembles(entry)]
        shown = similar if named is None else [named, *similar]
        candidates = tuple({entry.id: entry for entry in shown}.values())
    raise lost(
        error,
        f"{known}; it was not sent again: {punch.trace} before you do",
        candidates=candidates,
        sent_id=punch.id,
        nonce=punch.nonce,
    ) from error
