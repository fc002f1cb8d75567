"""An answer is looked at: what is none is an error, and leaves a write unknown."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from jibble_async import (
    ConnectionLostError,
    DecodeError,
    ItemState,
    JibbleClient,
    JibbleError,
    PermissionDeniedError,
    RateLimitedError,
    RetryPolicy,
)
from tests.support.clients import client_at
from tests.support.legacy import legacy_at
from tests.support.raw_server import Answer, RawServer, Script, json_reply, page, raw, reply

ID = "21102566-57bc-46d9-ae83-767deda79f57"
HTML = {"Content-Type": "text/html"}
LOGIN = reply(200, b"<!DOCTYPE html><html><title>Sign in</title></html>", HTML)
ONCE = RetryPolicy(attempts=1)

WRITES: dict[str, Callable[[JibbleClient], Awaitable[Any]]] = {
    "update": lambda jibble: jibble.people.update(ID, full_name="Ann"),
    "remove": lambda jibble: jibble.people.remove(ID),
    "delete": lambda jibble: jibble.people.delete(ID),
    "archive an entry": lambda jibble: jibble.time_entries.archive(ID),
}
NO_ANSWERS: dict[str, Answer] = {
    "a login's page": LOGIN,
    "a captive portal's": reply(200, b"\r\n<html>", {"Content-Type": "application/json"}),
    "a text": reply(200, b"OK", {"Content-Type": "text/plain"}),
    "an error with status 200": json_reply({"error": {"message": "you are not signed in"}}),
    "half a document": reply(200, b'{"value": '),
    "a page that is created": reply(201, b"<html>", HTML),
    "a status of zero": raw(b"HTTP/1.1 000 OK\r\nContent-Length: 2\r\n\r\n{}", "keep"),
    "another protocol": raw(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
}


@pytest.mark.parametrize("kind", NO_ANSWERS)
@pytest.mark.parametrize("write", WRITES)
async def test_what_is_no_answer_leaves_a_write_unknown(
    server: RawServer, write: str, kind: str
) -> None:
    server.answer = Script(NO_ANSWERS[kind])
    async with client_at(server.url, retry=ONCE) as jibble:
        with pytest.raises(JibbleError) as caught:
            await WRITES[write](jibble)
    assert caught.value.maybe_processed


@pytest.mark.parametrize(
    "body", [b"", b" \r\n", b"{}", b'{"id": "1"}', b"null", b'{"error": null}']
)
@pytest.mark.parametrize("write", WRITES)
async def test_an_empty_answer_or_json_is_done(server: RawServer, write: str, body: bytes) -> None:
    server.answer = Script(reply(200, body))
    async with client_at(server.url, retry=ONCE) as jibble:
        await WRITES[write](jibble)


@pytest.mark.parametrize("kind", NO_ANSWERS)
async def test_an_approval_without_an_answer_is_unknown(server: RawServer, kind: str) -> None:
    server.answer = Script(NO_ANSWERS[kind])
    async with client_at(server.url, retry=ONCE) as jibble:
        (outcome,) = await jibble.time_off.approve(ID)
    assert outcome.state is ItemState.UNKNOWN


async def test_a_deletion_of_the_old_api_has_an_answer_too(server: RawServer) -> None:
    server.answer = Script(LOGIN, json_reply({"status": "success"}))
    async with legacy_at(server.url, retry=ONCE) as legacy:
        with pytest.raises(DecodeError, match="login") as caught:
            await legacy.time_entries.delete("abcdefghij")
        assert caught.value.maybe_processed
        await legacy.time_entries.delete("abcdefghij")


@pytest.mark.parametrize("kind", NO_ANSWERS)
async def test_what_is_no_answer_is_an_error_of_a_read(server: RawServer, kind: str) -> None:
    server.answer = Script(NO_ANSWERS[kind])
    async with client_at(server.url, retry=ONCE) as jibble:
        with pytest.raises(JibbleError) as caught:
            await jibble.people.get(ID)
        assert not caught.value.maybe_processed
        with pytest.raises(JibbleError):
            await jibble.people.list().collect()


EDMX = b'<?xml version="1.0"?><edmx:Edmx xmlns:edmx="x" Version="4.0"><a/></edmx:Edmx>'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<html><title>Sign in</title></html>",
        b'<?xml version="1.0"?><html xmlns="x"><title/></html>',
        EDMX[:-5],
        EDMX + b"<a>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><Edmx>&a;</Edmx>',
        b"<Edmx>\xff</Edmx",
    ],
)
async def test_metadata_is_a_document_of_its_kind(server: RawServer, body: bytes) -> None:
    server.answer = Script(reply(200, body, {"Content-Type": "application/xml"}))
    async with client_at(server.url, retry=ONCE) as jibble:
        with pytest.raises(DecodeError, match="no XML document of Edmx"):
            await jibble.metadata("workspace")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
async def test_metadata_is_read_with_a_mark_and_without(server: RawServer, encoding: str) -> None:
    server.answer = Script(reply(200, EDMX.decode().encode(encoding)))
    async with client_at(server.url, retry=ONCE) as jibble:
        assert await jibble.metadata("workspace") == EDMX.decode()


def gzip_cut(data: bytes) -> Answer:
    return reply(200, gzip.compress(data)[:-12], {"Content-Encoding": "gzip"})


def deflate_cut(data: bytes) -> Answer:
    return reply(200, zlib.compress(data)[:-6], {"Content-Encoding": "deflate"})


@pytest.mark.parametrize("cut", [gzip_cut, deflate_cut])
async def test_compression_that_breaks_off_is_a_lost_answer(
    server: RawServer, cut: Callable[[bytes], Answer]
) -> None:
    server.answer = Script(cut(EDMX))
    async with client_at(server.url, retry=RetryPolicy(attempts=2)) as jibble:
        with pytest.raises(ConnectionLostError, match="broke off"):
            await jibble.metadata("workspace")
        with pytest.raises(ConnectionLostError):
            await jibble.request("GET", "workspace", "/v1/Things")
    assert len(server.heard) == 4


async def test_gzip_may_come_in_members(server: RawServer) -> None:
    body = gzip.compress(b'{"a"') + gzip.compress(b": 1}") + b"\0\0"
    server.answer = Script(reply(200, body, {"Content-Encoding": "GZIP"}))
    async with client_at(server.url) as jibble:
        assert await jibble.request("GET", "workspace", "/v1/Things") == {"a": 1}
    assert server.heard[0].headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16", "utf-16-be", "utf-8"])
async def test_a_mark_in_front_costs_no_page_of_either_api(server: RawServer, mark: str) -> None:
    def marked(text: str) -> Answer:
        return reply(200, (text if mark == "utf-16" else f"\ufeff{text}").encode(mark))

    server.answer = Script(
        marked('{"value": [{"id": "1", "fullName": "Ånn"}]}'),
    )
    async with client_at(server.url, retry=ONCE) as jibble:
        (person,) = await jibble.people.list(limit=1).collect()
        assert person.full_name == "Ånn"
    server.answer = Script(marked('[{"id": "abcdefghij", "name": "x"}]'))
    async with legacy_at(server.url, retry=ONCE) as legacy:
        assert [team.name for team in await legacy.organizations.list(limit=1).collect()] == ["x"]


@pytest.mark.parametrize("size", [9_000, 60_000])
async def test_a_long_header_is_read(server: RawServer, size: int) -> None:
    server.answer = Script(json_reply({}, {"Content-Security-Policy": "x" * size}))
    async with client_at(server.url, retry=ONCE) as jibble:
        assert await jibble.request("GET", "workspace", "/v1/Things") == {}


async def test_a_single_row_is_read_as_leniently_as_a_page(server: RawServer) -> None:
    odd = {
        "id": ID,
        "workStartDate": "2015-01-02T00:00:00",
        "joinDate": "2015-01-02",
        "invitedAt": "2026-12-31T23:59:59.9999999Z",
    }
    server.answer = Script(json_reply(odd))
    async with client_at(server.url, retry=ONCE) as jibble:
        person = await jibble.people.get(ID)
        server.answer = Script(json_reply({"value": [odd], "@odata.count": 1}))
        assert await jibble.people.list(limit=1).collect() == [person]
    assert person.work_start_date == date(2015, 1, 2)
    assert person.join_date == datetime(2015, 1, 2, tzinfo=UTC)
    assert person.invited_at == datetime(2026, 12, 31, 23, 59, 59, 999999, UTC)


async def test_a_403_with_a_reason_and_a_time_to_wait_is_tried_again(server: RawServer) -> None:
    busy = json_reply({"message": "slow down"}, {"Retry-After": "7"}, 403)
    server.answer = Script(busy, page([1], count=1))
    async with client_at(server.url) as jibble:
        assert len(await jibble.people.list().collect()) == 1
    server.answer = Script(busy)
    async with client_at(server.url, retry=RetryPolicy(throttled_attempts=2)) as jibble:
        with pytest.raises(RateLimitedError, match="slow down") as caught:
            await jibble.people.get(ID)
        assert (caught.value.attempts, caught.value.retry_after) == (2, 7.0)
    server.answer = Script(json_reply({"message": "no right"}, status=403))
    async with client_at(server.url) as jibble:
        with pytest.raises(PermissionDeniedError) as final:
            await jibble.people.get(ID)
        assert final.value.attempts == 1


async def test_millions_of_escapes_are_looked_at_once(server: RawServer) -> None:
    """In linear time: this would take minutes if each were tried from its own place."""
    body = b'{"a": "' + rb"\ud83d\udc4d" * 500_000 + b'"'
    server.answer = Script(reply(200, gzip.compress(body), {"Content-Encoding": "gzip"}))
    async with client_at(server.url, retry=ONCE) as jibble:
        with pytest.raises(DecodeError, match=str(len(body))):
            await jibble.request("GET", "workspace", "/v1/Things")
        many = json.dumps({"a": "\ud83d" * 5000}).encode()
        server.answer = Script(reply(200, many))
        with pytest.raises(DecodeError):
            await jibble.request("GET", "workspace", "/v1/Things")
