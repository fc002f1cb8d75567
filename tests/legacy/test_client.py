"""The client of the old API: its making, its settings and its life."""

from __future__ import annotations

from typing import Any

import pytest
from jibble_legacy import LegacyClient, LegacyConfig, PasswordGrant
from jibble_legacy.config import legacy_auth_from

from jibble_async import ConfigurationError, RollingWindow, StaticToken
from jibble_async.api.base_client import session_of
from jibble_async.limits.slots import Counting
from jibble_async.sandbox import Sandbox
from tests.support.legacy import legacy_at
from tests.support.raw_server import RawServer, Script, json_reply

PASSWORD_ENV = {
    "JIBBLE_LEGACY_CLIENT_ID": "the-id",
    "JIBBLE_LEGACY_CLIENT_SECRET": "the-secret",
    "JIBBLE_LEGACY_USERNAME": "ann@example.com",
    "JIBBLE_LEGACY_PASSWORD": "the password",
    "JIBBLE_LEGACY_TOKEN_URL": "https://connect.example/oauth/token",
}


def test_the_environment() -> None:
    assert legacy_auth_from({"JIBBLE_LEGACY_TOKEN": " t "}) == StaticToken("t")
    assert legacy_auth_from(PASSWORD_ENV) == PasswordGrant(
        "the-id",
        "the-secret",
        "ann@example.com",
        "the password",
        "https://connect.example/oauth/token",
    )


@pytest.mark.parametrize(
    ("env", "named"),
    [
        ({}, "JIBBLE_LEGACY_TOKEN"),
        (PASSWORD_ENV | {"JIBBLE_LEGACY_TOKEN": "t"}, "JIBBLE_LEGACY_TOKEN"),
        (PASSWORD_ENV | {"JIBBLE_LEGACY_TOKEN_URL": ""}, "JIBBLE_LEGACY_TOKEN_URL"),
        ({"JIBBLE_LEGACY_TOKEN": "t", "JIBBLE_LEGACY_URL": "http://connect.example"}, "legacy URL"),
    ],
)
def test_an_environment_of_no_use(env: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named) as caught:
        LegacyClient.from_env(env)
    assert "the password" not in str(caught.value)


async def test_the_environment_of_a_sandbox(box: Sandbox) -> None:
    async with LegacyClient.from_env(box.environment()) as legacy:
        (team,) = await legacy.organizations.list().collect()
    assert team.name


@pytest.mark.parametrize(
    "arguments",
    [{}, {"token": "t", "auth": StaticToken("t")}, {"token": ""}, {"token": "t", "timezone": "X"}],
)
def test_arguments_of_no_use(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        LegacyClient(**arguments)


@pytest.mark.parametrize(
    "settings",
    [
        {"page_size": 0},
        {"page_size": 101},
        {"max_body_bytes": 0},
        {"user_agent": "a\nb"},
        {"url": "http://connect.example"},
        {"activities_path": "activity"},
    ],
)
def test_settings_of_no_use(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        LegacyConfig(**settings)


async def test_the_limit_by_default() -> None:
    async with LegacyClient("t") as legacy:
        limiter = legacy.stats.limiters["legacy"]
        assert isinstance(limiter, RollingWindow)
        assert isinstance(limiter, Counting)
        assert (limiter.limit, limiter.per, limiter.used) == (150, 3600, 0)
        assert legacy.stats.rates == {"legacy": 150 / 3600}


async def test_other_options_share_the_rest(server: RawServer) -> None:
    server.answer = Script(json_reply([]))
    async with legacy_at(server.url, timezone="Europe/Berlin") as legacy:
        other = legacy.with_options(timeout=None, priority="bulk")
        assert isinstance(other, LegacyClient)
        assert session_of(other).days is session_of(legacy).days
        await other.clients.list().collect()
        assert legacy.stats.requests == 1
        assert other.clients is not legacy.clients
    with pytest.raises(ConfigurationError, match="closed"):
        await other.clients.list().collect()


async def test_any_request(server: RawServer) -> None:
    server.answer = Script(json_reply({"a": 1}), json_reply({}))
    async with legacy_at(server.url) as legacy:
        answer = await legacy.request("GET", "/api/v1/teams", params={"filter[limit]": 5})
        assert answer == {"a": 1}
        await legacy.request("post", "/api/v1/things", json={"b": 2})
        with pytest.raises(ConfigurationError, match="path"):
            await legacy.request("GET", "/teams?x=1")
    assert [heard.target for heard in server.heard] == [
        "/api/v1/teams?filter%5Blimit%5D=5",
        "/api/v1/things",
    ]
    assert server.heard[1].body == b'{"b":2}'
