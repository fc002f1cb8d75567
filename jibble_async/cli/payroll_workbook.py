"""A payroll as a workbook, written row by row: it takes no more memory for more people."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, Literal, TypeAlias

from rich.cells import cell_len

from jibble_async.extras import extra
from jibble_async.pages import clean_text
from jibble_async.pages.words import minutes_words
from jibble_async.payroll import Column, ColumnKind, Table
from jibble_async.payroll.table import SIGNATURES

__all__ = ["Paper", "require_workbooks", "workbook"]

Paper: TypeAlias = Literal["a4", "letter"]

# As the format of the file numbers them.
_PAPER = {"a4": 9, "letter": 1}
# One sheet holds 1,048,576 rows, and XlsxWriter leaves out without a word what is below.
_MOST_ROWS = 1_048_000
_DAY = timedelta(days=1)
_FIRST_DAY = date(1899, 12, 30)
_LONGEST_TEXT = 32_767
# Above the rows: a title, what it is about, the heads.
_HEAD = 2
_FORMATS: Mapping[ColumnKind, str] = {
    # What is typed over a code stays a text, with the zeros that it begins with.
    ColumnKind.TEXT: "@",
    ColumnKind.NUMBER: "0",
    ColumnKind.DAY: "yyyy-mm-dd",
    ColumnKind.CLOCK: "hh:mm",
    ColumnKind.HOURS: "[h]:mm",
    ColumnKind.MONEY: "#,##0.00######",
}
# In rows, what is nothing is left blank.
_BLANK_ZERO = frozenset({ColumnKind.HOURS, ColumnKind.MONEY})
_WIDTHS = {
    ColumnKind.TEXT: 14,
    ColumnKind.NUMBER: 6,
    ColumnKind.DAY: 11,
    ColumnKind.CLOCK: 8,
    ColumnKind.HOURS: 10,
    ColumnKind.MONEY: 12,
}
_WIDE = {
    "person": 26,
    "group": 20,
    "what_to_do": 60,
    "who": 28,
    "what_is_odd": 18,
    "note": 24,
    "id": 38,
}
_LINE = 13.5
_WRAPPED = frozenset({"person", "what_to_do", "who"})


def workbook(
    tables: Sequence[Table], title: str, about: str, made: datetime, paper: Paper = "a4"
) -> bytes:
    """A workbook with a sheet for each table. Texts are texts: none is run as a formula.

    Args:
        tables: What it shows.
        title: What it is called.
        about: The days that it is about.
        made: When it was made: nothing else in it is of this moment.
        paper: What it is printed on.

    Raises:
        ConfigurationError: XlsxWriter is not installed.
    """
    xlsxwriter = extra("xlsxwriter", "xlsx", "workbooks")
    content = io.BytesIO()
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(content, options) as book:
        book.set_properties({"title": clean_text(title), "created": made.replace(tzinfo=None)})
        writer = _Writer(book, clean_text(title), f"{about}, made {made:%Y-%m-%d %H:%M} UTC", paper)
        for table in tables:
            writer.write(table)
    return content.getvalue()


def require_workbooks() -> None:
    """Find out whether workbooks can be written, before anything is read for one.

    Raises:
        ConfigurationError: XlsxWriter is not installed.
    """
    extra("xlsxwriter", "xlsx", "workbooks")


class _Writer:
    """Writes the sheets of a book."""

    def __init__(self, book: Any, title: str, about: str, paper: Paper) -> None:
        self._book, self._title, self._about, self._paper = book, title, about, paper
        font = {"font_name": "Calibri", "font_size": 10, "valign": "top"}
        # Texts stand a little off the numbers before them.
        text = {"align": "left", "indent": 1}
        self._plain = {
            kind: book.add_format(
                {
                    **font,
                    **(text if kind is ColumnKind.TEXT else {}),
                    "num_format": f"{number};-{number};" if kind in _BLANK_ZERO else number,
                }
            )
            for kind, number in _FORMATS.items()
        }
        bold = {**font, "bold": True, "top": 1}
        self._sums = {
            kind: book.add_format(
                {**bold, **(text if kind is ColumnKind.TEXT else {}), "num_format": number}
            )
            for kind, number in _FORMATS.items()
        }
        self._note = book.add_format({**font, "font_color": "#555555"})
        self._wrapped = book.add_format({**font, **text, "num_format": "@", "text_wrap": True})
        self._heading = book.add_format({"font_name": "Calibri", "font_size": 14, "bold": True})
        head = {**font, "bold": True, "text_wrap": True, "bottom": 1, "bg_color": "#EEF0F3"}
        self._head = book.add_format({**head, **text, "valign": "vcenter"})
        self._number_head = book.add_format({**head, "valign": "vcenter", "align": "right"})
        self._line = book.add_format({**font, "font_color": "#555555", "top": 1})

    def write(self, table: Table) -> None:
        """Write a table, on several sheets if it is too long for one."""
        table = table.shown()
        rows = table.rows()
        number = -(-table.size // _MOST_ROWS) or 1
        for place in range(number):
            name = table.title if number == 1 else f"{table.title} {place + 1}"
            self._sheet(table, name[:31], islice(rows, _MOST_ROWS), last=place == number - 1)

    def _sheet(self, table: Table, name: str, rows: Iterator[Sequence[Any]], *, last: bool) -> None:
        sheet = self._book.add_worksheet(name.replace(",", ""))
        self._set_up(sheet, table)
        sheet.write_string(
            0, 0, f"{self._title}: {table.title.lower()}"[:_LONGEST_TEXT], self._heading
        )
        sheet.write_string(1, 0, self._about, self._note)
        for place, column in enumerate(table.columns):
            form = self._head if column.kind is ColumnKind.TEXT else self._number_head
            sheet.write_string(_HEAD, place, column.head, form)
        at = _HEAD
        for row in rows:
            at += 1
            self._row(sheet, at, table.columns, row, self._plain)
        sheet.autofilter(_HEAD, 0, max(at, _HEAD + 1), len(table.columns) - 1)
        if last and table.total is not None:
            at += 1
            self._row(sheet, at, table.columns, table.total, self._sums)
        if last:
            self._foot(sheet, at + 2, table)

    def _set_up(self, sheet: Any, table: Table) -> None:
        sheet.set_landscape()
        sheet.set_paper(_PAPER[self._paper])
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(_HEAD)
        sheet.set_footer("&L&8&A&R&8&P / &N")
        sheet.freeze_panes(_HEAD + 1, 1)
        sheet.set_row(0, 21)
        sheet.set_row(_HEAD, 30)
        for place, column in enumerate(table.columns):
            sheet.set_column(place, place, _width(column))

    def _row(
        self,
        sheet: Any,
        at: int,
        columns: Sequence[Column],
        row: Sequence[Any],
        forms: Mapping[ColumnKind, Any],
    ) -> None:
        lines = max(map(_lines, columns, row))
        if lines > 1:
            # Not every program makes rows as high as their texts.
            sheet.set_row(at, lines * _LINE)
        for place, (column, value) in enumerate(zip(columns, row, strict=True)):
            form = forms[column.kind]
            if column.name in _WRAPPED and forms is self._plain:
                form = self._wrapped
            if value is None:
                sheet.write_blank(at, place, None, form)
            elif isinstance(value, str):
                sheet.write_string(at, place, clean_text(value)[:_LONGEST_TEXT], form)
            elif isinstance(value, timedelta) and value < timedelta(0):
                # Spreadsheets of the 1900 calendar have no negative times, and show #### for one.
                sheet.write_string(at, place, minutes_words(value), form)
            else:
                sheet.write_number(at, place, _number(value), form)

    def _foot(self, sheet: Any, at: int, table: Table) -> None:
        for note in table.notes:
            sheet.write_string(at, 0, note, self._note)
            at += 1
        if table.is_signed:
            at += 3
            for place, told in zip((0, 5), SIGNATURES, strict=True):
                sheet.write_string(at, place, told, self._line)
                for beside in range(place + 1, place + 4):
                    sheet.write_blank(at, beside, None, self._line)


def _width(column: Column) -> int:
    return _WIDE.get(column.name, _WIDTHS[column.kind])


def _lines(column: Column, value: object) -> int:
    """How many lines a text takes where it is broken."""
    if column.name not in _WRAPPED or not isinstance(value, str):
        return 1
    return max(1, -(-cell_len(value) // _width(column)))


def _number(value: timedelta | datetime | date | time | int | Decimal) -> float:
    """A value as spreadsheets have it: days since their first one, lengths and clocks in days."""
    if isinstance(value, timedelta):
        return value / _DAY
    if isinstance(value, datetime | time):
        return (value.hour * 3600 + value.minute * 60 + value.second) / 86_400
    return float((value - _FIRST_DAY).days if isinstance(value, date) else value)
