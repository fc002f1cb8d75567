"""Which connection a request goes on: reads share kept ones, and what is sent once has its own."""

from __future__ import annotations

import uuid

import aiohttp
import pytest

from jibble_async import RetryPolicy, Safety
from tests.support.clients import client_at
from tests.support.raw_server import Answer, Heard, RawServer, json_reply, raw

PERSON = "04e69039-ef99-442c-8b9b-75d996d24b45"


def closed_meanwhile(how: str) -> Answer:
    """What is heard on a connection that the other end has given up."""
    return raw(b"", "reset" if how == "reset" else "fin")


@pytest.mark.parametrize("shared", [False, True], ids=["a pool of its own", "a shared pool"])
@pytest.mark.parametrize("how", ["reset", "fin"])
async def test_a_punch_is_not_lost_on_a_connection_that_was_closed_meanwhile(
    server: RawServer, how: str, shared: bool
) -> None:
    def answer(heard: Heard) -> Answer:
        if heard.connection == 1 and len(server.heard) > 1:
            return closed_meanwhile(how)
        return json_reply({"id": str(uuid.uuid4()), "value": []})

    server.answer = answer
    async with (
        aiohttp.TCPConnector() as connector,
        client_at(server.url, connector=connector if shared else None) as jibble,
    ):
        await jibble.request("GET", "workspace", "/v1/Things")
        entry = await jibble.time_entries.clock_in(PERSON)
    assert entry.id
    assert [(each.method, each.connection) for each in server.heard] == [("GET", 1), ("POST", 2)]


@pytest.mark.parametrize(
    ("safety", "connections"),
    [
        (Safety.READ, [1, 1, 1, 1]),
        (Safety.IDEMPOTENT, [1, 1, 1, 1]),
        (Safety.UNSAFE, [1, 2, 3, 1]),
        (Safety.ONCE, [1, 2, 3, 1]),
    ],
)
async def test_what_is_sent_once_has_a_connection_for_itself(
    server: RawServer, safety: Safety, connections: list[int]
) -> None:
    def answer(heard: Heard) -> Answer:
        # As HTTP has it: who is asked to close says so, and does.
        asked = heard.headers.get("connection") == "close"
        return json_reply({}, {"Connection": "close"} if asked else None)

    server.answer = answer
    async with client_at(server.url, retry=RetryPolicy(attempts=1)) as jibble:
        await jibble.request("GET", "workspace", "/v1/Things")
        await jibble.request("POST", "workspace", "/v1/Things", safety=safety)
        await jibble.request("POST", "workspace", "/v1/Things", safety=safety)
        await jibble.request("GET", "workspace", "/v1/Things")
    assert [each.connection for each in server.heard] == connections
    await server.idle()
