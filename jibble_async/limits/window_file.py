"""The slots of a `SharedWindow`, counted in a SQLite file."""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Callable, Sequence
from math import inf
from pathlib import Path

from jibble_async.errors import ConfigurationError
from jibble_async.limits.reserve import LATELY, REMEMBERED, Reserve
from jibble_async.limits.stored import (
    ASK_AGAIN,
    OVERDUE,
    Answer,
    GivenBack,
    Terms,
    Wanted,
)

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
    key TEXT PRIMARY KEY, free_at REAL NOT NULL, held INTEGER NOT NULL, clicked REAL
) WITHOUT ROWID;
CREATE INDEX slots_by_due ON slots (held, free_at);
CREATE TABLE line (
    holder TEXT NOT NULL, bulk INTEGER NOT NULL, turn REAL NOT NULL, wake REAL NOT NULL,
    PRIMARY KEY (holder, bulk)
) WITHOUT ROWID;
CREATE TABLE facts (
    per REAL NOT NULL, seen REAL NOT NULL, clicked REAL NOT NULL, crowded REAL NOT NULL
);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
"""

# Who of the others is in line before a call, those left out that are late to ask: interactive calls
# go before bulk calls, unless enough of them have overtaken one; among equals, who came first. An
# overtaken bulk call whose process has an interactive one in line too goes before nobody: that
# process asks for the interactive one first, so all might wait for each other.
_BEFORE_CLICK_OR_DUE_BULK = """
SELECT count(*) FROM line WHERE wake > :late AND (
    :click AND bulk = 0 AND turn < :turn
    OR bulk = 1 AND (:click OR turn < :turn)
        AND (SELECT count(*) FROM slots WHERE clicked > line.turn) >= :patience
        AND NOT EXISTS (SELECT 1 FROM line AS own WHERE own.holder = line.holder AND own.bulk = 0))
