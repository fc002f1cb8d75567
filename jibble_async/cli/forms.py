"""The forms that results can be printed in, as text: nothing is printed here."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, time, timedelta
from typing import Any, Literal, TypeAlias

from jibble_async.pages import hours_words

__all__ = [
    "Form",
    "Row",
    "as_csv",
    "as_json",
    "as_jsonl",
    "as_tsv",
    "cell",
    "clean",
    "fitted",
]

Form: TypeAlias = Literal["table", "csv", "jsonl", "json", "id"]
"""What `-o` takes; without it a terminal gets a table, and a pipe the same separated by tabs."""

Row: TypeAlias = Mapping[str, Any]

# Control characters, and those that turn the direction of a line: both can fake what is shown.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")


def clean(text: str) -> str:
    """A server's text made fit for a terminal: one line, without what steers a terminal."""
    return _UNSAFE.sub(" ", text).strip()


def cell(value: object) -> str:
    """A value for people, on one line; nothing for None."""
    # Nothing said is not the same as nothing worked.
    if value is None:
        return ""
    if isinstance(value, timedelta):
        return hours_words(value)
    if isinstance(value, time):
        return f"{value:%H:%M}"
    return f"{value:.12g}" if isinstance(value, float) else clean(str(value))


def as_json(value: Any) -> str:
    """A result for programs: days and times as ISO 8601 has them, lengths in seconds.

    In ASCII, so that nothing in it can steer a terminal.
    """
    return json.dumps(value, indent=2, default=_plain)


def as_jsonl(rows: Iterable[Row]) -> Iterable[str]:
    """The same, a line for each row."""
    return (json.dumps(row, default=_plain) for row in rows)


def as_tsv(rows: Iterable[Row], columns: Mapping[str, str]) -> Iterable[str]:
    """Lines of the cells of a table, nothing of which is cut, with a tab between them.

    Args:
        rows: What there is to show, by name.
        columns: The head of each column, and the name of what stands in it.
    """
    yield "\t".join(columns)
    for row in rows:
        yield "\t".join(cell(row[name]) for name in columns.values())


def as_csv(rows: Iterable[Row], names: Sequence[str]) -> str:
    """Values as JSON has them, safe in spreadsheets.

    Args:
        rows: What there is to show, by name.
        names: What of it stands in which column.
    """
    from jibble_async.export.sinks.spreadsheets import spreadsheet_safe

    def safe(value: object) -> float | str | None:
        if value is None or isinstance(value, int | float):
            return value
        plain = _plain(value)
        return spreadsheet_safe(plain) if isinstance(plain, str) else plain

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([safe(row[name]) for name in names] for row in rows)
    return text.getvalue()


def fitted(widths: Sequence[int], room: int, whole: Collection[int]) -> list[int]:
    """Widths that fit together, for which the widest give way first.

    Args:
        widths: How wide each is by itself.
        room: How wide all may be.
        whole: Which of them, by their place, may not be cut, though all be too wide then.
    """
    fitted = list(widths)
    free = [at for at in range(len(fitted)) if at not in whole]
    while free and sum(fitted) > room:
        widest = max(free, key=fitted.__getitem__)
        if fitted[widest] == 1:
            break
        fitted[widest] -= 1
    return fitted


def _plain(value: object) -> float | str:
    if isinstance(value, timedelta):
        return value / timedelta(seconds=1)
    return value.isoformat() if isinstance(value, date | time) else str(value)
