"""The life of a client: opened at the first call, closed for good, and of one event loop."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from jibble_async import (
    AmbiguousWriteError,
    ClientCredentials,
    ConfigurationError,
    JibbleClient,
    JibbleError,
    Outcome,
    Unlimited,
)
from jibble_async.core.clock import Clock
from jibble_async.sandbox import Sandbox
from tests.support.clients import client_at
from tests.support.leaks import RecordingLimiter, settled
from tests.support.raw_server import Held, RawServer, Script, json_reply, raw, reply
from tests.wire.week import client_of

PERSON = "04e69039-ef99-442c-8b9b-75d996d24b45"


def ask(jibble: JibbleClient) -> Any:
    return jibble.request("GET", "workspace", "/v1/Things")


async def test_nothing_is_opened_before_the_first_call(server: RawServer) -> None:
    async with client_at(server.url, auth=ClientCredentials("id", "secret")) as jibble:
        jibble.people.list()
        jibble.with_options(timeout=5)
    assert server.connections == 0


def test_a_client_can_be_made_without_a_loop() -> None:
    assert client_at("http://127.0.0.1:1").stats.requests == 0


async def test_a_call_after_closing_is_a_clear_error(server: RawServer) -> None:
    jibble = client_at(server.url)
    other = jibble.with_options(timeout=5)
    await ask(jibble)
    await jibble.aclose()
    await jibble.aclose()
    for client in (jibble, other):
        with pytest.raises(ConfigurationError, match="closed"):
            await ask(client)
        with pytest.raises(ConfigurationError, match="closed"):
            await client.people.list().collect()
    assert len(server.heard) == 1


async def test_a_client_that_was_never_used_can_be_closed_and_not_used_then(
    server: RawServer,
) -> None:
    jibble = client_at(server.url)
    await jibble.aclose()
    with pytest.raises(ConfigurationError, match="closed"):
        await ask(jibble)
    assert server.connections == 0


async def test_closing_amid_a_call_is_an_error_of_ours(server: RawServer) -> None:
    server.answer = Script(raw(b"", "stall"))
    jibble = client_at(server.url)
    calls = [asyncio.create_task(ask(jibble)) for _ in range(3)]
    await server.until_heard(3)
    await jibble.aclose()
    results = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 5)
    assert all(isinstance(each, JibbleError) for each in results), results
    assert len(server.heard) == 3


async def test_closing_ends_what_is_under_way_on_a_connector_that_is_shared(
    server: RawServer,
) -> None:
    held = Held(json_reply({}))
    server.answer = lambda heard: held if "Neighbour" in heard.target else raw(b"", "stall")
    limiter = RecordingLimiter()
    async with (
        aiohttp.TCPConnector(limit=3) as connector,
        client_at(server.url, connector=connector) as neighbour,
    ):
        jibble = client_at(server.url, connector=connector, limiter=limiter)
        others = asyncio.create_task(neighbour.request("GET", "workspace", "/v1/Neighbour"))
        await server.until_heard(1)
        punch = asyncio.create_task(jibble.time_entries.clock_in(PERSON))
        write = asyncio.create_task(jibble.request("POST", "workspace", "/v1/Things"))
        await server.until_heard(3)
        # For these there is no connection; the last waits for its turn as well.
        waiting = [asyncio.create_task(ask(jibble)) for _ in range(3)]
        await asyncio.sleep(0)
        await jibble.aclose()
        assert limiter.held == 0
        with pytest.raises(AmbiguousWriteError):
            await punch
        with pytest.raises(ConfigurationError, match="closed") as caught:
            await write
        assert caught.value.maybe_processed
        for error in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(error, ConfigurationError)
            assert not error.maybe_processed
        assert limiter.outcomes.count(Outcome.ABANDONED) == 2
        # Who shares the connector is answered, and has all its connections.
        held.go.set()
        assert await others == {}
        calls = (neighbour.request("GET", "workspace", "/v1/Neighbour") for _ in range(6))
        assert await asyncio.gather(*calls) == [{}] * 6
    await server.idle()


@pytest.mark.parametrize("what", ["a slot", "what the server asked for", "a token", "our own wait"])
async def test_closing_ends_what_waits(server: RawServer, what: str) -> None:
    reached, forever = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def wait(*_: object) -> None:
        reached.set()
        await forever

    limiter = RecordingLimiter(wait if what == "a slot" else None)
    asked = {"Retry-After": "100"} if what == "what the server asked for" else None
    server.answer = Script(reply(503, b"", asked))
    server.token_answer = Script(raw(b"", "stall"))
    jibble = client_at(
        server.url,
        auth=ClientCredentials("id", "secret") if what == "a token" else None,
        limiter=limiter,
        clock=Clock(sleep=wait),
    )
    calls = [asyncio.create_task(ask(jibble.with_options(timeout=None))) for _ in range(3)]
    if what == "a token":
        await settled(lambda: len(server.heard_tokens) == 1)
    else:
        await reached.wait()
    await jibble.aclose()
    assert limiter.held == 0
    assert all(each.done() for each in calls)
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(each) for each in results] == [ConfigurationError] * 3
    assert all("closed" in str(each) for each in results)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_who_is_cancelled_while_the_client_closes_is_cancelled(server: RawServer) -> None:
    server.answer = Script(raw(b"", "stall"))
    jibble = client_at(server.url)
    call = asyncio.create_task(ask(jibble))
    await server.until_heard(1)
    closing = asyncio.create_task(jibble.aclose())
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await closing


async def test_a_call_that_was_made_and_not_begun_is_an_error_after_closing(
    server: RawServer,
) -> None:
    jibble = client_at(server.url)
    await ask(jibble)
    call = ask(jibble)
    await jibble.aclose()
    with pytest.raises(ConfigurationError, match="closed"):
        await call


async def test_closing_amid_a_walk_is_an_error_of_ours(box: Sandbox) -> None:
    jibble = client_of(box)
    walk = jibble.time_entries.list(page_size=10).pages()
    await anext(walk)
    await jibble.aclose()
    with pytest.raises(JibbleError, match="closed"):
        await anext(walk)


def test_another_loop_is_a_clear_error() -> None:
    async def serve_and_ask(jibble: JibbleClient) -> None:
        async with RawServer() as server:
            assert server.url
            with pytest.raises(ConfigurationError, match="event loop"):
                await ask(jibble)

    async def first(jibbles: list[JibbleClient]) -> None:
        async with RawServer() as server:
            jibble = client_at(server.url, limiter=Unlimited())
            assert await ask(jibble) == {}
            jibbles.append(jibble)
            await asyncio.to_thread(asyncio.run, serve_and_ask(jibble))
            # The loop it belongs to is served as before.
            assert await ask(jibble) == {}
            await jibble.aclose()

    jibbles: list[JibbleClient] = []
    asyncio.run(first(jibbles))
    with pytest.raises(ConfigurationError, match="closed"):
        asyncio.run(ask(jibbles[0]))


def test_closing_in_another_loop_is_a_clear_error_and_closes_where_it_can() -> None:
    async def used() -> JibbleClient:
        async with RawServer() as server:
            jibble = client_at(server.url)
            await ask(jibble)
            held = Held(json_reply({}))
            server.answer = lambda _: held
            under_way = asyncio.create_task(ask(jibble))
            await server.until_heard(2)
            with pytest.raises(ConfigurationError, match="another event loop"):
                await asyncio.to_thread(asyncio.run, jibble.aclose())
            # It is being closed here, where its connections are.
            with pytest.raises(ConfigurationError, match="closed"):
                await under_way
            await server.idle()
            with pytest.raises(ConfigurationError, match="closed"):
                await ask(jibble)
            await jibble.aclose()

            another = client_at(server.url)
            server.answer = Script(json_reply({}, {"Connection": "close"}))
            await ask(another)
        return another

    another = asyncio.run(used())
    # Its loop is gone: there is nothing left that could be served.
    with pytest.raises(ConfigurationError, match="another event loop"):
        asyncio.run(another.aclose())
    with pytest.raises(ConfigurationError, match="closed"):
        asyncio.run(ask(another))


async def test_a_connector_that_was_given_is_not_closed(server: RawServer) -> None:
    connector = aiohttp.TCPConnector()
    for _ in range(3):
        async with client_at(server.url, connector=connector) as jibble:
            await ask(jibble)
        assert not connector.closed
    # The clients shared its one connection.
    assert server.connections == 1
    await connector.close()
    await server.idle()


async def test_its_own_connector_is_closed_with_the_client(server: RawServer) -> None:
    async with client_at(server.url) as jibble:
        await asyncio.gather(*(ask(jibble) for _ in range(5)))
        assert server.open_connections > 0
    await server.idle()


async def test_two_clients_keep_to_themselves(server: RawServer) -> None:
    server.answer = lambda heard: json_reply(heard.headers["authorization"])
    connector = aiohttp.TCPConnector()
    key = ClientCredentials("id", "secret")
    async with (
        client_at(server.url, connector=connector) as one,
        client_at(server.url, connector=connector, auth=key) as two,
    ):
        server.token_answer = Script(json_reply({"access_token": "of-two"}))
        assert await ask(one) == "Bearer the-token"
        assert await ask(two) == "Bearer of-two"
    await connector.close()


async def test_who_asks_is_said_by_the_token(box: Sandbox) -> None:
    async with client_of(box) as jibble:
        identity = await jibble.whoami()
        assert await jibble.whoami() == identity
    (organisation,) = box.ledger.rows("Organizations")
    assert identity.organization_id == organisation["id"]
    assert identity.person_id in {row["id"] for row in box.ledger.rows("People")}
    assert len(box.ledger.token_requests) == 1
