from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import Any

import pytest

from jibble_async import (
    AmbiguousWriteError,
    BadRequestError,
    ConfigurationError,
    ItemState,
    JibbleClient,
    RetryPolicy,
)
from jibble_async.core.call import NOT_DONE
from jibble_async.sandbox import Fault, Sandbox
from tests.support.leaks import RecordingLimiter

INTERVALS = "TimeOffIntervals"
NOBODY = "5d3b37e7-64a8-411a-9a1e-056c149a13fc"
MORNING, NOON = (datetime(2026, 7, 15, hour, tzinfo=UTC) for hour in (8, 12))


def policy(box: Sandbox, kind: str) -> str:
    found: list[str] = [
        row["id"] for row in box.dataset.rows("TimeOffPolicies") if row["kind"] == kind
    ]
    return found[0]


@pytest.fixture
async def pending(box: Sandbox, jibble: JibbleClient, person: str) -> list[str]:
    vacation = policy(box, "FullDay")
    made = [
        await jibble.time_off.request(person, vacation, date(2026, 8, day)) for day in (3, 4, 5, 6)
    ]
    return [each.id for each in made]


async def test_hours_are_not_asked_for_in_days(
    box: Sandbox, jibble: JibbleClient, person: str
) -> None:
    with pytest.raises(BadRequestError):
        await jibble.time_off.request(person, policy(box, "Hours"), date(2026, 8, 3))


async def test_a_lost_request_is_not_made_twice(
    box: Sandbox, jibble: JibbleClient, person: str
) -> None:
    box.faults.add(Fault("drop_after", method="POST", path=INTERVALS))
    with pytest.raises(AmbiguousWriteError):
        await jibble.time_off.request(person, policy(box, "FullDay"), date(2026, 8, 3))
    assert box.ledger.count(method="POST", path=INTERVALS) == 1


@pytest.mark.parametrize(
    ("verb", "status"),
    [("approve", "Approved"), ("reject", "Rejected"), ("cancel", "Cancelled")],
)
async def test_each_decision(
    box: Sandbox, jibble: JibbleClient, pending: list[str], verb: str, status: str
) -> None:
    outcomes = await getattr(jibble.time_off, verb)(*pending)
    assert [each.id for each in outcomes] == pending
    assert {each.state for each in outcomes} == {ItemState.DONE}
    for name in (INTERVALS, "TimeOffOverview"):
        index = box.dataset.index(name)
        assert {index[each]["status"] for each in pending} == {status}


async def test_every_item_has_its_own_outcome(
    box: Sandbox, jibble: JibbleClient, pending: list[str]
) -> None:
    first, second, third, fourth = pending
    box.faults.add(Fault("drop_after", path=second, times=None))
    outcomes = await jibble.time_off.approve(first, first, NOBODY, second, third, fourth)
    assert [(each.id, each.state) for each in outcomes] == [
        (first, "done"),
        (NOBODY, "refused"),
        (second, "unknown"),
        (third, "not tried"),
        (fourth, "not tried"),
    ]
    assert [each.error is None for each in outcomes] == [True, False, False, True, True]


STOPPING = {
    "too_many": ("not tried", {"retry_after": 0}),
    "unauthorized": ("not tried", {}),
    "empty_403": ("refused", {}),
    "status": ("unknown", {"status": 500}),
}


@pytest.mark.parametrize("kind", STOPPING)
async def test_what_befalls_one_and_would_befall_all_ends_it(
    box: Sandbox, jibble: JibbleClient, pending: list[str], kind: str
) -> None:
    state, params = STOPPING[kind]
    box.faults.add(Fault(kind, method="PATCH", times=None, **params))
    impatient = jibble.with_options(retry=RetryPolicy(attempts=1, throttled_attempts=1))
    outcomes = await impatient.time_off.approve(*pending)
    assert [each.state for each in outcomes] == [state, *["not tried"] * 3]


async def test_a_cancellation_says_what_became_of_each(
    box: Sandbox, jibble: JibbleClient, pending: list[str]
) -> None:
    first, second, third, fourth = pending
    stalled = Fault("stall", method="PATCH", path=second, committed=True)
    box.faults.add(stalled)
    call = asyncio.create_task(jibble.time_off.approve(first, NOBODY, second, third, fourth))
    await stalled.reached.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await call
    (note,) = caught.value.__notes__
    assert note == (
        f"done: {first}; refused: {NOBODY}; unknown: {second}; not tried: {third}, {fourth}"
    )


async def test_what_had_not_left_when_it_was_cut_off_was_not_tried(
    box: Sandbox, pending: list[str]
) -> None:
    first, second, third, _ = pending
    waits = 0
    waiting = asyncio.Event()

    async def wait() -> None:
        nonlocal waits
        waits += 1
        if waits == 2:
            waiting.set()
            await asyncio.Event().wait()

    async with JibbleClient.from_env(box.environment(), limiter=RecordingLimiter(wait)) as jibble:
        call = asyncio.create_task(jibble.time_off.approve(first, second, third))
        await waiting.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await call
    assert caught.value.__notes__ == [NOT_DONE, f"done: {first}; not tried: {second}, {third}"]


async def test_a_closed_client_refuses_nothing_in_the_servers_name(
    jibble: JibbleClient, pending: list[str]
) -> None:
    await jibble.aclose()
    outcomes = await jibble.time_off.approve(*pending)
    assert [each.state for each in outcomes] == ["not tried"] * 4
    assert isinstance(outcomes[0].error, ConfigurationError)


async def test_a_refusal_after_a_lost_answer_is_unknown(
    box: Sandbox, jibble: JibbleClient, pending: list[str]
) -> None:
    """The second attempt is refused because the first was done: nobody can know."""
    box.faults.add(Fault("drop_after", path=pending[0]))
    box.faults.add(Fault("status", path=pending[0], status=400))
    (outcome,) = await jibble.time_off.cancel(pending[0])
    assert outcome.state is ItemState.UNKNOWN


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (date(2026, 8, 4), date(2026, 8, 3)),
        (MORNING, None),
        (MORNING, date(2026, 8, 3)),
        (NOON, MORNING),
        (MORNING, NOON.replace(tzinfo=None)),
        (date(2026, 8, 3), NOON),
    ],
)
async def test_what_cant_be_sent_is_not(
    box: Sandbox, jibble: JibbleClient, person: str, start: Any, end: Any
) -> None:
    with pytest.raises(ConfigurationError):
        await jibble.time_off.request(person, policy(box, "FullDay"), start, end)
    with pytest.raises(ConfigurationError):
        await jibble.time_off.approve(NOBODY, "x")
    assert await jibble.time_off.approve() == []
    assert box.ledger.requests == []
