"""A payroll as files: CSV of one table, JSON of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from jibble_async.export.sinks.csv_records import csv_lines
from jibble_async.export.sinks.spreadsheets import UTF8_MARK, spreadsheet_safe
from jibble_async.payroll import Table

__all__ = ["as_csv", "as_data"]


def as_csv(table: Table) -> bytes:
    """A table as CSV that Excel reads right: no text is run as a formula, hours have decimals."""
    head = [column.name for column in table.columns]
    return UTF8_MARK + csv_lines([head, *([_cell(value) for value in row] for row in table.rows())])


def as_data(tables: Sequence[Table]) -> dict[str, list[dict[str, Any]]]:
    """Tables for programs, by name: a row is an object, and amounts are texts that lose nothing."""
    return {
        table.name: [
            {
                column.name: str(value) if isinstance(value, Decimal) else value
                for column, value in zip(table.columns, row, strict=True)
            }
            for row in table.rows()
        ]
        for table in tables
    }


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, timedelta):
        return f"{value / timedelta(hours=1):.4f}"
    if isinstance(value, datetime | time):
        return f"{value:%H:%M:%S}"
    return value.isoformat() if isinstance(value, date) else spreadsheet_safe(str(value))
