"""A payroll as one HTML page: what is signed, overtime as bars, hours as a map of days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from jibble_async.pages import clean_text, render
from jibble_async.pages.charts import HeatMap, Piece, heat_map, pieces_of
from jibble_async.pages.words import clock_words, day_words, minutes_words, money_words
from jibble_async.payroll import Column, ColumnKind, Hours, Payroll, Table
from jibble_async.payroll.table import SIGNATURES

__all__ = ["payroll_page"]

_OVERTIME = (
    ("daily_overtime", "Daily"),
    ("daily_double_overtime", "Double"),
    ("weekly_overtime", "Weekly"),
    ("rest_day_overtime", "Rest days"),
    ("public_holiday_overtime", "Holidays"),
)
_NAMES = frozenset({"person", "group", "who", "time_off", "location"})


def payroll_page(
    payroll: Payroll | None,
    tables: Sequence[Table],
    title: str,
    span: tuple[date, date],
    made: datetime,
    paper: str,
) -> str:
    """The page of a payroll.

    Args:
        payroll: The payroll; None for the totals of several, which have tables alone.
        tables: Its tables.
        title: What it is called.
        span: The first and the last day.
        made: When it was made.
        paper: The paper that it is printed on, as CSS names it.

    Raises:
        ConfigurationError: Jinja2 is not installed.
    """
    by_person = _by_person(payroll) if payroll else []
    overtime = [(name, hours) for name, hours in by_person if hours.overtime]
    overtime.sort(key=lambda pair: (-pair[1].overtime, pair[0]))
    longest = max((hours.overtime for _, hours in overtime), default=timedelta(0))
    kept = [table.without_span(*span).shown() for table in tables if table.name != "days"]
    return render(
        "payroll.html",
        title=title,
        since=span[0],
        until=span[1],
        made=f"{made:%Y-%m-%d %H:%M} UTC",
        paper=paper,
        figures=_figures(payroll, len(by_person)) if payroll else [],
        odd=_warning(len(payroll.oddities)) if payroll else "",
        signed=[_shown(table) for table in kept if table.is_signed],
        signatures=SIGNATURES,
        overtime=[_overtime(name, hours, longest) for name, hours in overtime],
        overtime_key=[
            (place, told)
            for place, (kind, told) in enumerate(_OVERTIME)
            if any(getattr(hours, kind) for _, hours in overtime)
        ],
        heat=_heat(payroll) if payroll else None,
        listed=[_shown(table) for table in kept if not table.is_signed],
    )


@dataclass(frozen=True)
class _Head:
    head: str
    is_number: bool
    is_name: bool
    is_code: bool


@dataclass(frozen=True)
class _Shown:
    """A table in the words of a page."""

    name: str
    title: str
    columns: Sequence[_Head]
    rows: Sequence[Sequence[str]]
    total: Sequence[str] | None
    notes: Sequence[str]


@dataclass(frozen=True)
class _Bar:
    name: str
    time: timedelta
    pieces: Sequence[Piece]


def _warning(number: int) -> str:
    if not number:
        return ""
    what = "1 thing has" if number == 1 else f"{number:,} things have"
    return f"{what} to be mended before this is signed: see the list below."


def _figures(payroll: Payroll, people: int) -> list[tuple[str, str]]:
    hours = payroll.hours
    facts = [
        ("People", f"{people:,}"),
        ("Hours in all", minutes_words(hours.total)),
        ("Overtime", minutes_words(hours.overtime)),
        ("Paid time off", minutes_words(hours.paid_time_off)),
        ("To be mended", f"{len(payroll.oddities):,}"),
    ]
    return facts + [(name, money_words(total)) for name, total in payroll.sums.items()]


def _by_person(payroll: Payroll) -> list[tuple[str, Hours]]:
    found: dict[str, list[Hours]] = {}
    for line in payroll.lines:
        found.setdefault(line.person_id, []).append(line.hours)
    return [(payroll.payees[each].name, Hours.sum(hours)) for each, hours in found.items()]


def _overtime(name: str, hours: Hours, longest: timedelta) -> _Bar:
    parts = [(f"c{place}", getattr(hours, kind)) for place, (kind, _) in enumerate(_OVERTIME)]
    return _Bar(name, hours.overtime, pieces_of(parts, longest))


def _heat(payroll: Payroll) -> HeatMap | None:
    hours: dict[str, dict[date, timedelta]] = {}
    off: dict[str, set[date]] = {}
    for day in payroll.days:
        hours.setdefault(day.person_id, {})[day.day] = day.worked or day.hours.worked
        if day.time_off:
            off.setdefault(day.person_id, set()).add(day.day)
    if not hours:
        return None
    rows: list[tuple[str, Mapping[date, timedelta]]] = [
        (payroll.payees[each].name, days) for each, days in hours.items()
    ]
    away = [frozenset(off.get(each, ())) for each in hours]
    return heat_map(rows, payroll.since, payroll.until, away)


def _shown(table: Table) -> _Shown:
    columns = table.columns
    return _Shown(
        name=table.name,
        title=table.title,
        columns=[
            _Head(
                each.head,
                each.kind is not ColumnKind.TEXT,
                each.name in _NAMES,
                each.name in {"code", "currency"},
            )
            for each in columns
        ],
        rows=[list(_words(columns, row)) for row in table.rows()],
        total=None if table.total is None else list(_words(columns, table.total)),
        notes=table.notes,
    )


def _words(columns: Sequence[Column], row: Sequence[Any]) -> Iterator[str]:
    for column, value in zip(columns, row, strict=True):
        yield _word(column.kind, value)


def _word(kind: ColumnKind, value: Any) -> str:
    # What is nothing needs no room on a page.
    if value is None or (kind in {ColumnKind.HOURS, ColumnKind.MONEY} and not value):
        return ""
    if isinstance(value, timedelta):
        return minutes_words(value)
    if isinstance(value, datetime | time):
        return clock_words(value)
    if isinstance(value, date):
        return day_words(value)
    return money_words(value) if isinstance(value, Decimal) else clean_text(str(value))
