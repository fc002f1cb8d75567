"""The rows of one partition, page by page, from a place that outlives the process."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import msgspec

from jibble_async.api.base_client import BaseClient, session_of
from jibble_async.api.raw import RawSet
from jibble_async.api.session import Session
from jibble_async.core.cursor import Cursor
from jibble_async.core.pager import Pager
from jibble_async.core.pages import Page, PageSource, RawRow
from jibble_async.core.paging import Paging
from jibble_async.errors import ConfigurationError, PaginationError
from jibble_async.export.proof.anchored import AnchoredCourse, Place
from jibble_async.export.proof.asking import Answer, ask, lengths_of
from jibble_async.export.proof.plan import Partition
from jibble_async.export.proof.scope import Scope
from jibble_async.tables.rows import ids_of, unrepeated

__all__ = ["MOST_BEGINNINGS", "Batch", "never_whole", "read_partition", "walk"]

MOST_BEGINNINGS = 4
"""How often what never rests is read from its beginning before that is given up."""


class Batch(msgspec.Struct, frozen=True):
    """The rows of a page that were not given before."""

    rows: Sequence[RawRow]
    """The rows."""
    place: str
    """What `read_partition` is to be given to go on behind them. Of the old API, some of them may
    come again then."""
    counted: int | None
    """Rows of the window as the server counts them, if it does."""
    steps_back: int = 0
    """How often the walk had to look for its place again so far."""


class _Kept(msgspec.Struct, frozen=True):
    """A place, and the partition that it is of."""

    partition: str
    place: Place


async def read_partition(
    client: BaseClient[Any], partition: Partition, *, place: str | None = None
) -> AsyncGenerator[Batch, None]:
    """The rows of a partition, a page at a time; the next is fetched when it is asked for.

    Pages come one after the other: read several partitions at a time instead. Of the current API,
    what was there all the time is given once, whatever else came and went; `settle` makes good for
    the rest. Of the old API each page overlaps with the one before, and time entries go on by
    their moments.

    Args:
        client: Makes the calls; a client of either API.
        partition: One that `plan_partitions` gave, or any other.
        place: Where to go on: that of the last batch that was kept.

    Raises:
        AnchorLostError: None of the rows before the place is met again. Read the partition anew,
            without what was kept of it.
        PaginationError: The pages do not fit together, or hold what was not asked for.
        ConfigurationError: The place is of another partition.
        JibbleError: A call failed for good.

    Example:
        >>> async for batch in read_partition(client, partition):
        ...     save(batch.rows, batch.place)
    """
    raw, session = partition.raw_set(client), session_of(client)
    if raw.check is not None:
        await raw.check()
    batches = (_by_anchor if raw.anchored else _by_cursor)(session, raw, partition, place)
    async with contextlib.aclosing(batches):
        async for batch in batches:
            yield batch


def never_whole(partition: Partition, error: PaginationError) -> PaginationError:
    """What is said of a partition that was begun as often as may be.

    Args:
        partition: The partition.
        error: How the last reading ended.
    """
    days = "" if partition.since is None else f" of {partition.since} to {partition.until}"
    return PaginationError(
        f"{partition.set}{days} was read {MOST_BEGINNINGS} times without getting it whole: export "
        f"when fewer rows change, or only days that are over; in the end: {error.message}"
    )


async def walk(
    session: Session,
    source: PageSource[RawRow],
    course: AnchoredCourse,
    keys: Any = None,
) -> AsyncGenerator[tuple[Answer, Sequence[RawRow]], None]:
    """Each answer of an anchored walk, with the rows of it that are new.

    Args:
        session: Makes the calls.
        source: What to walk over.
        course: How.
        keys: What gives the keys of rows; by default their ids.

    Raises:
        JibbleError: As of `read_partition`.
    """
    while not course.done:
        answer = await ask(session, source, *course.request())
        named = ids_of(answer.rows) if keys is None else keys(answer.rows)
        fresh = answer.rows[course.take(named, answer.counted) :]
        yield answer, fresh


async def _by_anchor(
    session: Session, raw: RawSet, partition: Partition, place: str | None
) -> AsyncGenerator[Batch, None]:
    start = None if place is None else _parsed(place, partition)
    scope = Scope(raw, partition.since, partition.until)
    course = AnchoredCourse(raw.page_size, lengths=lengths_of(session, raw), place=start)
    async with contextlib.aclosing(walk(session, raw.pages, course)) as pages:
        async for answer, fresh in pages:
            scope.require(answer.heads)
            # A server that joins badly gives rows twice, and counts them so: no page may.
            fresh = unrepeated(fresh)
            session.stats.rows += len(fresh)
            kept = _Kept(partition.fingerprint, course.place)
            text = msgspec.json.encode(kept).decode()
            yield Batch(fresh, text, answer.counted, course.steps_back)


async def _by_cursor(
    session: Session, raw: RawSet, partition: Partition, place: str | None
) -> AsyncGenerator[Batch, None]:
    paging = Paging(page_size=raw.page_size, verify=True, resume_from=place)
    async with contextlib.aclosing(Pager(raw.pages, session, paging).pages()) as pages:
        async for page in pages:
            yield Batch(page.items, _place_behind(raw.pages, page), page.total)


def _place_behind(source: PageSource[RawRow], page: Page[RawRow]) -> str:
    """Where to go on behind a page: at its last row, where rows are found by their order.

    What is deleted before an export goes on would move every place that is counted. Rows that tie
    with the last one, and that one, come again.
    """
    cursor = page.cursor
    if page.items and source.moves and source.sieve() is None:
        later = source.beyond(page.items[-1], cursor.offset - 1)
        if later is not None:
            cursor = Cursor(fingerprint=cursor.fingerprint, offset=later.first, mark=later.mark)
    return str(cursor)


def _parsed(text: str, partition: Partition) -> Place:
    try:
        kept = msgspec.json.decode(text, type=_Kept)
    except msgspec.MsgspecError:
        raise ConfigurationError("place= is not one that a batch had") from None
    if kept.partition != partition.fingerprint:
        raise ConfigurationError("place= belongs to another partition: read this one anew")
    return kept.place
