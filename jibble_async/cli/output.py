"""What commands print: results on stdout, all else on stderr."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["clean", "say", "show_facts", "show_json", "show_lines", "show_table"]

# Control characters, and those that turn the direction of a line: both can fake what is shown.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")


def clean(text: str) -> str:
    """A server's text made fit for a terminal: one line, without what steers a terminal."""
    return _UNSAFE.sub(" ", text).strip()


def say(text: str) -> None:
    """Print a line about what goes on, on stderr."""
    sys.stderr.write(f"jibble: {clean(text)}\n")


def show_json(value: Any) -> None:
    """Print a result for programs. In ASCII, so that nothing in it can steer a terminal."""
    show_lines([json.dumps(value, indent=2)])


def show_lines(lines: Iterable[str]) -> None:
    """Print lines as they are."""
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def show_facts(facts: Mapping[str, str]) -> None:
    """Print names and values, one a line."""
    width = max(map(len, facts))
    show_lines(f"{name:<{width}}  {clean(value)}" for name, value in facts.items())


def show_table(names: Sequence[str], rows: Iterable[Sequence[str | None]]) -> None:
    """Print a table that is as wide as the terminal, or 80 columns if there is none."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(Text(name), overflow="ellipsis", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(clean(cell or "")) for cell in row))
    Console(file=sys.stdout, highlight=False).print(table)
