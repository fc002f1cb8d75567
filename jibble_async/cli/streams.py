"""stdin, stdout and stderr as they were left to the program: of any code page, closed, or full.

Of the standard library alone, since it is there before anything else is loaded.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TextIO

__all__ = ["forget", "prepare", "tell"]


def prepare() -> None:
    """See to it that all are there, and that every name can be printed, though maybe not shown.

    What is printed to a stdout that was closed is an error, as with one that is full.
    """
    # Each takes the lowest number that is free, which a log or a database would get else.
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115
    if sys.stdout is None:
        # For reading: it takes nothing.
        sys.stdout = open(os.devnull, encoding="utf-8")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, io.TextIOWrapper):
            continue
        if stream.isatty() or "PYTHONIOENCODING" in os.environ:
            stream.reconfigure(errors="replace")
        else:
            # What reads a file or a pipe is not asked which code page this machine has.
            stream.reconfigure(encoding="utf-8", errors="replace")


def tell(text: str) -> None:
    """Write to stderr; one that is full, or that nobody reads any more, ends no command."""
    try:
        sys.stderr.write(text)
    except OSError:
        forget(sys.stderr)


def forget(stream: TextIO) -> None:
    """Leave nothing of a stream to flush at exit, which would fail again."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
