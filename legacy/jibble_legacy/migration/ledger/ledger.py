"""The file that a migration is kept in: who may open it, and how it is read and written."""

from __future__ import annotations

import os
import sqlite3
import types
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TypeVar

import msgspec

from jibble_async.errors import ConfigurationError, MigrationError
from jibble_legacy.migration.ledger.commits import Commits, Steps, ThreadCommits, Write
from jibble_legacy.migration.ledger.opening import (
    connect,
    connect_to_read,
    damaged,
    doubt,
    prepare,
    require_ours,
    take_lock,
    telling,
)
from jibble_legacy.migration.moments import milliseconds

__all__ = ["Ledger", "note", "put"]

T = TypeVar("T")


class Ledger:
    """Everything that is known of one migration, in one SQLite file.

    One process at a time has it open for writing. What another one left as sent is in doubt when
    it is opened. It may hold names, addresses and notes, so it is private to its owner.

    Args:
        path: The file.
        connection: The one that writes.
        reader: The one that reads; the same in a ledger that is only looked at.
        commits: How it is written; None if it is only looked at.
        lock: The descriptor of the lock's file.
    """

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        reader: sqlite3.Connection,
        commits: Commits | None,
        lock: int | None,
    ) -> None:
        self.path = path
        self._connection = connection
        self._reader = reader
        self._commits = commits
        self._lock = lock
        self._is_closed = False

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        step: str = "migrate",
        create: bool = False,
        now: Callable[[], datetime] | None = None,
        commits: Commits | None = None,
        steps: Steps | None = None,
    ) -> Self:
        """The ledger of a file, to be read and written.

        Args:
            path: The file.
            step: What is done with it, which the next one is told who is refused meanwhile.
            create: Whether it is made if it is not there.
            now: The time, for what is in doubt from now on; by default the computer's.
            commits: How it is written; by default in a thread.
            steps: Called before and after each transaction; see `Steps`.

        Raises:
            ConfigurationError: There is no such file, or it is no ledger.
            MigrationError: Another process has it open, or it is damaged.

        Example:
            >>> async with Ledger.open("acme.jbmg", create=True) as ledger:
            ...     ledger.get("team")
        """
        file = Path(path)
        if not create and not file.exists():
            raise ConfigurationError(f"{file}: there is no such ledger; `extract` begins one")
        commits = ThreadCommits() if commits is None else commits
        held = take_lock(file, step)
        try:
            connection = connect(file)
            try:
                prepare(connection, file, commits.synchronous)
                moment = milliseconds(now() if now is not None else datetime.now(UTC))
                with telling(file):
                    connection.execute("BEGIN IMMEDIATE")
                    # By another process, which is dead.
                    doubt(connection, moment)
                    connection.execute("COMMIT")
                reader = connect_to_read(file)
            except BaseException:
                connection.close()
                raise
        except BaseException:
            os.close(held)
            raise
        commits.start(connection, steps)
        return cls(file, connection, reader, commits, held)

    @classmethod
    def look(cls, path: str | os.PathLike[str]) -> Self:
        """The ledger of a file, to be read only, whoever writes to it meanwhile; see `close`.

        Args:
            path: The file.

        Raises:
            ConfigurationError: There is no such file, or it is no ledger.
            MigrationError: It is damaged.
        """
        file = Path(path)
        if not file.exists():
            raise ConfigurationError(f"{file}: there is no such ledger; `extract` begins one")
        reader = connect_to_read(file)
        try:
            with telling(file):
                require_ours(reader, file)
        except BaseException:
            reader.close()
            raise
        return cls(file, reader, reader, None, None)

    async def write(self, write: Write[T]) -> T:
        """What a function gives, once all it did is on the disk.

        It runs in a transaction that it shares with what else is queued, off the loop: it must
        neither commit nor await. If it raises, what it did is undone, and nothing else is. It is
        done even if the caller is cancelled while it waits.

        Args:
            write: Takes the connection.

        Raises:
            MigrationError: The file could not be written, or is closed.
            Exception: What the function raised.
        """
        if self._commits is None:
            raise MigrationError(f"{self.path} was opened to be looked at, not to be written")
        with telling(self.path):
            return await self._commits.run(write)

    def read(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows that a query finds among what is committed, all at once.

        Args:
            query: SQL.
            *values: For its `?`.

        Raises:
            MigrationError: The file is damaged, or its disk does not give it.
        """
        with telling(self.path):
            return self._reader.execute(query, values).fetchall()

    def scan(self, query: str, *values: Any, at_a_time: int = 1000) -> Iterator[tuple[Any, ...]]:
        """The same rows one after the other, for tables that are larger than memory.

        What is committed meanwhile is not seen; and the file beside the ledger that commits go to
        first can't be emptied until the last row is taken.

        Args:
            query: SQL.
            *values: For its `?`.
            at_a_time: Rows to fetch at a time.
        """
        with telling(self.path):
            cursor = self._reader.execute(query, values)
        try:
            while rows := self._fetched(cursor, at_a_time):
                yield from rows
        finally:
            cursor.close()

    def value(self, query: str, *values: Any) -> Any:
        """The first value of the first row that a query finds; None if it finds none."""
        with telling(self.path):
            found = self._reader.execute(query, values).fetchone()
        return None if found is None else found[0]

    def get(self, key: str, default: Any = None) -> Any:
        """A value of `meta`, by its key.

        Args:
            key: Its name; see `put`.
            default: What is given if it was never put.
        """
        text = self.value("SELECT value FROM meta WHERE key = ?", key)
        return default if text is None else msgspec.json.decode(text)

    async def put(self, key: str, value: Any) -> None:
        """Keep a value in `meta`; see `put` for one that belongs into a larger transaction."""
        await self.write(lambda connection: put(connection, key, value))

    def check(self) -> None:
        """Look through the whole file.

        Raises:
            MigrationError: It is damaged.
        """
        with telling(self.path):
            found = [text for (text,) in self.read("PRAGMA integrity_check(3)")]
        if found != ["ok"]:
            raise MigrationError(damaged(self.path, "; ".join(found)))

    async def aclose(self) -> None:
        """Write what is queued, and close the file."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            if self._commits is not None:
                await self._commits.stop()
        finally:
            self._let_go()

    def close(self) -> None:
        """Close one that is only looked at; `aclose` is for those that are written to."""
        assert self._commits is None
        if not self._is_closed:
            self._is_closed = True
            self._let_go()

    def abandon(self, error: BaseException) -> None:
        """Close the file as a kill of the process would: what is not committed is lost.

        Args:
            error: What those get that wait for a transaction, now and later.
        """
        if self._is_closed:
            return
        self._is_closed = True
        if self._commits is not None:
            self._commits.abandon(error)
        self._let_go()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        await self.aclose()

    def _fetched(self, cursor: sqlite3.Cursor, number: int) -> list[tuple[Any, ...]]:
        # Not around the yields, where what the caller raises would pass through.
        with telling(self.path):
            return cursor.fetchmany(number)

    def _let_go(self) -> None:
        self._reader.close()
        self._connection.close()
        if self._lock is not None:
            os.ftruncate(self._lock, 0)
            os.close(self._lock)


def put(connection: sqlite3.Connection, key: str, value: Any) -> None:
    """Keep a value in `meta`, within the transaction that is under way.

    Args:
        connection: The ledger's.
        key: Its name.
        value: Anything that JSON can say.
    """
    text = msgspec.json.encode(value).decode()
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, text))


def note(connection: sqlite3.Connection, at: int, what: str, **detail: Any) -> None:
    """Add a line to the ledger's history, within the transaction that is under way.

    Args:
        connection: The ledger's.
        at: When, in ms.
        what: A word or two, such as `plan made`.
        **detail: Whatever belongs to it.
    """
    text = msgspec.json.encode(detail).decode() if detail else None
    connection.execute("INSERT INTO event (at, what, detail) VALUES (?, ?, ?)", (at, what, text))
