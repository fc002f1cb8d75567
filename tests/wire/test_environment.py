"""What `from_env` and the fixtures make of an environment: proxies, and where nothing may go."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from jibble_legacy import LegacyClient
from jibble_legacy.config import LegacyConfig

from jibble_async import (
    ClientConfig,
    ConfigurationError,
    Endpoints,
    JibbleClient,
    StaticToken,
    Unlimited,
)
from jibble_async.api.base_client import session_of
from jibble_async.core.proxies import proxies_from
from jibble_async.sandbox import Sandbox
from tests.support.clients import endpoints_at
from tests.support.raw_server import RawServer, json_reply

pytest_plugins = ["jibble_async.testing"]

HTTPS, LOCAL = "https://x.example", "http://127.0.0.1:8080"
PROXY, NEAR = "http://proxy.example:3128", "http://127.0.0.1:3128"


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({}, {}),
        ({"HTTPS_PROXY": PROXY}, {"x.example": PROXY}),
        ({"https_proxy": PROXY, "HTTPS_PROXY": "http://other"}, {"x.example": PROXY}),
        ({"ALL_PROXY": PROXY}, {"x.example": PROXY}),
        ({"HTTPS_PROXY": " proxy.example:3128\n"}, {"x.example": PROXY}),
        ({"HTTP_PROXY": PROXY}, {}),
        ({"HTTP_PROXY": NEAR}, {"127.0.0.1:8080": NEAR}),
        ({"HTTP_PROXY": NEAR, "REQUEST_METHOD": "GET"}, {}),
        ({"ALL_PROXY": NEAR, "NO_PROXY": "127.0.0.1"}, {"x.example": NEAR}),
        ({"ALL_PROXY": NEAR, "NO_PROXY": "127.0.0.1:8080, .example"}, {}),
        ({"ALL_PROXY": NEAR, "NO_PROXY": "127.0.0.0/8,*.example"}, {}),
        ({"ALL_PROXY": NEAR, "no_proxy": "*"}, {}),
        (
            {"ALL_PROXY": NEAR, "NO_PROXY": "127.0.0.1:81,ample,y.x.example,"},
            {"x.example": NEAR, "127.0.0.1:8080": NEAR},
        ),
    ],
)
def test_the_proxies_that_an_environment_names(
    env: dict[str, str], expected: dict[str, str]
) -> None:
    assert proxies_from(env, [HTTPS, LOCAL]) == expected


@pytest.mark.parametrize("url", ["socks5://canary@x:1", "http://", "ftp://x"])
def test_a_proxy_of_another_kind_is_named_by_its_variable(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^HTTPS_PROXY is not the URL of a proxy") as told:
        proxies_from({"HTTPS_PROXY": url}, [HTTPS])
    assert "canary" not in str(told.value)
    assert proxies_from({"HTTPS_PROXY": url}, []) == {}


@pytest.mark.parametrize(
    "proxy",
    ["127.0.0.1:3128", "proxy.example", "", "socks5://canary@x", 3128, {"x.example": "y:1"}],
)
def test_a_proxy_is_checked_when_it_is_given(proxy: Any) -> None:
    for make in (JibbleClient, LegacyClient):
        with pytest.raises(ConfigurationError, match="with its scheme") as told:
            make(auth=StaticToken("x"), proxy=proxy)
        assert "canary" not in str(told.value)


async def test_requests_go_through_the_proxy_of_the_environment(
    server: RawServer, stranger: RawServer
) -> None:
    stranger.answer = lambda _: json_reply({"from": "the proxy"})
    names = ("IDENTITY", "WORKSPACE", "TIME_TRACKING", "TIME_ATTENDANCE", "LEGACY")
    env = {f"JIBBLE_{name}_URL": server.url for name in names}
    env |= {"HTTP_PROXY": stranger.url, "JIBBLE_TOKEN": "x", "JIBBLE_LEGACY_TOKEN": "x"}
    async with JibbleClient.from_env(env, limiter=Unlimited()) as jibble:
        answer = await jibble.request("GET", "workspace", "/v1/Things")
    async with LegacyClient.from_env(env, limiter=Unlimited()) as legacy:
        assert await legacy.request("GET", "/api/v1/teams") == answer == {"from": "the proxy"}
    assert server.connections == 0
    assert [heard.target for heard in stranger.heard] == [
        f"{server.url}/v1/Things",
        f"{server.url}/api/v1/teams",
    ]


@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
async def test_a_host_in_no_proxy_is_asked_directly(
    server: RawServer, stranger: RawServer, variable: str
) -> None:
    server.answer = lambda _: json_reply({})
    env = {"HTTP_PROXY": stranger.url, variable: urlsplit(server.url).netloc, "JIBBLE_TOKEN": "x"}
    config = ClientConfig(endpoints=endpoints_at(server.url))
    async with JibbleClient.from_env(env, config=config, limiter=Unlimited()) as jibble:
        await jibble.request("GET", "workspace", "/v1/Things")
    assert stranger.connections == 0


def test_a_config_keeps_the_environments_endpoints() -> None:
    env = {"JIBBLE_TOKEN": "x", "JIBBLE_LEGACY_TOKEN": "x"}
    env |= {"JIBBLE_WORKSPACE_URL": LOCAL, "JIBBLE_LEGACY_URL": LOCAL}
    session = session_of(JibbleClient.from_env(env, config=ClientConfig(page_size=5)))
    assert (session.base("workspace"), session.page_size) == (LOCAL, 5)
    legacy = session_of(LegacyClient.from_env(env, config=LegacyConfig(page_size=5)))
    assert (legacy.base(""), legacy.page_size) == (LOCAL, 5)


def test_endpoints_that_were_given_stay() -> None:
    env = {"JIBBLE_TOKEN": "x", "JIBBLE_LEGACY_TOKEN": "x"}
    env |= {"JIBBLE_WORKSPACE_URL": LOCAL, "JIBBLE_LEGACY_URL": LOCAL}
    env |= {"JIBBLE_IDENTITY_URL": LOCAL}
    config = ClientConfig(endpoints=Endpoints(workspace="https://given.example"))
    session = session_of(JibbleClient.from_env(env, config=config))
    assert session.base("workspace") == "https://given.example"
    assert session.base("identity") == LOCAL
    given = LegacyConfig(url="https://given.example")
    assert session_of(LegacyClient.from_env(env, config=given)).base("") == given.url


async def test_under_the_fixtures_nothing_leaves_this_machine(
    jibble_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with JibbleClient.from_env(config=ClientConfig(hooks=(print,))) as jibble:
        assert await jibble.people.list().first() is not None
    sent = len(jibble_sandbox.ledger.requests)
    for client in (
        JibbleClient("id", "secret"),
        JibbleClient(auth=StaticToken("x"), config=ClientConfig(endpoints=endpoints_at(HTTPS))),
        LegacyClient("token"),
    ):
        async with client:
            with pytest.raises(ConfigurationError, match="under jibble_sandbox only this machine"):
                await client.people.list().first()
    assert len(jibble_sandbox.ledger.requests) == sent


async def test_the_fixtures_client_is_of_their_sandbox(
    jibble_client: JibbleClient, jibble_sandbox: Sandbox
) -> None:
    assert await jibble_client.people.list(include_removed=True).count() == 10
    assert jibble_sandbox.ledger.requests
