"""When a token is fetched, and when it is replaced."""

from __future__ import annotations

import asyncio

import pytest

from jibble_async import (
    ConnectionLostError,
)
from tests.unit.token_host import TokenHost, refreshed


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
