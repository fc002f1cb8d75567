"""A report as one HTML page: no script, nothing to load, for screens of any width and for paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from html import escape
from typing import TypeAlias

from jibble_async.cli.output import clean, hours
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

_STYLE = """\
:root {
  color-scheme: light dark; --wider: 0rem;
  --paper: #fdfdfc; --ink: #1c1e21; --faint: #5f656d; --line: #e2e4e8; --track: #eef0f3;
  --c0: #2a6fbb; --c1: #d9822b; --c2: #3a9b6e; --c3: #b84a62;
  --c4: #7a5bb5; --c5: #8a6d3b; --c6: #1f97a8; --c7: #87909b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15171a; --ink: #e8eaed; --faint: #a3aab3; --line: #2c3036; --track: #22262b;
    --c0: #6aa7ea; --c1: #f0a45a; --c2: #66c497; --c3: #e5829a;
    --c4: #ab90e6; --c5: #c7a66c; --c6: #57c4d4; --c7: #9aa3ae;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 62rem; padding: 2rem 1.25rem 3rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
h1 { margin: 0; font-size: 1.6rem; line-height: 1.2; }
.about { margin: .3rem 0 1.5rem; color: var(--faint); }
dl { display: flex; flex-wrap: wrap; gap: .75rem 2.5rem; margin: 0 0 1.75rem; }
dt { color: var(--faint); font-size: .85rem; }
dd { margin: 0; font-size: 1.5rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.sum { margin: 0 0 2rem; --wider: 2.5rem; }
table { width: 100%; border-collapse: collapse; }
thead th {
  position: sticky; top: 0; background: var(--paper); box-shadow: 0 1px var(--line);
  padding: .3rem 0; color: var(--faint); font-size: .85rem; font-weight: 400; text-align: left;
}
th.number { text-align: right; }
tbody tr { border-top: 1px solid var(--line); break-inside: avoid; }
tbody .tall { break-inside: auto; }
tbody th, td { padding: .45rem 0; vertical-align: top; }
tbody th { width: 30%; padding-right: 1rem; font-weight: 500; text-align: left;
  overflow-wrap: anywhere; }
.number { width: 6rem; text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.share { width: 4.5rem; padding-left: .75rem; color: var(--faint); }
svg { display: block; width: 100%; height: .9rem; margin-top: .28rem; }
rect + rect { stroke: var(--paper); }
.track { fill: var(--track); }
.parts { display: grid; grid-template-columns: repeat(auto-fill,
    minmax(min(var(--part) + var(--wider), 100%), 1fr));
  gap: 0 1.25rem; margin: .35rem 0 0; padding: 0; list-style: none; color: var(--faint);
  font-size: .8rem; }
.parts li { display: flex; gap: .35rem; align-items: baseline; }
.parts bdi { flex: 1; min-width: 0; overflow-wrap: anywhere; text-align: left; }
.parts b { color: var(--ink); font-weight: 500; font-variant-numeric: tabular-nums; }
.parts i { flex: none; width: .6rem; height: .6rem; border-radius: 2px; }
.none { padding: 2rem 0; border-top: 1px solid var(--line); color: var(--faint); }
@media (max-width: 40rem) {
  body { padding: 1.25rem 1rem 2rem; }
  thead { display: none; }
  tbody tr { display: grid; grid-template-columns: 1fr auto auto; padding: .5rem 0; }
  tbody th, td { padding: 0; }
  tbody th { width: auto; }
  .chart { grid-row: 2; grid-column: 1 / -1; }
  .number { width: auto; min-width: 4rem; }
  .share { min-width: 4rem; }
  dl { gap: .5rem 1.75rem; }
  dd { font-size: 1.25rem; }
}
@page {
  margin: 14mm;
  @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; }
}
@media print {
  :root {
    color-scheme: light; font-size: 10pt;
    --paper: #fff; --ink: #000; --faint: #444; --line: #ccc; --track: #f0f0f0;
    --c0: #2a6fbb; --c1: #d9822b; --c2: #3a9b6e; --c3: #b84a62;
    --c4: #7a5bb5; --c5: #8a6d3b; --c6: #1f97a8; --c7: #87909b;
  }
  body { max-width: none; padding: 0;
    -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  thead { display: table-header-group; }
  thead th { position: static; box-shadow: none; }
  tbody th { width: 20%; }
}
"""


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
{_STYLE}{_part_colors()}</style>
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


def _part_colors() -> str:
    rules = (f".c{place} {{ fill: var(--c{place}); background: var(--c{place}); }}\n"
             for place in range(_COLORS))  # fmt: skip
    return "".join(rules)


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
