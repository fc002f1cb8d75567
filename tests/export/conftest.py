from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

import pytest

from jibble_async import ClientConfig, JibbleClient, Unlimited
from jibble_async.config import endpoints_from
from jibble_async.sandbox import Sandbox
from tests.support.clients import HeldTime


@pytest.fixture
async def box() -> AsyncIterator[Sandbox]:
    async with Sandbox(
        people=6, since=date(2026, 7, 6), until=date(2026, 7, 19), seed=3
    ) as running:
        yield running


@pytest.fixture
async def client(box: Sandbox) -> AsyncIterator[JibbleClient]:
    environment = box.environment()
    config = ClientConfig(
        endpoints=endpoints_from(environment), page_size=40, clock=HeldTime().clock
    )
    async with JibbleClient.from_env(environment, config=config, limiter=Unlimited()) as jibble:
        yield jibble
