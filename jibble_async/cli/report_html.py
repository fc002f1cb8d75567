"""A report as one HTML page: no script, nothing to load, for screens of any width and for paper."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TypeAlias

from jibble_async.cli.report_lines import Line, total
from jibble_async.entities import GroupBy
from jibble_async.pages import hours_words, render
from jibble_async.pages.charts import HeatMap, Piece, heat_map, pieces_of

__all__ = ["page"]

# As many colours as people can still tell apart, the last being a grey for what has no subject;
# with more parts, bars stay in one colour.
_COLORS = 8
_GREY = _COLORS - 1
# Above so many parts a row may go on to the next sheet of paper: it would not fit on one.
_TALL = 60
_Colors: TypeAlias = dict[str | None, int]


def page(
    lines: Sequence[Line],
    since: date,
    until: date,
    group_by: GroupBy,
    sub_group_by: GroupBy | None = None,
) -> str:
    """The report as an HTML document.

    Args:
        lines: What it shows, in this order.
        since: The first day.
        until: The last day.
        group_by: What a line is about.
        sub_group_by: What the parts of a line are about.

    Raises:
        ConfigurationError: Jinja2 is not installed.
    """
    by_day = sub_group_by == GroupBy.DATE
    colors = {} if by_day else _colors(lines)
    longest = max((line.time for line in lines), default=timedelta(0))
    whole = total(lines)
    return render(
        "tracked.html",
        title=f"Tracked time, {since} to {until}",
        body_style=f"--part: {_part_width(lines):.1f}rem",
        since=since,
        until=until,
        grouping=" and ".join(_word(each) for each in (group_by, sub_group_by) if each),
        head=_word(group_by).title(),
        figures=_figures(lines, group_by),
        whole=_sum(lines, colors),
        heat=_heat(lines, since, until) if by_day else None,
        rows=[_bar(line, longest, whole, colors) for line in lines],
    )


@dataclass(frozen=True)
class _Part:
    """A part of a line, and its colour if parts have any."""

    name: str
    time: timedelta
    color: int | None


@dataclass(frozen=True)
class _Bar:
    """A line with its bar, in the order that every bar has."""

    name: str
    time: timedelta
    share: str
    tall: bool
    pieces: Sequence[Piece]
    parts: Sequence[_Part]


def _bar(line: Line, longest: timedelta, whole: timedelta, colors: _Colors) -> _Bar:
    parts = sorted(line.parts, key=lambda part: colors[part.id]) if colors else line.parts
    drawn = [(f"c{colors[part.id]}", part.time) for part in parts] if colors else []
    return _Bar(
        name=line.name,
        time=line.time,
        share=f"{line.time / whole if whole else 0.0:.1%}",
        tall=len(parts) > _TALL,
        pieces=pieces_of(drawn or [("c0", line.time)], longest),
        parts=[_Part(part.name, part.time, colors[part.id] if colors else None) for part in parts],
    )


def _part_width(lines: Sequence[Line]) -> float:
    """How wide a column of parts is at least, in rem: long names get few columns."""
    longest = max((len(part.name) for line in lines for part in line.parts), default=0)
    return min(4 + 0.38 * longest, 20)


def _figures(lines: Sequence[Line], group_by: GroupBy) -> list[tuple[str, str]]:
    # Time without a subject is no person or project of its own.
    named = [line for line in lines if line.id is not None]
    plural = "Activities" if group_by == GroupBy.ACTIVITY else f"{_word(group_by).title()}s"
    facts = [("Hours", hours_words(total(lines))), (plural, f"{len(named):,}")]
    if named:
        facts.append((f"Average per {_word(group_by)}", hours_words(total(named) / len(named))))
    return facts


def _sum(lines: Sequence[Line], colors: _Colors) -> _Bar | None:
    """The parts of all lines added up: the key to the colours, if there are any."""
    sums: dict[str | None, Line] = {}
    for part in (part for line in lines for part in line.parts):
        seen = sums.get(part.id)
        sums[part.id] = part if seen is None else replace(seen, time=seen.time + part.time)
    if not colors or not sums:
        return None
    whole = Line(None, "", total(lines), parts=tuple(sums.values()))
    return _bar(whole, whole.time, whole.time, colors)


def _heat(lines: Iterable[Line], since: date, until: date) -> HeatMap:
    rows: list[tuple[str, Mapping[date, timedelta]]] = [
        (line.name, {part.day: part.time for part in line.parts if part.day is not None})
        for line in lines
    ]
    return heat_map(rows, since, until, words=hours_words)


def _colors(lines: Sequence[Line]) -> _Colors:
    """A colour for each part by its id, in the order of bars; none if there are too many.

    Days keep their order, other things have the biggest first.
    """
    sums: dict[str, timedelta] = {}
    days: dict[str, str] = {}
    for line in lines:
        for part in line.parts:
            if part.id is not None:
                sums[part.id] = sums.get(part.id, timedelta(0)) + part.time
                days[part.id] = "" if part.day is None else part.day.isoformat()
    if len(sums) > _GREY:
        return {}
    ids = sorted(sums, key=lambda each: (days[each], -sums[each], each))
    return {**{each: place for place, each in enumerate(ids)}, None: _GREY}


def _word(group_by: GroupBy) -> str:
    return "day" if group_by == GroupBy.DATE else group_by.lower()
