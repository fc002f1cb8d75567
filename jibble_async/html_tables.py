"""Tables for notebooks: escaped, and small whatever is in them."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

__all__ = ["html_table", "shortened"]

# A notebook keeps what its cells show: so many rows, characters of a cell and of a table.
_MOST_ROWS, _MOST_COLUMNS, _CELL, _TABLE = 10, 16, 80, 30_000
# Ids would be broken over many lines, and texts stand at the right.
_STYLE = "white-space: nowrap; text-align: left"


def html_table(
    head: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    caption: str,
    count: int | None = None,
    most: int = _MOST_ROWS,
) -> str:
    """A table in HTML, with what did not fit in numbers.

    Args:
        head: The names of the columns; those beyond the sixteenth are left out.
        rows: The cells, of which each is shortened; None is an empty one.
        caption: What stands above the table.
        count: How many rows there are, where `rows` need not be all.
        most: How many of them to show, if they are short.
    """
    shown: list[str] = []
    size = 0
    for row in rows:
        cells = "".join(f'<td style="{_STYLE}">{_cell(cell)}</td>' for cell in row[:_MOST_COLUMNS])
        size += len(cells)
        if len(shown) == most or size > _TABLE:
            break
        shown.append(f"<tr>{cells}</tr>")
    names = "".join(f'<th style="{_STYLE}">{_cell(name)}</th>' for name in head[:_MOST_COLUMNS])
    left = [
        f"{number} more {what}"
        for number, what in (
            (0 if count is None else count - len(shown), "rows"),
            (len(head) - _MOST_COLUMNS, "columns"),
        )
        if number > 0
    ]
    foot = f"<p>and {' and '.join(left)}</p>" if left else ""
    return (
        f'<table><caption style="{_STYLE}">{_cell(caption)}</caption>'
        f"<thead><tr>{names}</tr></thead><tbody>{''.join(shown)}</tbody></table>{foot}"
    )


def shortened(text: str, most: int = _CELL) -> str:
    """A text, with an ellipsis for what is too long of it.

    Args:
        text: The text.
        most: The characters that it may have.
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    # Python would say `-1 day, 21:00:00`.
    is_before = isinstance(value, timedelta) and value < timedelta(0)
    text = f"-{-value}" if is_before else str(value)
    # Escaped after it was cut, as no entity of HTML may be cut.
    return html.escape(shortened(text))
