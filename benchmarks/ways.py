"""One export in one way, in a process of its own; `benchmarks.peers` compares them.

    python -m benchmarks.ways WAY BASE ROWS SIZE CONCURRENCY

Prints what it took. A first walk over a few rows imports and connects, and is not counted.
"""

from __future__ import annotations

import asyncio
import functools
import json
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from benchmarks import frameworks
from benchmarks.job import HEADERS, Job

__all__ = ["WAYS", "Taken", "Way"]

_PLAIN = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_STRUCTS = msgspec.json.Encoder()


class Taken(msgspec.Struct, frozen=True):
    """What an export took.

    Attributes:
        cpu: Seconds of the processor, of this process.
        seconds: Seconds of the clock.
        peak: The most memory that the process had, in MB.
    """

    cpu: float
    seconds: float
    peak: float


class Way(msgspec.Struct, frozen=True):
    """A way to export.

    Attributes:
        title: What it is called.
        run: Exports, and says how many rows came.
        needs: The packages that have to be installed for it.
    """

    title: str
    run: Callable[[Job], Awaitable[int]]
    needs: str = "msgspec"


async def _bare(job: Job) -> AsyncIterable[list[Any]]:
    import aiohttp

    from benchmarks.pages import decode_page, in_order

    async with aiohttp.ClientSession(headers=HEADERS) as session:

        async def fetch(url: str) -> bytes:
            async with session.get(url) as response:
                return await response.read()

        async for body in in_order(job.urls, job.concurrency, fetch):
            yield decode_page(body)


async def _httpx(job: Job) -> AsyncIterable[list[Any]]:
    import httpx

    from benchmarks.pages import in_order

    async with httpx.AsyncClient(headers=HEADERS) as client:

        async def fetch(url: str) -> bytes:
            return (await client.get(url)).content

        async for body in in_order(job.urls, job.concurrency, fetch):
            yield json.loads(body)["value"]


def _requests(job: Job) -> Iterable[list[Any]]:
    import requests

    with requests.Session() as session:
        session.headers.update(HEADERS)
        for url in job.urls:
            yield json.loads(session.get(url, timeout=60).content)["value"]


def _client(job: Job) -> Any:
    from jibble_async import ClientConfig, Endpoints, JibbleClient, StaticToken, TokenBucket

    endpoints = Endpoints(workspace=job.base, time_tracking=job.base)
    token = HEADERS["Authorization"].removeprefix("Bearer ")
    config = ClientConfig(endpoints=endpoints, page_size=job.size)
    return JibbleClient(auth=StaticToken(token), config=config, limiter=TokenBucket(limit=1e6))


async def _ours(job: Job) -> int:
    rows = 0
    async with _client(job) as jibble:
        entries = jibble.time_entries.list(expand=["person"], concurrency=job.concurrency)
        async for _ in entries:
            rows += 1
    return rows


def _exported(ending: str) -> Callable[[Job], Awaitable[int]]:
    async def run(job: Job) -> int:
        from jibble_async.export import Exporter

        async with _client(job) as jibble:
            out = job.folder / f"entries.{ending}"
            exporter = Exporter(jibble, "time_entries", out=out, concurrency=job.concurrency)
            return (await exporter.run()).rows

    return run


def _piped(load: Callable[[Job], int]) -> Callable[[Job], Awaitable[int]]:
    async def run(job: Job) -> int:
        return load(job)

    return run


def _dlt_source(job: Job) -> int:
    # It says who asks, for which there has to be a host.
    return frameworks.dlt_source(job, lambda: _client(job))


Pages = Callable[[Job], Iterable[list[Any]] | AsyncIterable[list[Any]]]


def _counted(pages: Pages) -> Callable[[Job], Awaitable[int]]:
    async def run(job: Job) -> int:
        rows = 0
        async for page in _each(pages(job)):
            for _ in page:
                rows += 1
            del page
        return rows

    return run


def _dumped(pages: Pages, encode: Callable[[Any], str | bytes]) -> Callable[[Job], Awaitable[int]]:
    async def run(job: Job) -> int:
        rows = 0
        with (job.folder / "entries.jsonl").open("wb") as file:
            async for page in _each(pages(job)):
                for row in page:
                    line = encode(row)
                    file.write(line.encode() if isinstance(line, str) else line)
                    file.write(b"\n")
                rows += len(page)
                del page
        return rows

    return run


async def _each(pages: Iterable[Any] | AsyncIterable[Any]) -> AsyncIterable[Any]:
    if isinstance(pages, AsyncIterable):
        async for page in pages:
            yield page
    else:
        for page in pages:
            yield page


_PEERS: dict[str, tuple[str, Pages, str]] = {
    "httpx": ("httpx and json", _httpx, "httpx"),
    "requests": ("requests and json", _requests, "requests"),
    "dlt": ("dlt, RESTClient", frameworks.dlt_pages, "dlt"),
    "azure": ("azure-core, ItemPaged", frameworks.azure_pages, "azure.core"),
    "singer": ("singer-sdk, RESTStream", frameworks.singer_pages, "singer_sdk"),
}

WAYS: dict[str, Way] = {
    "bare": Way("bare loop, aiohttp and msgspec", _counted(_bare)),
    "typed": Way("`async for row`", _ours),
    **{key: Way(name, _counted(pages), needs) for key, (name, pages, needs) in _PEERS.items()},
    "bare-jsonl": Way("bare loop, encoded again, to a file", _dumped(_bare, _STRUCTS.encode)),
    "jsonl": Way("`Exporter`, JSON lines", _exported("jsonl")),
    "csv": Way("`Exporter`, CSV", _exported("csv")),
    "parquet": Way("`Exporter`, Parquet", _exported("parquet"), "pyarrow"),
    "dlt-parquet": Way(
        "dlt, pipeline to Parquet files", _piped(frameworks.dlt_pipeline), "dlt pyarrow"
    ),
    "dlt-source": Way("dlt into DuckDB, our source", _piped(_dlt_source), "dlt duckdb pyarrow"),
    "dlt-rest-parquet": Way(
        "dlt into DuckDB, its rest_api, Parquet loaded",
        _piped(functools.partial(frameworks.dlt_rest, loaded_as="parquet")),
        "dlt duckdb pyarrow",
    ),
    "dlt-rest": Way(
        "dlt into DuckDB, its rest_api",
        _piped(functools.partial(frameworks.dlt_rest, loaded_as=None)),
        "dlt duckdb",
    ),
    **{
        f"{key}-jsonl": Way(f"{name}, dumped to a file", _dumped(pages, _PLAIN), needs)
        for key, (name, pages, needs) in _PEERS.items()
    },
}


async def _measured(way: Way, job: Job, few: Job) -> Taken:
    await way.run(few)
    began, cpu = time.perf_counter(), time.process_time()
    rows = await way.run(job)
    cpu, seconds = time.process_time() - cpu, time.perf_counter() - began
    assert rows == job.rows, f"{rows} rows came, not {job.rows}"
    return Taken(cpu, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _main(name: str, base: str, few: str, *numbers: str) -> None:
    rows, size, concurrency = map(int, numbers)
    with tempfile.TemporaryDirectory() as folder:
        job = Job(base, rows, size, concurrency, Path(folder))
        warm = msgspec.structs.replace(job, base=few, rows=2 * size)
        taken = asyncio.run(_measured(WAYS[name], job, warm))
    print(msgspec.json.encode(taken).decode())


if __name__ == "__main__":
    _main(*sys.argv[1:])
