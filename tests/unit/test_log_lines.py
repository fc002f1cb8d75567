"""What the log says of events, and how important it takes each for."""

from __future__ import annotations

import logging
from typing import get_args

import pytest

from jibble_async import events
from jibble_async.core.log_lines import level_of, text_of
from jibble_async.events import (
    AttemptFinished,
    AttemptStarted,
    CallFinished,
    CallStarted,
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
    WalkStarted,
    WindowRead,
)

CALL = ("people.get", "workspace", "GET", "/v1/People({id})", "5e-1")
WALK = ("people.list", "workspace", "/v1/People", "5e-2")
EXPORT = ("people.export", "workspace")
HOST = (0, "workspace.example", 443)
DEBUG, INFO, WARNING, ERROR = logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR

LINES: list[tuple[Event, int, str]] = [
    (
        AttemptFinished(*CALL, 1, *HOST, 200, 0.1234),
        DEBUG,
        "people.get: GET /v1/People({id}) 200 in 0.123 s [5e-1]",
    ),
    (
        AttemptFinished(*CALL, 2, *HOST, None, 30.0, "DeadlineExceededError"),
        DEBUG,
        "people.get: GET /v1/People({id}) DeadlineExceededError in 30.000 s [5e-1, attempt 2]",
    ),
    (
        SlotWaited(*CALL, 1, "bulk", 3.0),
        DEBUG,
        "people.get: waited 3.00 s for a slot of workspace [5e-1]",
    ),
    (
        SlotWaited(*CALL, 1, "bulk", 3.01),
        INFO,
        "people.get: waited 3.01 s for a slot of workspace [5e-1]",
    ),
    (
        SlotWaited(*CALL, 1, "bulk", 3480.0),
        INFO,
        "people.get: waited 58 min for a slot of workspace [5e-1]",
    ),
    (
        RetryScheduled(*CALL, 1, 0.25, "ServerError", 503),
        WARNING,
        "people.get: failed, ServerError (503); again in 0.25 s [5e-1]",
    ),
    (
        RetryScheduled(*CALL, 3, 12.0, "RateLimitedError", 429, True),
        WARNING,
        "people.get: refused for speed, RateLimitedError (429); again in 12 s [5e-1, attempt 3]",
    ),
    (
        CallFinished(*CALL, 4, 61.5, "ConnectionLostError"),
        ERROR,
        "people.get: ended with ConnectionLostError after 62 s [5e-1, attempt 4]",
    ),
    (
        CallFinished(*CALL, 1, 0.1, "AuthenticationError", 401),
        ERROR,
        "people.get: ended with AuthenticationError (401) after 0.10 s [5e-1]",
    ),
    (
        CallFinished(*CALL, 1, 0.1, "NotFoundError", 404),
        DEBUG,
        "people.get: ended with NotFoundError (404) after 0.10 s [5e-1]",
    ),
    (
        CallFinished(*CALL, 1, 0.1, "CancelledError"),
        DEBUG,
        "people.get: ended with CancelledError after 0.10 s [5e-1]",
    ),
    (PageRead(*WALK, 1000, 12345), DEBUG, "people.list: a page with 1,000 of 12,345 rows"),
    (PageRead(*WALK, 3, None), DEBUG, "people.list: a page with 3 rows"),
    (WalkFinished(*WALK, 2, 1003, 1.5), DEBUG, "people.list: 1,003 rows on 2 pages in 1.50 s"),
    (
        WalkFinished(*WALK, 1, 5, 0.5, "ServerError"),
        DEBUG,
        "people.list: 5 rows on 1 page in 0.50 s, ended with ServerError",
    ),
    (TokenRefreshed(3600.0), INFO, "there is a new token for 60 min"),
    (TokenRefreshed(None), INFO, "there is a new token"),
    (ExportStarted(*EXPORT, 1, 0), INFO, "people.export begins: 1 window"),
    (
        ExportStarted(*EXPORT, 12, 500),
        INFO,
        "people.export begins: 12 windows, 500 rows are there already",
    ),
    (
        WindowRead(*EXPORT, 3, 12, 30000, 120000),
        DEBUG,
        "people.export: 30,000 of about 120,000 rows, 3 of 12 windows",
    ),
    (
        ExportAdvanced(*EXPORT, 3, 12, 30000, None, 28740.0),
        INFO,
        "people.export: 30,000 rows, 3 of 12 windows after 7 h 59 min",
    ),
    (
        ExportSettled(*EXPORT, "proved", 2, 14, 1),
        INFO,
        "people.export: swept in 2 rounds, 14 changed and 1 deleted rows: proved",
    ),
    (ExportSettled(*EXPORT, "not proved", 0, 0, 0), INFO, "people.export: not swept: not proved"),
    (ExportFinished(*EXPORT, 9, 200.0), INFO, "people.export is done: 9 rows after 3 min"),
    (
        ExportFinished(*EXPORT, 9, 2.0, "ServerError"),
        ERROR,
        "people.export ended with ServerError: 9 rows after 2.00 s",
    ),
    (
        ExportFinished(*EXPORT, 9, 2.0, "CancelledError"),
        INFO,
        "people.export ended with CancelledError: 9 rows after 2.00 s",
    ),
]
SILENT: list[Event] = [
    CallStarted(*CALL, 1, "interactive"),
    AttemptStarted(*CALL, 1, *HOST),
    CallFinished(*CALL, 1, 0.1),
    WalkStarted(*WALK),
]


@pytest.mark.parametrize(("event", "level", "text"), LINES, ids=[line[2] for line in LINES])
def test_a_line_says_what_happened(event: Event, level: int, text: str) -> None:
    assert (level_of(event), text_of(event)) == (level, text)


@pytest.mark.parametrize("event", SILENT, ids=lambda event: type(event).__name__)
def test_what_another_line_tells_has_none(event: Event) -> None:
    assert level_of(event) == 0


def test_every_event_is_among_these() -> None:
    shown = {type(event) for event in (*SILENT, *(line[0] for line in LINES))}
    assert shown == set(get_args(events.Event))
