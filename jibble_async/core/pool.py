"""Who is next when all connections of a connector are in use.

Connectors serve in turn, so that a click would stand behind a thousand calls of an export, and
they take waiting for connecting. So as many calls are let through to one as it has connections.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from yarl import URL

from jibble_async.limits.queue import CallQueue
from jibble_async.limits.slots import Outcome, Priority

__all__ = ["Gate", "Pool"]


class Gate:
    """Lets so many through at a time, by priority; what each of them holds is a slot of it.

    Args:
        room: How many.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._queue = CallQueue()
        self._waiting = 0

    def enter_at_once(self) -> bool:
        """Go through if that is possible without waiting; `release` has to follow."""
        # There is room only where nobody waits.
        if not self._room:
            return False
        self._room -= 1
        return True

    async def enter(self, priority: Priority) -> None:
        """Wait to be let through; `release` has to follow."""
        self._waiting += 1
        try:
            await self._queue.wait(priority, None)
        finally:
            self._waiting -= 1

    def release(
        self, outcome: Outcome = Outcome.ANSWERED, headers: Mapping[str, str] | None = None
    ) -> None:
        """Let the next one through; as `Slot.release`, though it is the same whatever it was."""
        if not self._waiting or not self._queue.serve(self):
            self._room += 1


class Pool:
    """The gates before one connector, which all clients that share it go through.

    Args:
        limit: How many connections it opens; 0 for any number.
        limit_per_host: How many of them to one host; 0 for any number.
    """

    def __init__(self, limit: int, limit_per_host: int) -> None:
        self._all = (Gate(limit),) if limit else ()
        self._limit_per_host = limit_per_host
        self._hosts: dict[str, Gate] = {}

    def gates(self, url: URL) -> Sequence[Gate]:
        """What a request has to go through, in this order."""
        if not self._limit_per_host:
            return self._all
        gate = self._hosts.setdefault(url.authority, Gate(self._limit_per_host))
        # Its own first: who waits there must not hold what others could use.
        return (gate, *self._all)
