"""What makes good for changes during an export, and says what is proved of it.

While windows are read one after the other, a row may move from one that is still to be read into
one that was. So everything that changed since before the first page is read once more in the end,
by the moment of its change, whatever its day and status, and takes the place of every copy. Then
rows are counted, and the same is asked once more: if nothing is new, what is held is the set as it
was when it was counted, and only rows that were deleted for good can be too many.

All of it rests on `updatedAt` being set by every change: see docs/deviations.md.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any

from jibble_async.api.base_client import BaseClient, session_of
from jibble_async.api.raw import RawSet
from jibble_async.api.session import Session
from jibble_async.core.pages import PageSource, RawRow
from jibble_async.errors import BadRequestError, ConfigurationError
from jibble_async.events import ExportSettled
from jibble_async.export.proof.anchored import AnchoredCourse, AnchorLostError
from jibble_async.export.proof.asking import Answer, ask, count, lengths_of
from jibble_async.export.proof.collecting import Reading, collect_twice, digest
from jibble_async.export.proof.plan import ROWS, Extent, Partition, dated_plan
from jibble_async.export.proof.reading import walk
from jibble_async.export.proof.scope import Scope
from jibble_async.export.proof.verdicts import Held, Outcome, SweptRow, Verdict

__all__ = ["OVERLAP", "begin", "changes", "server_mark", "settle"]

OVERLAP = timedelta(minutes=5)
"""How much longer ago a change may have been than its server said when it could be seen.

