"""What commands print: results on stdout, all else on stderr."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any, Literal

from rich.bar import Bar
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jibble_async.export.files.destinations import Destination

__all__ = [
    "NotAllDoneError",
    "beside",
    "clean",
    "hours",
    "json_text",
    "say",
    "say_error",
    "say_removed",
    "show_bars",
    "show_facts",
    "show_json",
    "show_lines",
    "show_rows",
]

_LOG = logging.getLogger("jibble")
_LOG.addHandler(logging.NullHandler())


class NotAllDoneError(Exception):
    """Something was not done that the command is for; what has been printed.

    Args:
        exit_code: What the program ends with.
    """

    def __init__(self, exit_code: int = 1) -> None:
        super().__init__()
        self.exit_code = exit_code


# Control characters, and those that turn the direction of a line: both can fake what is shown.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")


def clean(text: str) -> str:
    """A server's text made fit for a terminal: one line, without what steers a terminal."""
    return _UNSAFE.sub(" ", text).strip()


def hours(length: timedelta) -> str:
    """A length of time in hours and minutes, such as `168:30`."""
    minutes = round(abs(length) / timedelta(minutes=1))
    sign = "-" if length < timedelta(0) and minutes else ""
    return f"{sign}{minutes // 60:,}:{minutes % 60:02}"


def say(text: str) -> None:
    """Print a line about what goes on, on stderr; it is logged, too."""
    line = clean(text)
    _LOG.info("%s", line)
    sys.stderr.write(f"jibble: {line}\n")


def say_error(error: BaseException, what: str | None = None) -> None:
    """Print what went wrong, and what its notes add, as one line on stderr."""
    told = "; ".join([str(error), *getattr(error, "__notes__", ())])
    say(told if what is None else f"{what}: {told}")


def say_removed(parts: Iterable[Path]) -> None:
    """Print which files of killed runs were removed, on stderr."""
    for part in parts:
        say(f"removed {part}, which a run that was killed had left")


def beside(destination: Destination) -> contextlib.AbstractContextManager[object]:
    """What is printed within it goes to stderr if rows have stdout for themselves."""
    to_stdout = destination.descriptor == 1
    return contextlib.redirect_stdout(sys.stderr if to_stdout else sys.stdout)


def json_text(value: Any) -> str:
    """A result for programs: days and times as ISO 8601 has them, lengths in seconds.

    In ASCII, so that nothing in it can steer a terminal.
    """
    return json.dumps(value, indent=2, default=_plain)


def show_json(value: Any) -> None:
    """Print a result for programs; see `json_text`."""
    show_lines([json_text(value)])


def show_lines(lines: Iterable[str]) -> None:
    """Print lines as they are."""
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def show_facts(facts: Mapping[str, Any], *, json: bool = False) -> None:
    """Print names and values: those that are known, one a line, or all of them as JSON."""
    if json:
        show_json({name.replace(" ", "_"): value for name, value in facts.items()})
        return
    known = {name: _cell(value) for name, value in facts.items() if value not in {None, ""}}
    width = max(map(len, known))
    show_lines(f"{name:<{width}}  {value}" for name, value in known.items())


def show_rows(
    rows: Sequence[Mapping[str, Any]],
    columns: Mapping[str, str],
    *,
    numbers: Collection[str] = (),
    json: bool = False,
) -> None:
    """Print rows: chosen columns as a table, or everything as JSON.

    The table is as wide as the terminal, or has 80 columns if there is none.

    Args:
        rows: What there is to show, by name.
        columns: The head of each column, and the name of what stands in it.
        numbers: The columns that hold numbers, which are set under each other's end.
        json: Whether it is for programs.
    """
    if json:
        show_json(rows)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in columns:
        side: Literal["left", "right"] = "right" if head in numbers else "left"
        table.add_column(Text(head), justify=side, overflow="ellipsis", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(_cell(row[name])) for name in columns.values()))
    Console(file=sys.stdout, highlight=False).print(table)


def show_bars(names: Sequence[str], rows: Sequence[tuple[str, timedelta, bool]]) -> None:
    """Print lengths of time as a table with bars, as wide as the terminal or 80 columns.

    Args:
        names: Of the column of texts, and of that of lengths.
        rows: A text, its length, and whether it is a part of a row above it.
    """
    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    # Bars take what is left, which is never less than a third.
    table.add_column(Text(names[0]), overflow="ellipsis", no_wrap=True, max_width=40)
    table.add_column(Text(names[1]), justify="right", no_wrap=True)
    table.add_column(ratio=1)
    longest = max((length for _, length, _ in rows), default=timedelta(0))
    for text, length, is_part in rows:
        size, end = longest / timedelta(seconds=1), length / timedelta(seconds=1)
        name = f"  {clean(text)}" if is_part else clean(text)
        table.add_row(
            Text(name, "dim" if is_part else ""),
            Text(hours(length), "dim" if is_part else ""),
            Bar(size, 0, end, color="bright_black" if is_part else "cyan") if size > 0 else "",
        )
    Console(file=sys.stdout, highlight=False).print(table)


def _plain(value: object) -> float | str:
    if isinstance(value, timedelta):
        return value / timedelta(seconds=1)
    return value.isoformat() if isinstance(value, date | time) else str(value)


def _cell(value: object) -> str:
    # Nothing said is not the same as nothing worked.
    if value is None:
        return ""
    if isinstance(value, timedelta):
        return hours(value)
    if isinstance(value, time):
        return f"{value:%H:%M}"
    return f"{value:g}" if isinstance(value, float) else clean(str(value))
