"""The password grant: asked for once, refreshed, and never shown."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from jibble_legacy import LegacyClient, PasswordGrant
from rich.pretty import pretty_repr

from jibble_async import (
    AuthenticationError,
    ClientCredentials,
    ConfigurationError,
    JibbleError,
    ProtocolError,
    StaticToken,
    ThrottledOrForbiddenError,
)
from jibble_async.sandbox import Fault, Sandbox
from tests.support.canaries import shown
from tests.support.clients import HeldTime
from tests.support.leaks import settled
from tests.support.legacy import legacy_at, legacy_of, password_of
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

SECRET, PASSWORD = "canary-secret", "canary-password"
TOKEN, REFRESH = "canary-token", "canary-refresh"
CANARIES = (SECRET, PASSWORD, TOKEN, REFRESH)
TWO_WEEKS = 1_209_600.0


def grant_at(server: RawServer, **others: str) -> PasswordGrant:
    url = f"{server.url}/connect/token"
    given = {"client_id": "the-id", "client_secret": SECRET, "username": "ann@example.com"}
    return PasswordGrant(**{**given, "password": PASSWORD, "token_url": url, **others})


def grants(server: RawServer) -> list[str]:
    return [json.loads(heard.body)["grant_type"] for heard in server.heard_tokens]


def expired(heard: Heard) -> Answer:
    """An API that takes the newest token only."""
    return reply(403, b'{"error": "invalid_grant", "error_description": "expired"}')


def ask(legacy: LegacyClient) -> Any:
    return legacy.request("GET", "/api/v1/teams")


def numbered(server: RawServer) -> None:
    """Let each request for a token get another one, and a refresh token with it."""
    server.token_answer = lambda _: token_reply(
        f"token-{len(server.heard_tokens)}",
        refresh_token=f"refresh-{len(server.heard_tokens)}",
        expires_in=TWO_WEEKS,
    )


def only(server: RawServer, *tokens: str) -> None:
    def answer(heard: Heard) -> Answer:
        good = heard.headers["authorization"] in {f"Bearer {token}" for token in tokens}
        return json_reply([]) if good else expired(heard)

    server.answer = answer


async def test_a_token_that_is_out_is_renewed_once_for_all(server: RawServer) -> None:
    numbered(server)
    only(server, "token-1")
    async with legacy_at(server.url, auth=grant_at(server)) as legacy:
        await ask(legacy)
        only(server, "token-2")
        await asyncio.gather(*(ask(legacy) for _ in range(20)))
    assert grants(server) == ["password", "refresh_token"]
    sent = json.loads(server.heard_tokens[1].body)
    assert sent == {
        "grant_type": "refresh_token",
        "client_id": "the-id",
        "client_secret": SECRET,
        "refresh_token": "refresh-1",
    }


async def test_a_refused_refresh_token_is_followed_by_the_password(server: RawServer) -> None:
    def answer(heard: Heard) -> Answer:
        if json.loads(heard.body)["grant_type"] == "refresh_token":
            return reply(403, b'{"error": "invalid_grant"}')
        return token_reply(f"token-{len(server.heard_tokens)}", refresh_token="r")

    server.token_answer = answer
    only(server, "token-1")
    async with legacy_at(server.url, auth=grant_at(server)) as legacy:
        await ask(legacy)
        only(server, "token-3")
        await ask(legacy)
    assert grants(server) == ["password", "refresh_token", "password"]


async def test_trouble_at_the_token_host_does_not_lose_the_refresh_token(
    server: RawServer,
) -> None:
    numbered(server)
    held = HeldTime()
    async with legacy_at(server.url, auth=grant_at(server), clock=held.clock) as legacy:
        only(server, "token-1")
        await ask(legacy)
        held.seconds += TWO_WEEKS - 61
        server.token_answer = Script(reply(502))
        # Still good, so it is used on.
        await ask(legacy)
        await settled(lambda: len(grants(server)) == 5)
        await settled(
            lambda: "jibble token refresh" not in map(asyncio.Task.get_name, asyncio.all_tasks())
        )
        numbered(server)
        held.seconds += 60
        only(server, "token-6")
        await ask(legacy)
    assert set(grants(server)[1:]) == {"refresh_token"}


async def test_a_second_refusal_is_an_error(server: RawServer) -> None:
    numbered(server)
    only(server)
    async with legacy_at(server.url, auth=grant_at(server)) as legacy:
        for _ in range(3):
            with pytest.raises(AuthenticationError) as caught:
                await ask(legacy)
            assert caught.value.code == "invalid_grant"
            assert caught.value.status == 403
    assert grants(server) == ["password", "refresh_token"]


async def test_a_token_of_two_weeks_is_used_for_two_weeks(server: RawServer) -> None:
    numbered(server)
    server.answer = Script(json_reply([]))
    held = HeldTime()
    async with legacy_at(server.url, auth=grant_at(server), clock=held.clock) as legacy:
        await ask(legacy)
        held.seconds += TWO_WEEKS - 100
        await ask(legacy)
        assert grants(server) == ["password"]
        held.seconds += 50
        await ask(legacy)
        await settled(lambda: grants(server) == ["password", "refresh_token"])


async def test_a_static_token_is_not_renewed(server: RawServer) -> None:
    only(server)
    async with legacy_at(server.url) as legacy:
        with pytest.raises(AuthenticationError):
            await ask(legacy)
    assert len(server.heard) == 1


TROUBLES: dict[str, Answer] = {
    "reset": raw(b"", "reset"),
    "a wrong password": reply(403, b'{"error": "invalid_grant"}'),
    "a bad client": reply(401, b'{"error": "invalid_client"}'),
    "an empty 403": reply(403),
    "a redirect": reply(307, b"", {"Location": "https://elsewhere.example/oauth/token"}),
    "HTML": reply(200, b"<html>" + TOKEN.encode()),
    "a broken token": token_reply(f"{TOKEN}\r\nX: 1", refresh_token=REFRESH),
    "half an answer": reply(200, b'{"access_token": "' + TOKEN.encode()),
}


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_a_failed_request_for_a_token_shows_no_secret(
    server: RawServer, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.token_answer = Script(TROUBLES[trouble])
    async with legacy_at(server.url, auth=grant_at(server)) as legacy:
        with pytest.raises(JibbleError) as caught:
            await ask(legacy)
        everything = shown(caught.value) + caplog.text + repr(legacy) + repr(vars(legacy))
    assert [canary for canary in CANARIES if canary in everything] == []
    assert not server.heard
    assert caught.value.request == "POST legacy-token /connect/token"
    if trouble == "a redirect":
        assert isinstance(caught.value, ProtocolError)
    if trouble == "an empty 403":
        assert isinstance(caught.value, ThrottledOrForbiddenError)


async def test_a_failed_call_shows_no_secret(
    server: RawServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.token_answer = Script(token_reply(TOKEN, refresh_token=REFRESH))
    for status in (401, 403, 404, 500):
        server.answer = Script(reply(status))
        async with legacy_at(server.url, auth=grant_at(server)) as legacy:
            with pytest.raises(JibbleError) as caught:
                await legacy.clients.get("XXX123YYY")
        everything = shown(caught.value) + caplog.text
        assert [canary for canary in CANARIES if canary in everything] == []


def test_credentials_have_no_telling_repr() -> None:
    grant = PasswordGrant("the-id", SECRET, "ann@example.com", PASSWORD, "https://x.example/token")
    assert repr(grant) == "PasswordGrant(client_id='the-id', token_url='https://x.example/token')"
    assert not any(canary in pretty_repr(grant) for canary in (SECRET, PASSWORD))


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": ""},
        {"client_secret": f"{SECRET}\n"[:0]},
        {"username": " "},
        {"password": ""},
        {"token_url": "http://connect.example/oauth/token"},
        {"token_url": "https://user:canary-password@connect.example/oauth/token"},
        {"token_url": "oauth/token"},
        {"scope": "a\nb"},
    ],
)
def test_what_can_not_be_used_is_refused(wrong: dict[str, str]) -> None:
    given = {
        "client_id": "the-id",
        "client_secret": SECRET,
        "username": "ann@example.com",
        "password": PASSWORD,
        "token_url": "https://connect.example/oauth/token",
    }
    with pytest.raises(ConfigurationError) as caught:
        PasswordGrant(**{**given, **wrong})
    assert [canary for canary in CANARIES if canary in shown(caught.value)] == []


def test_a_password_is_taken_as_it_is() -> None:
    grant = PasswordGrant("i", "s", "u", " pä ss ", "https://connect.example/oauth/token")
    assert grant.password == " pä ss "


@pytest.mark.parametrize("auth", [ClientCredentials("id", "secret"), "text", 1])
def test_other_credentials_are_refused(auth: Any) -> None:
    with pytest.raises(ConfigurationError):
        LegacyClient(auth=auth)


async def test_against_the_sandbox(box: Sandbox) -> None:
    async with legacy_of(box, auth=password_of(box)) as legacy:
        assert await legacy.organizations.list().collect()
        await box.expire_tokens()
        assert await legacy.organizations.list().collect()
        box.legacy_rules.refresh = False
        await box.expire_tokens()
        assert await legacy.organizations.list().collect()
        assert legacy.stats.token_requests == 3
    wrong = PasswordGrant(*box.legacy_credentials[:3], "no", token_url=box.legacy_token_url)
    async with legacy_of(box, auth=wrong) as legacy:
        with pytest.raises(AuthenticationError):
            await legacy.organizations.list().collect()


async def test_a_lost_answer_of_the_token_host_is_asked_for_again(box: Sandbox) -> None:
    box.faults.add(Fault("drop_after", "legacy-identity"))
    async with legacy_of(box, auth=password_of(box)) as legacy:
        assert await legacy.organizations.list().collect()


async def test_a_function_gives_tokens(box: Sandbox) -> None:
    async def provide() -> str:
        return box.legacy_token

    async with legacy_of(box, auth=provide) as legacy:
        assert await legacy.organizations.list().collect()
    async with LegacyClient("a-token") as legacy:
        assert isinstance(legacy, LegacyClient)
    assert repr(StaticToken("a-token")) == "StaticToken()"
