from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from jibble_async.sandbox import Sandbox
from tests.support.leaks import other_tasks, settled
from tests.support.raw_server import RawServer
from tests.wire.week import WEEK


@pytest.fixture(autouse=True)
async def no_task_left() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    with contextlib.suppress(AssertionError):
        await settled(lambda: not other_tasks() - before)
    assert not other_tasks() - before


@pytest.fixture
async def server() -> AsyncIterator[RawServer]:
    async with RawServer() as running:
        yield running


@pytest.fixture
async def stranger() -> AsyncIterator[RawServer]:
    async with RawServer() as running:
        yield running


@pytest.fixture
async def box() -> AsyncIterator[Sandbox]:
    async with Sandbox(**WEEK) as running:
        yield running
