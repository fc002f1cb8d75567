"""Events as lines of a log: how important each is, and what it says to people. Pure."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeAlias

from jibble_async.events import (
    AttemptFinished,
    CallEvent,
    CallFinished,
    Event,
    ExportAdvanced,
    ExportFinished,
    ExportSettled,
    ExportStarted,
    PageRead,
    RetryScheduled,
    SlotWaited,
    TokenRefreshed,
    WalkFinished,
    WindowRead,
)

__all__ = ["Line", "line_of"]

Line: TypeAlias = tuple[int, str]
"""The level, and the text."""

# A wait that people notice, in seconds.
_LONG = 3.0
# What an answer tells the caller, who asked for it; whatever else ends a call is trouble.
_TOLD = frozenset({400, 402, 403, 404, 405, 409, 410, 412, 422})


def line_of(event: Event) -> Line | None:
    """The line of an event; None if it is told by another one's.

    Args:
        event: What happened.
    """
    write = _LINES.get(type(event))
    return None if write is None else write(event)


def _attempt_finished(event: AttemptFinished) -> Line:
    answer = event.error if event.status is None else event.status
    took = f"{answer} in {event.seconds:.3f} s"
    return logging.DEBUG, f"{event.operation}: {event.method} {event.path} {took}{_which(event)}"


def _slot_waited(event: SlotWaited) -> Line:
    level = logging.INFO if event.seconds > _LONG else logging.DEBUG
    waited = f"waited {_time(event.seconds)} for a slot of {event.service}"
    return level, f"{event.operation}: {waited}{_which(event)}"


def _retry_scheduled(event: RetryScheduled) -> Line:
    what = "refused for speed" if event.throttled else "failed"
    why, after = _named(event.error, event.status), _time(event.seconds)
    return logging.WARNING, f"{event.operation}: {what}, {why}; again in {after}{_which(event)}"


def _call_finished(event: CallFinished) -> Line | None:
    if event.error is None:
        return None
    is_told = event.status in _TOLD or event.error == "CancelledError"
    level = logging.DEBUG if is_told else logging.ERROR
    ended = f"ended with {_named(event.error, event.status)} after {_time(event.seconds)}"
    return level, f"{event.operation}: {ended}{_which(event)}"


def _page_read(event: PageRead) -> Line:
    of = "" if event.total is None else f" of {event.total:,}"
    return logging.DEBUG, f"{event.operation}: a page with {event.rows:,}{of} rows"


def _walk_finished(event: WalkFinished) -> Line:
    ended = "" if event.error is None else f", ended with {event.error}"
    what = f"{event.rows:,} rows on {_count(event.pages, 'page')} in {_time(event.seconds)}"
    return logging.DEBUG, f"{event.operation}: {what}{ended}"


def _token_refreshed(event: TokenRefreshed) -> Line:
    lasts = "" if event.lifetime is None else f" for {_time(event.lifetime)}"
    return logging.INFO, f"there is a new token{lasts}"


def _export_started(event: ExportStarted) -> Line:
    there = f", {event.resumed_rows:,} rows are there already" if event.resumed_rows else ""
    return logging.INFO, f"{event.operation} begins: {_count(event.windows, 'window')}{there}"


def _window_read(event: WindowRead) -> Line:
    return logging.DEBUG, f"{event.operation}: {_progress(event)}"


def _export_advanced(event: ExportAdvanced) -> Line:
    return logging.INFO, f"{event.operation}: {_progress(event)} after {_time(event.seconds)}"


def _export_settled(event: ExportSettled) -> Line:
    found = f"{event.swept:,} changed and {event.dropped:,} deleted rows"
    swept = f"swept in {_count(event.rounds, 'round')}, {found}" if event.rounds else "not swept"
    return logging.INFO, f"{event.operation}: {swept}: {event.outcome}"


def _export_finished(event: ExportFinished) -> Line:
    after = f"{event.rows:,} rows after {_time(event.seconds)}"
    if event.error is None:
        return logging.INFO, f"{event.operation} is done: {after}"
    level = logging.INFO if event.error == "CancelledError" else logging.ERROR
    return level, f"{event.operation} ended with {event.error}: {after}"


_LINES: dict[type[Any], Callable[[Any], Line | None]] = {
    AttemptFinished: _attempt_finished,
    SlotWaited: _slot_waited,
    RetryScheduled: _retry_scheduled,
    CallFinished: _call_finished,
    PageRead: _page_read,
    WalkFinished: _walk_finished,
    TokenRefreshed: _token_refreshed,
    ExportStarted: _export_started,
    WindowRead: _window_read,
    ExportAdvanced: _export_advanced,
    ExportSettled: _export_settled,
    ExportFinished: _export_finished,
}


def _which(event: CallEvent) -> str:
    attempt = f", attempt {event.attempt}" if event.attempt > 1 else ""
    return f" [{event.call_id}{attempt}]"


def _named(error: str, status: int | None) -> str:
    return error if status is None else f"{error} ({status})"


def _progress(event: WindowRead | ExportAdvanced) -> str:
    about = "" if event.total is None else f" of about {event.total:,}"
    return f"{event.rows:,}{about} rows, {event.done} of {_count(event.windows, 'window')}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _time(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"
