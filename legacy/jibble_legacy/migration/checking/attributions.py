"""The entries of the new account, and which old one each answers for, in a temporary file.

What a million entries are told by does not fit into memory.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from jibble_legacy.migration.checking.origins import GENERATIONS, Answer, Origin, origin
from jibble_legacy.migration.checking.readback import ThereEntry
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.marks import OUR_VERSION, entry_key
from jibble_legacy.migration.states import ACTIONS

__all__ = ["Attributions"]

_BATCH = 2000
_TABLES = """
CREATE TABLE found (entry INTEGER NOT NULL, generation INTEGER NOT NULL, revision INTEGER NOT NULL,
    row BLOB NOT NULL);
CREATE TABLE rest (id TEXT PRIMARY KEY, mark TEXT NOT NULL, row BLOB NOT NULL);
CREATE INDEX rest_mark ON rest (mark);
CREATE TABLE key (key TEXT PRIMARY KEY, entry INTEGER NOT NULL) WITHOUT ROWID;
"""
_ROW = msgspec.msgpack.Decoder(ThereEntry)


class Attributions:
    """What answers for what, as far as it was found.

    Args:
        ledger: Has the old entries.
        space: Of their marks.
    """

    def __init__(self, ledger: Ledger, space: uuid.UUID) -> None:
        self._ledger = ledger
        self._space = space
        self._scratch = sqlite3.connect("", isolation_level=None)
        self._scratch.executescript(_TABLES)

    def close(self) -> None:
        """Throw it away."""
        self._scratch.close()

    def __len__(self) -> int:
        return self._count("found")

    def note(self, rows: Iterable[ThereEntry]) -> None:
        """Keep entries: with the old one that each names, or for later."""
        self._scratch.execute("BEGIN")
        for there in rows:
            self._note(there)
        self._scratch.execute("COMMIT")

    def find_by_keys(self) -> None:
        """Find those that don't say which program made them, by the keys of all old entries."""
        for generation in range(GENERATIONS):
            if not self._count("rest") or not self._find_generation(generation):
                return

    def find_twins(self, people: Mapping[str, Sequence[int]]) -> None:
        """Find those of a server that keeps no mark: same person, moment and kind.

        Args:
            people: Numbers of old people, by new ids in small letters.
        """
        for (row,) in self._scratch.execute("SELECT row FROM rest").fetchall():
            there = _ROW.decode(row)
            entry = self._twin(people.get((there.found.person or "").lower(), ()), there)
            if entry is not None:
                self._found(Answer(entry, there, Origin(0, 0)))

    def generations(self) -> Iterator[tuple[int, bool]]:
        """The generation of each, and whether it is active."""
        for generation, row in self._scratch.execute("SELECT generation, row FROM found"):
            yield generation, _ROW.decode(row).found.active

    def counts(self) -> Counter[tuple[int, str]]:
        """How many active ones there are, by the number of the old person and the new id."""
        counts: Counter[tuple[int, str]] = Counter()
        for entry, row in self._scratch.execute("SELECT entry, row FROM found"):
            found = _ROW.decode(row).found
            person = self._ledger.value("SELECT person FROM entry WHERE n = ?", entry)
            if person is not None and found.person is not None and found.active:
                counts[person, found.person] += 1
        return counts

    def batches(self) -> Iterator[list[list[Answer]]]:
        """All that answers for each old entry, some thousand entries at a time."""
        batch: list[list[Answer]] = []
        for entry, generation, revision, row in self._scratch.execute(
            "SELECT entry, generation, revision, row FROM found ORDER BY entry"
        ):
            answer = Answer(entry, _ROW.decode(row), Origin(generation, revision))
            if batch and batch[-1][0].entry == entry:
                batch[-1].append(answer)
                continue
            if len(batch) == _BATCH:
                yield batch
                batch = []
            batch.append([answer])
        if batch:
            yield batch

    def _note(self, there: ThereEntry) -> None:
        """Keep an entry: with the old one that it names, or for later."""
        if there.program == OUR_VERSION:
            known = self._ledger.read("SELECT n FROM entry WHERE id = ?", there.device)
            sent = origin(there, there.device, self._space) if known else None
            if sent is not None:
                self._found(Answer(known[0][0], there, sent))
                return
        self._scratch.execute(
            "INSERT OR REPLACE INTO rest VALUES (?, ?, ?)",
            (there.found.id.lower(), there.mark, msgspec.msgpack.encode(there)),
        )

    def _found(self, answer: Answer) -> None:
        self._scratch.execute(
            "INSERT INTO found VALUES (?, ?, ?, ?)",
            (
                answer.entry,
                answer.origin.generation,
                answer.origin.revision,
                msgspec.msgpack.encode(answer.there),
            ),
        )

    def _find_generation(self, generation: int) -> bool:
        self._scratch.execute("BEGIN")
        self._scratch.execute("DELETE FROM key")
        self._scratch.executemany(
            "INSERT INTO key VALUES (?, ?)",
            (
                (entry_key(self._space, generation, old_id), n)
                for n, old_id in self._ledger.scan("SELECT n, id FROM entry")
            ),
        )
        found = self._scratch.execute(
            "SELECT key.entry, rest.id, rest.row FROM key "
            "JOIN rest ON rest.id = key.key OR rest.mark = key.key"
        ).fetchall()
        for entry, found_id, row in found:
            self._found(Answer(entry, _ROW.decode(row), Origin(generation, 0)))
            self._scratch.execute("DELETE FROM rest WHERE id = ?", (found_id,))
        self._scratch.execute("COMMIT")
        return bool(found)

    def _twin(self, people: Sequence[int], there: ThereEntry) -> int | None:
        ms, action = there.found.ms, ACTIONS.get(there.found.type or "")
        if ms is None or action is None:
            return None
        for last in (ms, ms // 1000 * 1000 + 999):
            numbers = sorted(
                n
                for person in people
                for (n,) in self._ledger.read(
                    "SELECT n FROM entry WHERE person = ? AND ms BETWEEN ? AND ? AND action = ?",
                    person,
                    ms,
                    last,
                    action,
                )
            )
            if numbers:
                # Of those that are alike to the millisecond, the first was written.
                return numbers[0] if last == ms or len(numbers) == 1 else None
            if ms % 1000:
                # Else the server may have kept whole seconds only.
                return None
        return None

    def _count(self, table: str) -> int:
        counted = self._scratch.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - ours
        number: int = counted.fetchone()[0]
        return number
