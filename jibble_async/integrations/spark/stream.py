"""A stream of a set: its rows first, and then those that change.

An offset is a moment of the server, as a sweep has one, and what was seen since then: where that is
no other than before, there is nothing to read. What a batch reads is all that changed since the
moment that it begins with, so rows come again; a restart begins where the last batch ended.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, TypedDict

import msgspec
from pyspark.sql.datasource import DataSourceStreamReader, InputPartition
from pyspark.sql.streaming.datasource import ReadLimit, SupportsTriggerAvailableNow
from pyspark.sql.types import StructType

from jibble_async.api.base_client import session_of
from jibble_async.export.proof.asking import ask
from jibble_async.export.proof.sweep import OVERLAP, server_mark
from jibble_async.integrations.spark.options import Asked, asked_for
from jibble_async.integrations.spark.planning import tasks_for
from jibble_async.integrations.spark.process import this_process
from jibble_async.integrations.spark.tasks import batches_of, partitions_of

__all__ = ["Offset", "StreamReader"]


class Offset(TypedDict):
    """Where a stream is.

    Attributes:
        mark: From when on changes are asked for; empty where all rows are to come.
        seen: How many rows had changed since then, and when the last of them did.
    """

    mark: str
    seen: str


class StreamReader(DataSourceStreamReader, SupportsTriggerAvailableNow):
    """Plans the batches of a stream, and reads them.

    Args:
        options: Spark's options.
        schema: The columns that are wanted.
    """

    def __init__(self, options: Mapping[str, str], schema: StructType) -> None:
        self._options = dict(options)
        self._schema = schema
        self._next_look = -float("inf")
        self._ends = False
        self._end: Offset | None = None

    def initialOffset(self) -> dict[str, Any]:  # noqa: N802 - Spark's name
        """Before the first row, or at the mark that is given."""
        return dict(Offset(mark=self._asked().mark or "", seen=""))

    def latestOffset(self, start: dict[str, Any], limit: ReadLimit) -> dict[str, Any]:  # noqa: N802
        """Where a batch ends that begins at `start`; the same if there is nothing to read.

        Args:
            start: Where it begins.
            limit: What Spark wants at most; a sweep is one.

        Raises:
            JibbleError: The server could not be asked.
        """
        if self._end is not None:
            return dict(self._end)
        before = Offset(mark=str(start["mark"]), seen=str(start["seen"]))
        # Spark asks again at once where nothing came.
        if time.monotonic() < self._next_look:
            return start
        asked = self._asked()
        self._next_look = time.monotonic() + asked.poll_every
        end = this_process().loop.start(lambda: _latest(asked, before)).result()
        if self._ends:
            self._end = end
        return dict(end)

    def prepareForTriggerAvailableNow(self) -> None:  # noqa: N802 - Spark's name
        """Look once, and end there."""
        self._ends = True

    def partitions(self, start: dict[str, Any], end: dict[str, Any]) -> list[InputPartition]:
        """The tasks of a batch.

        Args:
            start: Where it begins.
            end: Where it ends.

        Raises:
            JibbleError: The set could not be counted.
        """
        if start == end:
            return []
        asked = msgspec.structs.replace(self._asked(), mark=start["mark"] or None)
        return partitions_of(tasks_for(asked))

    def read(self, partition: InputPartition) -> Iterator[Any]:
        """The batches of a task.

        Args:
            partition: The task.

        Raises:
            JibbleError: Something of it could not be read.
        """
        return batches_of(partition, self._schema)

    def _asked(self) -> Asked:
        return asked_for(self._options, "stream")


async def _latest(asked: Asked, start: Offset) -> Offset:
    client = (await this_process().clients(asked, [None]))[None]
    extent = asked.extent
    changes, session = extent.raw_set(client).changes, session_of(client)
    assert changes is not None

    async def seen(mark: str) -> tuple[str, datetime]:
        """How many rows changed since, and when the last one did; and when that was asked."""
        source = changes(datetime.fromisoformat(mark))
        first = await ask(session, source, 0, 1)
        counted = first.believed or 0
        last = first if counted < 2 else await ask(session, source, counted - 1, 1)
        stamps = [str(head.stamp) for head in last.heads]
        return f"{counted} {max(stamps, default='')}".rstrip(), first.date

    if not start["mark"]:
        mark = await server_mark(client, extent)
    else:
        found, asked_at = await seen(start["mark"])
        if found == start["seen"]:
            return start
        mark = (asked_at - OVERLAP).isoformat()
    return Offset(mark=mark, seen=(await seen(mark))[0])
