"""The rows that an export has: those of its parts, less what a sweep replaced or dropped."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from jibble_async.core.pages import RawRow
from jibble_async.export.files.atomic import make_private, writing
from jibble_async.export.files.disk import DiskThread
from jibble_async.export.journal.parts import id_line, id_lines
from jibble_async.export.proof.verdicts import SweptRow

__all__ = ["HeldOffLoop", "HeldParts", "Holding"]


class HeldParts:
    """What is held of a set.

    Memory holds the ids of swept rows alone: the rows themselves wait in a file, and the ids of
    parts are read in passing.

    Args:
        parts: The parts, each with its number of rows.
        scratch: A file for swept rows, which is made when there are any.
        out: What is exported to, for errors.
        lines: Reads the lines of the ids of a part; by default from the file beside it.

    Attributes:
        gone: The lines of the ids that count no more in parts.
    """

    def __init__(
        self,
        parts: Sequence[tuple[Path, int]],
        scratch: Path,
        out: Path,
        lines: Callable[[Path], Iterable[bytes]] = id_lines,
    ) -> None:
        self.gone: set[bytes] = set()
        self._parts = parts
        self._scratch = scratch
        self._out = out
        self._lines = lines
        self._file: BinaryIO | None = None
        self._size = 0
        # Where each swept row is in the file; None if it is not in scope.
        self._swept: dict[bytes, tuple[str, int, int] | None] = {}
        self._in_parts: int | None = sum(rows for _, rows in parts)

    def count(self) -> int:
        """How many rows there are, in scope.

        Raises:
            ExportError: The parts can't be read.
        """
        if self._in_parts is None:
            with writing(self._out):
                left = (rows - self.gone_of(part) for part, rows in self._parts)
                self._in_parts = sum(left)
        return self._in_parts + sum(1 for place in self._swept.values() if place is not None)

    def gone_of(self, part: Path) -> int:
        """How many rows of a part count no more."""
        if not self.gone:
            return 0
        return sum(map(self.gone.__contains__, self._lines(part)))

    def replace(self, rows: Sequence[SweptRow]) -> None:
        """Let every copy of these rows go, and those in scope come in.

        Raises:
            ExportError: They could not be written.
        """
        for row in rows:
            line = id_line(row.id)
            self._drop(line)
            self._swept[line] = (row.id, *self._kept(bytes(row.raw))) if row.in_scope else None

    def retain(self, present: Callable[[str], bool]) -> int:
        """Drop rows that are not present, and tell how many went.

        Args:
            present: Whether the server has a row of this id.

        Raises:
            ExportError: The parts can't be read.
        """
        places = [(line, place) for line, place in self._swept.items() if place is not None]
        away = [line for line, (key, _, _) in places if not present(key)]
        for line in away:
            self._swept[line] = None
        rows = len(away)
        dropped: set[bytes] = set()
        with writing(self._out):
            for part, _ in self._parts:
                for line in self._lines(part):
                    if line not in self.gone and not present(msgspec.json.decode(line)):
                        dropped.add(line)
                        rows += 1
        for line in dropped:
            self._drop(line)
        return rows

    def in_scope(self) -> Iterator[RawRow]:
        """The swept rows that are to be in the output."""
        for place in self._swept.values():
            if place is not None and self._file is not None:
                key, offset, size = place
                self._file.seek(offset)
                yield key, msgspec.Raw(self._file.read(size))

    def close(self) -> None:
        """Need the file no more."""
        if self._file is not None:
            # Closing writes what is left, which fails on a full disk.
            with contextlib.suppress(OSError):
                self._file.close()

    def _drop(self, line: bytes) -> None:
        if line not in self.gone:
            self.gone.add(line)
            self._in_parts = None

    def _kept(self, raw: bytes) -> tuple[int, int]:
        with writing(self._out):
            if self._file is None:
                self._scratch.unlink(missing_ok=True)
                self._file = os.fdopen(make_private(self._scratch), "w+b")
            self._file.write(raw)
        self._size += len(raw)
        return self._size - len(raw), len(raw)


class Holding(Protocol):
    """What holds rows, in files or elsewhere, and takes its time."""

    def count(self) -> int:
        """How many rows there are, in scope."""
        ...

    def replace(self, rows: Sequence[SweptRow]) -> None:
        """Let every copy of these rows go, and those in scope come in."""
        ...

    def retain(self, present: Callable[[str], bool]) -> int:
        """Drop rows that are not present, and tell how many went."""
        ...


class HeldOffLoop:
    """The same for `jibble_async.export.proof.sweep.settle`: the event loop stays free meanwhile.

    Args:
        held: What is held.
        disk: The thread that reads and writes it.
    """

    def __init__(self, held: Holding, disk: DiskThread) -> None:
        self._held = held
        self._disk = disk

    async def count(self) -> int:
        """How many rows there are, in scope."""
        return await self._disk.run(self._held.count)

    async def replace(self, rows: Sequence[SweptRow]) -> None:
        """Let every copy of these rows go, and those in scope come in."""
        await self._disk.run(functools.partial(self._held.replace, rows))

    async def retain(self, present: Callable[[str], bool]) -> int:
        """Drop rows that are not present, and tell how many went."""
        return await self._disk.run(functools.partial(self._held.retain, present))
