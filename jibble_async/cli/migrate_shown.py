"""What the steps of a migration print: how far they are, and what they did."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from jibble_legacy.migration.progress import Progress

from jibble_async.cli.output import clean, say, show_facts, show_json, show_lines

__all__ = ["Told", "show"]

_EVERY = 5.0
"""Seconds between two lines about one thing."""


class Told:
    """Says how far a step is, on stderr: of each thing at once, and then now and then.

    Args:
        monotonic: Seconds that never jump.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._at: str | None = None
        self._again = 0.0

    def __call__(self, progress: Progress) -> None:
        """Tell of what was done, unless that was told of just now."""
        now = self._monotonic()
        if progress.what == self._at and now < self._again:
            return
        self._at, self._again = progress.what, now + _EVERY
        say(line_of(progress))


def line_of(progress: Progress) -> str:
    """What there is to say of it, such as `extract: 1,200 of about 33,000 timeentries`."""
    done = f"{progress.done:,}"
    if progress.total is not None:
        done = f"{done} of about {progress.total:,}"
    parts = [f"{progress.step}: {done} {progress.what}"]
    if progress.ends is not None:
        parts.append(f"done about {progress.ends.astimezone():%a %d %b %H:%M}")
    if progress.note:
        parts.append(progress.note)
    return ", ".join(parts)


def show(report: msgspec.Struct, *, json: bool = False) -> None:
    """Print what a step did: names and values, lists as lines below them, or all of it as JSON.

    Args:
        report: What the step gave.
        json: Whether it is for programs.
    """
    values: dict[str, Any] = msgspec.to_builtins(report, enc_hook=str)
    if json:
        show_json(values)
        return
    values.pop("exit", None)
    lists = {name: values.pop(name) for name, value in list(values.items()) if _is_long(value)}
    show_facts({name.replace("_", " "): _told(value) for name, value in values.items()})
    for name, lines in lists.items():
        show_lines([f"{name.replace('_', ' ')}:", *(f"  {clean(str(each))}" for each in lines)])


def _is_long(value: object) -> bool:
    return isinstance(value, list) and bool(value)


def _told(value: object) -> object:
    """A value as people read it; None for what is empty."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return ", ".join(f"{_told(count)} {name}" for name, count in value.items())
    if isinstance(value, list):
        return None
    return value
