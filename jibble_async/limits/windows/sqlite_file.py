"""The slots that processes of one machine share, counted in a SQLite file."""

from __future__ import annotations

import os
import sqlite3
import uuid
from bisect import insort
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from math import inf
from pathlib import Path
from zlib import crc32

from msgspec import Struct
from msgspec.msgpack import Decoder, encode

from jibble_async.errors import ConfigurationError
from jibble_async.limits.windows.policy import Decision, Place, Policy, State, Wanted
from jibble_async.limits.windows.reserve import Clicks
from jibble_async.limits.windows.stored import Answer, GivenBack

__all__ = ["FileBusyError", "WindowFile"]

APPLICATION_ID = 0x4A62576E
VERSION = 2
BUSY_TIMEOUT = 1.0
FORGET = 60.0
DURABLE_FROM = 60.0
"""Periods from this many seconds on outlast a power cut and the restart that follows, so their
transactions are flushed to the disk; a shorter period is over by then."""

SCHEMA = f"""
CREATE TABLE counted (id INTEGER PRIMARY KEY, state BLOB NOT NULL, checksum INTEGER NOT NULL);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
"""

DAMAGE = (sqlite3.Error, OSError, ValueError, TypeError, ArithmeticError, LookupError, MemoryError)
"""What a file raises that can't be used: SQLite itself, and whoever takes what it read."""


class FileBusyError(Exception):
    """Another process has had the file locked for longer than a transaction takes."""


class Counted(Struct, array_like=True):
    """What the file holds, as one value: it is read, and written back, as a whole.

    Attributes:
        per: The period that is counted for, in seconds.
        seen: The latest time at which the file was read.
        dues: When the slots that were given back no longer count, and their keys; sorted.
        under_way: The other slots, by their keys: until when each counts if its holder is never
            heard of again, and when it was granted to an interactive call; `-inf` if to another.
        clicks: What `Clicks` are made of.
        places: The queue of processes.
        closed_until: Nobody gets a slot before that time.
    """

    per: float
    seen: float
    dues: list[tuple[float, str]] = []
    under_way: dict[str, tuple[float, float]] = {}
    clicks: tuple[list[float], float, float] = ([], -inf, -inf)
    places: list[Place] = []
    closed_until: float = -inf

    def move(self, by: float) -> None:
        """Let all times be later by some seconds; who waited is gone."""
        times, last, crowded = self.clicks
        self.seen += by
        self.dues = [(due + by, key) for due, key in self.dues]
        self.under_way = {key: (end + by, at + by) for key, (end, at) in self.under_way.items()}
        self.clicks = [time + by for time in times], last + by, crowded + by
        self.places = []
        self.closed_until += by

    def forget(self, now: float) -> None:
        """Drop what counts no longer."""
        self.dues = [due for due in self.dues if due[0] > now]
        self.under_way = {key: slot for key, slot in self.under_way.items() if slot[0] > now}
        self.places = [place for place in self.places if place.asks_at > now - FORGET]


DECODER = Decoder(Counted)


