"""State that processes of one machine share: one value in a SQLite file, used in its own thread."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import weakref
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Generic, Protocol, TypeVar
from zlib import crc32

from msgspec import Struct
from msgspec.msgpack import Decoder, encode

from jibble_async.errors import ConfigurationError
from jibble_async.limits.stored import Timed, catch_up

__all__ = ["FileBusyError", "FileThread", "Format", "StateFile"]

BUSY_TIMEOUT = 1.0

DAMAGE = (sqlite3.Error, OSError, ValueError, TypeError, ArithmeticError, LookupError, MemoryError)
"""What a file raises that can't be used: SQLite itself, and whoever takes what it read."""


class FileBusyError(Exception):
    """Another process has had the file locked for longer than a transaction takes."""


T = TypeVar("T", bound=Timed)
R = TypeVar("R")


class Format(Struct, Generic[T], frozen=True):
    """What a file is for.

    Attributes:
        application_id: SQLite's mark of it.
        version: The version of what it holds.
        kind: The class of that.
        lost: What can't be done when the file can't be used, as `{path}` continues.
        harmless: When a file may be deleted.
        durable: Whether each transaction is flushed to the disk, so that it outlasts a power cut.
    """

    application_id: int
    version: int
    kind: type[T]
    lost: str
    harmless: str
    durable: bool


class StateFile(Generic[T]):
    """One value in a SQLite file; every use is one transaction.

    Times are those of the machine's monotonic clock, which all of its processes share. After a
    restart of the machine that clock begins again: the value is then moved along, as if no time
    had passed while it was off.

    Args:
        path: The file; made, with its folder, if it is not there.
        of: What it is for.
        first: The value of a new file, by the time.
        clock: The machine's monotonic clock.

    Raises:
        ConfigurationError: The file is damaged, is something else, or can't be written.
    """

    def __init__(
        self, path: Path, of: Format[T], first: Callable[[float], T], clock: Callable[[], float]
    ) -> None:
        self._path = path
        self._format = of
        self._first = first
        self._clock = clock
        self._decoder = Decoder(of.kind)
        with self._translated():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare()
                self._process = os.getpid()
                self._files = dict(self._sizes())
            except BaseException:
                self._db.close()
                raise

    def update(self, change: Callable[[T, float], R]) -> R:
        """Load the value, let `change` change it at the time it is given, and store it.

        Raises:
            FileBusyError: Nothing was done.
            ConfigurationError: The file can't be used any more.
        """
        self._check_identity()
        with self._translated(), self._db as db:
            db.execute("BEGIN IMMEDIATE")
            value, now = self._read()
            result = change(value, now)
            self._write(value)
            return result

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _read(self) -> tuple[T, float]:
        """What holds now, and the time."""
        state, checksum = self._db.execute("SELECT state, checksum FROM counted").fetchone()
        if crc32(state) != checksum:
            raise ValueError("its checksum is another")
        value, now = self._decoder.decode(state), self._clock()
        catch_up(value, now)
        return value, now

    def _write(self, value: T) -> None:
        state = encode(value)
        self._db.execute("REPLACE INTO counted VALUES (1, ?, ?)", (state, crc32(state)))

    def _number(self, sql: str) -> float:
        return float(self._db.execute(sql).fetchone()[0])

    def _prepare(self) -> None:
        db, of = self._db, self._format
        # Reading comes first: a foreign file is not to be changed, not even its journal mode. And
        # tables before their mark: another process may make both, in one step, in between.
        tables = self._number("SELECT count(*) FROM sqlite_master")
        ours = self._number("PRAGMA application_id") == of.application_id
        if tables and not ours:
            raise ConfigurationError(
                f"{self._path} is a SQLite file of something else: choose another path"
            )
        if not ours:
            db.execute("PRAGMA journal_mode = WAL")
        db.execute(f"PRAGMA synchronous = {'FULL' if of.durable else 'NORMAL'}")
        db.execute("BEGIN IMMEDIATE")
        if self._number("PRAGMA application_id") != of.application_id:
            db.execute(
                "CREATE TABLE counted "
                "(id INTEGER PRIMARY KEY, state BLOB NOT NULL, checksum INTEGER NOT NULL)"
            )
            db.execute(f"PRAGMA application_id = {of.application_id}")
            db.execute(f"PRAGMA user_version = {of.version}")
            self._write(self._first(self._clock()))
        elif self._number("PRAGMA user_version") != of.version:
            raise ConfigurationError(
                f"{self._path} was made by another version of this package: choose another path, "
                f"or delete it {of.harmless}"
            )
        else:
            self._read()
        db.execute("COMMIT")

    def _check_identity(self) -> None:
        # SQLite's connections don't outlive a fork, and two processes would use one holder's keys.
        if os.getpid() != self._process:
            raise ConfigurationError(
                f"{self._path} was opened before this process was forked: make a limiter in each "
                "process, or close it before with aclose()"
            )
        sizes = dict(self._sizes())
        # None of the files gets shorter while one process has them open.
        gone = {file: size for file, size in self._files.items() if sizes.get(file, -1) < size}
        for suffix, number in gone:
            if suffix == "-shm" and (suffix, number) in sizes:
                # It is mapped into memory: to touch what was cut off would end this process.
                os.truncate(f"{self._path}{suffix}", self._files[suffix, number])
        if gone:
            raise ConfigurationError(
                f"{self._path}, or its -wal or -shm, was deleted, replaced or cut off while in "
                f"use, so {self._format.lost}: close the limiter, and open it again "
                f"{self._format.harmless}"
            )
        self._files = sizes

    def _sizes(self) -> Iterator[tuple[tuple[str, int], int]]:
        """The size of each file that SQLite keeps, by its suffix and its number."""
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                found = os.stat(f"{self._path}{suffix}")
                yield (suffix, found.st_ino), found.st_size

    @contextmanager
    def _translated(self) -> Generator[None]:
        """A place in which what a file raises becomes an error of ours."""
        try:
            yield
        except ConfigurationError:
            raise
        except (*DAMAGE, OSError) as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise FileBusyError(str(error)) from error
            raise ConfigurationError(
                f"the limit can't be counted in {self._path}: {error}; if it is damaged, delete it "
                f"{self._format.harmless}"
            ) from error