"""
_BEFORE_BULK = """
SELECT count(*) FROM line WHERE wake > :late AND (bulk = 0 OR turn < :turn)
"""


class FileBusyError(Exception):
    """Another process has had the file locked for longer than a transaction takes."""


class WindowFile:
    """Slots and the line of processes in one SQLite file; every call is one transaction.

    Times are those of the machine's monotonic clock, which all of its processes share. After a
    restart of the machine that clock begins again: what is counted is then moved along, as if no
    time had passed while it was off.

    Args:
        path: The file; made, with its folder, if it is not there.
        terms: What is promised.
        clock: The machine's monotonic clock.

    Raises:
        ConfigurationError: The file is damaged, is something else, can't be written, or counts
            for another period.
    """

    def __init__(self, path: Path, terms: Terms, clock: Callable[[], float]) -> None:
        self._path = path
        self._limit = terms.limit
        self._per = terms.per
        self._hold = terms.hold
        self._patience = terms.patience
        self._reserve = Reserve(str(path), terms.limit, terms.per, terms.reserve)
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
            self._inode = os.stat(path).st_ino
            self._process = os.getpid()
        except sqlite3.Error as error:
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
        except sqlite3.Error as error:
            raise self._translated(error) from error
        return answer

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _exchange(self, given_back: Sequence[GivenBack], wanted: Wanted, look: int) -> Answer:
        db = self._db
        now = self._tell_time()
        for slot in given_back:
            if slot.free_at is None:
                db.execute("DELETE FROM slots WHERE key = ?", (slot.key,))
            else:
                # A slot whose lease has ended counts again: its request may have just been sent.
                db.execute(
                    "INSERT INTO slots VALUES (?1, ?2, 0, NULL) "
                    "ON CONFLICT DO UPDATE SET free_at = ?2, held = 0",
                    (slot.key, slot.free_at),
                )
        db.execute("DELETE FROM slots WHERE free_at <= ?", (now,))
        db.execute("DELETE FROM line WHERE wake <= ?", (now - FORGET,))
        turns = dict(db.execute("SELECT bulk, turn FROM line WHERE holder = ?", (self._holder,)))
        db.execute("DELETE FROM line WHERE holder = ?", (self._holder,))
        if not wanted.total:
            return Answer((), now, (), now)
        turn = turns.setdefault(wanted.priority == "bulk", now)
        due = wanted.priority == "bulk" and (
            wanted.bulk_is_due or self._overtaken_since(turn) >= self._patience
        )
        ahead = self._ahead(now, turn, wanted, due)
        used = int(self._number("SELECT count(*) FROM slots"))
        free, oldest = self._limit - used, self._dues(now, 0, 1)[0]
        clicks, bulk, begin = 0, 0, now
        if ahead < free:
            clicks, bulk, begin = self._shares(now, wanted, free - ahead, due)
        if clicks + bulk:
            dues, ask_again = [], now
        else:
            dues = [max(begin, free_at) for free_at in self._dues(now, max(0, ahead - free), look)]
            dues[:0] = [begin] * (free - ahead)
            # One of those ahead may have gone: then the next slot is left lying.
            soonest = begin if free > 0 else oldest
            ask_again = min(dues[0], soonest + OVERDUE, now + ASK_AGAIN)
        if wanted.interactive and not clicks:
            self._stand(0, turns.get(0, now), ask_again)
        if wanted.bulk and not bulk:
            self._stand(1, turns.get(1, now), ask_again)
        granted = self._take(now, clicks, bulk)
        return Answer(granted, now, dues, ask_again, used=used + len(granted), oldest_due=oldest)

    def _ahead(self, now: float, turn: float, wanted: Wanted, due: bool) -> int:
        """How many processes go before this one."""
        click = wanted.priority == "interactive"
        others = _BEFORE_CLICK_OR_DUE_BULK if click or due else _BEFORE_BULK
        parameters = {
            "late": now - OVERDUE,
            "turn": turn,
            "click": click,
            "patience": self._patience,
        }
        return int(self._db.execute(others, parameters).fetchone()[0])

    def _overtaken_since(self, turn: float) -> int:
        return int(self._number("SELECT count(*) FROM slots WHERE clicked > ?", turn))

    def _shares(self, now: float, wanted: Wanted, free: int, due: bool) -> tuple[int, int, float]:
        """How many calls of each priority get a slot, and when the next bulk call may have one."""
        others = int(self._number("SELECT count(DISTINCT holder) FROM line"))
        most = min(wanted.total, max(1, free // (others + 1)))
        clicks = min(wanted.interactive, most - due)
        bulk, begin = int(due), now
        if clicks + bulk < most:
            recent = clicks + self._overtaken_since(now - self._per)
            dues = self._dues(now, 0, self._limit)
            soon = self._reserve.slot
            if not self._one_by_one(now):
                soon = max(soon, wanted.apart)
            while clicks + bulk < most and begin <= now:
                begin = self._reserve.bulk_from(free - clicks - bulk, dues, now, recent, soon)
                bulk += begin <= now
        return clicks, bulk, begin

    def _one_by_one(self, now: float) -> bool:
        """As `Clicks.one_by_one`, of all processes."""
        times = (now - LATELY, now - REMEMBERED)
        return bool(self._number("SELECT clicked >= ? AND crowded < ? FROM facts", *times))

    def _take(self, now: float, clicks: int, bulk: int) -> list[str]:
        keys = [f"{self._holder}:{self._taken + i}" for i in range(clicks + bulk)]
        self._taken += len(keys)
        self._db.executemany(
            "INSERT INTO slots VALUES (?, ?, 1, ?)",
            [(key, now + self._hold, now if i < clicks else None) for i, key in enumerate(keys)],
        )
        if clicks:
            self._db.execute(
                "UPDATE facts SET clicked = ?1, "
                "crowded = iif(?2 > 1 OR ?1 - clicked < ?3, ?1, crowded)",
                (now, clicks, self._reserve.slot),
            )
        return keys

    def _stand(self, bulk: int, turn: float, wake: float) -> None:
        self._db.execute("INSERT INTO line VALUES (?, ?, ?, ?)", (self._holder, bulk, turn, wake))

    def _dues(self, now: float, skip: int, look: int) -> list[float]:
        """The next `look` dues; slots under way count as if their answers came now."""
        rows = self._db.execute(
            "SELECT free_at FROM slots WHERE held = 0 ORDER BY free_at LIMIT ? OFFSET ?",
            (look, skip),
        )
        under_way = self._number("SELECT count(*) FROM slots WHERE held = 1") > 0
        dues = [float(row[0]) for row in rows]
        if under_way:
            dues = [min(due, now + self._per) for due in dues]
        return dues or [now + self._per]

    def _tell_time(self) -> float:
        now = self._clock()
        seen = self._number("SELECT seen FROM facts")
        if now < seen - 1.0:
            self._db.execute(
                "UPDATE slots SET free_at = free_at + ?1, clicked = clicked + ?1", (now - seen,)
            )
            self._db.execute(
                "UPDATE facts SET clicked = clicked + ?1, crowded = crowded + ?1", (now - seen,)
            )
            self._db.execute("DELETE FROM line")
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
        db.execute(f"PRAGMA synchronous = {'FULL' if self._per >= DURABLE_FROM else 'NORMAL'}")
        db.execute("BEGIN IMMEDIATE")
        if self._number("PRAGMA application_id") != APPLICATION_ID:
            for statement in SCHEMA.split(";"):
                db.execute(statement)
            db.execute(
                "INSERT INTO facts VALUES (?, ?, ?, ?)", (self._per, self._clock(), -inf, -inf)
            )
        else:
            self._check_period(self._tell_time())
        db.execute("COMMIT")

    def _check_period(self, now: float) -> None:
        per = self._number("SELECT per FROM facts")
        if per == self._per:
            return
        if self._number("SELECT count(*) FROM slots WHERE free_at > ?", now):
            raise ConfigurationError(
                f"{self._path} counts requests per {per:g} s, not per {self._per:g} s: give every "
                "process the same numbers, or choose another path"
            )
        self._db.execute("UPDATE facts SET per = ?", (self._per,))

    def _check_identity(self) -> None:
        # SQLite's connections don't outlive a fork, and two processes would use one holder's keys.
        if os.getpid() != self._process:
            raise ConfigurationError(
                f"{self._path} was opened before this process was forked: make a window in each "
                "process, or close it before with aclose()"
            )
        try:
            same = os.stat(self._path).st_ino == self._inode
        except FileNotFoundError:
            same = False
        if not same:
            raise ConfigurationError(
                f"{self._path} was deleted or replaced while in use, so what was sent is not known "
                f"any more: close the window, and open it again {self._hold:g} s later"
            )

    def _translated(self, error: sqlite3.Error) -> Exception:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return FileBusyError(str(error))
        return self._unusable(error)

    def _unusable(self, error: BaseException) -> ConfigurationError:
        return ConfigurationError(
            f"the limit can't be counted in {self._path}: {error}; if it is damaged, delete it "
            f"when nothing has been sent for {self._hold:g} s"
        )
