"""Sets that say nothing of changes: read until two readings, one after the other, are equal."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable

import msgspec

from jibble_async.api.raw import RawSet
from jibble_async.api.session import Session
from jibble_async.core.pages import RawRow
from jibble_async.export.proof.anchored import AnchoredCourse, AnchorLostError
from jibble_async.export.proof.asking import lengths_of
from jibble_async.export.proof.reading import walk
from jibble_async.export.proof.scope import Scope
from jibble_async.export.proof.verdicts import Held, Outcome, SweptRow, Verdict

__all__ = ["Reading", "collect_twice", "digest"]

_MOST_READINGS = 4


def digest(raw: msgspec.Raw) -> bytes:
    """What tells a row from what it was before."""
    return hashlib.blake2b(bytes(raw), digest_size=16).digest()


class Reading:
    """What was read of a set before it is collected: the first of two readings, if it is whole.

    Memory holds a digest for each row.
    """

    def __init__(self) -> None:
        self._digests: dict[str, bytes] = {}
        self._rows = 0

    def take(self, rows: Iterable[RawRow]) -> None:
        """Rows that were read."""
        marked = [(key, digest(raw)) for key, raw in rows]
        self._rows += len(marked)
        self._digests.update(marked)

    def __getitem__(self, key: str) -> bytes | None:
        return self._digests.get(key)

    @property
    def digests(self) -> dict[str, bytes] | None:
        """Those of all rows by their ids; None if a row came twice, since either may be held."""
        return self._digests if len(self._digests) == self._rows else None


async def collect_twice(
    session: Session,
    raw: RawSet,
    scope: Scope,
    mark: str,
    held: Held,
    read: Reading | None = None,
) -> Verdict:
    """Read a set until it is the same twice, byte for byte: so it was when the second time began.

    Args:
        session: Makes the calls.
        raw: The set.
        scope: Which rows are meant.
        mark: The moment before which the first page was asked for.
        held: The rows that were read so far; what differs is replaced.
        read: Tells which they are, if all of them were read by one run; it counts as a reading.
    """
    before = None if read is None else read.digests
    known = dict(before or {})
    swept = dropped = 0
    counted: int | None = None
    for reading in range(1, _MOST_READINGS + 1):
        found: dict[str, bytes] = {}
        course = AnchoredCourse(raw.page_size, lengths=lengths_of(session, raw))
        try:
            async with contextlib.aclosing(walk(session, raw.pages, course)) as answers:
                async for answer, rows in answers:
                    scope.require(answer.heads)
                    counted = answer.counted
                    marked = {key: digest(row) for key, row in rows}
                    fresh = [
                        SweptRow(key, "", True, row)
                        for key, row in rows
                        if known.get(key) != marked[key]
                    ]
                    await held.replace(fresh)
                    known.update(marked)
                    found.update(marked)
                    swept += 0 if before is None else len(fresh)
        except AnchorLostError:
            before = None
            continue
        dropped += await held.retain(found.__contains__)
        known = dict(found)
        if found == before and counted in {None, len(found)}:
            return Verdict(
                outcome=Outcome.PROVED,
                mark=mark,
                rounds=reading,
                swept=swept,
                dropped=dropped,
                counted=counted,
            )
        before = found
    return Verdict(
        outcome=Outcome.NOT_PROVED,
        reason=f"of {_MOST_READINGS} readings no two, one after the other, were equal",
        mark=mark,
        rounds=_MOST_READINGS,
        swept=swept,
        dropped=dropped,
        counted=counted,
    )
