"""The slots that processes of one machine share, counted in a SQLite file."""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from math import inf
from pathlib import Path

from msgspec.structs import astuple

from jibble_async.errors import ConfigurationError
from jibble_async.limits.windows.policy import Decision, Place, Policy, State, Wanted
from jibble_async.limits.windows.reserve import Clicks
from jibble_async.limits.windows.stored import Answer, GivenBack

__all__ = ["FileBusyError", "WindowFile"]

APPLICATION_ID = 0x4A62576E
VERSION = 1
BUSY_TIMEOUT = 1.0
FORGET = 60.0
DURABLE_FROM = 60.0
"""Periods from this many seconds on outlast a power cut and the restart that follows, so their
transactions are flushed to the disk; a shorter period is over by then."""

SCHEMA = f"""
CREATE TABLE slots (
    key TEXT PRIMARY KEY, free_at REAL NOT NULL, under_way INTEGER NOT NULL, clicked REAL
) WITHOUT ROWID;
CREATE INDEX slots_by_due ON slots (under_way, free_at);
CREATE TABLE places (
    holder TEXT NOT NULL, bulk INTEGER NOT NULL, since REAL NOT NULL, asks_at REAL NOT NULL,
    PRIMARY KEY (holder, bulk)
) WITHOUT ROWID;
CREATE TABLE facts (
    per REAL NOT NULL, seen REAL NOT NULL,
    clicked REAL NOT NULL, crowded REAL NOT NULL, closed REAL NOT NULL
);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
"""


DAMAGE = (sqlite3.Error, ValueError, TypeError, ArithmeticError, LookupError, MemoryError)
"""What reading a damaged file raises: SQLite itself, and whoever takes what it read."""


