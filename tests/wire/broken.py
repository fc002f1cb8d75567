"""Answers that break below HTTP or right above it, and what each is raised as."""

from __future__ import annotations

import gzip

from jibble_async import (
    ConnectionLostError,
    DeadlineExceededError,
    DecodeError,
    JibbleError,
    ProtocolError,
    ServerError,
)
from tests.support.raw_server import Answer, drip, head, raw, reply

JSON = {"Content-Type": "application/json"}
GZIPPED = gzip.compress(b'{"value": [1, 2, 3]}' * 50)
CHUNKED = head(200, {"Transfer-Encoding": "chunked"})

FAULTS: dict[str, tuple[Answer, type[JibbleError]]] = {
    "reset after the request": (raw(b"", "reset"), ConnectionLostError),
    "fin after the request": (raw(b""), ConnectionLostError),
    "fin in the status line": (raw(b"HTTP/1.1 20"), ConnectionLostError),
    "fin in the headers": (raw(b"HTTP/1.1 200 OK\r\nContent-Ty"), ConnectionLostError),
    "reset in the headers": (raw(b"HTTP/1.1 200 OK\r\nContent-Ty", "reset"), ConnectionLostError),
    "less than Content-Length": (
        raw(head(200, {"Content-Length": "100"}) + b'{"value":'),
        ConnectionLostError,
    ),
    "reset in the body": (
        raw(head(200, {"Content-Length": "100"}) + b'{"value":', "reset"),
        ConnectionLostError,
    ),
    "chunks without an end": (raw(CHUNKED + b"5\r\n[1,2,\r\n"), ConnectionLostError),
    "a chunk that is cut off": (raw(CHUNKED + b"50\r\n[1,2,"), ConnectionLostError),
    "a chunk size that is none": (raw(CHUNKED + b"zz\r\n[1]\r\n0\r\n\r\n"), ProtocolError),
    "no Content-Length and cut off": (raw(head(200, JSON) + b'{"value":'), DecodeError),
    "broken gzip": (
        reply(200, b"not gzip at all", {"Content-Encoding": "gzip"}),
        ConnectionLostError,
    ),
    "truncated gzip of the right length": (
        reply(200, GZIPPED[:-20], {"Content-Encoding": "gzip"}),
        ConnectionLostError,
    ),
    "an encoding nobody knows": (
        reply(200, b"\x01\x02\x03", {"Content-Encoding": "sponge"}),
        DecodeError,
    ),
    "a garbage status line": (raw(b"ICY 200 OK\r\n\r\n"), ProtocolError),
    "a status that is no number": (raw(b"HTTP/1.1 abc OK\r\n\r\n"), ProtocolError),
    "two different lengths": (
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
        ProtocolError,
    ),
    "a huge header": (raw(head(200, {"X-Huge": "x" * 100_000})), ProtocolError),
    "thousands of headers": (
        raw(head(200, {f"X-{number}": "x" for number in range(5000)})),
        ProtocolError,
    ),
    "silence": (raw(b"", "stall"), DeadlineExceededError),
    "silence in the headers": (raw(b"HTTP/1.1 200 OK\r\n", "stall"), DeadlineExceededError),
    "silence in the body": (
        raw(head(200, {"Content-Length": "9"}) + b"[", "stall"),
        DeadlineExceededError,
    ),
    "a dripping body": (
        drip(head(200, {"Content-Length": "900"}) + b" " * 900, size=8, gap=1),
        DeadlineExceededError,
    ),
    "interim answers without end": (
        drip(b"HTTP/1.1 102 Processing\r\n\r\n" * 900, size=27, gap=1),
        DeadlineExceededError,
    ),
    "a page of HTML with status 200": (
        reply(200, b"<html>busy</html>", {"Content-Type": "text/html"}),
        DecodeError,
    ),
    "a redirect": (reply(302, b"", {"Location": "/v1/Elsewhere"}), ProtocolError),
    "a bad gateway": (reply(502, b"<html>502</html>"), ServerError),
    "invalid UTF-8": (reply(200, b'{"a": "\xff"}'), DecodeError),
    "bottomless nesting": (reply(200, b"[" * 100_000), DecodeError),
}
