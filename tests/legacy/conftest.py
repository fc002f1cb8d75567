from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

import pytest
from jibble_legacy import LegacyClient

from jibble_async.sandbox import Sandbox
from tests.support.legacy import legacy_of
from tests.support.raw_server import RawServer


@pytest.fixture
async def server() -> AsyncIterator[RawServer]:
    async with RawServer() as running:
        yield running


@pytest.fixture
async def box() -> AsyncIterator[Sandbox]:
    days = date(2026, 7, 6), date(2026, 7, 12)
    async with Sandbox(4, *days, seed=3) as running:
        yield running


@pytest.fixture
async def legacy(box: Sandbox) -> AsyncIterator[LegacyClient]:
    async with legacy_of(box) as client:
        yield client
