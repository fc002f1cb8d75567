"""One partition to one file: for programs that share an export among processes by themselves."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Sequence
from typing import Any

import msgspec

from jibble_async.api.base_client import BaseClient
from jibble_async.export.files.destinations import destination_of
from jibble_async.export.files.output import Output
from jibble_async.export.journal.manifest import ManifestPart
from jibble_async.export.patience import GIVE_UP_AFTER, patient
from jibble_async.export.proof.anchored import AnchorLostError
from jibble_async.export.proof.plan import Partition
from jibble_async.export.proof.reading import MOST_BEGINNINGS, never_whole, read_partition
from jibble_async.export.sinks import FileFormat, Format, Sink, file_format

__all__ = ["export_partition"]


async def export_partition(
    client: BaseClient[Any],
    partition: Partition,
    out: str | os.PathLike[str],
    *,
    format: Format | FileFormat | str | None = None,
    columns: Sequence[str] | None = None,
    spreadsheet_safe: bool = True,
    utf8_mark: bool | None = None,
    secrets: bool = False,
    give_up_after: float | None = GIVE_UP_AFTER,
) -> ManifestPart:
    """Write the rows of one partition to a file, which appears under its name when it is whole.

    Nothing is proved by that yet: a row that moves to other days while partitions are read may be
    missing in all of them, or be in two. Read `changes` since a `server_mark` from before the
    first page, and put these rows in the place of their copies.

    Args:
        client: Makes the calls; a client of either API.
        partition: One that `plan_partitions` gave.
        out: The file; one of that name is replaced.
        format: A `Format` or its name; by default what the file's name says.
        columns: The names of the fields that are wanted; by default all.
        spreadsheet_safe: In CSV, put `'` wherever a spreadsheet would begin a formula.
        utf8_mark: Begin CSV with the mark of UTF-8; by default if it shall be safe.
        secrets: Keep what opens a kiosk.
        give_up_after: Seconds that an outage may last.

    Raises:
        ConfigurationError: An argument that can't be used, or a file that can't be written.
        ExportError: Writing failed on the way.
        JibbleError: A call failed for good.

    Example:
        >>> partitions = await plan_partitions(client, "time_entries", since=january)
        >>> for partition in partitions:
        ...     await export_partition(client, partition, f"{partition.index:05}.parquet")
    """
    destination = destination_of(out)
    wanted = file_format(destination.path, format)
    partition = msgspec.structs.replace(partition, as_sent=wanted.format.sink.as_sent)
    shape = partition.raw_set(client).shape
    options = {
        "columns": columns,
        "spreadsheet_safe": spreadsheet_safe,
        "mark": utf8_mark,
        "secrets": secrets,
    }
    new_sink = functools.partial(wanted.sink, shape, **options)
    sink = new_sink()
    caller = patient(client, give_up_after)
    async with Output(destination) as output:
        beginning = 1
        while True:
            try:
                entry = await _write(caller, partition, output, sink)
                break
            except AnchorLostError as error:
                if beginning == MOST_BEGINNINGS:
                    raise never_whole(partition, error) from error
                await output.run(output.part.restart)
                sink, beginning = new_sink(), beginning + 1
        await output.run(output.part.publish)
    return entry


async def _write(
    client: BaseClient[Any], partition: Partition, output: Output, sink: Sink
) -> ManifestPart:
    part = output.part
    rows = pages = 0
    first = last = None
    await output.write(sink.head)
    async with contextlib.aclosing(read_partition(client, partition)) as batches:
        async for batch in batches:
            await output.write(sink.encode, batch.rows)
            pages += 1
            rows += len(batch.rows)
            if batch.rows:
                first = batch.rows[0][0] if first is None else first
                last = batch.rows[-1][0]
            del batch
    await output.write(sink.finish)
    return ManifestPart(
        name=part.path.name,
        rows=rows,
        bytes=part.size,
        sha256=part.sha256,
        since=partition.since,
        until=partition.until,
        first=first,
        last=last,
        seams=max(0, pages - 1),
    )
