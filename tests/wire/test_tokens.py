"""Tokens: asked for once however many need one, and never again and again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jibble_async import (
    AuthenticationError,
    ClientCredentials,
    ConfigurationError,
    JibbleClient,
    JibbleError,
    StaticToken,
)
from jibble_async.events import Event, TokenRefreshed
from tests.support.clients import HeldTime, client_at
from tests.support.leaks import RecordingLimiter, other_tasks, settled
from tests.support.raw_server import (
    Answer,
    Heard,
    Held,
    RawServer,
    Script,
    json_reply,
    raw,
    reply,
    token_reply,
)

KEY = ClientCredentials("the-id", "the-secret")


def numbered_tokens(server: RawServer, **others: Any) -> None:
    """Let each request for a token get another one: token-1, token-2 …"""
    server.token_answer = lambda _: token_reply(f"token-{len(server.heard_tokens)}", **others)


def only_with(*tokens: str) -> Any:
    """An API that takes these tokens and no others."""

    def answer(heard: Heard) -> Answer:
        good = heard.headers.get("authorization") in {f"Bearer {token}" for token in tokens}
        return json_reply({"good": True}) if good else reply(401)

    return answer


def ask(jibble: JibbleClient) -> Any:
    return jibble.request("GET", "workspace", "/v1/Things")


async def test_what_is_sent_for_a_token(server: RawServer) -> None:
    async with client_at(server.url, auth=KEY) as jibble:
        await ask(jibble)
        await ask(jibble)
    (heard,) = server.heard_tokens
    assert (heard.method, heard.target) == ("POST", "/connect/token")
    assert heard.body == b"grant_type=client_credentials&client_id=the-id&client_secret=the-secret"
    assert heard.headers["content-type"] == "application/x-www-form-urlencoded"
    assert "authorization" not in heard.headers
    assert [each.headers["authorization"] for each in server.heard] == ["Bearer the-token"] * 2


async def test_a_hundred_first_calls_make_one_token_request(server: RawServer) -> None:
    async with client_at(server.url, auth=KEY) as jibble:
        await asyncio.gather(*(ask(jibble) for _ in range(100)))
        assert jibble.stats.token_requests == 1
    assert len(server.heard_tokens) == 1
    assert len(server.heard) == 100


async def test_a_hundred_refusals_make_one_token_request(server: RawServer) -> None:
    numbered_tokens(server)
    server.answer = only_with("token-1", "token-2")
    async with client_at(server.url, auth=KEY) as jibble:
        await ask(jibble)
        server.answer = only_with("token-2")
        answers = await asyncio.gather(*(ask(jibble) for _ in range(100)))
    assert answers == [{"good": True}] * 100
    assert len(server.heard_tokens) == 2
    calls = server.heard[1:]
    assert len(calls) == 200
    assert [each.headers["authorization"] for each in calls].count("Bearer token-2") == 100


async def test_a_late_refusal_of_an_old_token_asks_for_no_other(server: RawServer) -> None:
    numbered_tokens(server)
    late = Held(reply(401))
    held: list[Answer] = [late]

    def answer(heard: Heard) -> Answer:
        if heard.headers["authorization"] == "Bearer token-2":
            return json_reply({"good": True})
        return held.pop() if held else reply(401)

    server.answer = answer
    async with client_at(server.url, auth=KEY) as jibble:
        slow = asyncio.create_task(ask(jibble))
        await server.until_heard(1)
        await ask(jibble)
        late.go.set()
        assert await slow == {"good": True}
    assert len(server.heard_tokens) == 2


async def test_refused_for_ever_is_an_error_and_no_storm(server: RawServer) -> None:
    numbered_tokens(server)
    server.answer = Script(reply(401))
    async with client_at(server.url, auth=KEY) as jibble:
        with pytest.raises(AuthenticationError) as caught:
            await ask(jibble)
        assert caught.value.attempts == 1
        for _ in range(20):
            with pytest.raises(AuthenticationError):
                await ask(jibble)
    assert len(server.heard_tokens) == 2
    assert len(server.heard) == 22


async def test_many_refused_for_ever_are_no_storm_either(server: RawServer) -> None:
    numbered_tokens(server)
    server.answer = Script(reply(401))
    async with client_at(server.url, auth=KEY) as jibble:
        calls = await asyncio.gather(*(ask(jibble) for _ in range(100)), return_exceptions=True)
    assert all(type(each) is AuthenticationError for each in calls)
    assert len(server.heard_tokens) == 2
    assert len(server.heard) <= 200


async def test_after_half_a_minute_it_is_tried_once_more(server: RawServer) -> None:
    time = HeldTime()
    numbered_tokens(server)
    server.answer = only_with("token-3")
    async with client_at(server.url, auth=KEY, clock=time.clock) as jibble:
        with pytest.raises(AuthenticationError):
            await ask(jibble)
        time.seconds += 31
        assert await ask(jibble) == {"good": True}


async def test_a_static_token_that_is_refused_is_an_error_at_once(server: RawServer) -> None:
    server.answer = Script(reply(401))
    async with client_at(server.url, auth=StaticToken("the-token")) as jibble:
        with pytest.raises(AuthenticationError):
            await ask(jibble)
    assert len(server.heard) == 1
    assert server.heard_tokens == []


async def test_a_provider_is_asked_again_when_its_token_is_refused(server: RawServer) -> None:
    tokens = iter(["old", "new", "never"])

    async def provider() -> str:
        return next(tokens)

    server.answer = only_with("new")
    async with client_at(server.url, auth=provider) as jibble:
        assert await ask(jibble) == {"good": True}
        assert await ask(jibble) == {"good": True}
    assert next(tokens) == "never"


async def test_cancelling_one_of_a_hundred_who_wait_harms_no_other(server: RawServer) -> None:
    token = Held(token_reply())
    server.token_answer = Script(token)
    async with client_at(server.url, auth=KEY) as jibble:
        calls = [asyncio.create_task(ask(jibble)) for _ in range(100)]
        await settled(lambda: len(server.heard_tokens) == 1)
        # The first is the one that started the refresh.
        calls[0].cancel()
        calls[50].cancel()
        await asyncio.sleep(0)
        token.go.set()
        results = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(results.pop(50), asyncio.CancelledError)
    assert isinstance(results.pop(0), asyncio.CancelledError)
    assert results == [{}] * 98
    assert len(server.heard_tokens) == 1


async def test_cancelling_all_who_wait_leaves_nothing(server: RawServer) -> None:
    server.token_answer = Script(raw(b"", "stall"), token_reply())
    limiter = RecordingLimiter()
    async with client_at(server.url, auth=KEY, limiter=limiter) as jibble:
        before = other_tasks()
        calls = [asyncio.create_task(ask(jibble)) for _ in range(100)]
        await settled(lambda: len(server.heard_tokens) == 1)
        for call in calls:
            call.cancel()
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(each, asyncio.CancelledError) for each in results)
        await server.idle()
        await settled(lambda: other_tasks() <= before)
        assert limiter.held == 0
        assert await ask(jibble) == {}
    assert len(server.heard_tokens) == 2


async def test_a_failed_refresh_is_everybodys_error_and_one_request(server: RawServer) -> None:
    server.token_answer = Script(reply(400, b'{"error": "invalid_client"}'))
    async with client_at(server.url, auth=KEY) as jibble:
        calls = await asyncio.gather(*(ask(jibble) for _ in range(100)), return_exceptions=True)
    assert all(type(each) is AuthenticationError for each in calls)
    assert len(server.heard_tokens) == 1
    assert server.heard == []


async def test_errors_that_many_get_are_not_one_object(server: RawServer) -> None:
    server.token_answer = Script(reply(400, b'{"error": "invalid_client"}'))
    async with client_at(server.url, auth=KEY) as jibble:
        walks = (jibble.people.list().collect(), jibble.projects.list().collect())
        first, second = await asyncio.gather(*walks, return_exceptions=True)
    assert isinstance(first, AuthenticationError)
    assert isinstance(second, AuthenticationError)
    # Each carries the place of its own walk.
    assert first.cursor != second.cursor


LIFETIMES = [0, -1, None, "3600", 3600.5, 2147483647, "soon", 1e300]


@pytest.mark.parametrize("lifetime", LIFETIMES, ids=str)
async def test_any_lifetime_is_survived(server: RawServer, lifetime: object) -> None:
    numbered_tokens(server, expires_in=lifetime)
    time = HeldTime()
    async with client_at(server.url, auth=KEY, clock=time.clock) as jibble:
        for _ in range(20):
            await ask(jibble)
    assert len(server.heard_tokens) == 1
    assert len(server.heard) == 20


@pytest.mark.parametrize(
    ("lifetime", "good_for", "gone_by"),
    [
        (0, 14, 16),
        (-1, 14, 16),
        (None, 3500, 3600),
        ("3600", 3500, 3600),
        (100.5, 50, 51),
        (2147483647, 86000, 86400),
    ],
    ids=str,
)
async def test_a_token_is_replaced_before_it_ends(
    server: RawServer, lifetime: object, good_for: float, gone_by: float
) -> None:
    numbered_tokens(server, expires_in=lifetime)
    time = HeldTime()
    async with client_at(server.url, auth=KEY, clock=time.clock) as jibble:
        await ask(jibble)
        begun = time.seconds
        time.seconds = begun + good_for
        await ask(jibble)
        assert len(server.heard_tokens) == 1
        time.seconds = begun + gone_by
        await ask(jibble)
        await settled(lambda: jibble.stats.token_requests == 2)
        await ask(jibble)
        assert len(server.heard_tokens) == 2
    assert server.heard[-1].headers["authorization"] == "Bearer token-2"


async def test_a_token_that_is_good_still_is_used_on_when_the_host_is_down(
    server: RawServer,
) -> None:
    time = HeldTime()
    async with client_at(server.url, auth=KEY, clock=time.clock) as jibble:
        await ask(jibble)
        server.token_answer = Script(reply(400))
        time.seconds += 3590
        assert await ask(jibble) == {}
        await settled(lambda: len(server.heard_tokens) == 2)
        asked = len(server.heard_tokens)
        assert await ask(jibble) == {}
        assert len(server.heard_tokens) == asked
        time.seconds += 11
        with pytest.raises(JibbleError):
            await ask(jibble)


async def test_closing_while_calls_wait_for_a_token_is_a_clear_error(server: RawServer) -> None:
    server.token_answer = Script(raw(b"", "stall"))
    jibble = client_at(server.url, auth=KEY)
    calls = [asyncio.create_task(ask(jibble)) for _ in range(3)]
    await settled(lambda: len(server.heard_tokens) == 1)
    await jibble.aclose()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(each) for each in results] == [ConfigurationError] * 3
    assert all("closed" in str(each) for each in results)


async def test_a_refresh_is_told_to_the_hooks(server: RawServer) -> None:
    events: list[Event] = []
    server.token_answer = Script(token_reply(expires_in=86400), token_reply(expires_in=None))
    async with client_at(server.url, auth=KEY, hooks=(events.append,)) as jibble:
        await ask(jibble)
    assert [each for each in events if isinstance(each, TokenRefreshed)] == [TokenRefreshed(86400)]
