"""Which task reads what: made on the driver, from counts."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TypeVar

from jibble_async.export.proof.plan import Partition, dated_plan
from jibble_async.integrations.spark.credentials import account_names
from jibble_async.integrations.spark.options import Asked
from jibble_async.integrations.spark.pacing import folder_mark
from jibble_async.integrations.spark.process import this_process
from jibble_async.integrations.spark.tasks import Piece, Task

__all__ = ["groups", "tasks_for"]

T = TypeVar("T")


def tasks_for(asked: Asked) -> list[Task]:
    """The tasks of a load; equal counts give equal tasks.

    Nothing is asked where one task reads an account: then the driver needs no credentials.

    Args:
        asked: The options; with `mode=changes` and no mark, all rows.

    Raises:
        JibbleError: The set could not be counted.
    """
    folder = folder_mark(asked)
    pieces: list[list[Piece]]
    if asked.are_rows and asked.is_shared:
        windows = this_process().loop.start(lambda: _windows(asked)).result()
        pieces = [[Piece(None, tuple(some))] for some in groups(windows, asked.concurrency)]
    else:
        accounts = [Piece(account) for account in account_names(asked)]
        pieces = groups(accounts, asked.concurrency)
    return [Task(asked=asked, pieces=tuple(some), folder=folder) for some in pieces]


def groups(items: Sequence[T], size: int) -> list[list[T]]:
    """The items in their order, in as few groups of a size as it takes, none much smaller."""
    count = -(-len(items) // size)
    cuts = [len(items) * number // count for number in range(count + 1)] if count else [0]
    return [[*items[first:last]] for first, last in itertools.pairwise(cuts)]


async def _windows(asked: Asked) -> list[Partition]:
    client = (await this_process().clients(asked, [None]))[None]
    windows, _ = await dated_plan(client, asked.extent, asked.rows_per_window)
    return windows
