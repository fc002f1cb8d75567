"""Pytest fixtures: a local Jibble for each test, and a client of it.

They are taken up by one line in a `conftest.py` at the top, or in a module of tests, and need the
extra `testing`:

    pytest_plugins = ["jibble_async.testing"]
"""

from __future__ import annotations

import functools
import os
from collections.abc import AsyncGenerator, Callable, Coroutine
from datetime import date
from typing import Any, TypeAlias

import pytest
import pytest_asyncio

from jibble_async.client import JibbleClient
from jibble_async.config import ClientConfig
from jibble_async.core.operation import Request
from jibble_async.core.origins import is_loopback
from jibble_async.core.retry import RetryPolicy
from jibble_async.core.transport import Transport
from jibble_async.core.wire import Reply
from jibble_async.errors import ConfigurationError
from jibble_async.limits.slots import Unlimited
from jibble_async.sandbox import Sandbox

_Send: TypeAlias = Callable[..., Coroutine[None, None, Reply]]

__all__ = ["jibble_client", "jibble_sandbox", "jibble_sandbox_options"]


@pytest.fixture
def jibble_sandbox_options() -> dict[str, Any]:
    """The arguments of the sandbox: a week of ten people. Override it for another one.

    Example:
        >>> @pytest.fixture
        ... def jibble_sandbox_options():
        ...     return {"people": 3, "quota": Quota(limit=10, per=1)}
    """
    return {"people": 10, "since": date(2026, 7, 6), "until": date(2026, 7, 12)}


@pytest_asyncio.fixture
async def jibble_sandbox(
    jibble_sandbox_options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Sandbox]:
    """A local Jibble that the environment points to.

    Code that makes its client with `JibbleClient.from_env()` works as it is. No client of either
    API can reach anything but this machine meanwhile, however it was made.

    Example:
        >>> async def test_we_survive_an_outage(jibble_sandbox):
        ...     jibble_sandbox.faults.add(Fault("status", status=503))
        ...     assert await my_program.run() == "ok"
        ...     assert jibble_sandbox.ledger.count("TimeEntries") == 2
    """
    for name in list(os.environ):
        if name.startswith("JIBBLE_"):
            monkeypatch.delenv(name)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "*")
    monkeypatch.setattr(Transport, "send", _to_this_machine(Transport.send))
    async with Sandbox(**jibble_sandbox_options) as box:
        for name, value in box.environment().items():
            monkeypatch.setenv(name, value)
        yield box


@pytest_asyncio.fixture
async def jibble_client(jibble_sandbox: Sandbox) -> AsyncGenerator[JibbleClient]:
    """A client of the test's sandbox, without a pace, which tries again at once.

    Example:
        >>> async def test_names(jibble_client):
        ...     assert await my_program.names(jibble_client)
    """
    environment = jibble_sandbox.environment()
    config = ClientConfig(retry=RetryPolicy(base_delay=0, max_delay=0))
    async with JibbleClient.from_env(environment, config=config, limiter=Unlimited()) as client:
        yield client


def _to_this_machine(send: _Send) -> _Send:
    @functools.wraps(send)
    async def guarded(transport: Transport, request: Request, *others: Any) -> Reply:
        if not is_loopback(request.url.host):
            raise ConfigurationError(
                f"a test was about to send to {request.url.host}: under jibble_sandbox only this "
                "machine is reached; make the client by from_env(), or leave the fixture out"
            )
        return await send(transport, request, *others)

    return guarded
