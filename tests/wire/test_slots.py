"""Slots: each is given back once, with what became of the request."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from jibble_async import (
    ClientCredentials,
    DecodeError,
    JibbleError,
    Outcome,
    RateLimitedError,
    RetryPolicy,
    Timeouts,
)
from tests.support.clients import client_at
from tests.support.leaks import RecordingLimiter
from tests.support.raw_server import (
    Answer,
    RawServer,
    Script,
    head,
    json_reply,
    raw,
    reply,
)

ONCE = RetryPolicy(attempts=1, throttled_attempts=1)

OUTCOMES: dict[str, tuple[Answer, Outcome]] = {
    "a value": (json_reply({}), Outcome.ANSWERED),
    "no JSON": (reply(200, b"<html>"), Outcome.ANSWERED),
    "400": (reply(400), Outcome.ANSWERED),
    "401": (reply(401), Outcome.ANSWERED),
    "404": (reply(404), Outcome.ANSWERED),
    "500": (reply(500), Outcome.ANSWERED),
    "a redirect": (reply(302, b"", {"Location": "/"}), Outcome.ANSWERED),
    "a 403 with a reason": (
        reply(403, b'{"error": {"code": "no", "message": "no"}}'),
        Outcome.ANSWERED,
    ),
    "429": (reply(429), Outcome.THROTTLED),
    "a bare 403": (reply(403), Outcome.THROTTLED),
    "a reset": (raw(b"", "reset"), Outcome.ABANDONED),
    "truncation": (raw(head(200, {"Content-Length": "9"})), Outcome.ABANDONED),
    "garbage": (raw(b"garbage\r\n\r\n"), Outcome.ABANDONED),
    "too much": (raw(head(200) + b" " * 2000), Outcome.ABANDONED),
    "silence": (raw(b"", "stall"), Outcome.ABANDONED),
}


@pytest.mark.parametrize("kind", OUTCOMES)
async def test_what_a_slot_is_told(server: RawServer, kind: str) -> None:
    answer, outcome = OUTCOMES[kind]
    server.answer = Script(answer)
    limiter = RecordingLimiter()
    timeouts = Timeouts(attempt=3 if kind == "silence" else 30)
    async with client_at(
        server.url, limiter=limiter, retry=ONCE, max_body_bytes=1000, timeouts=timeouts
    ) as jibble:
        try:
            await jibble.request("GET", "workspace", "/v1/Things")
        except JibbleError:
            assert kind != "a value"
    assert limiter.outcomes == [outcome]
    assert limiter.held == 0


async def test_a_request_that_was_not_sent_need_not_count() -> None:
    async with RawServer() as gone:
        url = gone.url
    limiter = RecordingLimiter()
    async with client_at(url, limiter=limiter, retry=RetryPolicy(attempts=3)) as jibble:
        with pytest.raises(JibbleError):
            await jibble.request("GET", "workspace", "/v1/Things")
    assert limiter.outcomes == [Outcome.NOT_SENT] * 3


async def test_nor_one_for_which_there_was_no_token(server: RawServer) -> None:
    server.token_answer = Script(reply(400, b'{"error": "invalid_client"}'))
    limiter = RecordingLimiter()
    key = ClientCredentials("id", "secret")
    async with client_at(server.url, auth=key, limiter=limiter) as jibble:
        with pytest.raises(JibbleError):
            await jibble.request("GET", "workspace", "/v1/Things")
    assert limiter.outcomes == [Outcome.NOT_SENT]


async def test_requests_for_tokens_take_no_slot(server: RawServer) -> None:
    limiter = RecordingLimiter()
    key = ClientCredentials("id", "secret")
    async with client_at(server.url, auth=key, limiter=limiter) as jibble:
        await jibble.whoami()
    assert limiter.asked == []
    assert len(server.heard_tokens) == 1


async def test_the_slot_comes_before_the_token(server: RawServer) -> None:
    tokens_when_asked: list[int] = []

    async def wait() -> None:
        tokens_when_asked.append(len(server.heard_tokens))

    key = ClientCredentials("id", "secret")
    async with client_at(server.url, auth=key, limiter=RecordingLimiter(wait)) as jibble:
        await jibble.request("GET", "workspace", "/v1/Things")
    assert tokens_when_asked == [0]


async def test_a_refused_token_costs_a_slot_of_its_own(server: RawServer) -> None:
    server.answer = Script(reply(401), json_reply({}))
    limiter = RecordingLimiter()
    key = ClientCredentials("id", "secret")
    async with client_at(server.url, auth=key, limiter=limiter) as jibble:
        await jibble.request("GET", "workspace", "/v1/Things")
    assert limiter.outcomes == [Outcome.ANSWERED] * 2


async def test_a_slot_is_given_back_with_the_headers(server: RawServer) -> None:
    server.answer = Script(json_reply({}, {"X-Rate-Limit-Remaining": "41"}), raw(b"", "reset"))
    limiter = RecordingLimiter()
    async with client_at(server.url, limiter=limiter, retry=ONCE) as jibble:
        await jibble.request("GET", "workspace", "/v1/Things")
        with pytest.raises(JibbleError):
            await jibble.request("GET", "workspace", "/v1/Things")
    first, second = limiter.headers
    assert first is not None
    assert first["x-rate-limit-remaining"] == "41"
    assert second is None


async def test_a_slot_is_given_back_before_the_body_is_decoded(server: RawServer) -> None:
    limiter = RecordingLimiter()
    held_at_decoding: list[int] = []
    server.answer = Script(json_reply({"value": [{"id": "1"}, {"id": 2}], "@odata.count": 2}))

    def on_bad_row(_error: DecodeError, _row: bytes) -> None:
        held_at_decoding.append(limiter.held)

    async with client_at(server.url, limiter=limiter) as jibble:
        rows = await jibble.people.list(on_bad_row=on_bad_row).collect()
    assert [row.id for row in rows] == ["1"]
    assert held_at_decoding == [0]


async def test_a_limiter_for_each_service(server: RawServer) -> None:
    workspace, tracking = RecordingLimiter(), RecordingLimiter()
    limiters: Mapping[Any, Any] = {"workspace": workspace, "time-tracking": tracking}
    async with client_at(server.url, limiter=limiters) as jibble:
        await jibble.request("GET", "workspace", "/v1/Things")
        await jibble.request("GET", "time-tracking", "/v1/Things")
        await jibble.request("GET", "time-tracking", "/v1/Things")
        await jibble.request("GET", "time-attendance", "/v1/Things")
    assert (len(workspace.outcomes), len(tracking.outcomes)) == (1, 2)


async def test_many_at_once_give_everything_back(server: RawServer) -> None:
    answers = [answer for kind, (answer, _) in OUTCOMES.items() if kind != "silence"]
    server.answer = lambda _: answers[len(server.heard) % len(answers)]
    limiter = RecordingLimiter()
    async with client_at(server.url, limiter=limiter, max_body_bytes=1000) as jibble:
        calls = (jibble.request("GET", "workspace", "/v1/Things") for _ in range(100))
        await asyncio.gather(*calls, return_exceptions=True)
        assert limiter.held == 0
        assert len(limiter.outcomes) == jibble.stats.requests == len(server.heard)


async def test_a_limiter_that_refuses_the_second_attempt_leaves_one_made() -> None:
    class Once(RecordingLimiter):
        async def acquire(self, **arguments: Any) -> Any:
            if self.outcomes:
                raise RateLimitedError("no more", status=None)
            return await super().acquire(**arguments)

    async with RawServer() as gone:
        url = gone.url
    async with client_at(url, limiter=Once(), retry=RetryPolicy(attempts=3)) as jibble:
        with pytest.raises(RateLimitedError) as caught:
            await jibble.request("GET", "workspace", "/v1/Things")
    assert caught.value.attempts == 1
