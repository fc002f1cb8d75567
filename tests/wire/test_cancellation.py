"""A call or a walk that is cancelled, or left, leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import pytest

from jibble_async import ClientCredentials, JibbleClient, Outcome, Pager
from tests.support.cancelling import CancelAt, When
from tests.support.clients import client_at
from tests.support.leaks import RecordingLimiter, other_tasks, settled
from tests.support.raw_server import (
    Answer,
    Heard,
    RawServer,
    Script,
    drip,
    head,
    json_reply,
    page,
    raw,
    reply,
    token_reply,
)

KEY = ClientCredentials("the-id", "the-secret")
WHENS: list[When] = ["while it waits", "as it is woken"]


def rows_of(heard: Heard, total: int = 60) -> Answer:
    """A set of numbered rows that knows `$skip` and `$top`."""
    options = parse_qs(heard.target.partition("?")[2])
    skip, top = int(options["$skip"][0]), int(options["$top"][0])
    return page(range(skip, min(skip + top, total)), count=total)


def things(jibble: JibbleClient, **options: Any) -> Pager[Any]:
    return jibble.paginate("workspace", "/v1/Things", page_size=10, **options)


async def call(jibble: JibbleClient) -> Any:
    return await jibble.request("GET", "workspace", "/v1/Things")


async def collect(jibble: JibbleClient) -> Any:
    return await things(jibble, concurrency=3).collect()


async def read_some(jibble: JibbleClient) -> Any:
    async with things(jibble, concurrency=3) as pager:
        async for row in pager:
            if row["id"] == "25":
                break


def plain(server: RawServer) -> None:
    server.answer = Script(drip(head(200, {"Content-Length": "2"}) + b"{}", size=30, gap=0))


def failing(server: RawServer) -> None:
    server.answer = Script(reply(503), raw(b"", "reset"), json_reply({}))


def refusing(server: RawServer) -> None:
    server.answer = Script(reply(401), json_reply({}))


def paged(server: RawServer) -> None:
    server.answer = rows_of


CASES: dict[str, tuple[Callable[[RawServer], None], Callable[[JibbleClient], Awaitable[Any]]]] = {
    "a call": (plain, call),
    "a call that is tried again": (failing, call),
    "a call whose token is refused": (refusing, call),
    "a concurrent walk": (paged, collect),
    "a concurrent walk that is left": (paged, read_some),
}


@pytest.mark.parametrize("when", WHENS)
@pytest.mark.parametrize("case", CASES)
async def test_cancelled_wherever_it_waits(server: RawServer, case: str, when: When) -> None:
    arrange, work = CASES[case]
    number = 0
    cancelled = 0
    while True:
        number += 1
        arrange(server)
        server.token_answer = lambda _: token_reply(f"token-{len(server.heard_tokens)}")
        limiter = RecordingLimiter(lambda: asyncio.sleep(0))
        connector = aiohttp.TCPConnector(limit=3)
        async with client_at(server.url, auth=KEY, limiter=limiter, connector=connector) as jibble:
            before = other_tasks()
            at = CancelAt(number, when)
            task = asyncio.create_task(at.run(_coroutine(work(jibble))))
            with contextlib.suppress(asyncio.CancelledError):
                await task
            cancelled += task.cancelled()
            await settled(lambda: other_tasks() <= before)  # noqa: B023
            assert limiter.held == 0
            # The pool of three connections has lost none of its places.
            server.answer = Script(json_reply({"fine": True}))
            assert await asyncio.gather(*(call(jibble) for _ in range(6))) == [{"fine": True}] * 6
            assert limiter.held == 0
        await connector.close()
        await server.idle()
        if not at.reached:
            break
        assert task.cancelled(), f"the cancellation at wait {number} was swallowed"
    assert cancelled == number - 1 >= 3


async def _coroutine(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


async def test_a_cancelled_call_closes_its_connection_at_once(server: RawServer) -> None:
    server.answer = Script(raw(b"", "stall"))
    limiter = RecordingLimiter()
    async with client_at(server.url, limiter=limiter) as jibble:
        task = asyncio.create_task(call(jibble))
        await server.until_heard(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.idle()
        assert limiter.outcomes == [Outcome.ABANDONED]
    assert len(server.heard) == 1


async def test_a_call_that_is_cancelled_in_the_queue_was_not_sent(server: RawServer) -> None:
    limiter = RecordingLimiter(asyncio.Event().wait)
    async with client_at(server.url, limiter=limiter) as jibble:
        task = asyncio.create_task(call(jibble))
        await settled(lambda: len(limiter.asked) == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert server.connections == 0
    assert limiter.held == 0


async def leave_rows(pager: Pager[Any]) -> None:
    async for row in pager:
        if row["id"] == "5":
            break


async def leave_pages(pager: Pager[Any]) -> None:
    async for _ in pager.pages():
        break


async def leave_by_an_error(pager: Pager[Any]) -> None:
    with contextlib.suppress(ZeroDivisionError):
        async for row in pager:
            _ = 1 // (5 - int(row["id"]))


async def leave_within_with(pager: Pager[Any]) -> None:
    async with pager:
        async for row in pager:
            if row["id"] == "5":
                break
        walk = aiter(pager)
        await anext(walk)
    with pytest.raises(StopAsyncIteration):
        await anext(walk)


async def first_of(pager: Pager[Any]) -> None:
    assert await pager.first() == {"id": "0"}


@pytest.mark.parametrize("concurrency", [1, 5])
@pytest.mark.parametrize(
    "leave", [leave_rows, leave_pages, leave_by_an_error, leave_within_with, first_of]
)
async def test_leaving_a_walk_early(
    server: RawServer, leave: Callable[[Pager[Any]], Awaitable[None]], concurrency: int
) -> None:
    # Every page but the first would never come.
    server.answer = lambda heard: (
        rows_of(heard) if "$skip=0&" in heard.target else raw(b"", "stall")
    )
    limiter = RecordingLimiter()
    async with client_at(server.url, limiter=limiter) as jibble:
        before = other_tasks()
        await leave(things(jibble, concurrency=concurrency))
        gc.collect()
        await settled(lambda: other_tasks() <= before)
        await settled(lambda: limiter.held == 0)
        server.answer = Script(json_reply({}))
        assert await call(jibble) == {}


async def test_leaving_by_with_is_over_when_with_is(server: RawServer) -> None:
    server.answer = lambda heard: (
        rows_of(heard) if "$skip=0&" in heard.target else raw(b"", "stall")
    )
    limiter = RecordingLimiter()
    async with client_at(server.url, limiter=limiter) as jibble:
        before = other_tasks()
        async with things(jibble, concurrency=5) as pager:
            walk: AsyncIterator[Any] = aiter(pager)
            for _ in range(10):
                await anext(walk)
            ahead = asyncio.ensure_future(anext(walk))
            await server.until_heard(5)
            ahead.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ahead
        assert other_tasks() <= before
        assert limiter.held == 0


async def test_a_pager_that_is_never_read_sends_nothing(server: RawServer) -> None:
    async with client_at(server.url) as jibble:
        pager = things(jibble, concurrency=4)
        walk = aiter(pager)
        del walk, pager
        gc.collect()
    assert server.connections == 0
