"""Entries per month as a drawing: both sides over each other, and what share did not move."""

from __future__ import annotations

from collections.abc import Sequence

from jibble_legacy.migration.report import html
from jibble_legacy.migration.report.numbers import Month

__all__ = ["chart", "every_month"]

# Of a month's width, how much its bar takes.
_BAR = 0.82
# Of the strip's height, the least that is still seen.
_LEAST = 12.0
# Years that have room beside each other.
_MOST_LABELS = 14


def every_month(months: Sequence[Month]) -> list[Month]:
    """The same months in their order, and those between them in which nothing was."""
    by_name = {each.month: each for each in months}
    if not by_name:
        return []
    first, last = (_ordinal(each) for each in (min(by_name), max(by_name)))
    names = (f"{place // 12:04}-{place % 12 + 1:02}" for place in range(first, last + 1))
    return [by_name.get(name, Month(month=name, old=0, new=0)) for name in names]


def chart(months: Sequence[Month]) -> str:
    """The drawing with its key; nothing if there are no months."""
    drawn = every_month(months)
    if not drawn:
        return ""
    most = max(max(each.old, each.new) for each in drawn) or 1
    shares = [max(each.old - each.new, 0) / each.old if each.old else 0.0 for each in drawn]
    worst = max(shares)
    width = 100 / len(drawn)
    bars = "".join(
        _rect("old", place * width, width, each.old / most * 100, _title(each))
        + _rect("new", place * width, width, each.new / most * 100, _title(each))
        for place, each in enumerate(drawn)
    )
    at = drawn[shares.index(worst)].month
    strip, key = "", "<li>No month lacks an entry.</li>"
    if worst:
        strip = "".join(
            _rect("held", place * width, width, max(part / worst * 100, _LEAST), _title(each))
            for place, (each, part) in enumerate(zip(drawn, shares, strict=True))
            if part
        )
        strip = f'<svg class="strip" aria-hidden="true">{strip}</svg>'
        key = (
            '<li><i class="held"></i>share that did not move, '
            f"at most {html.share(worst)} ({html.month_name(at)})</li>"
        )
    return f"""<figure>
<svg class="bars" role="img" aria-label="Entries per month in both accounts">{bars}</svg>
{strip}{_years(drawn, width)}
<ul class="key"><li><i class="old"></i>old account</li>\
<li><i class="new"></i>new account, drawn over it</li>{key}\
<li>the highest bar: {html.number(most)} entries</li></ul>
</figure>"""


def _rect(kind: str, x: float, width: float, height: float, title: str) -> str:
    if not height:
        return ""
    return (
        f'<rect class="{kind}" x="{x:.3f}%" width="{width * _BAR:.3f}%" '
        f'y="{100 - height:.2f}%" height="{height:.2f}%"><title>{title}</title></rect>'
    )


def _title(month: Month) -> str:
    name = html.month_name(month.month)
    return f"{name}: {html.number(month.old)} old, {html.number(month.new)} new"


def _years(months: Sequence[Month], width: float) -> str:
    """The years under their first months, as many as have room; every other on narrow screens."""
    begins = [
        (place, each.month[:4]) for place, each in enumerate(months) if each.month[5:] == "01"
    ]
    if not begins:
        begins = [(0, html.month_name(months[0].month))]
    step = -(-len(begins) // _MOST_LABELS)
    labels = "".join(
        f'<span style="left:{place * width:.2f}%">{label}</span>' for place, label in begins[::step]
    )
    return f'<div class="years" aria-hidden="true">{labels}</div>'


def _ordinal(month: str) -> int:
    year, number = month.split("-")
    return int(year) * 12 + int(number) - 1
