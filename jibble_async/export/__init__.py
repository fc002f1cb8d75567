"""Bulk export: a set of rows to files that are whole, or not there at all, and what is proved.

A file takes its name when every row is in it and on the disk, a folder its `manifest.json`. What
was read before an export ended early is kept, and `resume=True` goes on there.

Example:
    >>> exporter = Exporter(client, "time_entries", since=first, until=last, out="entries.jsonl")
    >>> report = await exporter.run()
    >>> report.outcome, report.rows, report.sha256
"""

from __future__ import annotations

from typing import Any

from jibble_async.on_demand import load as _load

# What type checkers and editors read is `__init__.pyi`, which `make stubs` writes.
_HOMES: dict[str, list[str]] = {
    ".api.set_names": ["SetName"],
    "batches": ["BatchesReport", "record_batches"],
    "exporter": ["Exporter"],
    "journal.manifest": ["Manifest", "ManifestPart", "read_manifest"],
    "partition_file": ["export_partition"],
    "proof.plan": ["Extent", "Partition", "plan_partitions"],
    "proof.reading": ["Batch", "read_partition"],
    "proof.sweep": ["changes", "server_mark"],
    "proof.verdicts": ["Outcome", "SweptRow"],
    "report": ["ExportProgress", "ExportReport"],
    "since_last": ["ChangesReport", "export_since_last"],
    "sinks": ["Format"],
    "sync": ["SetSynced", "Sync", "SyncReport"],
}

__all__ = sorted(name for names in _HOMES.values() for name in names)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    return _load(__name__, name, _HOMES)
