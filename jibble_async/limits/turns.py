"""A line with two priorities, for something that is handed out one at a time."""

from __future__ import annotations

import asyncio
from collections import deque

from jibble_async.limits.slots import Priority

__all__ = ["Turns"]


class Turns:
    """Who is next: `interactive` before `bulk`, first come first served within each.

    Args:
        patience: After this many turns in a row for `interactive` while `bulk` waits, one turn
            goes to `bulk`, so that a bulk job is slowed but never stopped.
    """

    __slots__ = ("_patience", "_streak", "_taken", "_waiting")

    def __init__(self, patience: int = 20) -> None:
        self._patience = patience
        self._streak = 0
        self._taken = False
        self._waiting: dict[Priority, deque[asyncio.Future[None]]] = {
            "interactive": deque(),
            "bulk": deque(),
        }

    @property
    def free(self) -> bool:
        """Whether nobody has the turn."""
        return not self._taken

    def ahead_of(self, priority: Priority) -> int:
        """How many are served before a newcomer, the one whose turn it is included."""
        ahead = int(self._taken) + len(self._waiting["interactive"])
        return ahead + len(self._waiting["bulk"]) if priority == "bulk" else ahead

    async def take(self, priority: Priority) -> None:
        """Wait for the turn; cancelling the wait passes it on."""
        if not self._taken:
            self._taken = True
            return
        line = self._waiting[priority]
        mine = asyncio.get_running_loop().create_future()
        line.append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self.give()
            elif mine in line:
                line.remove(mine)
            raise

    def give(self) -> None:
        """Pass the turn to the next in line."""
        interactive, bulk = self._waiters("interactive"), self._waiters("bulk")
        if interactive and not (bulk and self._streak >= self._patience):
            self._streak = self._streak + 1 if bulk else 0
            interactive.popleft().set_result(None)
        elif bulk:
            self._streak = 0
            bulk.popleft().set_result(None)
        else:
            self._streak = 0
            self._taken = False

    def _waiters(self, priority: Priority) -> deque[asyncio.Future[None]]:
        line = self._waiting[priority]
        # A future that was cancelled stays in line until its task has run.
        while line and line[0].done():
            line.popleft()
        return line
