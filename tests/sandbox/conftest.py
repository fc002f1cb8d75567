from __future__ import annotations

from collections.abc import AsyncIterator, Generator

import aiohttp
import pytest

from jibble_async.sandbox import Sandbox
from tests.sandbox.calling import WEEK, Caller, LegacyCaller, VirtualClock
from tests.support.made_up import made_up_anew


@pytest.fixture(autouse=True, scope="package")
def made_up_by_itself() -> Generator[None]:
    """Sandboxes are what is tested here."""
    with made_up_anew():
        yield


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
async def box(clock: VirtualClock) -> AsyncIterator[Sandbox]:
    async with Sandbox(people=6, seed=3, clock=clock, **WEEK) as running:
        yield running


@pytest.fixture
async def caller(box: Sandbox) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(5)) as session:
        calling = Caller(box, session)
        await calling.authorise()
        yield calling


@pytest.fixture
async def legacy(box: Sandbox) -> AsyncIterator[LegacyCaller]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(5)) as session:
        yield LegacyCaller(box, session)
