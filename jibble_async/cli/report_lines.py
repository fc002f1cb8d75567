"""The lines of a tracked-time report: what the terminal, a table and a page all show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from jibble_async.entities import GroupBy, TrackedTime
from jibble_async.export.sinks.csv_records import csv_lines
from jibble_async.export.sinks.spreadsheets import spreadsheet_safe

__all__ = ["Line", "as_csv", "as_json", "lines_of", "total", "whole"]

_NOTHING = timedelta(0)
# Parts may be rounded one by one, which is no time of its own.
_ROUNDING = timedelta(seconds=1)


@dataclass(frozen=True)
class Line:
    """What was tracked for one person, day, project and so on.

    Args:
        id: The subject's id; None for time that has no such subject.
        name: What to call it.
        time: What was tracked.
        day: The day that the line is about, if it is about one.
        parts: The lines below this one.
    """

    id: str | None
    name: str
    time: timedelta
    day: date | None = None
    parts: tuple[Line, ...] = ()


def lines_of(
    rows: Iterable[TrackedTime], group_by: GroupBy, sub_group_by: GroupBy | None = None
) -> list[Line]:
    """Lines, days in their order and other things by how much was tracked, the most first.

    Args:
        rows: What the server answered.
        group_by: What a row is about.
        sub_group_by: What the rows below one are about.
    """
    lines = [
        Line(
            id=row.id,
            name=_name(row, group_by),
            time=row.tracked_time or _NOTHING,
            day=row.date,
            parts=tuple(lines_of(row.items or (), sub_group_by)) if sub_group_by else (),
        )
        for row in rows
    ]
    return sorted(lines, key=_place)


def total(lines: Iterable[Line]) -> timedelta:
    """What was tracked in all."""
    return sum((line.time for line in lines), _NOTHING)


def as_json(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """Lines for programs, times in seconds."""
    return [
        {
            "id": line.id,
            "name": line.name,
            "seconds": line.time / timedelta(seconds=1),
            "items": as_json(line.parts),
        }
        for line in lines
    ]


def as_csv(lines: Sequence[Line], group_by: GroupBy, sub_group_by: GroupBy | None) -> bytes:
    """A record for each line, or for each of its parts; hours with decimals.

    What of a line is in none of its parts is a record without a part, so that hours add up.
    """
    if sub_group_by is None:
        head = [f"{group_by} id".lower(), group_by.lower(), "hours"]
        return csv_lines([head, *([*_cells(line), _decimal(line)] for line in lines)])
    names = (group_by.lower(), sub_group_by.lower())
    head = [text for name in names for text in (f"{name} id", name)]
    records = (
        [*_cells(line), *_cells(part), _decimal(part)] for line in lines for part in whole(line)
    )
    return csv_lines([[*head, "hours"], *records])


def _place(line: Line) -> tuple[str, timedelta, str]:
    if line.day is not None:
        return (line.day.isoformat(), _NOTHING, "")
    return ("", -line.time, line.name)


def whole(line: Line) -> Iterable[Line]:
    """The parts of a line, and what is in none of them."""
    rest = line.time - total(line.parts)
    return line.parts if rest <= _ROUNDING else (*line.parts, Line(None, "", rest))


def _cells(line: Line) -> list[str]:
    return [spreadsheet_safe(line.id or ""), spreadsheet_safe(line.name)]


def _decimal(line: Line) -> str:
    return f"{line.time / timedelta(hours=1):.4f}"


def _name(row: TrackedTime, group_by: GroupBy) -> str:
    if row.date is not None:
        return f"{row.date:%a} {row.date.isoformat()}"
    if row.subject is None:
        return f"(no {group_by.lower()})"
    name = row.subject.name or "(no name)"
    return f"{name} (deleted)" if row.subject.is_deleted else name
