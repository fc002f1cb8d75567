"""What a user gives to prove who they are, and what is shown of it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from rich.pretty import pretty_repr

from jibble_async import (
    ClientCredentials,
    ConfigurationError,
    StaticToken,
)
from jibble_async.core.tokens import Token
from tests.unit.token_host import DAY, PAIR, TokenHost


async def test_a_static_token_is_never_replaced() -> None:
    host = TokenHost(StaticToken(" abc "))
    bearer = await host.tokens.get()
    assert bearer.authorization == "Bearer abc"
    host.now += 10 * DAY
    assert await host.tokens.get() is bearer
    assert await host.tokens.replace(bearer) is None
    assert host.requests == []
    assert host.lifetimes == []


async def test_a_function_is_asked_again_when_its_token_is_refused() -> None:
    asked: list[str] = []

    async def provide() -> str:
        asked.append(f"own-{len(asked) + 1}")
        return asked[-1]

    host = TokenHost(provide)
    bearer = await host.tokens.get()
    host.now += 10 * DAY
    assert await host.tokens.get() is bearer
    another = await host.tokens.replace(bearer)
    assert another is not None
    assert another.authorization == "Bearer own-2"
    assert host.requests == []


@pytest.mark.parametrize("token", ["", "  ", "a\nb", "ä"])
async def test_a_function_must_give_a_token(token: str) -> None:
    async def provide() -> str:
        return token

    with pytest.raises(ConfigurationError, match="the token from auth="):
        await TokenHost(provide).tokens.get()


async def test_nothing_shows_a_secret() -> None:
    host = TokenHost(access_token="canary-token")
    bearer = await host.tokens.get()
    answer = Token("canary-token")
    secrets: list[Any] = [PAIR, StaticToken("canary-token"), answer, bearer, host.requests[0]]
    shown = [text for each in secrets for text in (repr(each), pretty_repr(each))]
    assert not any("canary" in text or "key-secret" in text for text in shown)
    assert copy.copy(PAIR) == PAIR


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ClientCredentials("", "x"), "client_id is empty"),
        (lambda: ClientCredentials("x", " \n"), "client_secret is empty"),
        (lambda: ClientCredentials("a\nb", "x"), "client_id holds characters"),
        (lambda: ClientCredentials("x", "canary-ä"), "client_secret holds characters"),
        (lambda: StaticToken("\t"), "token is empty"),
        (lambda: StaticToken("canary\0"), "token holds characters"),
    ],
)
def test_credentials_that_cant_be_used(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        make()
    assert "canary" not in str(caught.value)


def test_pasted_white_space_is_removed() -> None:
    assert ClientCredentials(" a\n", "\tb ") == ClientCredentials("a", "b")
