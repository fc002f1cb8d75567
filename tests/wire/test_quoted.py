"""What errors and pages tell of their answers, the ids that calls carry, and pings."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from jibble_legacy import LegacyClient

from jibble_async import (
    AmbiguousWriteError,
    ClientCredentials,
    DecodeError,
    JibbleClient,
    JibbleError,
    NotFoundError,
    PaginationError,
    PermissionDeniedError,
    Ping,
    ProtocolError,
    RetryPolicy,
    ServerError,
    ThrottledOrForbiddenError,
    TimeTracker,
    TransportError,
)
from tests.support.clients import client_at
from tests.support.legacy import legacy_at
from tests.support.raw_server import RawServer, Script, json_reply, reply, token_reply

ONCE = RetryPolicy(attempts=1, throttled_attempts=1)
IDS = {"X-Request-Id": "req-17", "Date": "Mon, 13 Jul 2026 09:00:03 GMT", "X-Secret": "canary"}
LOST = {**IDS, "Content-Type": "application/json"}
PERSON = "21102566-57bc-46d9-ae83-767deda79f57"


def once(server: RawServer) -> JibbleClient:
    return client_at(server.url).with_options(retry=ONCE)


ASKS: dict[str, Callable[[JibbleClient], Any]] = {
    "an entity": lambda jibble: jibble.people.get(PERSON),
    "a list": lambda jibble: jibble.people.list().collect(),
    "several pages at once": lambda jibble: jibble.people.list(concurrency=3).collect(),
    "a count": lambda jibble: jibble.people.list().count(),
    "a ping": lambda jibble: jibble.ping(),
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, b"{}", NotFoundError),
        (500, b"", ServerError),
        (302, b"", ProtocolError),
        (200, b"<html>", DecodeError),
    ],
)
async def test_an_error_tells_of_its_answer(
    server: RawServer,
    ask: Callable[[JibbleClient], Any],
    status: int,
    body: bytes,
    error: type[JibbleError],
) -> None:
    server.answer = Script(reply(status, body, IDS))
    async with once(server) as jibble:
        with pytest.raises(error) as caught:
            await ask(jibble)
    for each in (caught.value, pickle.loads(pickle.dumps(caught.value))):
        assert each.response is not None
        assert each.response.status == status
        assert each.request_id == "req-17"
        assert each.headers["Date"] == IDS["Date"]
        assert "X-Secret" not in each.headers
        assert str(each).endswith("(request id req-17)")


async def test_a_page_tells_of_its_answer(server: RawServer) -> None:
    rows = [{"id": PERSON, "fullName": "Ann"}]
    server.answer = Script(json_reply({"@odata.count": 1, "value": rows}, headers=IDS))
    async with once(server) as jibble:
        (page,) = [page async for page in jibble.people.list().pages()]
    assert page.response.status == 200
    assert page.response.request_id == "req-17"
    assert page.response.headers["X-Request-Id"] == "req-17"
    assert "X-Secret" not in page.response.headers
    assert pickle.loads(pickle.dumps(page)).response == page.response


async def test_an_error_of_a_page_fetched_ahead_tells_of_its_answer(server: RawServer) -> None:
    ids = [f"{number:08}-0000-4000-8000-000000000000" for number in range(4)]
    first = {"@odata.count": 4, "value": [{"id": each} for each in ids[:2]]}
    second = {"@odata.count": 4, "value": [{"id": ids[2]}, {"id": 5, "code": []}]}
    server.answer = Script(json_reply(first), json_reply(second, headers=IDS))
    async with once(server) as jibble:
        with pytest.raises(DecodeError, match="row 1") as caught:
            await jibble.people.list(page_size=2, concurrency=2).collect()
    assert caught.value.request_id == "req-17"


async def test_what_was_never_answered_tells_nothing(server: RawServer) -> None:
    server.refuse_with = "reset"
    async with once(server) as jibble:
        with pytest.raises(TransportError) as caught:
            await jibble.ping()
    assert caught.value.response is None
    assert caught.value.request_id is None
    assert caught.value.headers == {}


async def test_a_write_in_doubt_tells_of_the_answer_that_left_it_so(server: RawServer) -> None:
    server.answer = Script(reply(502, b"", IDS))
    async with once(server) as jibble:
        with pytest.raises(AmbiguousWriteError) as caught:
            await jibble.projects.create("x")
    assert caught.value.request_id == "req-17"


async def test_the_old_apis_bare_refusal_tells_of_its_answer(server: RawServer) -> None:
    server.answer = Script(reply(403, b"", IDS))
    async with legacy_at(server.url).with_options(retry=ONCE) as legacy:
        with pytest.raises(ThrottledOrForbiddenError) as caught:
            await legacy.people.list().collect()
    assert caught.value.request_id == "req-17"
    assert isinstance(caught.value, PermissionDeniedError)


async def test_ids_go_to_the_api_with_every_attempt_and_not_to_the_token_host(
    server: RawServer,
) -> None:
    server.token_answer = Script(token_reply("t-1"))
    server.answer = Script(reply(503, b""), json_reply({"value": []}))
    client = client_at(server.url, auth=ClientCredentials("the-id", "the-secret"))
    async with client.with_options(headers={"X-Correlation-Id": "invoice-17"}) as jibble:
        await jibble.people.list().collect()
        await client.people.list().collect()
    assert ["x-correlation-id" in heard.headers for heard in server.heard_tokens] == [False]
    ids = [heard.headers.get("x-correlation-id") for heard in server.heard]
    assert ids == ["invoice-17", "invoice-17", None]
    assert {heard.headers["authorization"] for heard in server.heard} == {"Bearer t-1"}


def clients(url: str) -> list[JibbleClient | LegacyClient]:
    return [client_at(url), legacy_at(url)]


@pytest.mark.parametrize("number", [0, 1])
async def test_a_ping_asks_for_one_row_and_looks_at_the_clock(
    server: RawServer, number: int
) -> None:
    server.answer = Script(*[reply(200, b"[]" if number else b'{"value": []}', LOST)] * 2)
    target = ("/v1/Organizations?$top=1&$select=id", "/api/v1/teams?filter%5Blimit%5D=1")[number]
    async with clients(server.url)[number] as jibble:
        tracker: TimeTracker = jibble
        answer = await tracker.ping()
    assert [heard.target for heard in server.heard] == [target]
    assert isinstance(answer, Ping)
    assert answer.response.request_id == "req-17"
    assert answer.server_time == datetime(2026, 7, 13, 9, 0, 3, tzinfo=UTC)
    assert answer.clock_offset == timedelta(seconds=3)
    assert not answer.clock_is_off
    assert answer.seconds == 0


async def test_a_clock_that_is_off_is_told(server: RawServer) -> None:
    late = {**LOST, "Date": "Mon, 13 Jul 2026 08:59:54 GMT"}
    server.answer = Script(reply(200, b'{"value": []}', late), reply(200, b'{"value": []}'))
    async with client_at(server.url) as jibble:
        answer = await jibble.ping()
        assert answer.clock_offset == timedelta(seconds=-6)
        assert answer.clock_is_off
        silent = await jibble.ping()
    assert (silent.server_time, silent.clock_offset, silent.clock_is_off) == (None, None, False)


async def test_a_page_that_is_too_large_tells_of_its_answer(server: RawServer) -> None:
    server.answer = Script(reply(200, b" " * (2 << 20), IDS))
    async with once(server) as jibble:
        with pytest.raises(PaginationError) as caught:
            await jibble.people.list(page_size=1, limit=1).collect()
    assert caught.value.request_id == "req-17"


@pytest.mark.parametrize("body", ["null", "{}", '"ok"', '{"error": {"code": "x"}}', '{"value": 1}'])
async def test_a_ping_that_brings_no_rows_is_an_error(server: RawServer, body: str) -> None:
    server.answer = Script(*[reply(200, body.encode(), LOST)] * 2)
    for each in clients(server.url):
        async with each as jibble:
            with pytest.raises(DecodeError, match="unexpected form") as caught:
                await jibble.ping()
        assert caught.value.request_id == "req-17"
