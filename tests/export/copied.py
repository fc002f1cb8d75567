"""What a program reads in a copy that is kept in step, in either form."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, Protocol

import pytest

from jibble_async.export.journal.manifest import read_manifest
from jibble_async.sandbox import Sandbox

parquet = pytest.importorskip("pyarrow.parquet", reason="the extra parquet is not installed")

Row = dict[str, Any]
SETS: Any = ["time_entries", "people", "time_off"]
WIRE = {"time_entries": "TimeEntries", "people": "People", "time_off": "TimeOffOverview"}
COLUMNS = ["id", "status", "note", "belongsToDate"]


class Reader(Protocol):
    def __call__(self, into: Path, what: str) -> list[Row]: ...


def of_folder(into: Path, what: str) -> list[Row]:
    place = into / what
    found = read_manifest(place)
    assert found is not None
    files = [parquet.ParquetFile(place / part.name) for part in found.parts]
    tables = [
        file.read([name for name in file.schema_arrow.names if name in COLUMNS]) for file in files
    ]
    rows = [row for table in tables for row in table.to_pylist()]
    assert [table.num_rows for table in tables] == [part.rows for part in found.parts]
    assert len(rows) == found.rows
    return rows


def of_database(into: Path, what: str) -> list[Row]:
    duckdb = pytest.importorskip("duckdb", reason="the extra duckdb is not installed")
    with duckdb.connect(str(into)) as database:
        relation = database.table(what)
        names = ", ".join(name for name in relation.columns if name in COLUMNS)
        rows: list[Row] = relation.project(names).to_arrow_table().to_pylist()
    return rows


TARGETS = [("copy", of_folder), ("copy.duckdb", of_database)]


def shown(rows: list[Row]) -> list[Row]:
    return sorted(
        ({name: _text(row[name]) for name in COLUMNS if name in row} for row in rows),
        key=lambda row: str(row["id"]),
    )


def _text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def copied(into: Path, read: Reader) -> dict[str, list[Row]]:
    """What the copy has of each set."""
    return {what: shown(read(into, what)) for what in SETS}


def meant(box: Sandbox, *, include_archived: bool = False, **_: Any) -> dict[str, list[Row]]:
    """What it is to have by now."""
    return {
        what: shown(box.ledger.rows(name, include_archived=include_archived))
        for what, name in WIRE.items()
    }
