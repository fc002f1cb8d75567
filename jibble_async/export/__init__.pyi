# Written by `make stubs`: change what it is written from instead.

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
from jibble_async.export.sinks.formats import Format
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
