"""Bulk export: a set of rows to a file that is complete, or not there at all.

The file is written under another name and takes its own when every row is in it and on the disk.

Example:
    >>> exporter = Exporter(client, "time_entries", since=first, until=last, out="entries.jsonl")
    >>> report = await exporter.run()
    >>> report.rows, report.sha256
"""

from __future__ import annotations

from jibble_async.api.set_names import SetName
from jibble_async.export.exporter import Exporter
from jibble_async.export.plan import Extent, Partition, plan_partitions
from jibble_async.export.reading import Batch, read_partition
from jibble_async.export.report import ExportProgress, ExportReport
from jibble_async.export.sinks import Format
from jibble_async.export.verdicts import Outcome

__all__ = [
    "Batch",
    "ExportProgress",
    "ExportReport",
    "Exporter",
    "Extent",
    "Format",
    "Outcome",
    "Partition",
    "SetName",
    "plan_partitions",
    "read_partition",
]
