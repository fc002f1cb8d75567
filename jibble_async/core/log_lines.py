"""Events as lines of a log: how important each is, and what it says to people. Pure."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

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

__all__ = ["level_of", "text_of"]

# A wait that people notice, in seconds.
_LONG = 3.0
# What an answer tells the caller, who asked for it; whatever else ends a call is trouble.
_TOLD = frozenset({400, 402, 403, 404, 405, 409, 410, 412, 422})
_CANCELLED = "CancelledError"


def level_of(event: Event) -> int:
    """How important an event is; 0 if another one's line tells of it.

    Args:
        event: What happened.
    """
    level = _LEVELS.get(type(event), 0)
    return level if isinstance(level, int) else level(event)


def text_of(event: Event) -> str:
    """What an event with a level says to people, on one line.

    Args:
        event: What happened.
    """
    return _TEXTS[type(event)](event)


def _of_wait(event: SlotWaited) -> int:
    return logging.INFO if event.seconds > _LONG else logging.DEBUG


def _of_end(event: CallFinished) -> int:
    if event.error is None:
        return 0
    is_told = event.status in _TOLD or event.error == _CANCELLED
    return logging.DEBUG if is_told else logging.ERROR


def _of_export_end(event: ExportFinished) -> int:
    return logging.INFO if event.error in (None, _CANCELLED) else logging.ERROR


_LEVELS: dict[type[Any], int | Callable[[Any], int]] = {
    AttemptFinished: logging.DEBUG,
    SlotWaited: _of_wait,
    RetryScheduled: logging.WARNING,
    CallFinished: _of_end,
    PageRead: logging.DEBUG,
    WalkFinished: logging.DEBUG,
    TokenRefreshed: logging.INFO,
    ExportStarted: logging.INFO,
    WindowRead: logging.DEBUG,
    ExportAdvanced: logging.INFO,
    ExportSettled: logging.INFO,
    ExportFinished: _of_export_end,
}


def _attempt_finished(event: AttemptFinished) -> str:
    answer = event.error if event.status is None else event.status
    took = f"{answer} in {event.seconds:.3f} s"
    return f"{event.operation}: {event.method} {event.path} {took}{_which(event)}"


def _slot_waited(event: SlotWaited) -> str:
    waited = f"waited {_time(event.seconds)} for a slot of {event.service}"
    return f"{event.operation}: {waited}{_which(event)}"


def _retry_scheduled(event: RetryScheduled) -> str:
    what = "refused for speed" if event.throttled else "failed"
    why, after = _named(event.error, event.status), _time(event.seconds)
    return f"{event.operation}: {what}, {why}; again in {after}{_which(event)}"


def _call_finished(event: CallFinished) -> str:
    ended = f"ended with {_named(event.error or '', event.status)} after {_time(event.seconds)}"
    return f"{event.operation}: {ended}{_which(event)}"


def _page_read(event: PageRead) -> str:
    of = "" if event.total is None else f" of {event.total:,}"
    return f"{event.operation}: a page with {event.rows:,}{of} rows"


def _walk_finished(event: WalkFinished) -> str:
    ended = "" if event.error is None else f", ended with {event.error}"
    pages = _count(event.pages, "page")
    return f"{event.operation}: {event.rows:,} rows on {pages} in {_time(event.seconds)}{ended}"


def _token_refreshed(event: TokenRefreshed) -> str:
    lasts = "" if event.lifetime is None else f" for {_time(event.lifetime)}"
    return f"there is a new token{lasts}"


def _export_started(event: ExportStarted) -> str:
    there = f", {event.resumed_rows:,} rows are there already" if event.resumed_rows else ""
    return f"{event.operation} begins: {_count(event.windows, 'window')}{there}"


def _window_read(event: WindowRead) -> str:
    return f"{event.operation}: {_progress(event)}"


def _export_advanced(event: ExportAdvanced) -> str:
    return f"{event.operation}: {_progress(event)} after {_time(event.seconds)}"


def _export_settled(event: ExportSettled) -> str:
    found = f"{event.swept:,} changed and {event.dropped:,} deleted rows"
    swept = f"swept in {_count(event.rounds, 'round')}, {found}" if event.rounds else "not swept"
    return f"{event.operation}: {swept}: {event.outcome}"


def _export_finished(event: ExportFinished) -> str:
    how = "is done" if event.error is None else f"ended with {event.error}"
    return f"{event.operation} {how}: {event.rows:,} rows after {_time(event.seconds)}"


_TEXTS: dict[type[Any], Callable[[Any], str]] = {
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
