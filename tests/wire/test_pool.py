"""Waiting for a connection is not sending: what ends there was not sent, and costs no attempt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from jibble_async import (
    ClientCredentials,
    ConnectFailedError,
    DeadlineExceededError,
    JibbleClient,
    Outcome,
    RetryPolicy,
    Timeouts,
)
from tests.support.clients import client_at
from tests.support.leaks import RecordingLimiter
from tests.support.raw_server import Answer, Heard, Held, RawServer, Script, json_reply

PERSON = "04e69039-ef99-442c-8b9b-75d996d24b45"
PATIENT = Timeouts(total=None, attempt=None)
ONCE = RetryPolicy(attempts=1)


@pytest.fixture
async def narrow() -> AsyncIterator[aiohttp.TCPConnector]:
    async with aiohttp.TCPConnector(limit=1) as connector:
        yield connector


def ask(jibble: JibbleClient, path: str = "/v1/Slow", **options: Any) -> asyncio.Task[Any]:
    patient = jibble.with_options(**({"timeout": PATIENT} | options))
    return asyncio.create_task(patient.request("GET", "workspace", path))


def held_where(server: RawServer, path: str) -> Held:
    """Answers all at once, but what is asked of this path when it is told to."""
    held = Held(json_reply({"slow": True}))
    server.answer = lambda heard: held if path in heard.target else json_reply({"id": PERSON})
    return held


async def turns(number: int = 20) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_a_punch_that_waits_for_a_connection_has_all_its_time_when_it_gets_one(
    server: RawServer, narrow: aiohttp.TCPConnector
) -> None:
    held = held_where(server, "Slow")
    async with client_at(server.url, connector=narrow, retry=ONCE) as jibble:
        slow = ask(jibble)
        await server.until_heard(1)
        quick = jibble.with_options(timeout=Timeouts(total=None, attempt=30))
        punch = asyncio.create_task(quick.time_entries.clock_in(PERSON))
        await asyncio.sleep(100)
        held.go.set()
        assert (await punch).id == PERSON
        assert await slow == {"slow": True}
    assert [each.method for each in server.heard] == ["GET", "POST"]


async def test_a_crowd_of_punches_is_done_in_turns(server: RawServer) -> None:
    waves: list[Held] = []

    def answer(heard: Heard) -> Answer:
        waves.append(Held(json_reply({"id": PERSON})))
        return waves[-1]

    server.answer = answer
    async with (
        aiohttp.TCPConnector(limit=2) as connector,
        client_at(server.url, connector=connector, retry=ONCE) as jibble,
    ):
        patient = jibble.with_options(timeout=Timeouts(total=None, attempt=30))
        punches = [asyncio.create_task(patient.time_entries.clock_in(PERSON)) for _ in range(10)]
        for done in range(0, 10, 2):
            await server.until_heard(done + 2)
            # Longer in all than an attempt may take, though no one of them is.
            await asyncio.sleep(20)
            for held in waves[done:]:
                held.go.set()
        assert {each.id for each in await asyncio.gather(*punches)} == {PERSON}
    assert [each.method for each in server.heard] == ["POST"] * 10


@pytest.mark.parametrize("cut", ["deadline", "cancelled"])
async def test_what_ends_before_a_connection_is_there_was_not_sent(
    server: RawServer, narrow: aiohttp.TCPConnector, cut: str
) -> None:
    held = held_where(server, "Slow")
    limiter = RecordingLimiter()
    async with client_at(server.url, connector=narrow, limiter=limiter, retry=ONCE) as jibble:
        slow = ask(jibble)
        await server.until_heard(1)
        quick = jibble.with_options(timeout=Timeouts(total=50, attempt=5))
        punch = asyncio.create_task(quick.time_entries.clock_in(PERSON))
        await turns()
        if cut == "deadline":
            with pytest.raises(DeadlineExceededError, match="no connection within") as caught:
                await punch
            assert not caught.value.sent
            assert not caught.value.maybe_processed
        else:
            punch.cancel()
            with pytest.raises(asyncio.CancelledError):
                await punch
        assert limiter.outcomes == [Outcome.NOT_SENT]
        held.go.set()
        await slow
        # Its place is free again.
        await ask(jibble, "/v1/Quick")
        assert jibble.stats.requests == 2
    assert [each.method for each in server.heard] == ["GET", "GET"]


async def test_who_else_uses_a_connector_is_waited_for_as_patiently(
    server: RawServer, narrow: aiohttp.TCPConnector
) -> None:
    held = held_where(server, "Slow")
    async with (
        aiohttp.ClientSession(connector=narrow, connector_owner=False) as stranger,
        client_at(server.url, connector=narrow, retry=ONCE) as jibble,
    ):
        theirs = asyncio.create_task(stranger.get(f"{server.url}/v1/Slow"))
        await server.until_heard(1)
        ours = ask(jibble, "/v1/Quick", timeout=Timeouts(total=None, attempt=30))
        await asyncio.sleep(100)
        held.go.set()
        (await theirs).release()
        assert await ours == {"id": PERSON}


@pytest.mark.parametrize("stage", ["address", "connection"])
async def test_a_black_hole_is_no_connection_within_the_time_for_connecting(
    stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    begun = asyncio.Event()

    async def silence(*_: Any, **__: Any) -> Any:
        begun.set()
        await loop.create_future()

    monkeypatch.setattr(loop, "getaddrinfo" if stage == "address" else "sock_connect", silence)
    host = "localhost" if stage == "address" else "127.0.0.1"
    limiter = RecordingLimiter()
    async with client_at(f"http://{host}:1", limiter=limiter, retry=ONCE) as jibble:
        patient = jibble.with_options(timeout=Timeouts(total=None, attempt=None, connect=10))
        punch = asyncio.create_task(patient.time_entries.clock_in(PERSON))
        await begun.wait()
        with pytest.raises(ConnectFailedError, match=f"no connection to {host} ") as caught:
            await punch
    assert (caught.value.sent, caught.value.maybe_processed) == (False, False)
    assert limiter.outcomes == [Outcome.NOT_SENT]


@pytest.mark.parametrize("limits", [{"limit": 1}, {"limit_per_host": 1}], ids=str)
async def test_a_click_does_not_stand_behind_bulk_for_a_connection(
    server: RawServer, limits: dict[str, int]
) -> None:
    held = held_where(server, "Slow")
    async with (
        aiohttp.TCPConnector(**limits) as connector,
        client_at(server.url, connector=connector) as jibble,
        client_at(server.url, connector=connector) as another,
    ):
        calls = [ask(jibble)]
        await server.until_heard(1)
        calls += [ask(jibble, f"/v1/Bulk{number}", priority="bulk") for number in range(3)]
        await turns()
        # Of another client, which shares the connector.
        calls.append(ask(another, "/v1/Click"))
        await turns()
        held.go.set()
        await asyncio.gather(*calls)
    paths = [each.target.removeprefix("/v1/") for each in server.heard]
    assert paths == ["Slow", "Click", "Bulk0", "Bulk1", "Bulk2"]


async def test_hosts_do_not_wait_for_each_others_connections(
    server: RawServer, stranger: RawServer
) -> None:
    held = held_where(server, "Slow")
    async with (
        aiohttp.TCPConnector(limit=5, limit_per_host=1) as connector,
        client_at(server.url, connector=connector) as one,
        client_at(stranger.url, connector=connector) as two,
    ):
        slow = ask(one)
        await server.until_heard(1)
        others = [ask(one, "/v1/Other") for _ in range(6)]
        await turns()
        assert await ask(two, "/v1/Elsewhere") == {}
        assert len(server.heard) == 1
        held.go.set()
        await asyncio.gather(slow, *others)


async def test_a_connector_without_a_limit_holds_nobody_back(server: RawServer) -> None:
    held = held_where(server, "Slow")
    async with (
        aiohttp.TCPConnector(limit=0) as connector,
        client_at(server.url, connector=connector) as jibble,
    ):
        calls = [ask(jibble) for _ in range(120)]
        await server.until_heard(120)
        held.go.set()
        await asyncio.gather(*calls)


async def test_a_token_is_fetched_though_there_is_one_connection(
    server: RawServer, narrow: aiohttp.TCPConnector
) -> None:
    async with client_at(
        server.url, connector=narrow, auth=ClientCredentials("id", "secret")
    ) as jibble:
        await asyncio.gather(*(ask(jibble) for _ in range(5)))
    assert len(server.heard_tokens) == 1


async def test_nothing_waits_when_a_call_at_a_gate_fails(
    server: RawServer, narrow: aiohttp.TCPConnector
) -> None:
    server.refuse_with = "reset"
    async with client_at(server.url, connector=narrow, retry=ONCE) as jibble:
        results = await asyncio.gather(*(ask(jibble) for _ in range(5)), return_exceptions=True)
        assert all(isinstance(each, Exception) for each in results)
        server.refuse_with = None
        server.answer = Script(json_reply({}))
        assert await ask(jibble) == {}
