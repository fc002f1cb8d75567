"""How a ledger is written: what is queued together is one transaction, and one sync of the disk.

A function that fails is undone by itself; those beside it stay. Whatever was handed over is done,
also if who asked for it is cancelled meanwhile: what a task knew when it was cancelled is written
down.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from jibble_async.errors import MigrationError

__all__ = ["Commits", "InlineCommits", "Steps", "ThreadCommits", "Write"]

T = TypeVar("T")
Write = Callable[[sqlite3.Connection], T]
Steps = Callable[[str], None]
"""Called with `begins` before a transaction and with `committed` after it; what it raises ends
the ledger as a kill would."""

_TOGETHER = 500
"""Functions that share a transaction at most: the first of them waits for the last."""


class Commits(Protocol):
    """Runs functions in transactions of one connection.

    Attributes:
        synchronous: How SQLite syncs them with the disk. Only FULL outlives a power cut.
    """

    synchronous: str

    def start(self, connection: sqlite3.Connection, steps: Steps | None) -> None:
        """Begin to take functions."""
        ...

    async def run(self, write: Write[T]) -> T:
        """What a function gives, once its transaction is on the disk."""
        ...

    async def stop(self) -> None:
        """Do what is queued, and end."""
        ...

    def abandon(self, error: BaseException) -> None:
        """End as if the process did: roll back, and let who waits get the error."""
        ...


class _Asked:
    """One function that waits for its turn, and its outcome."""

    def __init__(self, write: Write[Any]) -> None:
        self.write = write
        self.loop = asyncio.get_running_loop()
        self.done: asyncio.Future[Any] = self.loop.create_future()
        self.result: Any = None
        self.error: BaseException | None = None

    def tell(self) -> None:
        if self.done.done():
            return
        if self.error is None:
            self.done.set_result(self.result)
        else:
            self.done.set_exception(self.error)


class InlineCommits:
    """Commits on the loop itself, for virtual time, which waits for no thread.

    Args:
        delay: Seconds that a transaction takes; what is asked for meanwhile shares the next one.
    """

    synchronous = "OFF"

    def __init__(self, delay: float = 0.0) -> None:
        self._delay = delay
        self._queued: list[_Asked] = []
        self._timer: asyncio.Handle | None = None
        self._end: BaseException | None = None

    def start(self, connection: sqlite3.Connection, steps: Steps | None) -> None:
        """Begin to take functions."""
        self._connection = connection
        self._steps = steps

    async def run(self, write: Write[T]) -> T:
        """What a function gives, once its transaction is on the disk."""
        if self._end is not None:
            raise self._end
        asked = _Asked(write)
        self._queued.append(asked)
        if self._timer is None:
            self._timer = asked.loop.call_later(self._delay, self._drain)
        result: T = await asked.done
        return result

    async def stop(self) -> None:
        """Do what is queued, and end."""
        self._drain()
        self._end = self._end or closed()

    def abandon(self, error: BaseException) -> None:
        """End as if the process did: roll back, and let who waits get the error."""
        self._end = error
        queued, self._queued = self._queued, []
        for asked in queued:
            asked.error = error
            asked.tell()

    def _drain(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._queued and self._end is None:
            batch, self._queued = self._queued[:_TOGETHER], self._queued[_TOGETHER:]
            if (end := _transact(self._connection, batch, self._steps)) is not None:
                self.abandon(end)
            for asked in batch:
                asked.tell()


class ThreadCommits:
    """Commits in a thread of their own, so that a sync of the disk holds up no request."""

    # A power cut must not take an intent: what was sent would be sent again.
    synchronous = "FULL"

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._end: BaseException | None = None
        self._is_dead = False

    def start(self, connection: sqlite3.Connection, steps: Steps | None) -> None:
        """Begin to take functions."""
        self._thread = threading.Thread(
            target=self._serve, args=(connection, steps), name="jibble-ledger", daemon=True
        )
        self._thread.start()

    async def run(self, write: Write[T]) -> T:
        """What a function gives, once its transaction is on the disk."""
        if self._end is not None:
            raise self._end
        asked = _Asked(write)
        self._queue.put(asked)
        result: T = await asked.done
        return result

    async def stop(self) -> None:
        """Do what is queued, and end."""
        self._end = self._end or closed()
        self._queue.put(None)
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def abandon(self, error: BaseException) -> None:
        """End as if the process did: roll back, and let who waits get the error."""
        self._end, self._is_dead = error, True
        self._queue.put(None)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _serve(self, connection: sqlite3.Connection, steps: Steps | None) -> None:
        going_on = True
        while going_on:
            batch, going_on = self._batch()
            # A killed one goes on giving up what comes, until it is told that nothing will.
            if self._is_dead and self._end is not None:
                _give_up(batch, self._end)
            elif batch and (end := _transact(connection, batch, steps)) is not None:
                self._end, self._is_dead = end, True
            for asked in batch:
                # A loop that is closed has nobody left who waits.
                if not asked.loop.is_closed():
                    asked.loop.call_soon_threadsafe(asked.tell)

    def _batch(self) -> tuple[list[_Asked], bool]:
        batch: list[_Asked] = []
        asked = self._queue.get()
        while asked is not None:
            batch.append(asked)
            if len(batch) == _TOGETHER or self._queue.empty():
                return batch, True
            asked = self._queue.get()
        return batch, False


def closed() -> MigrationError:
    """The error of a ledger that takes no more writes."""
    return MigrationError("the ledger is closed: open it again")


def _transact(
    connection: sqlite3.Connection, batch: list[_Asked], steps: Steps | None
) -> BaseException | None:
    """Run functions in one transaction; what ended the ledger meanwhile, if anything did."""
    try:
        if steps is not None:
            steps("begins")
        connection.execute("BEGIN IMMEDIATE")
        for asked in batch:
            _run(connection, asked)
        connection.execute("COMMIT")
        if steps is not None:
            steps("committed")
    except sqlite3.Error as error:
        _roll_back(connection)
        _give_up(batch, error)
    except BaseException as end:
        # A kill, of which nobody hears but who waits.
        _roll_back(connection)
        _give_up(batch, end)
        return end
    return None


def _run(connection: sqlite3.Connection, asked: _Asked) -> None:
    connection.execute("SAVEPOINT one")
    try:
        asked.result = asked.write(connection)
    except Exception as error:
        if not connection.in_transaction:
            # The disk is full, or the file is damaged: SQLite has undone all of it.
            raise
        connection.execute("ROLLBACK TO one")
        asked.error = error
    connection.execute("RELEASE one")


def _give_up(batch: list[_Asked], error: BaseException) -> None:
    for asked in batch:
        asked.result, asked.error = None, error


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
