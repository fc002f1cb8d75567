"""Rows of pages, gathered into Arrow batches of a size."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import aclosing
from typing import Any

import msgspec

from jibble_async.api.base_client import BaseClient
from jibble_async.core.pages import RawRow
from jibble_async.errors import DecodeError
from jibble_async.export.ahead import Give
from jibble_async.export.proof.plan import Partition
from jibble_async.export.proof.reading import read_partition
from jibble_async.tables.arrow_rows import ArrowRows
from jibble_async.tables.columns import table_of
from jibble_async.tables.rows import unreadable

__all__ = ["RowBatches", "read_side_by_side", "together"]


class RowBatches:
    """Gathers rows, and gives a `pyarrow.RecordBatch` whenever there are enough for one.

    Args:
        shape: The class of a row.
        give: Gets each batch, and may make whoever adds rows wait.
        columns: The names on the wire of those that are wanted; by default all.
        secrets: Keep what opens a kiosk.
        size: How many rows a batch has, but the last ones.

    Attributes:
        given: How many rows were given.
        unknown_fields: Fields that have no column, and in how many rows they came.

    Raises:
        ConfigurationError: There is no such column, or pyarrow is not installed.
    """

    def __init__(
        self,
        shape: type[msgspec.Struct],
        give: Give[Any],
        *,
        columns: Sequence[str] | None,
        secrets: bool,
        size: int,
    ) -> None:
        self._give = give
        self._size = size
        table = table_of(shape, columns=columns, secrets=secrets)
        self._arrow = ArrowRows(table, {}, self._note, _refuse)
        self._held: list[RawRow] = []
        self._giving = asyncio.Lock()
        self.given: int = 0
        self.unknown_fields: Counter[str] = Counter()

    @property
    def schema(self) -> Any:
        """The `pyarrow.Schema` of the batches."""
        return self._arrow.schema

    async def add(self, rows: Iterable[RawRow]) -> None:
        """Take rows, and give what is full.

        Raises:
            DecodeError: A row can't be read; it is named.
        """
        self._held.extend(rows)
        # Others may fill it meanwhile, and then wait here as well.
        while len(self._held) >= self._size:
            await self._give_batch(self._size)

    async def finish(self) -> None:
        """Give the rest; raises as `add` does."""
        while self._held:
            await self._give_batch(1)

    async def table(self, rows: Sequence[RawRow]) -> Any:
        """A `pyarrow.Table` of rows, which are not given; raises as `add` does."""
        # Arrow needs no interpreter meanwhile, so that pages are read beside it.
        return await asyncio.to_thread(self._arrow.table, rows)

    async def _give_batch(self, least: int) -> None:
        async with self._giving:
            if len(self._held) < least:
                return
            rows, self._held = self._held[: self._size], self._held[self._size :]
            table = await self.table(rows)
            self.given += len(rows)
            del rows
            for batch in table.combine_chunks().to_batches():
                await self._give(batch)

    def _note(self, name: str, rows: int) -> None:
        self.unknown_fields[name] += rows


async def read_side_by_side(
    client: BaseClient[Any],
    partitions: Iterable[Partition],
    concurrency: int,
    take: Callable[[Sequence[RawRow]], Awaitable[None]],
) -> None:
    """Read partitions, some of them at a time.

    Args:
        client: Makes the calls.
        partitions: What to read.
        concurrency: How many are in flight.
        take: Gets the rows of each page; the next page of its partition waits for it.

    Raises:
        JibbleError: One could not be read; the others are given up.
    """
    left = deque(partitions)

    async def work() -> None:
        while left:
            async with aclosing(read_partition(client, left.popleft())) as pages:
                async for page in pages:
                    rows = page.rows
                    del page
                    await take(rows)
                    # Not kept while the next page is fetched.
                    del rows

    await together(work() for _ in range(min(concurrency, len(left))))


async def together(coroutines: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run coroutines side by side; the first that fails ends the others, and is raised as it is."""
    tasks = [asyncio.create_task(each) for each in coroutines]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _refuse(_: int, row: RawRow, reason: str) -> None:
    raise DecodeError(unreadable(row, reason))
