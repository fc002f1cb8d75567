"""Headers that a caller may add, and those that nobody may."""

from __future__ import annotations

from typing import Any

import pytest

from jibble_async import ConfigurationError, JibbleClient, StaticToken
from jibble_async.api.base_client import session_of
from jibble_async.core.given_headers import given_headers
from jibble_async.core.headers import KeptHeaders
from jibble_async.core.operation import Operation, Safety, build
from jibble_async.core.tokens import Bearer, Token

LIST = build(Operation("workspace", "GET", "/v1/People", Safety.READ), "https://x.example")
BEARER = Bearer(Token("t"), 1, "Bearer t", 1e9, 1e9)


@pytest.mark.parametrize(
    "name",
    ["X-Request-Id", "x-correlation-id", "Request-Id", "Correlation-Id", "X-Jibble-App-Language",
     "traceparent", "TraceParent", "tracestate", "baggage", "b3", "X-B3-TraceId"],
)  # fmt: skip
def test_ids_may_be_given(name: str) -> None:
    assert given_headers({name: "a-1 b=2;c"}) == {name: "a-1 b=2;c"}


@pytest.mark.parametrize(
    "name",
    ["Authorization", "authorization", "Proxy-Authorization", "X-Authorization", "X-Api-Key",
     "X-Auth-Token", "X-Amz-Security-Token", "Cookie", "X-Cookie-Id", "Host", "X-Host",
     "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "X-HTTP-Method-Override",
     "X-Original-URL", "X-Rewrite-URL", "Content-Type", "Content-Length", "Content-Encoding",
     "Transfer-Encoding", "Connection", "Upgrade", "TE", "Accept", "User-Agent", "If-Match",
     "X-Client-Ip", "X-Cluster-Client-IP", "X-Ip-Id", "X-Bearer", "X-Jwt-Assertion",
     "Expect", "Range", "Origin", "Client-Secret-Id", "", " ", "X-", "X-A B", "X-A:", "X-Ä",
     "Content-Id", "Accept-Id", "If-Id", "X-Remote-User", "X-Request-Id\r\nHost", "x" * 80],
)  # fmt: skip
def test_other_headers_may_not(name: str) -> None:
    with pytest.raises(ConfigurationError, match="headers="):
        given_headers({name: "a"})


@pytest.mark.parametrize(
    "value",
    ["", " a", "a ", "a\r\nHost: b", "a\nb", "a\x00", "a\tb", "ä", "canary" * 171, 5, None, b"a"],
)
def test_values_are_checked_and_not_shown(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="value for 'X-Id' that can't be sent") as caught:
        given_headers({"X-Id": value})
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("name", ["X-\u212a", "\u0131-id", "trace-\u0130d", "X-\u017fpan"])
def test_letters_that_only_fold_to_ascii_are_none(name: str) -> None:
    with pytest.raises(ConfigurationError, match="no name of a header"):
        given_headers({name: "a"})


@pytest.mark.parametrize("name", ["Bearer canary", "Authorization: canary", "canary" * 200])
def test_what_is_no_name_is_not_shown(name: str) -> None:
    with pytest.raises(ConfigurationError, match="no name of a header") as caught:
        given_headers({name: "X-Request-Id"})
    assert "canary" not in str(caught.value)


def test_what_is_no_mapping_of_texts_is_an_error() -> None:
    wrong: list[Any] = [[("X-Id", "a")], "X-Id", {5: "a"}, {f"X-{n}": "a" for n in range(17)}]
    for given in wrong:
        with pytest.raises(ConfigurationError, match="headers="):
            given_headers(given)
    with pytest.raises(ConfigurationError, match="there twice"):
        given_headers({"X-Id": "a", "x-id": "b"})


def test_a_client_takes_them_in_place_of_those_before() -> None:
    client = JibbleClient(auth=StaticToken("x"))
    traced = client.with_options(headers={"X-Id": "canary"})
    assert session_of(client).options.headers == {}
    assert session_of(traced).options.headers == {"X-Id": "canary"}
    assert session_of(traced.with_options(timeout=5)).options.headers == {"X-Id": "canary"}
    assert session_of(traced.with_options(headers={"X-B": "c"})).options.headers == {"X-B": "c"}
    assert session_of(traced.with_options(headers=None)).options.headers == {}
    assert "canary" not in repr(session_of(traced).options)
    with pytest.raises(ConfigurationError, match="'Authorization'"):
        client.with_options(headers={"Authorization": "Bearer canary"})


def test_they_are_added_to_a_requests_own() -> None:
    kept = KeptHeaders("agent")
    plain = kept.of(LIST, BEARER)
    more = kept.of(LIST, BEARER, given_headers({"X-Id": "a"}))
    assert {**plain, "X-Id": "a"} == dict(more)
    # Nothing of it is left for the next call.
    assert kept.of(LIST, BEARER) is plain
    assert kept.of(LIST, BEARER, given_headers({})) is plain
    assert "X-Id" not in plain
