"""A payroll as the content of a file: a workbook, a page, CSV of one table, JSON of all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from jibble_async.cli.forms import as_json
from jibble_async.cli.payroll_page import payroll_page
from jibble_async.cli.payroll_workbook import Paper, workbook
from jibble_async.export.sinks.csv_records import csv_lines
from jibble_async.export.sinks.spreadsheets import UTF8_MARK, spreadsheet_safe
from jibble_async.pages.words import span_words
from jibble_async.payroll import Column, ColumnKind, Payroll, Table

__all__ = ["Made", "TableName", "as_csv", "data_of", "maker"]

TableName: TypeAlias = Literal[
    "sign", "amounts", "days", "odd", "lateness", "groups", "locations", "check"
]
"""The tables of a payroll by their names."""


@dataclass(frozen=True)
class Made:
    """A payroll of an organisation, or the totals of several, as tables.

    Attributes:
        name: The profile, or what else tells it from others; empty if it is the only one.
        title: What it is called.
        span: The first and the last day.
        at: When it was made.
        tables: What it shows.
        payroll: The payroll; None for totals.
    """

    name: str
    title: str
    span: tuple[date, date]
    at: datetime
    tables: Sequence[Table]
    payroll: Payroll | None = None


def maker(suffix: str, one: Made, paper: Paper, table: TableName) -> Callable[[], bytes]:
    """What makes the content of a file, which takes its time.

    Args:
        suffix: What the file's name ends in.
        one: The payroll.
        paper: What it is printed on.
        table: What a CSV has; of totals, which have no such table, it has the groups.
    """
    match suffix.lower():
        case ".xlsx":
            about = span_words(*one.span)
            return lambda: workbook(one.tables, one.title, about, one.at, paper)
        case ".html":
            page = (one.payroll, one.tables, one.title, one.span, one.at, paper.upper())
            return lambda: payroll_page(*page).encode()
        case ".csv":
            chosen = next((each for each in one.tables if each.name == table), one.tables[0])
            return lambda: as_csv(chosen)
        case _:
            return lambda: f"{as_json(data_of(one))}\n".encode()


def as_csv(table: Table) -> bytes:
    """A table as CSV that Excel reads right: no text is run as a formula, hours have decimals.

    Args:
        table: The table.
    """
    head = [_named(column, "hours") for column in table.columns]
    return UTF8_MARK + csv_lines([head, *([_cell(value) for value in row] for row in table.rows())])


def data_of(one: Made) -> dict[str, Any]:
    """A payroll for programs: each table by its name, its rows as objects.

    Amounts are texts, which lose nothing.

    Args:
        one: The payroll.
    """
    return {
        "title": one.title,
        "since": one.span[0],
        "until": one.span[1],
        "made": one.at,
        **{table.name: _objects(table) for table in one.tables},
    }


def _objects(table: Table) -> list[dict[str, Any]]:
    return [
        {
            _named(column, "seconds"): str(value) if isinstance(value, Decimal) else value
            for column, value in zip(table.columns, row, strict=True)
        }
        for row in table.rows()
    ]


def _named(column: Column, unit: str) -> str:
    """What a column is called, with the unit of its lengths of time."""
    return f"{column.name}_{unit}" if column.kind is ColumnKind.HOURS else column.name


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, timedelta):
        return f"{value / timedelta(hours=1):.4f}"
    if isinstance(value, datetime | time):
        return f"{value:%H:%M:%S}"
    return value.isoformat() if isinstance(value, date) else spreadsheet_safe(str(value))
