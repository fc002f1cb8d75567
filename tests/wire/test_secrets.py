"""Canaries: no secret is in what is shown, logged, pickled or told to hooks."""

from __future__ import annotations

import asyncio
import logging
import pickle
from typing import Any

import pytest

from jibble_async import (
    APIError,
    AuthenticationError,
    ClientCredentials,
    ConfigurationError,
    JibbleError,
    RetryPolicy,
    Safety,
    ServerError,
    StaticToken,
    Timeouts,
)
from jibble_async.events import Event
from tests.support.canaries import found, local_variables, shown
from tests.support.clients import client_at
from tests.support.raw_server import Answer, RawServer, Script, head, raw, reply, token_reply

SECRET = "canary-secret"
TOKEN = "canary-token"
VALUE = "canary-value"
BODY = "canary-body"
TRACE = "canary-stack-trace"
CANARIES = (SECRET, TOKEN, VALUE, BODY, TRACE)
INNER = b'{"error": {"code": "x", "message": "plain", "innererror": {"stacktrace": "%s"}}}'

TROUBLES: dict[str, Answer] = {
    "reset": raw(b"", "reset"),
    "fin": raw(b""),
    "truncated": raw(head(200, {"Content-Length": "99"}) + b"["),
    "garbage": raw(b"garbage\r\n\r\n"),
    "no JSON": reply(200, b"<html>"),
    "silence": raw(b"", "stall"),
    "a redirect": reply(302, b"", {"Location": "/v1/Things"}),
    "400": reply(400, INNER % TRACE.encode()),
    "401": reply(401),
    "403": reply(403),
    "429": reply(429),
    "500": reply(500, INNER % TRACE.encode()),
    "too much": raw(head(200) + b" " * 5000),
}


async def failure(server: RawServer, trouble: str, events: list[Event]) -> JibbleError:
    server.answer = Script(TROUBLES[trouble])
    server.token_answer = Script(token_reply(TOKEN))
    key = ClientCredentials("the-id", SECRET)
    timeouts = Timeouts(total=None, attempt=3 if trouble == "silence" else None)
    async with client_at(
        server.url,
        auth=key,
        timeouts=timeouts,
        retry=RetryPolicy(attempts=2, throttled_attempts=2),
        max_body_bytes=4000,
        hooks=(events.append,),
    ) as jibble:
        with pytest.raises(JibbleError) as caught:
            await jibble.request(
                "POST",
                "workspace",
                "/v1/Things",
                params={"$filter": VALUE},
                json={"note": BODY},
                safety=Safety.IDEMPOTENT,
            )
        assert all(canary not in repr(jibble) + repr(vars(jibble)) for canary in CANARIES)
    return caught.value


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_a_failed_call_shows_no_secret(
    server: RawServer, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    events: list[Event] = []
    error = await failure(server, trouble, events)
    assert server.heard[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert VALUE in server.heard[0].target
    assert found(CANARIES, shown(error), repr(events), caplog.text) == []
    assert found((SECRET, TOKEN), local_variables(error)) == []
    assert error.request == "POST workspace /v1/Things?$filter"


TOKEN_TROUBLES: dict[str, Answer] = {
    "reset": raw(b"", "reset"),
    "invalid_client": reply(400, b'{"error": "invalid_client"}'),
    "HTML": reply(200, b"<html>" + TOKEN.encode()),
    "a broken token": token_reply(f"{TOKEN}\r\nX: 1"),
    "a token of another kind": token_reply(TOKEN, token_type="mac"),
    "a lifetime that is an object": token_reply(TOKEN, expires_in={TOKEN: TOKEN}),
    "half an answer": reply(200, b'{"access_token": "' + TOKEN.encode()),
    "no HTTP": raw(b"HTTP/1.1 200 OK\r\n" + TOKEN.encode() + b"\r\n\r\n"),
    "a status of its own": raw(TOKEN.encode() + b"\r\n\r\n"),
    "a header without a name": raw(b"HTTP/1.1 200 OK\r\n: " + TOKEN.encode() + b"\r\n\r\n"),
    "chunks that are none": raw(
        head(200, {"Transfer-Encoding": "chunked"}) + TOKEN.encode() + b"\r\n"
    ),
    "headers that break off": raw(b"HTTP/1.1 200 OK\r\nX: " + TOKEN.encode() + b"\r\n"),
    "a type of its own": reply(200, b"", {"Content-Type": TOKEN}),
    "a redirect with it": reply(302, b"", {"Location": f"/connect?token={TOKEN}"}),
    "a refusal that quotes it": reply(
        400, b'{"error": "invalid_client", "error_description": "not %s"}' % SECRET.encode()
    ),
    "a code of its own": reply(400, b'{"error": "%s"}' % SECRET.encode()),
    "a failure that quotes it": reply(500, b'{"message": "%s"}' % SECRET.encode()),
    "a 403 that quotes it": reply(403, SECRET.encode(), {"Content-Type": "text/plain"}),
}


@pytest.mark.parametrize("trouble", TOKEN_TROUBLES)
async def test_a_failed_request_for_a_token_shows_no_secret(
    server: RawServer, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.token_answer = Script(TOKEN_TROUBLES[trouble])
    async with client_at(server.url, auth=ClientCredentials("the-id", SECRET)) as jibble:
        with pytest.raises(JibbleError) as caught:
            await jibble.whoami()
    assert found(CANARIES, shown(caught.value), caplog.text, local_variables(caught.value)) == []


def test_credentials_have_no_telling_repr() -> None:
    for each in (ClientCredentials("the-id", SECRET), StaticToken(TOKEN)):
        assert all(canary not in repr(each) + str(each) for canary in CANARIES)


@pytest.mark.parametrize("secret", ["", "  ", f"{SECRET}\nX-Evil: 1", f"{SECRET}\0", f"{SECRET}é"])
def test_a_secret_that_can_not_be_one_is_refused_without_showing_it(secret: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ClientCredentials("the-id", secret)
    assert SECRET not in shown(caught.value)


async def test_a_stack_trace_of_the_server_is_not_shown_and_its_message_is(
    server: RawServer,
) -> None:
    events: list[Event] = []
    error = await failure(server, "500", events)
    assert isinstance(error, ServerError)
    assert "plain" in str(error)
    assert error.code == "x"


async def test_a_servers_message_is_one_printable_line(server: RawServer) -> None:
    long = b"x" * 9999
    message = b'{"error": {"code": "c", "message": "a\\u001b[31m\\r\\nb\\u2028c' + long + b'"}}'
    server.answer = Script(reply(400, message))
    async with client_at(server.url) as jibble:
        with pytest.raises(APIError) as caught:
            await jibble.request("GET", "workspace", "/v1/Things")
    text = str(caught.value)
    assert text.isprintable()
    assert len(text) < 500


@pytest.mark.parametrize("trouble", ["reset", "silence", "400", "401", "429", "no JSON"])
async def test_errors_survive_pickling(server: RawServer, trouble: str) -> None:
    error = await failure(server, trouble, [])
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


async def test_a_refused_token_is_not_named(server: RawServer) -> None:
    server.answer = Script(reply(401, b'{"message": "expired"}'))
    async with client_at(server.url, auth=StaticToken(TOKEN)) as jibble:
        calls: list[Any] = [jibble.request("GET", "workspace", "/v1/Things") for _ in range(3)]
        results = await asyncio.gather(*calls, return_exceptions=True)
    for each in results:
        assert isinstance(each, AuthenticationError)
        assert TOKEN not in shown(each)
