"""Compressed bodies: whole or an error, wherever they are cut into parts."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jibble_async import ConnectionLostError, ResponseTooLargeError
from jibble_async.core.unpacking import Body


def bare(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": (" X-GZIP ", gzip.compress),
    "gzip and nothing": ("gzip, identity", gzip.compress),
    "two members": ("gzip", lambda data: gzip.compress(data[:3]) + gzip.compress(data[3:])),
    "padded": ("gzip", lambda data: gzip.compress(data) + b"\0\0\0"),
    "deflate": ("deflate", zlib.compress),
    "deflate without a header": ("deflate", bare),
    "none": ("", bytes),
    "unknown": ("br", bytes),
}


def read(coding: str, data: bytes, step: int, most: int = 10**6) -> bytes:
    body = Body(coding, most)
    for start in range(0, len(data), step):
        body.feed(data[start : start + step])
    return body.whole()


@pytest.mark.parametrize("packer", PACKERS)
@given(data=st.binary(max_size=300), step=st.integers(1, 50))
def test_a_body_is_whole_however_it_is_cut(packer: str, data: bytes, step: int) -> None:
    coding, pack = PACKERS[packer]
    assert read(coding, pack(data), step) == data


@pytest.mark.parametrize("packer", ["gzip", "two members", "deflate", "deflate without a header"])
@pytest.mark.parametrize("step", [1, 7, 10**6])
def test_a_body_that_breaks_off_is_none(packer: str, step: int) -> None:
    coding, pack = PACKERS[packer]
    packed = pack(bytes(range(256)) * 3)
    for end in {1, 5, len(packed) // 2, len(packed) - 1}:
        with pytest.raises(ConnectionLostError, match="broke off"):
            read(coding, packed[:end], step)


@pytest.mark.parametrize("packer", PACKERS)
def test_the_cap_is_that_of_what_is_unpacked(packer: str) -> None:
    coding, pack = PACKERS[packer]
    data = b"x" * 200_000
    size = len(pack(data)) if packer == "unknown" else len(data)
    assert len(read(coding, pack(data), 1000, size)) == size
    with pytest.raises(ResponseTooLargeError, match=str(size - 1)):
        read(coding, pack(data), 1000, size - 1)


def test_no_body_is_no_body() -> None:
    assert read("gzip", b"", 1) == b""
