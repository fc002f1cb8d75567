from __future__ import annotations

import asyncio
import base64
import copy
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.pretty import pretty_repr

from jibble_async import (
    ClientCredentials,
    ConfigurationError,
    ConnectionLostError,
    DecodeError,
    JibbleError,
    StaticToken,
)
from jibble_async.core.clock import Clock
from jibble_async.core.credentials import Auth
from jibble_async.core.operation import Request
from jibble_async.core.tokens import Token, Tokens
from jibble_async.core.wire import Reply
from jibble_async.odata.tokens import claims_of, grant_of

PAIR = ClientCredentials("key-id", "key-secret")
DAY = 24 * 3600.0


class TokenHost:
    """A token host in memory, with a clock of its own."""

    def __init__(self, auth: Auth = PAIR, **members: Any) -> None:
        self.now = 1000.0
        self.chance = 0.0
        self.members: dict[str, Any] = {"expires_in": 3600, **members}
        self.requests: list[Request] = []
        self.lifetimes: list[float | None] = []
        self.failure: JibbleError | None = None
        self.gate: asyncio.Event | None = None
        self.tokens = Tokens(
            grant_of(auth, "https://identity.example"),
            self._exchange,
            Clock(monotonic=lambda: self.now, random=lambda: self.chance),
            self.lifetimes.append,
        )

    async def _exchange(self, request: Request) -> Reply:
        self.requests.append(request)
        number = len(self.requests)
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        answer = {"access_token": f"token-{number}", "token_type": "Bearer", **self.members}
        return Reply(200, {}, msgspec.json.encode(answer))


async def refreshed() -> None:
    """Wait for the refresh that is under way, whatever becomes of it."""
    await asyncio.gather(*refreshes(), return_exceptions=True)


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


async def test_a_token_is_fetched_once_and_used_until_it_is_due() -> None:
    host = TokenHost()
    first = await host.tokens.get()
    assert first.authorization == "Bearer token-1"
    assert host.tokens.current() is first
    assert await host.tokens.get() is first
    host.now += 3600 - 60.5
    assert await host.tokens.get() is first
    host.now += 0.5
    # Still good: used on while the next one is fetched.
    assert await host.tokens.get() is first
    await refreshed()
    second = host.tokens.current()
    assert second is not None
    assert second.authorization == "Bearer token-2"
    assert host.lifetimes == [3600, 3600]
    host.now += 3600
    assert host.tokens.current() is None
    assert (await host.tokens.get()).authorization == "Bearer token-3"


async def test_a_silent_token_host_keeps_nobody_waiting_while_the_old_token_is_good() -> None:
    host = TokenHost()
    first = await host.tokens.get()
    host.gate = asyncio.Event()
    host.now += 3600 - 60
    for _ in range(6):
        assert await host.tokens.get() is first
        await asyncio.sleep(0)
        host.now += 9.9
    # One request, which goes on however many look after it, and whoever gives up on it.
    assert len(host.requests) == 2
    waiter = asyncio.create_task(host.tokens.replace(first))
    await asyncio.sleep(0)
    waiter.cancel()
    await asyncio.wait((waiter,))
    host.gate.set()
    await refreshed()
    assert (await host.tokens.get()).authorization == "Bearer token-2"
    assert len(host.requests) == 2


async def test_what_a_refresh_in_nobodys_name_fails_with_ends_no_call() -> None:
    host = TokenHost()
    await host.tokens.get()
    host.now += 3600 - 1
    host.failure = ConnectionLostError("the host is down")
    await host.tokens.get()
    await refreshed()
    host.failure = None
    host.now += 1
    assert (await host.tokens.get()).authorization == "Bearer token-3"


@pytest.mark.parametrize(("chance", "margin"), [(0.0, 60), (0.5, 75), (1.0, 90)])
async def test_the_refresh_is_early_by_a_random_margin(chance: float, margin: float) -> None:
    host = TokenHost()
    host.chance = chance
    bearer = await host.tokens.get()
    assert bearer.refresh_at == host.now + 3600 - margin
    assert bearer.expires_at == host.now + 3600


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


