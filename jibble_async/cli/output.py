"""What commands print: results on stdout, all else on stderr."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
import sys
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from contextvars import ContextVar
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from jibble_async.cli.forms import (
    Form,
    Row,
    as_csv,
    as_json,
    as_jsonl,
    as_tsv,
    cell,
    clean,
    fitted,
)
from jibble_async.cli.streams import tell
from jibble_async.pages import hours_words

if TYPE_CHECKING:
    from jibble_async.export.files.destinations import Destination

__all__ = [
    "NotAllDoneError",
    "beside",
    "complain",
    "hushed",
    "say",
    "say_error",
    "say_removed",
    "show_bars",
    "show_csv",
    "show_facts",
    "show_json",
    "show_lines",
    "show_rows",
]

_LOG = logging.getLogger("jibble")
_LOG.addHandler(logging.NullHandler())

_MARK = "\ufeff"
"""Without it Excel takes a file for one in the machine's old code page, and `Zoë` for `ZoÃ«`."""
_GAP = 2
"""Columns of a terminal between two of a table."""

_quiet = ContextVar("quiet", default=False)


class NotAllDoneError(Exception):
    """Something was not done that the command is for; what has been printed.

    Args:
        exit_code: What the program ends with.
    """

    def __init__(self, exit_code: int = 1) -> None:
        super().__init__()
        self.exit_code = exit_code


@contextlib.contextmanager
def hushed(quiet: bool) -> Generator[None]:
    """Within it nothing is said but what went wrong, if it is to be quiet."""
    token = _quiet.set(quiet)
    try:
        yield
    finally:
        _quiet.reset(token)


def say(text: str) -> None:
    """Print a line about what goes on, on stderr, unless it is to be quiet; it is logged, too."""
    line = clean(text)
    _LOG.info("%s", line)
    if not _quiet.get():
        _write(line)


def complain(text: str) -> None:
    """Print a line about what went wrong, or is not as asked, on stderr; it is logged, too."""
    line = clean(text)
    _LOG.error("%s", line)
    _write(line)


def say_error(error: BaseException, what: str | None = None) -> None:
    """Print what went wrong, and what its notes add, as one line on stderr."""
    told = "; ".join([str(error), *getattr(error, "__notes__", ())])
    complain(told if what is None else f"{what}: {told}")


def say_removed(parts: Iterable[Path]) -> None:
    """Print which files of killed runs were removed, on stderr."""
    for part in parts:
        say(f"removed {part}, which a run that was killed had left")


def beside(destination: Destination) -> contextlib.AbstractContextManager[object]:
    """What is printed within it goes to stderr if rows have stdout for themselves."""
    to_stdout = destination.descriptor == 1
    return contextlib.redirect_stdout(sys.stderr if to_stdout else sys.stdout)


def show_json(value: Any, form: Form | None = "json") -> None:
    """Print a result for programs, with `jsonl` on one line; see `as_json`."""
    show_lines(as_jsonl([value]) if form == "jsonl" else [as_json(value)])


def show_lines(lines: Iterable[str]) -> None:
    """Print lines as they are."""
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def show_csv(text: str) -> None:
    """Print CSV; a file begins with the mark that spreadsheets read names right by."""
    sys.stdout.write((_MARK if _begins_a_file() else "") + text)
    sys.stdout.flush()


def show_facts(facts: Row, form: Form | None = None, *, id: str) -> None:
    """Print names and values: those that are known, one a line, or all of them for programs.

    Args:
        facts: The values, by names with spaces, which programs get as `_`.
        form: What they are printed as; by default for people.
        id: The name of the one that `-q` and `-o id` are for.
    """
    if form == "id":
        show_lines(cell(value) for value in [facts.get(id)] if value is not None)
    elif form in {"csv", "json", "jsonl"}:
        named = {name.replace(" ", "_"): value for name, value in facts.items()}
        if form == "csv":
            show_csv(as_csv([named], list(named)))
        else:
            show_json(named, form)
    else:
        known = {name: cell(value) for name, value in facts.items() if value not in {None, ""}}
        width = max(map(len, known))
        show_lines(f"{name:<{width}}  {value}" for name, value in known.items())


def show_rows(
    rows: Sequence[Row],
    columns: Mapping[str, str],
    form: Form | None = None,
    *,
    numbers: Collection[str] = (),
    id: str = "id",
) -> None:
    """Print rows in a form; by default as a terminal or a pipe wants them.

    A terminal gets a table that is as wide as itself. Whatever else stdout is gets the same
    columns, whole, with tabs between them. CSV has the values that JSON has, the id first; in a
    file it begins with the mark that spreadsheets read names right by.

    Args:
        rows: What there is to show, by name; `json` and `jsonl` have all of it.
        columns: The head of each column, and the name of what stands in it.
        form: What they are printed as.
        numbers: The columns that hold numbers, which are set under each other's end.
        id: The name of what each row is known by.
    """
    if form == "json":
        show_json(rows)
    elif form == "jsonl":
        show_lines(as_jsonl(rows))
    elif form == "id":
        show_lines(row[id] for row in rows if row[id] is not None)
    elif form == "csv":
        show_csv(as_csv(rows, list(dict.fromkeys([id, *columns.values()]))))
    elif form is None and not sys.stdout.isatty():
        show_lines(as_tsv(rows, columns))
    else:
        _show_table(rows, columns, numbers)


def show_bars(names: Sequence[str], rows: Sequence[tuple[str, timedelta, bool]]) -> None:
    """Print lengths of time as a table with bars, as wide as the terminal or 80 columns.

    Args:
        names: Of the column of texts, and of that of lengths.
        rows: A text, its length, and whether it is a part of a row above it.
    """
    # Loaded for terminals alone; scripts get lines.
    from rich.bar import Bar
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

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
            Text(hours_words(length), "dim" if is_part else ""),
            Bar(size, 0, end, color="bright_black" if is_part else "cyan") if size > 0 else "",
        )
    Console(file=sys.stdout, highlight=False).print(table)


def _write(line: str) -> None:
    tell(f"jibble: {line}\n")


def _begins_a_file() -> bool:
    """Whether stdout is a file with nothing in it yet; whoever reads a pipe wants no mark."""
    try:
        status = os.fstat(sys.stdout.fileno())
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size == 0


def _show_table(rows: Iterable[Row], columns: Mapping[str, str], numbers: Collection[str]) -> None:
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    cells = [[cell(row[name]) for name in columns.values()] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(columns, *cells, strict=True)]
    console = Console(file=sys.stdout, highlight=False)
    # A name that is cut can be made out still; an id can't, and a number would be another one.
    whole = {at for at, head in enumerate(columns) if head in numbers or head == "Id"}
    widths = fitted(widths, console.width - _GAP * (len(columns) - 1), whole)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head, width in zip(columns, widths, strict=True):
        side: Literal["left", "right"] = "right" if head in numbers else "left"
        table.add_column(Text(head), justify=side, overflow="ellipsis", no_wrap=True, width=width)
    for row in cells:
        table.add_row(*map(Text, row))
    # What still is too wide is left to the terminal to break.
    console.width = max(console.width, sum(widths) + _GAP * (len(columns) - 1))
    console.print(table)
