"""What the hooks are told, and what the sums come to."""

from __future__ import annotations

import asyncio

import pytest

from jibble_async import ClientCredentials, JibbleError
from jibble_async.core.events import (
    AttemptFinished,
    Event,
    PageRead,
    RetryScheduled,
    TokenRefreshed,
)
from jibble_async.sandbox import Sandbox
from tests.support.clients import client_at
from tests.support.raw_server import RawServer, Script, json_reply, page, raw, reply
from tests.wire.week import client_of

LINE = "GET workspace /v1/Things"


async def test_the_story_of_a_call(server: RawServer) -> None:
    events: list[Event] = []
    server.answer = Script(reply(503), raw(b"", "reset"), json_reply({}))
    key = ClientCredentials("id", "secret")
    async with client_at(server.url, auth=key, hooks=(events.append,)) as jibble:
        await jibble.request("GET", "workspace", "/v1/Things", params={"$top": "canary"})
    line = f"{LINE}?$top"
    assert events == [
        AttemptFinished("POST identity /connect/token", 1, 200, 0.0, None),
        TokenRefreshed(3600),
        AttemptFinished(line, 1, 503, 0.0, None),
        RetryScheduled(line, 1, 0.25, "ServerError"),
        AttemptFinished(line, 2, None, 0.0, "ConnectionLostError"),
        # On a connection that was kept: not the server's trouble, so there is nothing to wait for.
        RetryScheduled(line, 2, 0.0, "ConnectionLostError"),
        AttemptFinished(line, 3, 200, 0.0, None),
    ]


async def test_the_story_of_a_walk(server: RawServer) -> None:
    events: list[Event] = []
    server.answer = Script(page([1, 2], count=3), page([3], count=3))
    async with client_at(server.url, hooks=(events.append,)) as jibble:
        await jibble.paginate("workspace", "/v1/Things", page_size=2).collect()
    pages = [each for each in events if isinstance(each, PageRead)]
    assert pages == [PageRead(2, 3), PageRead(1, 3)]


async def test_a_cancelled_attempt_is_told_of(server: RawServer) -> None:
    events: list[Event] = []
    server.answer = Script(raw(b"", "stall"))
    async with client_at(server.url, hooks=(events.append,)) as jibble:
        task = asyncio.create_task(jibble.request("GET", "workspace", "/v1/Things"))
        await server.until_heard(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert events == [AttemptFinished(LINE, 1, None, 0.0, "CancelledError")]


async def test_the_sums(box: Sandbox) -> None:
    async with client_of(box) as jibble:
        entries = await jibble.time_entries.list(page_size=50).collect()
        bulk = jibble.with_options(priority="bulk")
        people = await bulk.people.list().collect()
        with pytest.raises(JibbleError):
            await bulk.request("GET", "workspace", "/v1/Nothing")
        stats = jibble.stats
    assert stats.rows == len(entries) + len(people)
    assert stats.requests == len(box.ledger.requests)
    assert stats.token_requests == 1
    assert stats.retries == 0
    assert stats.throttled == 0


@pytest.mark.parametrize("kind", [ZeroDivisionError, asyncio.CancelledError])
async def test_a_hook_that_raises_is_logged_and_harms_no_call(
    server: RawServer, caplog: pytest.LogCaptureFixture, kind: type[BaseException]
) -> None:
    def hook(_: Event) -> None:
        raise kind

    told: list[Event] = []
    server.answer = Script(reply(503), page([1], count=1))
    async with client_at(server.url, hooks=(hook, told.append)) as jibble:
        assert len(await jibble.paginate("workspace", "/v1/Things").collect()) == 1
    # The attempts, the retry and the page; and who comes after it hears of each as well.
    assert len(told) == len(caplog.records) == 4
    assert {(each.name, each.levelname) for each in caplog.records} == {("jibble_async", "ERROR")}
