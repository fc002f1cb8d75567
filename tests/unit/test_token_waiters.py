"""Those who wait for one token: how they fail, give up, and are closed."""

from __future__ import annotations

import asyncio

import pytest

from jibble_async import (
    ConfigurationError,
    ConnectionLostError,
)
from tests.unit.token_host import TokenHost, refreshes


async def test_every_waiter_hears_of_a_failure() -> None:
    host = TokenHost()
    host.failure = ConnectionLostError("the host is down")
    found = await asyncio.gather(*(host.tokens.get() for _ in range(20)), return_exceptions=True)
    assert len(host.requests) == 1
    assert [type(error) for error in found] == [ConnectionLostError] * 20
    host.failure = None
    assert (await host.tokens.get()).authorization == "Bearer token-2"


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
