"""aioresponses on the aiohttp that is installed.

aioresponses 0.7.9 makes its responses in a way that aiohttp from 3.14 on does not take: the
argument `stream_writer` is missing, and its streams pause a parser that is not there. Both are
mended here, as long as that is needed.
"""

from __future__ import annotations

import inspect
from collections.abc import Generator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp.client_proto import ResponseHandler
from aiohttp.streams import StreamReader
from aioresponses import aioresponses, core

SHIM_NEEDED = "stream_writer" in inspect.signature(
    aiohttp.ClientResponse.__init__
).parameters and "stream_writer" not in inspect.getsource(core)


class _Response(aiohttp.ClientResponse):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("stream_writer", SimpleNamespace(output_size=0))
        super().__init__(*args, **kwargs)


def _unlimited_stream(loop: Any = None) -> StreamReader:
    return StreamReader(ResponseHandler(loop=loop), limit=2**30, loop=loop)


@contextmanager
def mocked() -> Generator[Any]:
    """`aioresponses()`, working."""
    with pytest.MonkeyPatch.context() as patch:
        if SHIM_NEEDED:
            patch.setattr(core, "ClientResponse", _Response)
            patch.setattr(core, "stream_reader_factory", _unlimited_stream)
        with aioresponses() as mock:
            yield mock
