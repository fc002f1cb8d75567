"""How long the server asks to wait, in every form that it may say so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jibble_async import (
    APIError,
    ClientCredentials,
    JibbleClient,
    RateLimitedError,
    RetryPolicy,
    ServerError,
)
from tests.support.clients import HeldTime, client_at
from tests.support.raw_server import (
    Answer,
    Heard,
    RawServer,
    Script,
    json_reply,
    raw,
    reply,
    token_reply,
)

# The jitter on top of what is asked for, and a wait of our own, both at a chance of a half.
JITTER, OWN = 0.25, 0.25
NOON = {"Date": "Mon, 13 Jul 2026 12:00:00 GMT"}


def client(server: RawServer, time: HeldTime) -> JibbleClient:
    return client_at(server.url, clock=time.clock).with_options(timeout=None)


@pytest.mark.parametrize(
    ("headers", "asked"),
    [
        ({"Retry-After": "5"}, 5),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": " 7 "}, 7),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "120"}, 120),
        # Our clock says 09:00, the server's noon: the server's is meant.
        ({"Retry-After": "Mon, 13 Jul 2026 12:00:30 GMT", **NOON}, 30),
        ({"Retry-After": "Mon, 13 Jul 2026 11:00:00 GMT", **NOON}, 0),
        ({"Retry-After": "Mon, 13 Jul 2026 09:00:10 GMT"}, 10),
        ({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0),
    ],
    ids=str,
)
@pytest.mark.parametrize("status", [429, 503])
async def test_what_is_asked_for_is_waited(
    server: RawServer, headers: dict[str, str], asked: float, status: int
) -> None:
    time = HeldTime()
    server.answer = Script(reply(status, b"", headers), json_reply({}))
    async with client(server, time) as jibble:
        await jibble.request("GET", "workspace", "/v1/Things")
    assert time.sleeps == [asked + JITTER]


@pytest.mark.parametrize(
    "value",
    ["-1", "abc", "inf", "nan", "", "1,2", "9" * 400, "1e999", "Mon, 99 Jul 2026 12:00:00 GMT"],
)
async def test_what_makes_no_sense_is_as_if_nothing_was_said(server: RawServer, value: str) -> None:
    time = HeldTime()
    server.answer = Script(reply(429, b"", {"Retry-After": value}), json_reply({}))
    async with client(server, time) as jibble:
        await jibble.request("GET", "workspace", "/v1/Things")
    assert time.sleeps == [OWN]


async def test_of_two_the_first_counts(server: RawServer) -> None:
    time = HeldTime()
    twice = b"HTTP/1.1 429 X\r\nContent-Length: 0\r\nRetry-After: 3\r\nRetry-After: 9999\r\n\r\n"
    server.answer = Script(raw(twice, "keep"), json_reply({}))
    async with client(server, time) as jibble:
        await jibble.request("GET", "workspace", "/v1/Things")
    assert time.sleeps == [3 + JITTER]


@pytest.mark.parametrize("value", ["121", "1e9", "1000000000", "Mon, 13 Jul 2099 09:00:00 GMT"])
async def test_more_than_the_cap_is_raised_at_once(server: RawServer, value: str) -> None:
    time = HeldTime()
    server.answer = Script(reply(429, b"", {"Retry-After": value}))
    async with client(server, time) as jibble:
        with pytest.raises(RateLimitedError) as caught:
            await jibble.request("GET", "workspace", "/v1/Things")
    assert caught.value.retry_after is not None
    assert caught.value.retry_after > 120
    assert time.sleeps == []
    assert len(server.heard) == 1


async def test_a_wait_past_the_end_of_the_call_is_not_begun(server: RawServer) -> None:
    time = HeldTime()
    server.answer = Script(reply(503, b"", {"Retry-After": "30"}))
    async with client_at(server.url, clock=time.clock) as jibble:
        with pytest.raises(ServerError) as caught:
            await jibble.with_options(timeout=20).request("GET", "workspace", "/v1/Things")
    assert caught.value.retry_after == 30
    assert time.sleeps == []


async def test_throttled_time_is_summed_up(server: RawServer) -> None:
    time = HeldTime()
    server.answer = Script(reply(429, b"", {"Retry-After": "4"}), reply(503), json_reply({}))
    async with client(server, time) as jibble:
        await jibble.request("GET", "workspace", "/v1/Things")
        assert jibble.stats.throttled == 1
        assert jibble.stats.throttled_seconds == 4 + JITTER


async def test_throttling_has_an_end(server: RawServer) -> None:
    time = HeldTime()
    server.answer = Script(reply(429, b"", {"Retry-After": "2"}))
    async with client(server, time) as jibble:
        few = jibble.with_options(retry=RetryPolicy(throttled_attempts=3))
        with pytest.raises(RateLimitedError) as caught:
            await few.request("GET", "workspace", "/v1/Things")
    assert caught.value.attempts == 3
    assert time.sleeps == [2 + JITTER] * 2


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("asked", ["0", "0.2", "Thu, 01 Jan 1970 00:00:00 GMT"])
async def test_a_server_that_says_at_once_is_not_flooded(
    server: RawServer, status: int, asked: str
) -> None:
    time = HeldTime()
    server.answer = Script(reply(status, b"", {"Retry-After": asked}))
    async with client(server, time) as jibble:
        for _ in range(300):
            with pytest.raises(APIError):
                await jibble.request("GET", "workspace", "/v1/Things")
    # One each, and what the budget holds.
    assert len(server.heard) == 300 + 50


@pytest.mark.parametrize(
    "trouble",
    [
        reply(503),
        reply(503, b"", {"Retry-After": "200"}),
        raw(b"", "reset"),
        reply(429),
        reply(522),
    ],
    ids=["503", "503, asked for much", "lost", "429", "522"],
)
@pytest.mark.parametrize("service", ["api", "tokens"])
async def test_who_has_patience_rides_out_an_outage_of_ten_minutes(
    server: RawServer, trouble: Answer, service: str
) -> None:
    time = HeldTime()
    begun = time.seconds

    def answer_or(well: Answer) -> Callable[[Heard], Answer]:
        return lambda _: trouble if time.seconds < begun + 600 else well

    server.answer = answer_or(json_reply({})) if service == "api" else Script(json_reply({}))
    server.token_answer = answer_or(token_reply()) if service == "tokens" else Script(token_reply())
    key = ClientCredentials("id", "secret")
    async with client_at(server.url, auth=key, clock=time.clock) as jibble:
        patient = jibble.with_options(
            timeout=None, priority="bulk", retry=RetryPolicy(patience=900)
        )
        assert await patient.request("GET", "workspace", "/v1/Things") == {}
    assert begun + 600 <= time.seconds
    # It comes seldom: that somebody has time is no reason to add load.
    assert len(server.heard) + len(server.heard_tokens) < 600 / 10 + 20


async def test_patience_has_an_end(server: RawServer) -> None:
    time = HeldTime()
    begun = time.seconds
    server.answer = Script(reply(503))
    async with client(server, time) as jibble:
        patient = jibble.with_options(retry=RetryPolicy(patience=900))
        with pytest.raises(ServerError) as caught:
            await patient.request("GET", "workspace", "/v1/Things")
    assert 900 <= time.seconds - begun <= 920
    assert caught.value.attempts > 50
    assert not caught.value.retries_exhausted