class WindowFile:
    """Slots and the queue of processes in one SQLite file; every call is one transaction.

    Times are those of the machine's monotonic clock, which all of its processes share. After a
    restart of the machine that clock begins again: what is counted is then moved along, as if no
    time had passed while it was off.

    Args:
        path: The file; made, with its folder, if it is not there.
        policy: What is promised.
        clock: The machine's monotonic clock.

    Raises:
        ConfigurationError: The file is damaged, is something else, can't be written, or counts
            for another period.
    """

    def __init__(self, path: Path, policy: Policy, clock: Callable[[], float]) -> None:
        self._path = path
        self._policy = policy
        self._clock = clock
        self._holder = uuid.uuid4().hex[:12]
        self._taken = 0
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

    def exchange(self, given_back: Sequence[GivenBack], wanted: Wanted, look: int) -> Answer:
        """Do what `SlotStore.exchange` says.

        Raises:
            FileBusyError: Nothing was done.
            ConfigurationError: The file can't be used any more.
        """
        self._check_identity()
        with self._translated(), self._db as db:
            db.execute("BEGIN IMMEDIATE")
            return self._exchange(given_back, wanted, look)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _exchange(self, given_back: Sequence[GivenBack], wanted: Wanted, look: int) -> Answer:
        policy = self._policy
        counted, now = self._read()
        clicks = Clicks(policy.limit, policy.per, *counted.clicks)
        for slot in given_back:
            if slot.key not in counted.under_way:
                # It comes once more, as nobody heard the answer; or its lease has ended.
                counted.dues = [due for due in counted.dues if due[1] != slot.key]
            _, clicked = counted.under_way.pop(slot.key, (now, -inf))
            if slot.free_at is None:
                clicks.take_back(clicked)
            elif slot.free_at > now:
                # Also after its lease: its request may have just been sent.
                insort(counted.dues, (slot.free_at, slot.key))
        counted.closed_until = max(counted.closed_until, wanted.closed_until)
        dues, under_way = [due for due, _ in counted.dues], counted.under_way
        state = State(dues, len(under_way), clicks, counted.places, counted.closed_until)
        oldest_due = policy.oldest_due(state, now)
        clicks.wait(wanted.interactive, now)
        decision = Decision(0, 0, (), now, ())
        if wanted.total:
            decision = policy.decide(state, wanted, now, look, self._holder)
        keys = [f"{self._holder}:{self._taken + number}" for number in range(decision.granted)]
        self._taken += len(keys)
        for number, key in enumerate(keys):
            clicked = -inf
            if number < decision.interactive:
                clicked = now
                clicks.add(now)
            under_way[key] = now + policy.lost_after, clicked
        counted.clicks = clicks.kept(now)
        others = [place for place in counted.places if place.holder != self._holder]
        counted.places = [*others, *decision.places]
        self._write(counted)
        used = len(dues) + len(under_way)
        return Answer(
            keys, now, decision.dues, decision.ask_again, used=used, oldest_due=oldest_due
        )

    def _read(self) -> tuple[Counted, float]:
        """What counts now, and the time."""
        state, checksum = self._db.execute("SELECT state, checksum FROM counted").fetchone()
        if crc32(state) != checksum:
            raise ValueError("its checksum is another")
        counted, now = DECODER.decode(state), self._clock()
        if now < counted.seen - 1.0:
            counted.move(now - counted.seen)
        counted.seen = max(counted.seen, now)
        counted.forget(now)
        return counted, now

    def _write(self, counted: Counted) -> None:
        state = encode(counted)
        self._db.execute("REPLACE INTO counted VALUES (1, ?, ?)", (state, crc32(state)))

    def _number(self, sql: str) -> float:
        return float(self._db.execute(sql).fetchone()[0])

    def _prepare(self) -> None:
        db = self._db
        # Reading comes first: a foreign file is not to be changed, not even its journal mode. And
        # tables before their mark: another process may make both, in one step, in between.
        tables = self._number("SELECT count(*) FROM sqlite_master")
        ours = self._number("PRAGMA application_id") == APPLICATION_ID
        if tables and not ours:
            raise ConfigurationError(
                f"{self._path} is a SQLite file of something else: choose another path"
            )
        if not ours:
            db.execute("PRAGMA journal_mode = WAL")
        db.execute(
            f"PRAGMA synchronous = {'FULL' if self._policy.per >= DURABLE_FROM else 'NORMAL'}"
        )
        db.execute("BEGIN IMMEDIATE")
        if self._number("PRAGMA application_id") != APPLICATION_ID:
            for statement in SCHEMA.split(";"):
                db.execute(statement)
            self._write(Counted(self._policy.per, self._clock()))
        elif self._number("PRAGMA user_version") != VERSION:
            raise ConfigurationError(
                f"{self._path} was made by another version of this package: choose another path, "
                f"or delete it when nothing has been sent for {self._policy.lost_after:g} s"
            )
        else:
            self._check_period()
        db.execute("COMMIT")

    def _check_period(self) -> None:
        counted, _ = self._read()
        if counted.per == self._policy.per:
            return
        if counted.dues or counted.under_way:
            raise ConfigurationError(
                f"{self._path} counts requests per {counted.per:g} s, not per "
                f"{self._policy.per:g} s: give every process the same numbers, or choose another "
                "path"
            )
        counted.per = self._policy.per
        self._write(counted)

    def _check_identity(self) -> None:
        # SQLite's connections don't outlive a fork, and two processes would use one holder's keys.
        if os.getpid() != self._process:
            raise ConfigurationError(
                f"{self._path} was opened before this process was forked: make a window in each "
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
                "use, so what was sent is not known any more: close the window, and open it again "
                f"{self._policy.lost_after:g} s later"
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
                f"when nothing has been sent for {self._policy.lost_after:g} s"
            ) from error