class FileBusyError(Exception):
    """Another process has had the file locked for longer than a transaction takes."""


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
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
            )
        except (sqlite3.Error, OSError) as error:
            raise self._unusable(error) from error
        try:
            self._prepare()
            self._process = os.getpid()
            self._files = dict(self._sizes())
        except DAMAGE as error:
            self._db.close()
            raise self._translated(error) from error
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
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                answer = self._exchange(given_back, wanted, look)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        except DAMAGE as error:
            raise self._translated(error) from error
        return answer

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _exchange(self, given_back: Sequence[GivenBack], wanted: Wanted, look: int) -> Answer:
        now = self._tell_time()
        self._count_on(given_back, now)
        state = self._state(now, wanted)
        self._db.execute("DELETE FROM places WHERE holder = ?", (self._holder,))
        used, oldest = len(state.dues) + state.under_way, self._policy.oldest_due(state, now)
        if not wanted.total:
            return Answer((), now, (), now, used=used, oldest_due=oldest)
        state.clicks.wait(wanted.interactive, now)
        decision = self._policy.decide(state, wanted, now, look, self._holder)
        self._db.executemany(
            "INSERT INTO places VALUES (?, ?, ?, ?)", map(astuple, decision.places)
        )
        keys = self._take(state.clicks, decision, now)
        if wanted.interactive:
            last_and_crowded = state.clicks.last_and_crowded
            self._db.execute("UPDATE facts SET clicked = ?, crowded = ?", last_and_crowded)
        return Answer(
            keys,
            now,
            decision.dues,
            decision.ask_again,
            used=used + len(keys),
            oldest_due=oldest,
        )

    def _count_on(self, given_back: Sequence[GivenBack], now: float) -> None:
        """Count what came back for as long as it says, and forget what counts no longer."""
        db = self._db
        for slot in given_back:
            if slot.free_at is None:
                db.execute("DELETE FROM slots WHERE key = ?", (slot.key,))
            else:
                # A slot whose lease has ended counts again: its request may have just been sent.
                db.execute(
                    "INSERT INTO slots VALUES (?, ?, 0, NULL) "
                    "ON CONFLICT DO UPDATE SET free_at = excluded.free_at, under_way = 0",
                    (slot.key, slot.free_at),
                )
        db.execute("DELETE FROM slots WHERE free_at <= ?", (now,))
        db.execute("DELETE FROM places WHERE asks_at <= ?", (now - FORGET,))

    def _state(self, now: float, wanted: Wanted) -> State:
        db, policy = self._db, self._policy
        dues = db.execute("SELECT free_at FROM slots WHERE under_way = 0 ORDER BY free_at")
        clicks = db.execute(
            "SELECT clicked FROM slots WHERE clicked > ? ORDER BY clicked", (now - policy.per,)
        )
        places = db.execute("SELECT holder, bulk, since, asks_at FROM places")
        last, crowded, closed = db.execute("SELECT clicked, crowded, closed FROM facts").fetchone()
        if wanted.closed_until > closed:
            closed = wanted.closed_until
            db.execute("UPDATE facts SET closed = ?", (closed,))
        return State(
            dues=[due for (due,) in dues],
            under_way=int(self._number("SELECT count(*) FROM slots WHERE under_way = 1")),
            clicks=Clicks(policy.limit, policy.per, [time for (time,) in clicks], last, crowded),
            places=[Place(holder, bool(bulk), *times) for holder, bulk, *times in places],
            closed_until=closed,
        )

    def _take(self, clicks: Clicks, decision: Decision, now: float) -> list[str]:
        keys = [f"{self._holder}:{self._taken + number}" for number in range(decision.granted)]
        self._taken += len(keys)
        until = now + self._policy.lost_after
        self._db.executemany(
            "INSERT INTO slots VALUES (?, ?, 1, ?)",
            [
                (key, until, now if number < decision.interactive else None)
                for number, key in enumerate(keys)
            ],
        )
        for _ in range(decision.interactive):
            clicks.add(now)
        return keys

    def _tell_time(self) -> float:
        now = self._clock()
        seen = self._number("SELECT seen FROM facts")
        if now < seen - 1.0:
            moved = {"by": now - seen}
            self._db.execute(
                "UPDATE slots SET free_at = free_at + :by, clicked = clicked + :by", moved
            )
            self._db.execute(
                "UPDATE facts SET clicked = clicked + :by, crowded = crowded + :by, "
                "closed = closed + :by",
                moved,
            )
            self._db.execute("DELETE FROM places")
        if now > seen or now < seen - 1.0:
            self._db.execute("UPDATE facts SET seen = ?", (now,))
        return now

    def _number(self, sql: str, *parameters: str | float) -> float:
        return float(self._db.execute(sql, parameters).fetchone()[0])

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
        if self._number("PRAGMA user_version") > VERSION:
            raise ConfigurationError(f"{self._path} was made by a newer version of this package")
        db.execute(
            f"PRAGMA synchronous = {'FULL' if self._policy.per >= DURABLE_FROM else 'NORMAL'}"
        )
        db.execute("BEGIN IMMEDIATE")
        if self._number("PRAGMA application_id") != APPLICATION_ID:
            for statement in SCHEMA.split(";"):
                db.execute(statement)
            db.execute(
                "INSERT INTO facts VALUES (?, ?, ?, ?, ?)",
                (self._policy.per, self._clock(), -inf, -inf, -inf),
            )
        else:
            self._check_period(self._tell_time())
        db.execute("COMMIT")

    def _check_period(self, now: float) -> None:
        per = self._number("SELECT per FROM facts")
        if per == self._policy.per:
            return
        if self._number("SELECT count(*) FROM slots WHERE free_at > ?", now):
            raise ConfigurationError(
                f"{self._path} counts requests per {per:g} s, not per {self._policy.per:g} s: "
                "give every process the same numbers, or choose another path"
            )
        self._db.execute("UPDATE facts SET per = ?", (self._policy.per,))

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

    def _translated(self, error: Exception) -> Exception:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return FileBusyError(str(error))
        return self._unusable(error)

    def _unusable(self, error: BaseException) -> ConfigurationError:
        return ConfigurationError(
            f"the limit can't be counted in {self._path}: {error}; if it is damaged, delete it "
            f"when nothing has been sent for {self._policy.lost_after:g} s"
        )
