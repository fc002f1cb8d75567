"""Which connection a request goes on: reads share kept ones, and what is sent once has its own."""

from __future__ import annotations

import asyncio
import uuid

import aiohttp
import pytest

from jibble_async import APIError, ConnectionLostError, Outcome, RetryPolicy, Safety
from tests.support.clients import client_at
from tests.support.leaks import RecordingLimiter
from tests.support.raw_server import (
    Answer,
    Heard,
    Held,
    RawServer,
    Script,
    Then,
    Wire,
    head,
    json_reply,
    raw,
    reply,
)

ONCE = RetryPolicy(attempts=1)
PERSON = "04e69039-ef99-442c-8b9b-75d996d24b45"


def closed_meanwhile(how: str) -> Answer:
    """What is heard on a connection that the other end has given up."""
    return raw(b"", "reset" if how == "reset" else "fin")


@pytest.mark.parametrize("shared", [False, True], ids=["a pool of its own", "a shared pool"])
@pytest.mark.parametrize("how", ["reset", "fin"])
async def test_a_punch_is_not_lost_on_a_connection_that_was_closed_meanwhile(
    server: RawServer, how: str, shared: bool
) -> None:
    def answer(heard: Heard) -> Answer:
        if heard.connection == 1 and len(server.heard) > 1:
            return closed_meanwhile(how)
        return json_reply({"id": str(uuid.uuid4()), "value": []})

    server.answer = answer
    async with (
        aiohttp.TCPConnector() as connector,
        client_at(server.url, connector=connector if shared else None) as jibble,
    ):
        await jibble.request("GET", "workspace", "/v1/Things")
        entry = await jibble.time_entries.clock_in(PERSON)
    assert entry.id
    assert [(each.method, each.connection) for each in server.heard] == [("GET", 1), ("POST", 2)]


@pytest.mark.parametrize(
    ("safety", "connections"),
    [
        (Safety.READ, [1, 1, 1, 1]),
        (Safety.IDEMPOTENT, [1, 1, 1, 1]),
        (Safety.FINDABLE, [1, 1, 1, 1]),
        (Safety.UNSAFE, [1, 2, 3, 1]),
        (Safety.ONCE, [1, 2, 3, 1]),
    ],
)
async def test_what_is_sent_once_has_a_connection_for_itself(
    server: RawServer, safety: Safety, connections: list[int]
) -> None:
    def answer(heard: Heard) -> Answer:
        # As HTTP has it: who is asked to close says so, and does.
        asked = heard.headers.get("connection") == "close"
        return json_reply({}, {"Connection": "close"} if asked else None)

    server.answer = answer
    async with client_at(server.url, retry=RetryPolicy(attempts=1)) as jibble:
        await jibble.request("GET", "workspace", "/v1/Things")
        await jibble.request("POST", "workspace", "/v1/Things", safety=safety)
        await jibble.request("POST", "workspace", "/v1/Things", safety=safety)
        await jibble.request("GET", "workspace", "/v1/Things")
    assert [each.connection for each in server.heard] == connections
    await server.idle()


@pytest.mark.parametrize("safety", [Safety.UNSAFE, Safety.ONCE])
async def test_a_connection_of_its_own_whatever_the_answer_says(
    server: RawServer, safety: Safety
) -> None:
    # RFC 9112 9.6: a server that is asked to close need not say that it does.
    server.answer = Script(json_reply({}, {"Connection": "keep-alive"}))
    async with client_at(server.url, retry=ONCE) as jibble:
        for _ in range(20):
            await jibble.request("POST", "workspace", "/v1/Things", safety=safety)
        assert [each.connection for each in server.heard] == list(range(1, 21))
        await server.idle()


async def test_a_server_that_closes_after_every_answer_costs_nothing(server: RawServer) -> None:
    server.answer = lambda heard: raw(head(200, {"Content-Length": "2"}) + b"{}", "fin")
    async with client_at(server.url) as jibble:
        for _ in range(200):
            assert await jibble.request("GET", "workspace", "/v1/Things") == {}
    assert len(server.heard) <= 400


@pytest.mark.parametrize("how", ["reset", "fin"])
async def test_losses_on_kept_connections_cost_no_retry_budget(
    server: RawServer, how: Then
) -> None:
    # Takes a second request on a connection, and closes it instead of answering.
    served: set[int] = set()

    def answer(heard: Heard) -> Answer:
        if heard.connection in served:
            return raw(b"", how)
        served.add(heard.connection)
        return json_reply({})

    server.answer = answer
    async with client_at(server.url, retry=RetryPolicy(attempts=2)) as jibble:
        for _ in range(20):
            calls = (jibble.request("GET", "workspace", "/v1/Things") for _ in range(10))
            assert await asyncio.gather(*calls) == [{}] * 10


