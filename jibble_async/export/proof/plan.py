"""What is exported, and its partitions: windows of working days, sized by counts."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from jibble_async.api.base_client import BaseClient, session_of
from jibble_async.api.raw import RawSet, SetName, raw_set_of
from jibble_async.checks import require_counts
from jibble_async.core.cursor import fingerprint
from jibble_async.errors import ConfigurationError
from jibble_async.export.proof.asking import Answer, ask, count

__all__ = ["ROWS", "Extent", "Partition", "dated_plan", "is_cut", "plan_partitions"]

ROWS = 20_000
"""About how many rows a partition has."""

# A window is cut in two only if that is worth a counting request.
_LARGE = 1.5


class Extent(msgspec.Struct, frozen=True, kw_only=True):
    """What is exported."""

    set: SetName
    """The set, such as `time_entries`."""
    since: date | None = None
    """The first day; None for an open beginning."""
    until: date | None = None
    """The last day, included; None for an open end."""
    include_archived: bool = False
    """Whether archived rows and removed people come along."""
    page_size: int | None = None
    """Rows to ask for at a time; None for what the client asks for."""
    as_sent: bool = True
    """Whether rows are as the server wrote them; otherwise they have the fields of the set's
    entity, and whatever else the server sent. They differ for the old API only."""

    @property
    def fingerprint(self) -> str:
        """A short text that differs for what differs in the rows that are meant."""
        meant = msgspec.structs.replace(self, page_size=None)
        return fingerprint((type(self).__name__, msgspec.json.encode(meant).decode()))

    def raw_set(self, client: BaseClient[Any]) -> RawSet:
        """The rows, as a client gives them; nothing is fetched yet.

        Raises:
            ConfigurationError: There is no such set, or the days can't be used.
            NotSupportedError: The client's API has nothing of the kind.
        """
        raw = raw_set_of(
            client,
            self.set,
            self.since,
            self.until,
            include_archived=self.include_archived,
            as_sent=self.as_sent,
        )
        if self.page_size is None:
            return raw
        return msgspec.structs.replace(raw, page_size=self.page_size)


class Partition(Extent, frozen=True, kw_only=True):
    """A part of what is exported, which is read for itself, maybe by another process."""

    index: int = 0
    """Its number, in the order of days, counted from 0."""


async def plan_partitions(
    client: BaseClient[Any],
    what: SetName,
    *,
    since: date | None = None,
    until: date | None = None,
    include_archived: bool = False,
    page_size: int | None = None,
    as_sent: bool = True,
    rows: int = ROWS,
) -> list[Partition]:
    """The windows of days in which a set is read, each of about so many rows.

    The set is counted, and cut in two where it is larger: about one request for each window. What
    has no days, or is not counted, is one partition. Equal counts give equal partitions.

    Args:
        client: Makes the calls; a client of either API.
        what: The set, such as `time_entries`.
        since: The first day.
        until: The last day, included.
        include_archived: Whether archived rows and removed people come along.
        page_size: Rows to ask for at a time.
        as_sent: See `Extent`.
        rows: About how many a partition may have.

    Raises:
        ConfigurationError: An argument that can't be used.
        NotSupportedError: The client's API has no such set.

    Example:
        >>> for partition in await plan_partitions(client, "time_entries", since=january):
        ...     async for batch in read_partition(client, partition):
        ...         save(partition.index, batch.rows)
    """
    require_counts("a plan", "page_size", rows=rows, page_size=page_size)
    if rows < 1:
        raise ConfigurationError(f"rows={rows}: at least 1 is needed")
    extent = Extent(
        set=what,
        since=since,
        until=until,
        include_archived=include_archived,
        page_size=page_size,
        as_sent=as_sent,
    )
    partitions, _ = await dated_plan(client, extent, rows)
    return partitions


async def dated_plan(
    client: BaseClient[Any], extent: Extent, rows: int = ROWS
) -> tuple[list[Partition], datetime | None]:
    """As `plan_partitions`, and what the server's clock said before; None if it was not asked."""
    whole = Partition(**msgspec.structs.asdict(extent))
    raw, session = extent.raw_set(client), session_of(client)
    if raw.by_day is None:
        return [whole], None
    # In the order of days the row that comes with the count is that of the first one.
    source = raw.by_day(False) if extent.since is None else raw.pages
    first = await ask(session, source, 0, 1)
    total = first.believed
    if total is None or not is_cut(total, rows):
        return [whole], first.date
    low = extent.since or _day(first)
    high = extent.until or _day(await ask(session, raw.by_day(True), 0, 1))
    if low is None or high is None:
        return [whole], first.date
    ends = await _cuts(client, whole, low, high, total, rows)
    firsts = [extent.since, *(end + timedelta(days=1) for end in ends)]
    lasts = [*ends, extent.until]
    partitions = [
        msgspec.structs.replace(whole, since=first, until=last, index=index)
        for index, (first, last) in enumerate(zip(firsts, lasts, strict=True))
    ]
    return partitions, first.date


def is_cut(total: int, rows: int) -> bool:
    """Whether a window of so many rows is cut in two, where one may have about `rows`."""
    return total > _LARGE * rows


def _day(answer: Answer) -> date | None:
    """The day of the first row of an answer; None if it is of no day, and so in no window."""
    heads = answer.heads
    try:
        return date.fromisoformat(str(heads[0].day)[:10]) if heads else None
    except ValueError:
        return None


async def _cuts(
    client: BaseClient[Any], extent: Extent, low: date, high: date, total: int, rows: int
) -> list[date]:
    """The last days of all windows but the last one; large windows are cut in two.

    What is in the later half of a window is not asked for, since the whole is known.
    """
    if not is_cut(total, rows) or low >= high:
        return []
    middle = low + (high - low) // 2
    half = msgspec.structs.replace(extent, since=low, until=middle)
    earlier, _ = await count(session_of(client), half.raw_set(client).pages)
    if earlier is None:
        return []
    later = max(0, total - earlier)
    before = await _cuts(client, extent, low, middle, earlier, rows)
    after = await _cuts(client, extent, middle + timedelta(days=1), high, later, rows)
    return [*before, middle, *after]
