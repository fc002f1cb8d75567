"""The rows of a set as Arrow batches: the door for everything that isn't asyncio."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date
from typing import Any, TypeAlias

import msgspec

from jibble_async.api.base_client import BaseClient
from jibble_async.api.set_names import SetName
from jibble_async.checks import require_counts
from jibble_async.core.pages import RawRow
from jibble_async.errors import ConfigurationError, PaginationError
from jibble_async.export.ahead import Ahead, Give
from jibble_async.export.handed import HandedOn
from jibble_async.export.patience import GIVE_UP_AFTER, patient
from jibble_async.export.proof.plan import Extent
from jibble_async.export.proof.sweep import begin, settle
from jibble_async.export.proof.verdicts import Outcome, Verdict
from jibble_async.export.row_batches import RowBatches, read_side_by_side
from jibble_async.tables.schema import arrow

__all__ = ["BatchesReport", "SetReading", "record_batches", "require_whole"]

# Batches that wait while the one before is used.
_AHEAD = 2

Connect: TypeAlias = Callable[[], AbstractAsyncContextManager[BaseClient[Any]]]


class BatchesReport(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of rows that were given."""

    verdict: Verdict
    """What is known of them where `changed` and `gone` were heeded."""
    rows: int
    """Rows that were given."""
    changed: Any
    """A `pyarrow.Table` of those of them that changed since, as they are by now, to be put in the
    place of every copy."""
    gone: list[str]
    """The ids of those of them that were archived since, or moved to other days."""
    unknown_fields: dict[str, int]
    """Fields that have no column, and in how many rows they came."""


def record_batches(
    connect: Connect,
    what: SetName,
    *,
    since: date | None = None,
    until: date | None = None,
    columns: Sequence[str] | None = None,
    include_archived: bool = False,
    secrets: bool = False,
    concurrency: int = 4,
    rows_per_batch: int = 10_000,
    on_report: Callable[[BatchesReport], None] | None = None,
) -> Any:
    """A `pyarrow.RecordBatchReader` of a set's rows, for DuckDB, Polars, pandas, and all that.

    A client in a thread of its own reads some batches ahead of whoever reads these, and ends when
    they are read, or when nobody has the reader any more; closing it is not enough. A reader gives
    its rows once.

    Every row that is there throughout is given, as it was when it was read, in no particular order.
    What changes after that can't be taken back: it is in the report, and so is a row that moves to
    days which are read later, and so comes twice.

    Args:
        connect: Makes the client, in that thread, such as `JibbleClient.from_env`. Of either API.
        what: The set, such as `time_entries`.
        since: The first working day.
        until: The last one, included.
        columns: The names on the wire of those that are wanted, in their order; by default all.
        include_archived: Whether archived rows and removed people come along.
        secrets: Keep what opens a kiosk, such as a person's PIN.
        concurrency: Windows of days in flight.
        rows_per_batch: How many rows a batch has, but the last ones.
        on_report: Gets what is known in the end, before the reader ends. Without it the end is a
            `PaginationError` if rows may be missing; the old API can't tell.

    Raises:
        ConfigurationError: An argument that can't be used, or pyarrow is not installed.
        NotSupportedError: The client's API has no such set.
        JibbleError: The client could not be made.

    Example:
        >>> reader = record_batches(JibbleClient.from_env, "time_entries", since=date(2026, 7, 1))
        >>> duckdb.sql("SELECT personId, count(*) FROM reader GROUP BY 1")
    """
    require_counts("record_batches", concurrency=concurrency, rows_per_batch=rows_per_batch)
    if min(concurrency, rows_per_batch) < 1:
        raise ConfigurationError("concurrency= and rows_per_batch= are at least 1")
    extent = Extent(
        set=what,
        since=since,
        until=until,
        include_archived=include_archived,
        as_sent=False,
    )
    pa = arrow()

    async def produce(give: Give[Any]) -> None:
        async with connect() as client:
            caller = patient(client, GIVE_UP_AFTER)
            batches = RowBatches(
                extent.raw_set(caller).shape,
                give,
                columns=columns,
                secrets=secrets,
                size=rows_per_batch,
            )
            await give(batches.schema)
            await give(await SetReading(caller, extent, batches).run(concurrency))

    items = Ahead(produce, _AHEAD)
    # What can't be asked for is said here, and not when somebody reads.
    schema = next(items)
    return pa.RecordBatchReader.from_batches(schema, _Batches(items, on_report))


class _Batches:
    """The batches among what a reading gives; no generator, since an error has to stay one."""

    def __init__(
        self, items: Ahead[Any], on_report: Callable[[BatchesReport], None] | None
    ) -> None:
        self._items = items
        self._on_report = on_report

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        item = next(self._items)
        if not isinstance(item, BatchesReport):
            return item
        if self._on_report is not None:
            self._on_report(item)
        else:
            require_whole(item.verdict, "with on_report= they are given nevertheless")
        raise StopIteration


class SetReading:
    """Reads a set as a whole, and says in the end what is known of it.

    Args:
        client: Makes the calls.
        extent: What is read.
        batches: Gets the rows.
    """

    def __init__(self, client: BaseClient[Any], extent: Extent, batches: RowBatches) -> None:
        self._client = client
        self._extent = extent
        self._batches = batches
        raw = extent.raw_set(client)
        self._handed = HandedOn(with_digests=raw.changes is None and raw.anchored)

    async def run(self, concurrency: int) -> BatchesReport:
        """Read it.

        Args:
            concurrency: Windows of days in flight.

        Raises:
            JibbleError: It can't be read.
        """
        client, extent, handed = self._client, self._extent, self._handed
        mark, partitions = await begin(client, extent)
        await read_side_by_side(client, partitions, concurrency, self._take)
        verdict = await settle(client, extent, mark, handed, read=handed.read)
        late, changed, gone = handed.late(), handed.changed(), handed.gone()
        await self._batches.add(late)
        await self._batches.finish()
        return BatchesReport(
            verdict=verdict,
            rows=self._batches.given,
            changed=await self._batches.table(changed),
            gone=gone,
            unknown_fields=dict(sorted(self._batches.unknown_fields.items())),
        )

    async def _take(self, rows: Sequence[RawRow]) -> None:
        self._handed.note(rows)
        await self._batches.add(rows)


def require_whole(verdict: Verdict, way_out: str) -> None:
    """Refuse a reading of which rows may be missing; the old API can't tell, and none is.

    Args:
        verdict: What is known of it.
        way_out: What can be done.

    Raises:
        PaginationError: Rows may be missing.
    """
    # Nothing was asked of an API that can't tell.
    if verdict.outcome is Outcome.NOT_PROVED and verdict.rounds:
        raise PaginationError(
            f"rows may be missing, or there although they are gone: {verdict.reason}; {way_out}"
        )
