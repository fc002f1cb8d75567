"""Bodies: never more than the cap in memory, and never half of one taken for the whole."""

from __future__ import annotations

import functools
import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from jibble_async import (
    ClientCredentials,
    ConnectionLostError,
    DecodeError,
    JibbleError,
    ResponseTooLargeError,
    RetryPolicy,
)
from tests.support.clients import client_at
from tests.support.raw_server import Answer, RawServer, Script, head, page, raw, reply

MB = 1024 * 1024
CAP = 2 * MB
ONCE = RetryPolicy(attempts=1)


def deflated(data: bytes) -> bytes:
    return zlib.compress(data, 9)


def bare_deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def twice_gzipped(data: bytes) -> bytes:
    return gzip.compress(gzip.compress(data, 9), 9)


PACKERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "deflate": ("deflate", deflated),
    "deflate without a header": ("deflate", bare_deflated),
}


@functools.cache
def bomb_of(packer: str) -> bytes:
    return PACKERS[packer][1](b" " * (64 * MB))


@pytest.mark.parametrize("framing", ["length", "chunked", "until the end"])
@pytest.mark.parametrize("packer", PACKERS)
async def test_a_bomb_is_refused_within_the_memory_of_the_cap(
    server: RawServer, packer: str, framing: str
) -> None:
    encoding, _ = PACKERS[packer]
    bomb = bomb_of(packer)
    headers = {"Content-Encoding": encoding}
    match framing:
        case "length":
            answer = reply(200, bomb, headers)
        case "chunked":
            start = head(200, headers | {"Transfer-Encoding": "chunked"})
            answer = raw(start + f"{len(bomb):x}\r\n".encode() + bomb + b"\r\n0\r\n\r\n", "keep")
        case _:
            answer = raw(head(200, headers) + bomb)
    server.answer = Script(answer)
    async with client_at(server.url, max_body_bytes=CAP, retry=ONCE) as jibble:
        tracemalloc.start()
        try:
            with pytest.raises(ResponseTooLargeError):
                await jibble.request("GET", "workspace", "/v1/Things")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 2 * CAP
    assert len(server.heard) == 1
    await server.idle()


async def test_a_bomb_within_a_bomb_is_no_answer(server: RawServer) -> None:
    body = twice_gzipped(b" " * (8 * MB))
    server.answer = Script(reply(200, body, {"Content-Encoding": "gzip, gzip"}))
    async with client_at(server.url, max_body_bytes=CAP, retry=ONCE) as jibble:
        with pytest.raises(JibbleError):
            await jibble.request("GET", "workspace", "/v1/Things")


@pytest.mark.parametrize("size", [CAP + 1, 4 * CAP])
async def test_a_body_without_a_length_is_cut_at_the_cap(server: RawServer, size: int) -> None:
    server.answer = Script(raw(head(200) + b" " * size, "stall"))
    async with client_at(server.url, max_body_bytes=CAP, retry=ONCE) as jibble:
        with pytest.raises(ResponseTooLargeError, match=str(CAP)):
            await jibble.request("GET", "workspace", "/v1/Things")
    await server.idle()


@pytest.mark.parametrize("cap", [10, 1000, 70_000])
@pytest.mark.parametrize("headers", [{}, {"Content-Encoding": "gzip"}], ids=["plain", "gzip"])
async def test_the_cap_is_exact(server: RawServer, cap: int, headers: dict[str, str]) -> None:
    def answer(size: int) -> Answer:
        body = json.dumps("x" * (size - 2)).encode()
        return raw(head(200, headers) + (gzip.compress(body) if headers else body))

    async with client_at(server.url, max_body_bytes=cap, retry=ONCE) as jibble:
        server.answer = Script(answer(cap))
        assert await jibble.request("GET", "workspace", "/v1/Things") == "x" * (cap - 2)
        server.answer = Script(answer(cap + 1))
        with pytest.raises(ResponseTooLargeError):
            await jibble.request("GET", "workspace", "/v1/Things")


async def test_a_length_above_the_cap_is_refused_at_the_first_byte(server: RawServer) -> None:
    server.answer = Script(raw(head(200, {"Content-Length": str(CAP + 1)}) + b" ", "stall"))
    async with client_at(server.url, max_body_bytes=CAP) as jibble:
        with pytest.raises(ResponseTooLargeError) as caught:
            await jibble.request("GET", "workspace", "/v1/Things")
    assert caught.value.attempts == 1
    await server.idle()


