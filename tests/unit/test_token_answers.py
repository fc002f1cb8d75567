"""How a token is asked for, and what is read of the answer."""

from __future__ import annotations

import asyncio
import base64
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jibble_async import (
    ClientCredentials,
    DecodeError,
)
from jibble_async.odata.tokens import claims_of
from tests.unit.token_host import DAY, TokenHost


async def test_the_request_for_a_token() -> None:
    host = TokenHost(ClientCredentials("id&=ä".replace("ä", "+"), "s %/"))
    await host.tokens.get()
    request = host.requests[0]
    assert str(request.url) == "https://identity.example/connect/token"
    assert request.operation.method == "POST"
    assert request.content_type == "application/x-www-form-urlencoded"
    assert request.body is not None
    assert parse_qs(request.body.decode(), strict_parsing=True) == {
        "grant_type": ["client_credentials"],
        "client_id": ["id&=+"],
        "client_secret": ["s %/"],
    }


@pytest.mark.parametrize(
    ("expires_in", "lifetime"),
    [
        (3600, 3600),
        (2147483647, DAY),
        (1e300, DAY),
        ("3600", 3600),
        ("soon", 3600),
        ("nan", 3600),
        ("inf", DAY),
        (None, 3600),
        (0, 30),
        (-1, 30),
        (1, 1),
        (0.5, 0.5),
    ],
)
async def test_lifetimes(expires_in: Any, lifetime: float) -> None:
    host = TokenHost(expires_in=expires_in)
    bearer = await host.tokens.get()
    assert bearer.expires_at == host.now + lifetime
    assert bearer.refresh_at == host.now + lifetime - min(60.0, lifetime / 2)


@given(
    st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=12)),
    st.floats(0, 1),
)
def test_any_lifetime_gives_a_token_that_can_be_used(expires_in: Any, chance: float) -> None:
    async def main() -> None:
        host = TokenHost(expires_in=expires_in)
        host.chance = chance
        bearer = await host.tokens.get()
        assert host.now <= bearer.refresh_at <= bearer.expires_at <= host.now + DAY

    asyncio.run(main())


@pytest.mark.parametrize(
    "members",
    [
        {"access_token": ""},
        {"access_token": "a b"},
        {"access_token": "a\r\nX-Evil: 1"},
        {"access_token": "ä"},
        {"access_token": None},
        {"access_token": 5},
        {"token_type": "mac"},
    ],
)
async def test_an_answer_without_a_usable_token(members: dict[str, Any]) -> None:
    host = TokenHost(**members)
    with pytest.raises(DecodeError) as caught:
        await host.tokens.get()
    assert "Evil" not in str(caught.value)
    assert host.lifetimes == []


async def test_a_token_type_is_read_in_any_case() -> None:
    assert (await TokenHost(token_type="bearer").tokens.get()).generation == 1


def jwt(claims: Any) -> str:
    payload = base64.urlsafe_b64encode(msgspec.json.encode(claims)).decode().rstrip("=")
    return f"e30.{payload}.c2ln"


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"organizationId": "o", "personId": "p"}, ("o", "p")),
        ({"access_token": jwt({"orgid": "o", "prsid": "p"})}, ("o", "p")),
        ({"access_token": jwt({"orgid": "no"}), "organizationId": "o"}, ("o", None)),
        ({"access_token": jwt({"orgid": 5})}, (None, None)),
        ({"access_token": jwt([1])}, (None, None)),
        ({"access_token": "a.!!!.c"}, (None, None)),
        ({"access_token": "a.b.c.d"}, (None, None)),
        ({}, (None, None)),
    ],
)
async def test_whom_a_token_acts_for(
    members: dict[str, Any], expected: tuple[str | None, str | None]
) -> None:
    bearer = await TokenHost(**members).tokens.get()
    claims = claims_of(bearer.token)
    assert (claims.organization_id, claims.person_id) == expected
