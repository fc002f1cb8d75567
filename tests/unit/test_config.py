from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from jibble_legacy import LegacyClient

from jibble_async import (
    AdaptiveLimiter,
    ClientConfig,
    ClientCredentials,
    ConfigurationError,
    Endpoints,
    JibbleClient,
    RetryPolicy,
    StaticToken,
    Timeouts,
    TokenBucket,
    Unlimited,
)
from jibble_async.api.base_client import session_of
from jibble_async.config import auth_from, endpoints_from
from jibble_async.core.credentials import clean_token

PAIR = ClientCredentials("the-id", "the-secret")
IDS = ["JIBBLE_CLIENT_ID", "JIBBLE_API_KEY_ID", "JIBBLE_API_KEY"]
SECRETS = ["JIBBLE_CLIENT_SECRET", "JIBBLE_API_KEY_SECRET", "JIBBLE_API_SECRET"]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("key", IDS)
def test_a_pair_under_any_of_its_names(key: str, secret: str) -> None:
    assert auth_from({key: " the-id\n", secret: "the-secret"}) == PAIR


def test_the_first_name_that_is_set_counts() -> None:
    env = {
        "JIBBLE_CLIENT_ID": "",
        "JIBBLE_API_KEY_ID": "the-id",
        "JIBBLE_API_KEY": "other",
        "JIBBLE_CLIENT_SECRET": "the-secret",
        "JIBBLE_API_SECRET": "other",
    }
    assert auth_from(env) == PAIR


def test_a_token() -> None:
    assert auth_from({"JIBBLE_TOKEN": " abc "}) == StaticToken("abc")


@pytest.mark.parametrize("text", ["Bearer abc", " bearer  abc\n", "BEARER abc"])
def test_the_word_before_a_token_is_taken_off(text: str) -> None:
    assert StaticToken(text).token == "abc"
    assert clean_token("the token from auth=", text) == "abc"


@pytest.mark.parametrize("text", ["Bearer", "Bearer "])
def test_a_token_may_be_called_bearer(text: str) -> None:
    assert StaticToken(text).token == "Bearer"


@pytest.mark.parametrize("text", ["Authorization: Bearer canary", "canary canary", "a\tcanary"])
def test_a_token_holds_no_white_space(text: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        StaticToken(text)
    assert "canary" not in str(told.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ClientCredentials("i", None),  # type: ignore[arg-type]
        lambda: ClientCredentials(None, "i"),  # type: ignore[arg-type]
        lambda: ClientCredentials("i", b"canary"),  # type: ignore[arg-type]
        lambda: StaticToken(None),  # type: ignore[arg-type]
    ],
)
def test_credentials_are_texts(make: Callable[[], Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"is a text, not .*: is it set") as told:
        make()
    assert "canary" not in str(told.value)


@pytest.mark.parametrize("name", IDS)
def test_half_a_pair_names_what_is_there_and_what_is_not(name: str) -> None:
    message = rf"^{name} is set, but JIBBLE_CLIENT_SECRET \(or JIBBLE_API_KEY_SECRET\) is not$"
    with pytest.raises(ConfigurationError, match=message):
        auth_from({name: "canary"})


@pytest.mark.parametrize("name", SECRETS)
def test_the_other_half(name: str) -> None:
    message = rf"^{name} is set, but JIBBLE_CLIENT_ID \(or JIBBLE_API_KEY_ID\) is not$"
    with pytest.raises(ConfigurationError, match=message) as caught:
        auth_from({name: "canary"})
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("env", [{}, {"JIBBLE_CLIENT_ID": " ", "JIBBLE_TOKEN": ""}])
def test_no_credentials_at_all(env: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="no credentials: set JIBBLE_CLIENT_ID"):
        auth_from(env)
    with pytest.raises(ConfigurationError, match="run `jibble sandbox`"):
        JibbleClient.from_env(env)
    with pytest.raises(ConfigurationError, match="run `jibble sandbox`"):
        LegacyClient.from_env(env)


@pytest.mark.parametrize("other", [*IDS, *SECRETS])
def test_a_token_beside_a_pair_is_refused(other: str) -> None:
    with pytest.raises(ConfigurationError, match="JIBBLE_TOKEN is set beside"):
        auth_from({"JIBBLE_TOKEN": "x", other: "y"})


def test_endpoints_from_the_environment() -> None:
    env = {
        "JIBBLE_WORKSPACE_URL": " https://proxy.example/jibble/ ",
        "JIBBLE_TIME_TRACKING_URL": "http://127.0.0.1:8080/time-tracking",
        "JIBBLE_TIME_ATTENDANCE_URL": "",
    }
    found = endpoints_from(env)
    assert found == Endpoints(
        workspace="https://proxy.example/jibble",
        time_tracking="http://127.0.0.1:8080/time-tracking",
    )
    assert found.base("workspace") == "https://proxy.example/jibble"
    assert found.base("time-tracking") == "http://127.0.0.1:8080/time-tracking"
    assert found.base("identity") == "https://identity.prod.jibble.io"
    assert found.base("time-attendance") == "https://time-attendance.prod.jibble.io"
    with pytest.raises(ConfigurationError, match="no service 'legacy': there are identity"):
        found.base("legacy")
    with pytest.raises(ConfigurationError, match="identity URL"):
        endpoints_from({"JIBBLE_IDENTITY_URL": "http://identity.example"})


@pytest.mark.parametrize(
    "url",
    [
        "https://x.example",
        "https://x.example:8443/a/b",
        "http://localhost:1234",
        "http://127.0.0.1",
        "http://127.8.9.1:5/x",
        "http://[::1]:5",
    ],
)
def test_https_anywhere_and_http_on_this_machine(url: str) -> None:
    assert Endpoints(workspace=url + "/").workspace == url


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://x.example", "is not https"),
        ("http://localhost.example", "is not https"),
        ("http://127.0.0.1.example", "is not https"),
        ("http://10.0.0.1", "is not https"),
        ("ftp://x.example", "is not https"),
        ("x.example", "not a URL with a host"),
        ("/v1", "not a URL with a host"),
        ("", "not a URL with a host"),
        ("https://", "not a URL with a host"),
        ("https://[::1", "not a URL with a host"),
        ("https://x.example:99999999", "not a URL with a host"),
        ("https://me:canary@x.example", "an origin and a path"),
        ("https://me:canary@", "not a URL with a host"),
        ("https://me:canary@x.example:99999999", "not a URL with a host"),
        ("https://x.example?a=canary", "an origin and a path"),
        ("https://x.example#canary", "an origin and a path"),
    ],
)
def test_urls_that_cant_be_used(url: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        Endpoints(workspace=url)
    assert "workspace" in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ClientConfig(page_size=0),
        lambda: ClientConfig(max_body_bytes=0),
        lambda: ClientConfig(endpoints={"workspace": "https://x"}),  # type: ignore[arg-type]
        lambda: ClientConfig(clock=None),  # type: ignore[arg-type]
        lambda: ClientConfig(user_agent="a\r\nX-Evil: 1"),
        lambda: Timeouts(total=0),
        lambda: Timeouts(attempt=-1),
        lambda: Timeouts(connect=float("nan")),
        lambda: RetryPolicy(attempts=0),
    ],
)
def test_settings_that_cant_be_used(make: Callable[[], Any]) -> None:
    with pytest.raises(ConfigurationError):
        make()