class Closable(Protocol):
    """What is used in a `FileThread`."""

    def close(self) -> None:
        """Close the file."""
        ...


F = TypeVar("F", bound=Closable)


class FileThread(Generic[F]):
    """A file, and the thread in which it is opened and used.

    Args:
        opener: Opens it.
    """

    def __init__(self, opener: Callable[[], F]) -> None:
        self._opener = opener
        self._thread: ThreadPoolExecutor | None = None
        self._file: F | None = None
        self._finalizer: weakref.finalize[..., FileThread[F]] | None = None

    def open(self) -> None:
        """Start the thread; the file is opened at its first use."""
        self._thread = ThreadPoolExecutor(1, "jibble-shared-limit")

    async def run(self, use: Callable[[F], R]) -> R:
        """Let `use` work with the file, in the thread.

        Raises:
            FileBusyError: Another process has it locked.
            ConfigurationError: It can't be used.
        """
        assert self._thread is not None
        # Not by the loop, as some have no executors.
        return await asyncio.wrap_future(self._thread.submit(self._in_thread, use))

    async def close(self) -> None:
        """Close the file, and end the thread; `open` may come again."""
        if self._thread is not None:
            thread, self._thread = self._thread, None
            await asyncio.wrap_future(thread.submit(self._close_in_thread))
            thread.shutdown(wait=False)

    def _in_thread(self, use: Callable[[F], R]) -> R:
        if self._file is None:
            self._file = self._opener()
            self._finalizer = weakref.finalize(self, self._file.close)
        return use(self._file)

    def _close_in_thread(self) -> None:
        self._file = None
        if self._finalizer is not None:
            self._finalizer()
