from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime

import pytest

from jibble_async import ClientConfig, JibbleClient, RetryPolicy, Unlimited
from jibble_async.config import endpoints_from
from jibble_async.sandbox import Rules, Sandbox
from tests.support.clients import loop_clock

NOW = datetime(2026, 7, 13, 9, 0, tzinfo=UTC)


@pytest.fixture(params=[True, False], ids=["ids kept", "ids replaced"])
async def box(request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    async with Sandbox(
        people=4,
        since=date(2026, 7, 6),
        until=date(2026, 7, 12),
        rules=Rules(keeps_client_ids=request.param),
        clock=lambda: NOW,
    ) as running:
        yield running


@pytest.fixture
async def jibble(box: Sandbox) -> AsyncIterator[JibbleClient]:
    config = ClientConfig(
        endpoints=endpoints_from(box.environment()),
        retry=RetryPolicy(attempts=2, base_delay=0),
        clock=loop_clock(),
    )
    async with JibbleClient(
        box.client_id, box.client_secret, config=config, limiter=Unlimited()
    ) as client:
        yield client


@pytest.fixture
def person(box: Sandbox) -> str:
    key: str = box.dataset.rows("People")[1]["id"]
    return key
