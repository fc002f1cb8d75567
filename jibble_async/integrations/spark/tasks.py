"""What a task is told to read, and how it reads it."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from pyspark.sql.datasource import InputPartition
from pyspark.sql.types import StructType

from jibble_async.client import JibbleClient
from jibble_async.errors import ConfigurationError
from jibble_async.export.ahead import Ahead, Give
from jibble_async.export.batches import SetReading, require_whole
from jibble_async.export.proof.plan import Partition
from jibble_async.export.proof.sweep import server_mark
from jibble_async.export.row_batches import RowBatches, read_side_by_side, together
from jibble_async.export.since_last import latest_changes
from jibble_async.integrations.spark.columns import Columns
from jibble_async.integrations.spark.options import Asked
from jibble_async.integrations.spark.pacing import require_same_folder
from jibble_async.integrations.spark.process import this_process
from jibble_async.version import __version__

__all__ = ["Piece", "Task", "batches_of", "partitions_of", "task_of", "text_of"]

# Batches that wait while Spark takes the one before.
_AHEAD = 2


class Piece(msgspec.Struct, frozen=True):
    """A part of what a task reads: an account's windows, or all that is asked for of it.

    Attributes:
        account: The account; None is the only one.
        windows: The windows; None is the whole set, or what changed in it.
    """

    account: str | None = None
    windows: tuple[Partition, ...] | None = None


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What a task reads.

    Attributes:
        library: The version of this package that planned it.
        asked: The options.
        pieces: What to read; none is an empty table.
        folder: What tells the folder of the limiter from those of other machines.
    """

    library: str = __version__
    asked: Asked
    pieces: tuple[Piece, ...]
    folder: str | None = None


class _Planned(msgspec.Struct):
    library: str


def text_of(task: Task) -> str:
    """The task as a text, which other versions of this package understand enough to refuse it."""
    return msgspec.json.encode(task).decode()


def task_of(text: str) -> Task:
    """The task that a text is of.

    Raises:
        ConfigurationError: Another version of this package wrote it.
    """
    planned = msgspec.json.decode(text, type=_Planned).library
    if planned != __version__:
        raise ConfigurationError(
            f"the driver has jibble-async {planned}, this executor {__version__}: install the same "
            "on all of them"
        )
    return msgspec.json.decode(text, type=Task)


def partitions_of(tasks: Iterable[Task]) -> list[InputPartition]:
    """The tasks as Spark hands them on."""
    return [InputPartition(text_of(each)) for each in tasks]


def batches_of(partition: InputPartition, schema: StructType) -> Iterator[Any]:
    """The Arrow batches of a task, all of one schema; they are read ahead in a thread.

    Args:
        partition: The task.
        schema: The columns that are wanted.

    Raises:
        JibbleError: When iterated: something of it could not be read.
    """
    task = task_of(partition.value)
    columns = Columns.chosen(task.asked, schema)
    require_same_folder(task.asked, task.folder)
    if not task.pieces:
        return
    produce = functools.partial(_read, task, columns)
    items: Ahead[Any] = Ahead(produce, _AHEAD, this_process().loop)
    try:
        yield from items
    finally:
        # Also where the task is killed, or Spark has enough rows.
        items.close()


async def _read(task: Task, columns: Columns, give: Give[Any]) -> None:
    accounts = [piece.account for piece in task.pieces]
    clients = await this_process().clients(task.asked, accounts)
    await together(
        _read_piece(task, columns, piece, clients[piece.account], give) for piece in task.pieces
    )


async def _read_piece(
    task: Task, columns: Columns, piece: Piece, client: JibbleClient, give: Give[Any]
) -> None:
    asked = task.asked
    if asked.mode == "mark":
        await give(columns.of_mark(await server_mark(client, asked.extent), piece.account))
        return

    async def fit(batch: Any) -> None:
        await give(columns.of_rows(batch, piece.account))

    batches = RowBatches(
        asked.extent.raw_set(client).shape,
        fit,
        columns=columns.fields,
        secrets=False,
        size=asked.rows_per_batch,
    )
    if not asked.are_rows:
        await _read_changes(asked, columns, piece, client, batches, give)
    elif piece.windows is not None:
        await read_side_by_side(client, piece.windows, asked.concurrency, batches.add)
        await batches.finish()
    else:
        report = await SetReading(client, asked.extent, batches).run(asked.concurrency)
        require_whole(report.verdict, "read it again, or fewer days")


async def _read_changes(
    asked: Asked,
    columns: Columns,
    piece: Piece,
    client: JibbleClient,
    batches: RowBatches,
    give: Give[Any],
) -> None:
    changed = await latest_changes(client, asked.extent, str(asked.mark))
    size = asked.rows_per_batch
    for first in range(0, len(changed), size):
        some: Sequence[Any] = changed[first : first + size]
        table = await batches.table([(row.id, row.raw) for row in some])
        in_scope = [row.in_scope for row in some]
        for batch in table.combine_chunks().to_batches():
            await give(columns.of_rows(batch, piece.account, in_scope))