@pytest.mark.parametrize("accepted", [True, False])
async def test_one_refresh_for_any_number_of_refusals(accepted: bool) -> None:
    host = TokenHost()
    refused = await host.tokens.get()
    refused.accepted = accepted
    again = await asyncio.gather(*(host.tokens.replace(refused) for _ in range(100)))
    assert len(host.requests) == 2
    assert {bearer and bearer.generation for bearer in again} == {refused.generation + 1}
    # Who comes late with the old refusal gets the new token without a request.
    assert await host.tokens.replace(refused) is again[0]
    assert len(host.requests) == 2


async def test_a_token_that_was_never_accepted_is_replaced_twice_a_minute_at_most() -> None:
    host = TokenHost()
    first = await host.tokens.get()
    second = await host.tokens.replace(first)
    assert second is not None
    assert await host.tokens.replace(second) is None
    host.now += 29.9
    assert await host.tokens.replace(second) is None
    host.now += 0.2
    third = await host.tokens.replace(second)
    assert third is not None
    assert len(host.requests) == 3
    third.accepted = True
    assert await host.tokens.replace(third) is not None


@pytest.mark.parametrize("trouble", ["lost", "cancelled"])
async def test_a_refused_token_is_asked_for_again_at_once_if_none_came(trouble: str) -> None:
    host = TokenHost()
    first = await host.tokens.get()
    if trouble == "lost":
        host.failure = ConnectionLostError("the host is down")
        with pytest.raises(ConnectionLostError):
            await host.tokens.replace(first)
        host.failure = None
    else:
        host.gate = asyncio.Event()
        waiter = asyncio.create_task(host.tokens.replace(first))
        await asyncio.sleep(0)
        waiter.cancel()
        await asyncio.wait((waiter,))
        host.gate.set()
    second = await host.tokens.replace(first)
    assert second is not None
    assert await host.tokens.replace(second) is None


async def test_a_failing_refresh_leaves_a_good_token_in_use() -> None:
    host = TokenHost()
    first = await host.tokens.get()
    host.now += 3600 - 50
    host.failure = ConnectionLostError("the host is down")
    assert await host.tokens.get() is first
    await refreshed()
    assert len(host.requests) == 2
    # Not asked again with every call.
    assert await host.tokens.get() is first
    await refreshed()
    assert len(host.requests) == 2
    host.now += 30
    assert await host.tokens.get() is first
    await refreshed()
    assert len(host.requests) == 3
    host.now += 20
    with pytest.raises(ConnectionLostError):
        await host.tokens.get()
    host.failure = None
    assert (await host.tokens.get()).authorization == "Bearer token-5"


async def test_every_waiter_hears_of_a_failure() -> None:
    host = TokenHost()
    host.failure = ConnectionLostError("the host is down")
    found = await asyncio.gather(*(host.tokens.get() for _ in range(20)), return_exceptions=True)
    assert len(host.requests) == 1
    assert [type(error) for error in found] == [ConnectionLostError] * 20
    host.failure = None
    assert (await host.tokens.get()).authorization == "Bearer token-2"


def refreshes() -> list[asyncio.Task[Any]]:
    return [task for task in asyncio.all_tasks() if task.get_name() == "jibble token refresh"]


async def test_cancelling_one_waiter_harms_no_other() -> None:
    host = TokenHost()
    host.gate = asyncio.Event()
    waiters = [asyncio.create_task(host.tokens.get()) for _ in range(100)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiters[0].cancel()
    waiters[50].cancel()
    await asyncio.sleep(0)
    host.gate.set()
    found = await asyncio.gather(*waiters, return_exceptions=True)
    assert sum(isinstance(item, asyncio.CancelledError) for item in found) == 2
    assert len({id(item) for item in found if not isinstance(item, BaseException)}) == 1
    assert len(host.requests) == 1


async def test_cancelling_all_waiters_leaves_no_task() -> None:
    host = TokenHost()
    host.gate = asyncio.Event()
    waiters = [asyncio.create_task(host.tokens.get()) for _ in range(10)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(refreshes()) == 1
    for waiter in waiters:
        waiter.cancel()
    await asyncio.gather(*waiters, return_exceptions=True)
    await asyncio.sleep(0)
    assert refreshes() == []
    host.gate.set()
    assert (await host.tokens.get()).authorization == "Bearer token-2"


async def test_closing_stops_a_refresh() -> None:
    host = TokenHost()
    host.gate = asyncio.Event()
    waiter = asyncio.create_task(host.tokens.get())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await host.tokens.aclose()
    assert refreshes() == []
    with pytest.raises(ConfigurationError, match="closed"):
        await waiter
    await host.tokens.aclose()


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
