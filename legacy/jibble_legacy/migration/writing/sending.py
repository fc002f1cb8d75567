"""The writes of one lane after the other: on the disk, sent, and on the disk again."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING

from jibble_async.entities import TimeEntry
from jibble_async.errors import ConflictError, JibbleError
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.states import Reason, State
from jibble_legacy.migration.writing.doubts import Doubts
from jibble_legacy.migration.writing.edits import edit
from jibble_legacy.migration.writing.lanes import MOST_TRIES, Event, event_after, pause_after
from jibble_legacy.migration.writing.patience import Patience
from jibble_legacy.migration.writing.probed import Probed
from jibble_legacy.migration.writing.resolve import SEND_AGAIN
from jibble_legacy.migration.writing.stopping import Brakes, echo_differences
from jibble_legacy.migration.writing.writes import (
    Write,
    begin_next,
    change,
    keep,
    peek,
    sent_once,
    space_of,
    writes_in,
)

if TYPE_CHECKING:
    from jibble_async.client import JibbleClient

__all__ = ["Sending"]


_LOCKED = r"(?i)\block"


class Sending:
    """Writes lanes.

    That one is done and the next will be sent is one transaction: so each entry costs one.

    Args:
        ledger: Where they are.
        target: The new account.
        verdict: What may be relied on there.
        patience: Of the step.
        brakes: Of the step.
        tell: Called with what became of each: `written`, `found` or `edited`.
    """

    def __init__(
        self,
        ledger: Ledger,
        target: JibbleClient,
        verdict: Probed,
        patience: Patience,
        brakes: Brakes,
        tell: Callable[[str], None],
    ) -> None:
        self._ledger = ledger
        self._target = target
        self._verdict = verdict
        self._patience = patience
        self._brakes = brakes
        self._tell = tell
        self._doubts = Doubts(ledger, target, verdict, patience)
        self._space = space_of(ledger)

    @property
    def _stops(self) -> bool:
        return self._patience.stopped.is_set()

    async def lane(self, lane: int) -> None:
        """Write what is left of a lane, or as much as can be until the step is to stop.

        Args:
            lane: Its number.

        Raises:
            JibbleError: A look-up failed.
        """
        for write in writes_in(self._ledger, lane, State.DOUBTFUL):
            if self._stops or not await self._settled(write):
                return
        if writes_in(self._ledger, lane, State.UNKNOWN):
            return
        for write in writes_in(self._ledger, lane, State.STALE):
            if self._stops:
                return
            await self._edit(write)
        first = peek(self._ledger, lane)
        # An intent that a power cut took out of the ledger was sent all the same.
        while first is not None and not self._stops:
            if first.reason == SEND_AGAIN:
                # Somebody looked, and decided.
                break
            looked_up = await self._doubts.looked_up(first)
            if looked_up.state is State.UNKNOWN:
                return
            if looked_up.state is State.PLANNED:
                break
            self._tell("found")
            first = peek(self._ledger, lane)
        following = None if first is None or self._stops else await self._begin_next(lane)
        while following is not None:
            following = await self._send(following)

    async def _send(self, write: Write) -> Write | None:
        """The next write of the lane, which is on the disk as sent; None if there is none."""
        tries, entry = 0, write.entry
        while True:
            key = write.key(self._space)
            try:
                echo = await sent_once(
                    self._target, write.planned, key, device_name=write.legacy_id
                )
            except JibbleError as error:
                tries += 1
                again = await self._failed(write, error, tries)
            else:
                return await self._kept(write, echo)
            if again is None or again.entry != entry:
                return again
            write = again

    async def _kept(self, write: Write, echo: TimeEntry) -> Write | None:
        self._brakes.kept(
            echo_differences(
                write.planned,
                echo,
                self._verdict.kept,
                whole_seconds=self._verdict.whole_seconds,
            ),
            echo.id,
        )
        going_on = not self._stops

        def confirm(connection: sqlite3.Connection) -> Write | None:
            now = self._patience.now()
            keep(connection, write, Event.KEPT, echo, now)
            return begin_next(connection, write.lane, now) if going_on else None

        try:
            following = await self._ledger.write(confirm)
        except sqlite3.IntegrityError:
            # The server gave an entry for the answer that answers for another one already.
            reason = f"it was answered with {echo.id}, which another entry has"
            write = await self._change(write, Event.LOST)
            await self._change(write, Event.UNCLEAR, reason=reason)
            return None
        self._tell("written")
        return following

    async def _failed(self, write: Write, error: JibbleError, tries: int) -> Write | None:
        event = event_after(error, tries)
        reason = None
        if event is Event.REFUSED:
            reason = error.message
            if re.search(_LOCKED, reason):
                reason = f"{Reason.LOCKED_PERIOD}: {reason}"
        # What was turned away was not sent, so that a plan may still decide otherwise.
        sent = write.attempts - (event is Event.TURNED_AWAY)
        write = await self._change(write, event, reason=reason, attempts=sent)
        match event:
            case Event.LOST:
                words = error.message if isinstance(error, ConflictError) else None
                if not await self._settled(write, error, words):
                    return None
            case Event.REFUSED:
                self._brakes.refused(write.lane, error)
            case _:
                self._brakes.turned_away(error, tries, MOST_TRIES)
                await self._patience.rest(pause_after(error, tries))
        return None if self._stops else await self._begin_next(write.lane)

    async def _settled(
        self, write: Write, error: JibbleError | None = None, conflict: str | None = None
    ) -> bool:
        """Whether the lane may go on after a write of it was in doubt."""
        write = await self._doubts.settled(write, conflict=conflict)
        if write.state is State.CONFIRMED:
            self._tell("found")
        elif write.state is State.REFUSED and error is not None:
            self._brakes.refused(write.lane, error)
        return write.state not in {State.UNKNOWN, State.DOUBTFUL}

    async def _edit(self, write: Write) -> None:
        try:
            await edit(self._ledger, self._target, write, self._patience)
        except JibbleError as error:
            if event_after(error, MOST_TRIES) is not Event.REFUSED:
                raise
            self._brakes.refused(write.lane, error)
        else:
            self._tell("edited")

    async def _begin_next(self, lane: int) -> Write | None:
        return await self._ledger.write(
            lambda connection: begin_next(connection, lane, self._patience.now())
        )

    async def _change(self, write: Write, event: Event, **columns: object) -> Write:
        return await self._ledger.write(
            lambda connection: change(connection, write, event, self._patience.now(), **columns)
        )