More than a change takes to be committed, and more than clocks of servers differ.
"""

_MOST_ROUNDS = 12
# Of a count that stays another although nothing changes.
_MOST_MISMATCHES = 2
_MOST_LOST = 3
# Rows of which only the ids come are a tenth as long.
_MORE_IDS = 10


async def server_mark(
    client: BaseClient[Any], extent: Extent, *, overlap: timedelta = OVERLAP
) -> str:
    """The moment from which on changes are to be looked for; to be asked before the first page.

    Args:
        client: Makes the call; a client of either API.
        extent: What is exported.
        overlap: See `OVERLAP`.

    Raises:
        JibbleError: The call failed for good.
    """
    _, date = await count(session_of(client), extent.raw_set(client).pages)
    return (date - overlap).isoformat()


async def begin(
    client: BaseClient[Any],
    extent: Extent,
    *,
    rows: int = ROWS,
    overlap: timedelta = OVERLAP,
) -> tuple[str, list[Partition]]:
    """A `server_mark`, and the `plan_partitions` of what is read after it, by one request.

    Args:
        client: Makes the calls; a client of either API.
        extent: What is to be read.
        rows: About how many rows a partition may have.
        overlap: See `OVERLAP`.

    Returns:
        The mark, empty for the old API, which can't be asked what changed; and the partitions.

    Raises:
        JibbleError: A call failed for good.
    """
    partitions, date = await dated_plan(client, extent, rows)
    if date is not None:
        return (date - overlap).isoformat(), partitions
    # Each of the old API's requests counts.
    is_asked = extent.raw_set(client).anchored
    mark = await server_mark(client, extent, overlap=overlap) if is_asked else ""
    return mark, partitions


async def changes(
    client: BaseClient[Any], extent: Extent, mark: str
) -> AsyncGenerator[list[SweptRow], None]:
    """The rows that changed since a mark, a page at a time; a later page counts more.

    Rows that were archived or moved to other days since come along, as not in scope; what was
    deleted for good does not.

    Args:
        client: Makes the calls.
        extent: What of the set is meant.
        mark: What `server_mark` or a `Verdict` gave.

    Raises:
        ConfigurationError: It is no mark, or nothing tells what of the set changed.
        AnchorLostError: Too much changes meanwhile: ask once more.
        JibbleError: A call failed for good.

    Example:
        >>> async for rows in changes(client, Extent(set="people"), mark):
        ...     copy.update({row.id: row for row in rows})
    """
    raw, session = extent.raw_set(client), session_of(client)
    if raw.changes is None:
        raise ConfigurationError(f"nothing tells which {extent.set} changed: read them all")
    scope = Scope(raw, extent.since, extent.until)
    async with contextlib.aclosing(_sweep(session, raw, scope, _moment(mark))) as pages:
        async for _, rows in pages:
            yield rows


async def settle(
    client: BaseClient[Any],
    extent: Extent,
    mark: str,
    held: Held,
    *,
    reconcile: bool = False,
    overlap: timedelta = OVERLAP,
    read: Reading | None = None,
) -> Verdict:
    """Put right what changed while an export was read, and say what is known of it then.

    Args:
        client: Makes the calls; a client of either API.
        extent: What is exported.
        mark: What `server_mark` gave before the first page.
        held: The rows that were read.
        reconcile: Look through the ids for rows that were deleted for good, in any case; without
            it only if there are more rows than the server counts.
        overlap: See `OVERLAP`.
        read: Tells which rows were read, for a set that says nothing of changes.

    Raises:
        JibbleError: A call failed for good.
    """
    raw, session = extent.raw_set(client), session_of(client)
    scope = Scope(raw, extent.since, extent.until)
    if not raw.anchored:
        verdict = Verdict(
            outcome=Outcome.NOT_PROVED,
            reason="every page fitted the one before; this API neither counts rows nor tells "
            "which of them changed",
            mark=mark,
        )
    elif raw.changes is None:
        verdict = await collect_twice(session, raw, scope, mark, held, read)
    else:
        settling = _Settling(session, raw, scope, held, overlap)
        verdict = await settling.run(mark, reconcile=reconcile)
    name, found = raw.pages.operation.called("export").name, (verdict.swept, verdict.dropped)
    told = ExportSettled(name, raw.service, verdict.outcome.value, verdict.rounds, *found)
    session.emitter.tell(told)
    return verdict


class _Settling:
    """The sweeps, counts and walks over ids after one export."""

    def __init__(
        self, session: Session, raw: RawSet, scope: Scope, held: Held, overlap: timedelta
    ) -> None:
        self._session = session
        self._raw = raw
        self._scope = scope
        self._held = held
        self._overlap = overlap
        # What was put in its place so far, by hashes of the rows.
        self._known: dict[str, bytes] = {}
        self._swept = 0
        self._dropped = 0
        self._rounds = 0
        self._counted: int | None = None

    async def run(self, mark: str, *, reconcile: bool) -> Verdict:
        since, clean, mismatches = _moment(mark), 0, 0
        counts = self._raw.pages.counts
        while self._rounds < _MOST_ROUNDS:
            self._rounds += 1
            try:
                begin, is_snapshot, new = await self._sweep(since)
            except AnchorLostError:
                # So much changes that the walk lost its place: no rest, in any case.
                continue
            except BadRequestError as error:
                reason = f"the server can't be asked what changed: {error.message}"
                return self._verdict(Outcome.NOT_PROVED, since, reason)
            since = begin - self._overlap
            # A row that changes again while several pages are read may be missed, if that server's
            # clock is late: then the next sweep finds it.
            clean = 0 if new else clean + (2 if is_snapshot else 1)
            if clean >= 2 and not counts and not reconcile:
                reason = "the server does not count these rows"
                return self._verdict(Outcome.COMPLETE, since, reason)
            if clean >= 2 and self._counted is not None and not reconcile:
                held = await self._held.count()
                if held == self._counted:
                    return self._verdict(Outcome.PROVED, since)
                if mismatches == _MOST_MISMATCHES:
                    reason = (
                        f"the server counts {self._counted} rows, and {held} are held, "
                        "although nothing changes"
                    )
                    return self._verdict(Outcome.NOT_PROVED, since, reason)
                mismatches += 1
                reconcile = held > self._counted
            if reconcile:
                try:
                    dropped = await self._look_through_ids()
                except AnchorLostError:
                    # So many go away that not even the ids can be read: they are looked for again.
                    clean = 0
                    continue
                mismatches = 0 if dropped else mismatches
            if clean != 1 or reconcile:
                clean, reconcile = 0, False
                if counts:
                    self._counted, _ = await count(self._session, self._raw.pages)
                    counts = self._counted is not None
        reason = f"the set did not rest in {self._rounds} rounds"
        return self._verdict(Outcome.COMPLETE, since, reason)

    async def _sweep(self, since: datetime) -> tuple[datetime, bool, int]:
        """When a sweep began, whether one answer was all of it, and how many rows were new."""
        begin: datetime | None = None
        pages = new = 0
        async with contextlib.aclosing(
            _sweep(self._session, self._raw, self._scope, since)
        ) as answers:
            async for answer, rows in answers:
                begin = begin or answer.date
                # The last of several pages may bring nothing.
                pages += bool(rows) or not pages
                fresh = [row for row in rows if self._known.get(row.id) != digest(row.raw)]
                if fresh:
                    await self._held.replace(fresh)
                self._known.update((row.id, digest(row.raw)) for row in fresh)
                new += len(fresh)
        self._swept += new
        assert begin is not None
        return begin, pages == 1, new

    async def _look_through_ids(self) -> int:
        """Drop rows whose ids are not among those of the set, and say how many they were.

        An id may be missed if its row changes meanwhile; then the next sweep brings it back.
        """
        present = await self._present()
        for key in self._known.keys() - present:
            del self._known[key]
        dropped = await self._held.retain(present.__contains__)
        self._dropped += dropped
        return dropped

    async def _present(self) -> set[str]:
        size = self._raw.page_size
        source = self._raw.pages if self._raw.ids is None else self._raw.ids
        try:
            return await self._ids(source, size * _MORE_IDS)
        except BadRequestError:
            return await self._ids(source, size)

    async def _ids(self, source: PageSource[RawRow], size: int) -> set[str]:
        lost = 0
        while True:
            course = AnchoredCourse(size, lengths=lengths_of(self._session, self._raw))
            found: set[str] = set()
            try:
                async with contextlib.aclosing(walk(self._session, source, course)) as answers:
                    async for _, rows in answers:
                        found.update(key for key, _ in rows)
            except AnchorLostError:
                lost += 1
                if lost == _MOST_LOST:
                    raise
            else:
                return found

    def _verdict(self, outcome: Outcome, since: datetime, reason: str = "") -> Verdict:
        return Verdict(
            outcome=outcome,
            reason=reason,
            mark=since.isoformat(),
            rounds=self._rounds,
            swept=self._swept,
            dropped=self._dropped,
            counted=self._counted,
        )


async def _sweep(
    session: Session, raw: RawSet, scope: Scope, since: datetime
) -> AsyncGenerator[tuple[Answer, list[SweptRow]], None]:
    """Each answer of a walk over what changed, with the rows of it that are new."""
    assert raw.changes is not None
    source = raw.changes(since)
    course = AnchoredCourse(raw.page_size, lengths=lengths_of(session, raw))
    while not course.done:
        answer = await ask(session, source, *course.request())
        heads = answer.heads
        first = course.take([f"{head.stamp} {head.id}" for head in heads], answer.counted)
        yield (
            answer,
            [
                SweptRow(head.id, str(head.stamp), scope.admits(head), row)
                for head, (_, row) in zip(heads[first:], answer.rows[first:], strict=True)
            ],
        )


def _moment(mark: str) -> datetime:
    try:
        # Digits beyond microseconds are cut off, and not rounded.
        moment = datetime.fromisoformat(mark)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ConfigurationError(f"{mark!r} is no mark: give what an export or server_mark() gave")
    return moment.astimezone(UTC)
