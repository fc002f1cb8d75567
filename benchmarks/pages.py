"""CPU for a million typed rows, against bare loops with the same structs."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TypeVar

import aiohttp
import httpx
import msgspec

from benchmarks.measuring import Spread, Variant, interleave, quick, ratios, table
from benchmarks.server import serving
from jibble_async import (
    ClientConfig,
    Endpoints,
    JibbleClient,
    Pager,
    StaticToken,
    TimeEntry,
    TokenBucket,
    raw_filter,
)

ROUNDS = 40
TOKEN = "eyJ" + "x" * 900
# Page size, concurrency, pages in a walk.
SHAPES = ((100, 1, 48), (100, 8, 48), (1000, 1, 16), (1000, 8, 16))

_BARE = "bare loop, aiohttp and msgspec"
_LETS_GO = "bare loop that lets go of its pages"
_BY_PAGE = "`pages()`"
_BY_ROW = "`async for row`"
_HTTPX = "httpx and json"

T = TypeVar("T")


class _Envelope(msgspec.Struct):
    value: list[TimeEntry]
    count: int = msgspec.field(name="@odata.count", default=0)


_DECODER = msgspec.json.Decoder(_Envelope)


def decode_page(body: bytes) -> list[TimeEntry]:
    """The rows of a page."""
    return _DECODER.decode(body).value


_WALKS = itertools.count(1)


def _read(items: Iterable[object]) -> int:
    rows = 0
    for _ in items:
        rows += 1
    return rows


def _urls(base: str, total: int, size: int) -> list[str]:
    # A condition that was never sent before, as in a real walk: nothing is found in a cache.
    query = (
        "$count=true&$expand=person($select=id,fullName)"
        f"&$filter=(status%20ne%20'Archived')%20and%20(note%20ne%20'{next(_WALKS)}')"
        "&$orderby=id%20asc"
    )
    return [
        f"{base}/v1/TimeEntries?{query}&$skip={offset}&$top={size}"
        for offset in range(0, total, size)
    ]


async def in_order(
    urls: list[str], concurrency: int, fetch: Callable[[str], Awaitable[T]]
) -> AsyncGenerator[T, None]:
    """What `fetch` gives for each URL, in order, with as many under way as asked for."""
    if concurrency == 1:
        for url in urls:
            yield await fetch(url)
        return
    flying: deque[asyncio.Future[T]] = deque()
    for url in urls:
        flying.append(asyncio.ensure_future(fetch(url)))
        if len(flying) == concurrency:
            yield await flying.popleft()
    while flying:
        yield await flying.popleft()


class _Walks:
    """One walk over all rows, in each of the ways that are compared."""

    def __init__(self, base: str, total: int, size: int, concurrency: int) -> None:
        self._base, self._total, self._size, self._concurrency = base, total, size, concurrency
        self._headers = {"Authorization": f"Bearer {TOKEN}"}
        config = ClientConfig(endpoints=Endpoints(time_tracking=base))
        limiter = TokenBucket(limit=1e6)
        self._session = aiohttp.ClientSession()
        self._httpx = httpx.AsyncClient()
        self._jibble = JibbleClient(auth=StaticToken(TOKEN), config=config, limiter=limiter)

    def variants(self) -> dict[str, Variant]:
        return {
            _BARE: self.bare,
            _LETS_GO: self.bare_lets_go,
            _BY_PAGE: self.by_page,
            _BY_ROW: self.by_row,
            _HTTPX: self.httpx,
        }

    async def aclose(self) -> None:
        await self._session.close()
        await self._httpx.aclose()
        await self._jibble.aclose()

    async def bare(self) -> None:
        rows = 0
        async for page in self._bodies():
            envelope = _DECODER.decode(page)
            rows += _read(envelope.value)
        self._check(rows)

    async def bare_lets_go(self) -> None:
        rows = 0
        async for page in self._bodies():
            items = _DECODER.decode(page).value
            del page
            rows += _read(items)
            del items
        self._check(rows)

    async def by_page(self) -> None:
        rows = 0
        async for page in self._pager().pages():
            rows += _read(page.items)
            del page
        self._check(rows)

    async def by_row(self) -> None:
        rows = 0
        async for _ in self._pager():
            rows += 1
        self._check(rows)

    async def httpx(self) -> None:
        async def fetch(url: str) -> bytes:
            return (await self._httpx.get(url, headers=self._headers)).content

        rows = 0
        async for page in in_order(self._urls(), self._concurrency, fetch):
            rows += _read(json.loads(page)["value"])
        self._check(rows)

    def _bodies(self) -> AsyncGenerator[bytes, None]:
        async def fetch(url: str) -> bytes:
            async with self._session.get(url, headers=self._headers) as response:
                return await response.read()

        return in_order(self._urls(), self._concurrency, fetch)

    def _urls(self) -> list[str]:
        return _urls(self._base, self._total, self._size)

    def _pager(self) -> Pager[TimeEntry]:
        return self._jibble.time_entries.list(
            where=raw_filter(f"note ne '{next(_WALKS)}'"),
            expand=["person"],
            page_size=self._size,
            concurrency=self._concurrency,
        )

    def _check(self, rows: int) -> None:
        assert rows == self._total, f"{rows} rows came, not {self._total}"


async def _run(rounds: int) -> None:
    started = time.monotonic()
    with serving() as origin:
        for size, concurrency, pages in SHAPES:
            total = size * pages
            walks = _Walks(f"{origin}/{total}", total, size, concurrency)
            taken = await interleave(walks.variants(), rounds)
            await walks.aclose()
            rows: list[list[str]] = []
            for name, seconds in taken.items():
                spread = Spread.of(seconds)
                rows.append(
                    [
                        name,
                        spread.text(2, 1e6 / total)[0],
                        *ratios(seconds, taken[_BARE]).text(3),
                        *ratios(seconds, taken[_LETS_GO]).text(3),
                    ]
                )
            head = ["", "CPU s per million rows", "to the bare loop", "95%", "to letting go", "95%"]
            title = f"{size} rows a page, {concurrency} at a time, {rounds} walks of {total} rows."
            table(title, head, rows)
    print(f"\n{time.monotonic() - started:.0f} s in all.")


if __name__ == "__main__":
    asyncio.run(_run(11 if quick("What a million rows cost.") else ROUNDS))
