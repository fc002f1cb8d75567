"""Which answers say that a write is done, and what is said of all others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, timedelta
from typing import Any

import pytest

from jibble_async import AmbiguousWriteError, ItemState, JibbleClient, JibbleError
from jibble_async.sandbox import Fault, Sandbox

ID = "5d3b37e7-64a8-411a-9a1e-056c149a13fc"
DAY = date(2026, 7, 13)

REPEATABLE: dict[str, Callable[[JibbleClient], Awaitable[Any]]] = {
    "people.update": lambda jibble: jibble.people.update(ID, full_name="Ann"),
    "people.remove": lambda jibble: jibble.people.remove(ID),
    "people.delete": lambda jibble: jibble.people.delete(ID),
    "time_entries.update": lambda jibble: jibble.time_entries.update(ID, note="x"),
    "time_entries.archive": lambda jibble: jibble.time_entries.archive(ID),
    "time_entries.delete": lambda jibble: jibble.time_entries.delete(ID),
    "hour_entries.update": lambda jibble: jibble.hour_entries.update(ID, note="x"),
    "hour_entries.delete": lambda jibble: jibble.hour_entries.delete(ID),
}
DECISIONS: dict[str, Callable[[JibbleClient], Awaitable[Any]]] = {
    "approve": lambda jibble: jibble.time_off.approve(ID),
    "reject": lambda jibble: jibble.time_off.reject(ID),
    "cancel": lambda jibble: jibble.time_off.cancel(ID),
}
MAKING: dict[str, Callable[[JibbleClient], Awaitable[Any]]] = {
    "people": lambda jibble: jibble.people.create("Ann"),
    "projects": lambda jibble: jibble.projects.create("Roof"),
    "clients": lambda jibble: jibble.clients.create("Smith"),
    "locations": lambda jibble: jibble.locations.create("Yard", "Main Street 1"),
    "clock_in": lambda jibble: jibble.time_entries.clock_in(ID),
    "hour_entries": lambda jibble: jibble.hour_entries.create(ID, DAY, timedelta(hours=1)),
    "time_off": lambda jibble: jibble.time_off.request(ID, ID, DAY),
    "export": lambda jibble: jibble.reports.start_attendance_export(DAY, DAY),
}
NO_ANSWERS: dict[str, tuple[int, bytes]] = {
    "a login page": (200, b"<!DOCTYPE html><title>Sign in</title>"),
    "a portal that says created": (201, b"<html>Welcome to our network</html>"),
    "half of a body": (200, b'{"id": "'),
    "words": (200, b"OK, but not JSON"),
    "an error within": (200, b'{"error": {"code": "busy", "message": "try later"}}'),
}
DONE: dict[str, tuple[int, bytes]] = {
    "no content": (204, b""),
    "nothing": (200, b""),
    "blanks": (200, b" \r\n"),
    "the entity": (200, b'{"id": "5d3b37e7-64a8-411a-9a1e-056c149a13fc"}'),
    "null": (200, b"null"),
}

no_answer = pytest.mark.parametrize("answer", NO_ANSWERS)


@pytest.fixture
async def box() -> AsyncIterator[Sandbox]:
    async with Sandbox(people=1, since=DAY, until=DAY) as running:
        yield running


def answers(box: Sandbox, status: int, body: bytes) -> None:
    """Every write gets this, and changes nothing."""
    path = "/v1/TimeAttendanceReportStartExport"
    for asked in ({"method": "PATCH"}, {"method": "DELETE"}, {"path": path}):
        box.faults.add(Fault("status", **asked, times=None, status=status, body=body))
    for service in ("workspace", "time-tracking"):
        fault = Fault(
            "status", method="POST", service=service, times=None, status=status, body=body
        )
        box.faults.add(fault)


@no_answer
async def test_what_says_nothing_of_a_write_is_no_done(
    box: Sandbox, jibble: JibbleClient, answer: str
) -> None:
    answers(box, *NO_ANSWERS[answer])
    for name, write in REPEATABLE.items():
        with pytest.raises(JibbleError) as caught:
            await write(jibble)
        assert caught.value.maybe_processed, name
    for decide in DECISIONS.values():
        (outcome,) = await decide(jibble)
        assert outcome.state is ItemState.UNKNOWN


@no_answer
async def test_what_says_nothing_of_something_new_is_unknown_and_sent_once(
    box: Sandbox, jibble: JibbleClient, answer: str
) -> None:
    answers(box, *NO_ANSWERS[answer])
    for make in MAKING.values():
        with pytest.raises(AmbiguousWriteError):
            await make(jibble)
    assert len([each for each in box.ledger.requests if each.fault == "status"]) == len(MAKING)


@pytest.mark.parametrize("answer", DONE)
async def test_nothing_and_json_say_that_a_write_is_done(
    box: Sandbox, jibble: JibbleClient, answer: str
) -> None:
    answers(box, *DONE[answer])
    for write in REPEATABLE.values():
        assert await write(jibble) is None
    for decide in DECISIONS.values():
        (outcome,) = await decide(jibble)
        assert outcome.state is ItemState.DONE
