"""Rows that were handed on and can't be taken back, and what is to be said of them in the end."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence

from jibble_async.core.pages import RawRow
from jibble_async.export.proof.collecting import Reading, digest
from jibble_async.export.proof.verdicts import SweptRow

__all__ = ["HandedOn"]


class HandedOn:
    """What was given of a set, which `jibble_async.export.proof.sweep.settle` looks through.

    Memory holds eight bytes for each row, and the rows that changed meanwhile.

    Args:
        with_digests: Whether changed rows are to be told from others by their bytes, since nothing
            else tells: takes some memory for each row.

    Attributes:
        read: What was given, by digests, if these are wanted.
    """

    def __init__(self, *, with_digests: bool) -> None:
        # By their hashes, since nobody asks which they are.
        self._given = array("q")
        self.read: Reading | None = Reading() if with_digests else None
        self._swept: dict[str, SweptRow] = {}
        self._in_given: int | None = 0

    def note(self, rows: Iterable[RawRow]) -> None:
        """Rows that were given."""
        rows = list(rows)
        self._given.extend(hash(key) for key, _ in rows)
        if self.read is not None:
            self.read.take(rows)
        self._in_given = None

    async def count(self) -> int:
        """How many rows there are where all that is said here was done."""
        if self._in_given is None:
            swept = {hash(key) for key in self._swept}
            self._in_given = sum(each not in swept for each in self._given)
        return self._in_given + sum(row.in_scope for row in self._swept.values())

    async def replace(self, rows: Sequence[SweptRow]) -> None:
        """Note rows that changed."""
        for row in rows:
            known = None if self.read is None else self.read[row.id]
            if known is None or known != digest(row.raw):
                self._swept[row.id] = row
        self._in_given = None

    async def retain(self, present: Callable[[str], bool]) -> int:
        """Forget changed rows that are not present; of those given nobody knows which are."""
        away = [row for row in self._swept.values() if row.in_scope and not present(row.id)]
        for row in away:
            self._swept[row.id] = SweptRow(row.id, row.stamp, False, row.raw)
        self._in_given = None
        return len(away)

    def late(self) -> list[RawRow]:
        """Rows in scope that were not given before."""
        given = self._known()
        return [
            (row.id, row.raw)
            for row in self._swept.values()
            if row.in_scope and hash(row.id) not in given
        ]

    def changed(self) -> list[RawRow]:
        """Rows that were given, as they are by now."""
        given = self._known()
        return [
            (row.id, row.raw)
            for row in self._swept.values()
            if row.in_scope and hash(row.id) in given
        ]

    def gone(self) -> list[str]:
        """The ids of rows that were given and are not meant any more."""
        given = self._known()
        return [
            row.id for row in self._swept.values() if not row.in_scope and hash(row.id) in given
        ]

    def _known(self) -> set[int]:
        """Which of the changed rows were given, by their hashes."""
        swept = {hash(key) for key in self._swept}
        return {each for each in self._given if each in swept}
