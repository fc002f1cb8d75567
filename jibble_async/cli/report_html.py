"""A report as one HTML page: no script, nothing to load, for screens of any width and for paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from html import escape
from importlib.resources import files
from typing import TypeAlias

from jibble_async.cli.forms import clean, hours
from jibble_async.cli.report_lines import Line, total
from jibble_async.entities import GroupBy

__all__ = ["page"]

# As many colours as people can still tell apart, the last being a grey for what has no subject;
# with more parts, bars stay in one colour.
_COLORS = 8
_GREY = _COLORS - 1
# Above so many parts a row may go on to the next sheet of paper: it would not fit on one.
_TALL = 60
_Colors: TypeAlias = dict[str | None, int]

_STYLE = files("jibble_async.cli").joinpath("report.css").read_text("utf-8")


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
    """
    grouping = " and ".join(_word(each) for each in (group_by, sub_group_by) if each)
    days = _day(since) if since == until else f"{_day(since)} to {_day(until)}"
    colors = _colors(lines)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Tracked time, {since} to {until}</title>
<style>
{_STYLE}</style>
</head>
<body style="--part: {_part_width(lines):.1f}rem">
<h1>Tracked time</h1>
<p class="about">{days}, by {grouping}</p>
{_figures(lines, group_by)}{_sum(lines, colors)}
{_table(lines, group_by, colors)}
</body>
</html>
"""


def _part_width(lines: Sequence[Line]) -> float:
    """How wide a column of parts is at least, in rem: long names get few columns."""
    longest = max((len(part.name) for line in lines for part in line.parts), default=0)
    return min(4 + 0.38 * longest, 20)


def _figures(lines: Sequence[Line], group_by: GroupBy) -> str:
    whole = total(lines)
    # Time without a subject is no person or project of its own.
    named = [line for line in lines if line.id is not None]
    plural = "Activities" if group_by == GroupBy.ACTIVITY else f"{_word(group_by).title()}s"
    facts = [("Hours", hours(whole)), (plural, f"{len(named):,}")]
    if named:
        facts.append((f"Average per {_word(group_by)}", hours(total(named) / len(named))))
    items = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts)
    return f"<dl>{items}</dl>"


def _sum(lines: Sequence[Line], colors: _Colors) -> str:
    """The parts of all lines added up: the key to the colours, if there are any."""
    sums: dict[str | None, Line] = {}
    for part in (part for line in lines for part in line.parts):
        seen = sums.get(part.id)
        sums[part.id] = part if seen is None else replace(seen, time=seen.time + part.time)
    if not colors or not sums:
        return ""
    whole = Line(None, "", total(lines), parts=tuple(sums.values()))
    return f'<div class="sum">{_bar(whole, whole.time, colors)}{_parts(whole, colors)}</div>'


def _table(lines: Sequence[Line], group_by: GroupBy, colors: _Colors) -> str:
    if not lines:
        return '<p class="none">Nothing was tracked.</p>'
    longest = max(line.time for line in lines)
    whole = total(lines)
    rows = "\n".join(_row(line, longest, whole, colors) for line in lines)
    return f"""<table>
<thead><tr><th scope="col">{_word(group_by).title()}</th><th scope="col"></th>\
<th scope="col" class="number">Hours</th>\
<th scope="col" class="number share">Share</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>"""


def _row(line: Line, longest: timedelta, whole: timedelta, colors: _Colors) -> str:
    share = line.time / whole if whole else 0.0
    tall = ' class="tall"' if len(line.parts) > _TALL else ""
    return (
        f'<tr{tall}><th scope="row">{_text(line.name)}</th>'
        f'<td class="chart">{_bar(line, longest, colors)}{_parts(line, colors)}</td>'
        f'<td class="number">{hours(line.time)}</td>'
        f'<td class="number share">{share:.1%}</td></tr>'
    )


def _bar(line: Line, longest: timedelta, colors: _Colors) -> str:
    """A bar over the width that there is, with a piece for each part that has a colour."""
    pieces = [(part.time, colors[part.id]) for part in _in_order(line, colors)] if colors else []
    begin, rects = timedelta(0), ""
    for length, color in pieces or [(line.time, 0)]:
        if length > timedelta(0) and longest:
            rects += (
                f'<rect class="c{color}" x="{begin / longest:.2%}" '
                f'width="{length / longest:.2%}" height="100%"/>'
            )
            begin += length
    return (
        '<svg aria-hidden="true"><rect class="track" width="100%" height="100%"/>'
        + rects
        + "</svg>"
    )


def _parts(line: Line, colors: _Colors) -> str:
    if not line.parts:
        return ""
    items = "".join(
        "<li>"
        + (f'<i class="c{colors[part.id]}"></i>' if colors else "")
        + f"{_text(part.name)} <b>{hours(part.time)}</b></li>"
        for part in _in_order(line, colors)
    )
    return f'<ul class="parts">{items}</ul>'


def _in_order(line: Line, colors: _Colors) -> Sequence[Line]:
    """The parts as every bar has them, so that bars can be compared."""
    return sorted(line.parts, key=lambda part: colors[part.id]) if colors else line.parts


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


def _text(text: str) -> str:
    # Names may run from right to left, which must not turn the line they stand in.
    return f"<bdi>{escape(clean(text))}</bdi>"


def _day(day: date) -> str:
    return f'<time datetime="{day.isoformat()}">{day.day} {day:%B %Y}</time>'


def _word(group_by: GroupBy) -> str:
    return "day" if group_by == GroupBy.DATE else group_by.lower()
