"""Deadlines: of a call as a whole, of one attempt, and what does not count against them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jibble_async import (
    ConfigurationError,
    DeadlineExceededError,
    JibbleClient,
    Outcome,
    RateLimitedError,
    RetryPolicy,
    Safety,
    Timeouts,
    TokenBucket,
)
from jibble_async.events import Event, SlotWaited
from tests.support.clients import HeldTime, client_at, loop_clock
from tests.support.leaks import RecordingLimiter
from tests.support.raw_server import RawServer, Script, drip, head, json_reply, raw

STALL = raw(b"", "stall")
ONCE = RetryPolicy(attempts=1)


def ask(jibble: JibbleClient, **options: Any) -> Any:
    return jibble.request("GET", "workspace", "/v1/Things", **options)


@pytest.mark.parametrize(
    "answer",
    [
        STALL,
        raw(b"HTTP/1.1 200 OK\r\n", "stall"),
        raw(head(200, {"Content-Length": "9"}), "stall"),
        drip(head(200, {"Content-Length": "9000"}) + b" " * 9000, size=1, gap=0.5),
    ],
    ids=["no answer", "half a head", "no body", "dripping"],
)
async def test_an_attempt_that_takes_too_long_is_ended(server: RawServer, answer: Any) -> None:
    server.answer = Script(answer)
    limiter = RecordingLimiter()
    timeouts = Timeouts(total=None, attempt=3)
    async with client_at(server.url, timeouts=timeouts, retry=ONCE, limiter=limiter) as jibble:
        with pytest.raises(DeadlineExceededError) as caught:
            await ask(jibble)
        # Its connection is gone at once, not with the client.
        await server.idle()
    assert caught.value.sent
    assert isinstance(caught.value, TimeoutError)
    assert limiter.outcomes == [Outcome.ABANDONED]


async def test_after_an_attempt_that_took_too_long_a_read_is_tried_again(server: RawServer) -> None:
    server.answer = Script(STALL, json_reply({"second": True}))
    timeouts = Timeouts(total=None, attempt=20)
    async with client_at(server.url, timeouts=timeouts) as jibble:
        assert await ask(jibble) == {"second": True}
        server.answer = Script(STALL, json_reply({}))
        with pytest.raises(DeadlineExceededError):
            await ask(jibble, safety=Safety.UNSAFE)
    assert len(server.heard) == 3


async def test_the_total_ends_a_call_amid_its_attempt(server: RawServer) -> None:
    server.answer = Script(STALL)
    timeouts = Timeouts(total=3, attempt=30)
    async with client_at(server.url, timeouts=timeouts, clock=loop_clock()) as jibble:
        with pytest.raises(DeadlineExceededError):
            await ask(jibble)
    assert len(server.heard) == 1


async def test_the_total_ends_a_call_between_its_attempts(server: RawServer) -> None:
    time = HeldTime()
    server.answer = Script(json_reply({}, status=503))
    timeouts = Timeouts(total=1.0)
    async with client_at(server.url, timeouts=timeouts, clock=time.clock) as jibble:
        with pytest.raises(Exception, match="503"):
            await ask(jibble)
    # The waits would be 0.25, 0.5 and 1; the third would end too late.
    assert time.sleeps == [0.25, 0.5]
    assert len(server.heard) == 3


async def test_a_deadline_cancels_nobody_else(server: RawServer) -> None:
    server.answer = Script(STALL)
    timeouts = Timeouts(total=None, attempt=2)
    async with client_at(server.url, timeouts=timeouts, retry=ONCE) as jibble:
        for _ in range(3):
            with pytest.raises(DeadlineExceededError):
                await ask(jibble)
            task = asyncio.current_task()
            assert task is not None
            assert task.cancelling() == 0
        async with asyncio.timeout(5):
            with pytest.raises(DeadlineExceededError):
                await ask(jibble)


async def test_the_callers_own_timeout_stays_the_callers(server: RawServer) -> None:
    server.answer = Script(STALL)
    limiter = RecordingLimiter()
    async with client_at(server.url, limiter=limiter) as jibble:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(2):
                await ask(jibble)
        assert not isinstance(caught.value, DeadlineExceededError)
        await server.idle()
    assert limiter.outcomes == [Outcome.ABANDONED]
    assert len(server.heard) == 1


async def test_waiting_for_a_slot_does_not_eat_the_attempts_time(server: RawServer) -> None:
    events: list[Event] = []
    limiter = RecordingLimiter(lambda: asyncio.sleep(8))
    timeouts = Timeouts(total=None, attempt=4)
    async with client_at(
        server.url, timeouts=timeouts, limiter=limiter, clock=loop_clock(), hooks=(events.append,)
    ) as jibble:
        # The wait alone is twice what an attempt may take.
        retried = jibble.with_options(retry=RetryPolicy(attempts=5))
        assert await ask(retried) == {}
        (waited,) = (each for each in events if isinstance(each, SlotWaited))
        assert waited.service == "workspace"
        assert waited.seconds == pytest.approx(8)
        assert jibble.stats.throttled_seconds >= waited.seconds


async def test_waiting_for_a_connection_of_the_pool_counts_as_part_of_the_attempt(
    server: RawServer,
) -> None:
    import aiohttp

    connector = aiohttp.TCPConnector(limit=1)
    server.answer = Script(STALL)
    timeouts = Timeouts(total=None, attempt=5)
    limiter = RecordingLimiter()
    async with client_at(
        server.url, timeouts=timeouts, retry=ONCE, limiter=limiter, connector=connector
    ) as jibble:
        calls = await asyncio.gather(*(ask(jibble) for _ in range(3)), return_exceptions=True)
        assert [type(each) for each in calls] == [DeadlineExceededError] * 3
        assert limiter.held == 0
        server.answer = Script(json_reply({}))
        assert await ask(jibble) == {}
    await connector.close()


async def test_max_wait_is_handed_to_the_limiter(server: RawServer) -> None:
    limiter = RecordingLimiter()
    async with client_at(server.url, limiter=limiter) as jibble:
        await ask(jibble.with_options(timeout=None))
        await ask(jibble.with_options(timeout=None, max_wait=3.0, priority="bulk"))
        await ask(jibble.with_options(timeout=7.0))
        await ask(jibble.with_options(timeout=7.0, max_wait=9.0))
        await ask(jibble.with_options(timeout=7.0, max_wait=0.0))
    assert limiter.asked == [
        ("interactive", None),
        ("bulk", 3.0),
        ("interactive", 7.0),
        ("interactive", 7.0),
        ("interactive", 0.0),
    ]


async def test_a_slot_that_would_come_too_late_is_an_error_and_nothing_is_sent(
    server: RawServer,
) -> None:
    bucket = TokenBucket(limit=2, per=3600, burst=1)
    async with client_at(server.url, limiter=bucket) as jibble:
        assert await ask(jibble) == {}
        with pytest.raises(RateLimitedError, match="max_wait") as caught:
            await ask(jibble.with_options(max_wait=0.0))
        assert caught.value.attempts == 0
        with pytest.raises(RateLimitedError):
            await ask(jibble.with_options(timeout=2, priority="bulk"))
        assert jibble.stats.requests == 1
    assert len(server.heard) == 1


@pytest.mark.parametrize("name", ["total", "attempt", "connect"])
@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_times_that_make_no_sense(name: str, seconds: float) -> None:
    with pytest.raises(ConfigurationError, match=name):
        Timeouts(**{name: seconds})
