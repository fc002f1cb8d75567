"""A token host in trouble, and a secret that goes to it and to nobody else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jibble_async import (
    AuthenticationError,
    ClientCredentials,
    ConnectionLostError,
    DeadlineExceededError,
    DecodeError,
    JibbleClient,
    JibbleError,
    ProtocolError,
    ServerError,
    Timeouts,
)
from tests.support.clients import client_at, loop_clock
from tests.support.leaks import RecordingLimiter, settled
from tests.support.raw_server import (
    Answer,
    Held,
    RawServer,
    Script,
    drip,
    head,
    json_reply,
    raw,
    reply,
    token_reply,
)

KEY = ClientCredentials("the-id", "the-secret")


def ask(jibble: JibbleClient) -> Any:
    return jibble.request("GET", "workspace", "/v1/Things")


TOKEN_FAULTS: dict[str, tuple[Answer, type[JibbleError], int]] = {
    "invalid_client": (reply(400, b'{"error": "invalid_client"}'), AuthenticationError, 1),
    "invalid_client with 401": (
        reply(401, b'{"error": "invalid_client"}'),
        AuthenticationError,
        1,
    ),
    "unauthorized_client": (reply(400, b'{"error":"unauthorized_client"}'), AuthenticationError, 1),
    "HTML": (reply(200, b"<html>", {"Content-Type": "text/html"}), DecodeError, 1),
    "nothing": (reply(200), DecodeError, 1),
    "no token": (token_reply(access_token=None), DecodeError, 1),
    "an empty token": (token_reply(""), DecodeError, 1),
    "a token of another type": (token_reply(access_token=5), DecodeError, 1),
    "a token with a line break": (token_reply("good\r\nX-Evil: 1"), DecodeError, 1),
    "a token with a space": (token_reply("two words"), DecodeError, 1),
    "a token beyond ASCII": (token_reply("tökén"), DecodeError, 1),
    "not a bearer": (token_reply(token_type="mac"), DecodeError, 1),
    "an array": (json_reply(["the-token"]), DecodeError, 1),
    "500": (reply(500), ServerError, 4),
    "a reset": (raw(b"", "reset"), ConnectionLostError, 4),
    "garbage": (raw(b"garbage\r\n\r\n"), ProtocolError, 4),
    "a redirect": (reply(302, b"", {"Location": "/connect/token"}), ProtocolError, 1),
}


@pytest.mark.parametrize("fault", TOKEN_FAULTS)
async def test_a_token_host_in_trouble(server: RawServer, fault: str) -> None:
    answer, expected, attempts = TOKEN_FAULTS[fault]
    server.token_answer = Script(answer)
    async with client_at(server.url, auth=KEY) as jibble:
        with pytest.raises(JibbleError) as caught:
            await ask(jibble)
    assert type(caught.value) is expected
    assert len(server.heard_tokens) == attempts
    assert server.heard == []
    assert "POST identity /connect/token" in str(caught.value)


async def test_a_token_host_that_recovers(server: RawServer) -> None:
    server.token_answer = Script(reply(500), raw(b"", "reset"), token_reply())
    async with client_at(server.url, auth=KEY) as jibble:
        assert await ask(jibble) == {}
    assert len(server.heard_tokens) == 3
    assert len(server.heard) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_the_secret_follows_no_redirect(
    server: RawServer, stranger: RawServer, status: int
) -> None:
    elsewhere = {"Location": f"{stranger.url}/connect/token"}
    server.token_answer = Script(reply(status, b"", elsewhere))
    async with client_at(server.url, auth=KEY) as jibble:
        with pytest.raises(ProtocolError, match="redirect"):
            await ask(jibble)
    assert len(server.heard_tokens) == 1
    assert stranger.connections == 0


async def test_the_secret_goes_to_the_token_host_and_nowhere_else(
    server: RawServer, stranger: RawServer
) -> None:
    async with client_at(server.url, identity=stranger.url, auth=KEY) as jibble:
        await ask(jibble)
    assert [b"the-secret" in each.body for each in stranger.heard_tokens] == [True]
    assert server.heard_tokens == []
    assert all("the-secret" not in repr(each) for each in server.heard)


@pytest.mark.parametrize(
    "answer",
    [raw(b"", "stall"), drip(head(200, {"Content-Length": "900"}), size=1, gap=1)],
    ids=["stall", "drip"],
)
async def test_a_token_host_that_does_not_answer_runs_into_the_deadline(
    server: RawServer, answer: Answer
) -> None:
    server.token_answer = Script(answer)
    limiter = RecordingLimiter()
    timeouts = Timeouts(total=None, attempt=3)
    async with client_at(server.url, auth=KEY, timeouts=timeouts, limiter=limiter) as jibble:
        with pytest.raises(DeadlineExceededError):
            await ask(jibble)
    assert len(server.heard_tokens) == 4
    assert limiter.held == 0


async def test_the_total_of_a_call_holds_while_it_waits_for_a_token(server: RawServer) -> None:
    held = Held(token_reply())
    server.token_answer = Script(held)
    # A short time for one call, while others are in less of a hurry.
    async with client_at(server.url, auth=KEY, clock=loop_clock()) as jibble:
        patient = asyncio.create_task(ask(jibble))
        await settled(lambda: len(server.heard_tokens) == 1)
        with pytest.raises(DeadlineExceededError) as caught:
            await ask(jibble.with_options(timeout=3))
        assert not caught.value.sent
        held.go.set()
        assert await patient == {}
    assert len(server.heard_tokens) == 1
    assert len(server.heard) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n: {CANARY}\r\n\r\n",
        b"{CANARY}\r\n\r\n",
        b"HTTP/1.1 {CANARY} OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: {CANARY}\r\n\r\n",
    ],
)
async def test_no_byte_of_an_answer_that_is_no_http_is_shown(
    server: RawServer, answer: bytes
) -> None:
    server.token_answer = Script(raw(answer.replace(b"{CANARY}", b"canary-token"), "fin"))
    key = ClientCredentials("id", "secret")
    async with client_at(server.url, auth=key) as jibble:
        with pytest.raises(JibbleError) as caught:
            await jibble.request("GET", "workspace", "/v1/Things")
    assert "canary" not in f"{caught.value!r} {vars(caught.value)} {caught.value.__context__!r}"
