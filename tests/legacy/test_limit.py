"""The hourly limit: used to the full by a long walk, and never exceeded."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from jibble_async import RollingWindow
from jibble_async.core.operation import Request
from jibble_async.core.wire import Reply
from tests.legacy.hosts import LegacyHostInMemory
from tests.support import virtual_time

ROWS = 39_950


def page_of(request: Request) -> Reply:
    """A page of clients."""
    query = request.url.query
    begin, size = int(query.get("filter[skip]", "0")), int(query["filter[limit]"])
    rows = [{"id": f"{number:016}"} for number in range(begin, min(begin + size, ROWS))]
    return Reply(200, {}, msgspec.json.encode(rows))


def test_a_long_walk_makes_the_fewest_requests_and_is_never_refused() -> None:
    host = LegacyHostInMemory()
    host.answer = page_of

    async def main() -> tuple[int, float]:
        with pytest.MonkeyPatch.context() as patch:
            async with host.client(patch) as legacy:
                bulk = legacy.with_options(timeout=None, priority="bulk")
                rows = [each async for each in bulk.clients.list(concurrency=4)]
                assert [each.id for each in rows] == [f"{each:016}" for each in range(ROWS)]
                return len(rows), asyncio.get_running_loop().time()

    rows, took = virtual_time.run(main())
    assert rows == ROWS
    assert len(host.heard) == 400
    assert host.refused == 0
    # Two hours for 150 each, and no more for the rest than the bulk job's share allows.
    assert took < 3 * 3600


def test_two_clients_of_one_window_share_it() -> None:
    host = LegacyHostInMemory(limit=20, per=60)
    window = RollingWindow(20, 60)

    async def main() -> None:
        with pytest.MonkeyPatch.context() as patch:
            clients = [host.client(patch, limiter=window) for _ in range(2)]
            calls = [
                legacy.with_options(timeout=None).clients.list().collect()
                for legacy in clients
                for _ in range(30)
            ]
            await asyncio.gather(*calls)
            for legacy in clients:
                await legacy.aclose()

    virtual_time.run(main())
    assert len(host.heard) == 60
    assert host.refused == 0
