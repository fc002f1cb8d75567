from __future__ import annotations

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jibble_async import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    DecodeError,
    FeatureRestrictedError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
)
from jibble_async.core.lenient import whole_characters
from jibble_async.core.wire import (
    Reply,
    decode_json,
    error_class,
    printable,
)

ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Any)


@given(st.text(max_size=500))
def test_printable_is_one_line_that_a_terminal_can_bear(text: str) -> None:
    line = printable(text)
    assert len(line) <= 300
    assert len(line.splitlines()) <= 1
    assert not any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in line)
    assert printable(line) == line


def test_printable_says_that_it_cut() -> None:
    assert printable("x" * 300) == "x" * 300
    assert printable("x" * 301) == "x" * 299 + "…"
    assert printable("a\r\n\x1b[31mb\u2028c") == "a [31mb c"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, BadRequestError),
        (401, AuthenticationError),
        (402, FeatureRestrictedError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (405, BadRequestError),
        (409, ConflictError),
        (410, NotFoundError),
        (412, BadRequestError),
        (418, BadRequestError),
        (422, BadRequestError),
        (429, RateLimitedError),
        (500, ServerError),
        (503, ServerError),
        (599, ServerError),
    ],
)
def test_the_class_of_a_status(status: int, expected: type[APIError]) -> None:
    assert error_class(status) is expected


@pytest.mark.parametrize(
    ("body", "malformed", "message"),
    [
        (b"", True, r"\(text/html, 0 bytes\)"),
        (b"<html>", True, "a page such as a login's"),
        (b'{"a":1', True, "not a complete JSON document"),
        (b'{"a":1}x', True, "not a complete JSON document"),
        (b'{"\xff":1}', True, "not a complete JSON document"),
        (b"[]", False, "unexpected form: Expected `object`"),
        (b'{"a":[]}', False, r"Expected `int`, got `array`"),
    ],
)
def test_what_is_no_json_is_an_error_of_ours(body: bytes, malformed: bool, message: str) -> None:
    decoder: msgspec.json.Decoder[dict[str, int]] = msgspec.json.Decoder(dict[str, int])
    reply = Reply(200, {"Content-Type": "text/html"}, body)
    with pytest.raises(DecodeError, match=message) as caught:
        decode_json(reply, decoder.decode)
    assert caught.value.malformed is malformed
    assert caught.value.__suppress_context__


@given(st.binary(max_size=40))
def test_any_bytes_are_a_value_or_an_error_of_ours(body: bytes) -> None:
    with contextlib.suppress(DecodeError):
        decode_json(Reply(200, {}, body), ANY.decode)


def test_deep_nesting_is_an_error_of_ours() -> None:
    with pytest.raises(DecodeError, match="RecursionError"):
        decode_json(Reply(200, {}, b"[" * 100_000), ANY.decode)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (rb'"\ud83d"', "\ufffd"),
        (rb'"a\uDC4D b"', "a\ufffd b"),
        (rb'"\ud83d\ud83d\udc4d\udc4d"', "\ufffd\U0001f44d\ufffd"),
        (rb'"\\\\ud83d \ud83d"', "\\\\ud83d \ufffd"),
        (rb'"\\\ud83d"', "\\\ufffd"),
    ],
)
def test_half_a_character_costs_no_answer(sent: bytes, read: str) -> None:
    assert decode_json(Reply(200, {}, sent), ANY.decode) == read


@given(st.text())
def test_whole_characters_stay(text: str) -> None:
    body = json.dumps(text).encode()
    assert whole_characters(body) is None
    assert decode_json(Reply(200, {}, body), ANY.decode) == text