async def test_one_attempt_of_a_call_at_most_is_lost_on_a_kept_connection(
    server: RawServer,
) -> None:
    held = Held(json_reply({}))
    server.answer = Script(held, held, held, raw(b"", "reset"))
    async with client_at(server.url, retry=RetryPolicy(attempts=2)) as jibble:
        calls = [
            asyncio.create_task(jibble.request("GET", "workspace", "/v1/Things")) for _ in range(3)
        ]
        await server.until_heard(3)
        held.go.set()
        await asyncio.gather(*calls)
        with pytest.raises(ConnectionLostError) as caught:
            await jibble.request("GET", "workspace", "/v1/Things")
    # One on a kept connection, then two attempts on connections that nobody had used.
    assert caught.value.attempts == 3
    assert [each.connection > 3 for each in server.heard[3:]] == [False, True, True]


def with_more(answer: bytes, more: bytes, when: asyncio.Event, written: asyncio.Event) -> Answer:
    """An answer, and something that nobody asked for after it."""

    async def written_late(wire: Wire) -> Then:
        await wire.write(answer)
        await when.wait()
        await wire.write(more)
        written.set()
        return "keep"

    return written_late


@pytest.mark.parametrize(
    "more",
    [
        head(200, {"Content-Length": "9"}) + b'"another"',
        head(408, {"Content-Length": "0", "Connection": "close"}),
        b"x",
    ],
    ids=["a late answer", "a proxy's 408", "a byte"],
)
@pytest.mark.parametrize("read", [True, False], ids=["seen by the loop", "in the kernel"])
async def test_what_comes_unasked_is_no_answer_to_the_next_request(
    server: RawServer, more: bytes, read: bool
) -> None:
    when, written = asyncio.Event(), asyncio.Event()
    ours = head(200, {"Content-Length": "6"}) + b'"ours"'
    server.answer = Script(with_more(ours, more, when, written), json_reply("theirs"))
    limiter = RecordingLimiter()
    async with (
        aiohttp.TCPConnector() as connector,
        client_at(server.url, connector=connector, retry=ONCE) as one,
        client_at(server.url, connector=connector, retry=ONCE, limiter=limiter) as two,
    ):
        assert await one.request("GET", "workspace", "/v1/Things") == "ours"
        when.set()
        await written.wait()
        for _ in range(10 * read):
            await asyncio.sleep(0)
        # Of another tenant, who shares the connector.
        for _ in range(3):
            assert await two.request("GET", "workspace", "/v1/Things") == "theirs"
    assert [each.connection for each in server.heard] == [1, 2, 2, 2]
    assert limiter.outcomes == [Outcome.ANSWERED] * 3


@pytest.mark.parametrize("read", [True, False], ids=["seen by the loop", "in the kernel"])
async def test_half_an_answer_that_came_unasked_is_not_taken_for_one(
    server: RawServer, read: bool
) -> None:
    when, written = asyncio.Event(), asyncio.Event()
    ours = head(200, {"Content-Length": "6"}) + b'"ours"'
    late = head(200, {"Content-Length": "9"}) + b'"another"'
    server.answer = Script(
        with_more(ours, late[:11], when, written), raw(late[11:], "keep"), json_reply("right")
    )
    async with client_at(server.url) as jibble:
        assert await jibble.request("GET", "workspace", "/v1/Things") == "ours"
        when.set()
        await written.wait()
        for _ in range(10 * read):
            await asyncio.sleep(0)
        assert await jibble.request("GET", "workspace", "/v1/Things") == "right"


@pytest.mark.parametrize("status", [408, 425, 520, 522, 524, 527, 530])
async def test_what_says_that_it_did_not_get_through_is_read_again(
    server: RawServer, status: int
) -> None:
    server.answer = Script(reply(status), json_reply({}))
    async with client_at(server.url) as jibble:
        assert await jibble.request("GET", "workspace", "/v1/Things") == {}
        server.answer = Script(reply(status))
        with pytest.raises(APIError):
            await jibble.request("POST", "workspace", "/v1/Things")
    assert [each.method for each in server.heard] == ["GET", "GET", "POST"]
