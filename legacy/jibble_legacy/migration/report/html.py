"""The words of the page's HTML: texts that can't break it, numbers, moments, tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from html import escape
from typing import TypeAlias

from jibble_async.pages import clean_text, hours_words
from jibble_legacy.migration.moments import moment_at

__all__ = [
    "NONE",
    "Cell",
    "code",
    "day",
    "hours",
    "joined",
    "moment",
    "month_name",
    "number",
    "plain",
    "section",
    "share",
    "span",
    "table",
    "text",
    "wide_table",
]

NONE = "\N{EN DASH}"
"""What stands where there is nothing."""
Cell: TypeAlias = tuple[str, str]
"""The class of a cell, and its HTML."""


def plain(words: str) -> str:
    """A text, whatever is in it."""
    return escape(clean_text(words))


def text(words: str) -> str:
    """A text of the account's own, such as a name, which may run from right to left."""
    return f"<bdi>{plain(words)}</bdi>"


def code(words: str) -> str:
    """A text for machines, such as an id or the name of a file."""
    return f"<code>{plain(words)}</code>"


def number(value: int) -> str:
    """A number with its thousands apart."""
    return f"{value:,}"


def hours(milliseconds: int) -> str:
    """A length of time in hours and minutes, such as `27,766:30`."""
    return hours_words(timedelta(milliseconds=milliseconds))


def share(part: float) -> str:
    """A share of a whole; what is not all is never shown as all, nor something as nothing."""
    if 0 < part < 0.01:
        return "less than 1%"
    return f"{min(round(part * 100), 99 if part < 1 else 100)}%"


def moment(milliseconds: int | None, *, seconds: bool = False) -> str:
    """A moment in UTC, such as `1 August 2026, 01:40`."""
    if milliseconds is None:
        return NONE
    when = moment_at(milliseconds)
    clock = when.strftime("%H:%M:%S.") + f"{when.microsecond // 1000:03}" if seconds else ""
    return f"{when.day} {when:%B %Y}, {clock or when.strftime('%H:%M')}"


def span(begin: int | None, end: int | None) -> str:
    """From one moment to another, whose day is said once if it is the same."""
    since, until = moment(begin), moment(end)
    same, _, clock = until.rpartition(", ")
    return f"{since} to {clock if since.startswith(f'{same}, ') else until}"


def day(name: str) -> str:
    """A day by its name, such as `2026-07-31`, in words."""
    try:
        when = date.fromisoformat(name)
    except ValueError:
        return NONE
    return f"{when.day}&nbsp;{when:%b}&nbsp;{when.year}"


def month_name(name: str) -> str:
    """A month by its name, such as `2026-07`, in words."""
    return f"{date.fromisoformat(f'{name}-01'):%B %Y}"


def joined(parts: Iterable[str]) -> str:
    """What there is of some parts, in one line."""
    return " · ".join(part for part in parts if part)


def section(title: str, *parts: str) -> str:
    """A part of the page with its title; nothing if there is nothing in it."""
    body = "\n".join(part for part in parts if part)
    return f"<section>\n<h2>{plain(title)}</h2>\n{body}\n</section>\n" if body else ""


def table(heads: Sequence[Cell], rows: Iterable[Sequence[Cell]], *, kind: str = "") -> str:
    """A table whose rows become blocks on narrow screens; nothing if it has no rows.

    Args:
        heads: Of its columns, the first of which names the row.
        rows: Of as many cells each.
        kind: Its class.
    """
    body = "\n".join(_row(heads, cells) for cells in rows)
    if not body:
        return ""
    top = "".join(f'<th scope="col"{_class(name)}>{head}</th>' for name, head in heads)
    return (
        f"<table{_class(kind)}>\n<thead><tr>{top}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
    )


def wide_table(heads: Sequence[Cell], rows: Iterable[Sequence[Cell]]) -> str:
    """A table of many columns, in smaller letters."""
    return table(heads, rows, kind="many")


def _row(heads: Sequence[Cell], cells: Sequence[Cell]) -> str:
    (name, first), *rest = cells
    others = "".join(
        f'<td{_class(kind)} data-of="{re.sub("<[^>]*>", "", head)}">{html}</td>'
        for (_, head), (kind, html) in zip(heads[1:], rest, strict=True)
    )
    return f'<tr><th scope="row"{_class(name)}>{first}</th>{others}</tr>'


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""