def test_settings_are_frozen() -> None:
    settings: list[tuple[Any, str]] = [
        (ClientConfig(), "page_size"),
        (Endpoints(), "workspace"),
        (Timeouts(), "total"),
        (RetryPolicy(), "attempts"),
    ]
    for item, name in settings:
        with pytest.raises(AttributeError):
            setattr(item, name, 5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "client_id is missing"),
        ({"client_id": "x"}, "client_secret is missing"),
        ({"client_secret": "canary"}, "client_id is missing"),
        ({"client_id": "x", "client_secret": " "}, "client_secret is empty"),
        ({"client_id": "x", "client_secret": "y", "auth": StaticToken("z")}, "not both"),
        ({"client_id": "x", "auth": StaticToken("z")}, "not both"),
        ({"auth": "canary"}, "auth= takes ClientCredentials, StaticToken or an async function"),
        ({"auth": ("canary", "canary")}, "not tuple"),
    ],
)
def test_credentials_are_checked_when_the_client_is_made(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        JibbleClient(**arguments)
    assert "canary" not in str(caught.value)


def test_from_env_reads_what_it_is_given_and_arguments_win() -> None:
    env = {"JIBBLE_TOKEN": "x", "JIBBLE_WORKSPACE_URL": "https://w.example"}
    assert session_of(JibbleClient.from_env(env)).base("workspace") == "https://w.example"
    config = ClientConfig(page_size=5)
    client = JibbleClient.from_env({}, auth=StaticToken("x"), config=config, limiter=Unlimited())
    assert session_of(client).page_size == 5
    assert session_of(client).base("workspace") == "https://workspace.prod.jibble.io"
    with pytest.raises(ConfigurationError, match="is not https"):
        JibbleClient.from_env({**env, "JIBBLE_IDENTITY_URL": "http://w.example"})


def test_from_env_reads_the_processs_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIBBLE_TOKEN", "x")
    monkeypatch.setenv("JIBBLE_TIME_TRACKING_URL", "https://t.example")
    assert session_of(JibbleClient.from_env()).base("time-tracking") == "https://t.example"


def test_with_options_shares_everything_else() -> None:
    client = JibbleClient("x", "y")
    other = client.with_options(timeout=5, max_wait=1, priority="bulk", retry=RetryPolicy())
    assert other.stats is client.stats
    assert other is not client
    with pytest.raises(ConfigurationError, match="there are interactive and bulk"):
        client.with_options(priority="urgent")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="above 0"):
        client.with_options(timeout=0)


def test_a_client_opens_nothing_before_its_first_call() -> None:
    client = JibbleClient("x", "y", limiter={"workspace": TokenBucket(limit=5)})
    client.people.list()
    client.time_entries.list(since=None)
    asyncio.run(client.aclose())


def test_a_mapping_of_limiters_leaves_no_service_without_one() -> None:
    given = TokenBucket(limit=5)
    limiters = JibbleClient("x", "y", limiter={"workspace": given}).stats.limiters
    assert limiters["workspace"] is given
    for service in ("time-tracking", "time-attendance"):
        assert isinstance(limiters[service], AdaptiveLimiter)
    with pytest.raises(ConfigurationError, match="no service 'time_tracking': there are identity"):
        JibbleClient("x", "y", limiter={"time_tracking": given})  # type: ignore[dict-item]


async def test_paginate_keeps_the_pagers_options_for_itself() -> None:
    client = JibbleClient("x", "y")
    for name in ("$skip", "$TOP", "$count"):
        with pytest.raises(ConfigurationError, match="the pager sends these itself"):
            client.paginate("workspace", "/v1/Schedules", params={name: 1})
    with pytest.raises(ConfigurationError, match="needs a page_size"):
        client.paginate("workspace", "/v1/Schedules", server_paged=True, verify=True)
    with pytest.raises(ConfigurationError, match="no service"):
        client.paginate("legacy", "/v1/Schedules")  # type: ignore[arg-type]
