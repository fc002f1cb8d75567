"""Bulk export: a set of rows to files that are whole, or not there at all, and what is proved.

A file takes its name when every row is in it and on the disk, a folder its `manifest.json`. What
was read before an export ended early is kept, and `resume=True` goes on there.

Example:
    >>> exporter = Exporter(client, "time_entries", since=first, until=last, out="entries.jsonl")
    >>> report = await exporter.run()
    >>> report.outcome, report.rows, report.sha256
"""

from __future__ import annotations

from jibble_async.api.set_names import SetName
from jibble_async.export.batches import BatchesReport, record_batches
from jibble_async.export.exporter import Exporter
from jibble_async.export.journal.manifest import Manifest, ManifestPart, read_manifest
from jibble_async.export.partition_file import export_partition
from jibble_async.export.proof.plan import Extent, Partition, plan_partitions
from jibble_async.export.proof.reading import Batch, read_partition
from jibble_async.export.proof.sweep import changes, server_mark
from jibble_async.export.proof.verdicts import Outcome, SweptRow
from jibble_async.export.report import ExportProgress, ExportReport
from jibble_async.export.since_last import ChangesReport, export_since_last
from jibble_async.export.sinks import Format
from jibble_async.export.sync import SetSynced, Sync, SyncReport

__all__ = [
    "Batch",
    "BatchesReport",
    "ChangesReport",
    "ExportProgress",
    "ExportReport",
    "Exporter",
    "Extent",
    "Format",
    "Manifest",
    "ManifestPart",
    "Outcome",
    "Partition",
    "SetName",
    "SetSynced",
    "SweptRow",
    "Sync",
    "SyncReport",
    "changes",
    "export_partition",
    "export_since_last",
    "plan_partitions",
    "read_manifest",
    "read_partition",
    "record_batches",
    "server_mark",
]