async def test_an_error_that_is_too_large_is_too_large(server: RawServer) -> None:
    server.answer = Script(reply(500, b"x" * (CAP + 1)))
    async with client_at(server.url, max_body_bytes=CAP) as jibble:
        with pytest.raises(ResponseTooLargeError):
            await jibble.request("GET", "workspace", "/v1/Things")
    assert len(server.heard) == 1


async def test_the_token_hosts_body_has_a_cap_too(server: RawServer) -> None:
    server.token_answer = Script(raw(head(200) + b" " * (CAP + 1), "stall"))
    async with client_at(
        server.url, auth=ClientCredentials("the-id", "the-secret"), max_body_bytes=CAP, retry=ONCE
    ) as jibble:
        with pytest.raises(ResponseTooLargeError):
            await jibble.whoami()


async def test_compressed_answers_are_read(server: RawServer) -> None:
    async with client_at(server.url) as jibble:
        for encoding, pack in PACKERS.values():
            body = pack(b'{"value": [1, 2, 3]}')
            server.answer = Script(reply(200, body, {"Content-Encoding": encoding}))
            answer = await jibble.request("GET", "workspace", "/v1/Things")
            assert answer == {"value": [1, 2, 3]}
    assert {each.connection for each in server.heard} == {1}


CUT = {
    "gzip of the right length": (
        reply(200, gzip.compress(b'{"value": [1, 2, 3]}' * 99)[:-30], {"Content-Encoding": "gzip"}),
        ConnectionLostError,
    ),
    "deflate of the right length": (
        reply(200, deflated(b'{"value": [1, 2, 3]}' * 99)[:-8], {"Content-Encoding": "deflate"}),
        ConnectionLostError,
    ),
    "plain without a length": (raw(head(200) + b'{"value": [1, 2'), DecodeError),
    "chunked": (
        raw(head(200, {"Transfer-Encoding": "chunked"}) + b'f\r\n{"value": [1, 2'),
        ConnectionLostError,
    ),
}


@pytest.mark.parametrize("kind", CUT)
async def test_half_a_page_gives_no_row_and_is_asked_for_again(
    server: RawServer, kind: str
) -> None:
    answer, expected = CUT[kind]
    server.answer = Script(answer)
    async with client_at(server.url, retry=RetryPolicy(attempts=2)) as jibble:
        pager = jibble.paginate("workspace", "/v1/Things", type=int)
        with pytest.raises(expected):
            await pager.collect()
        assert jibble.stats.rows == 0
        assert len(server.heard) == 2
        server.answer = Script(answer, page([1, 2, 3], count=3))
        assert len(await jibble.paginate("workspace", "/v1/Things").collect()) == 3


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"5",
        b"{}",
        b"\xef\xbb\xbf{}",
        b'{"value": null}',
        b'{"value": 5}',
        b'{"value": [], "@odata.nextLink": 5}',
        b'{"value": [1e400]}',
        b'{"value": [NaN]}',
    ],
)
async def test_what_is_no_page_is_an_error(server: RawServer, body: bytes) -> None:
    server.answer = Script(reply(200, body))
    async with client_at(server.url, retry=ONCE) as jibble:
        with pytest.raises(DecodeError):
            await jibble.paginate("workspace", "/v1/Things").collect()


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_no_body_is_no_value(server: RawServer, status: int) -> None:
    server.answer = Script(raw(head(status, {"Content-Length": "0"}), "keep"))
    async with client_at(server.url) as jibble:
        assert await jibble.request("DELETE", "workspace", "/v1/Things(1)") is None


async def test_after_a_refused_body_the_client_goes_on(server: RawServer) -> None:
    server.answer = Script(raw(head(200) + b" " * (CAP + 1), "stall"), page([1], count=1))
    async with client_at(server.url, max_body_bytes=CAP) as jibble:
        with pytest.raises(ResponseTooLargeError):
            await jibble.request("GET", "workspace", "/v1/Things")
        assert await jibble.paginate("workspace", "/v1/Things").collect() == [{"id": "1"}]
    assert [each.connection for each in server.heard] == [1, 2]
