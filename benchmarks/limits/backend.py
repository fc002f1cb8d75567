"""A web backend of several workers, for `workers`: people look up themselves while exports run.

The environment says which limiter it uses: `LIMITER` is `own`, `shared` or `redis`, `PLACE` where
a shared one is.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from datetime import date

from fastapi import FastAPI, HTTPException, Request

from jibble_async import (
    JibbleClient,
    RateLimitedError,
    RateLimiter,
    RedisAdaptive,
    Service,
    SharedAdaptive,
)

__all__ = ["app"]

MAX_WAIT = 5.0


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[dict[str, JibbleClient]]:
    """The client of a worker."""
    kind, place = os.environ["LIMITER"], os.environ["PLACE"]
    async with AsyncExitStack() as stack:
        limiters: dict[Service, RateLimiter] = {}
        if kind != "own":
            make = SharedAdaptive if kind == "shared" else RedisAdaptive
            limiters["time-tracking"] = await stack.enter_async_context(aclosing(make(place)))
        client = JibbleClient.from_env(limiter=limiters)
        yield {"jibble": await stack.enter_async_context(client)}


app = FastAPI(lifespan=lifespan)


@app.get("/up")
async def up() -> bool:
    """Whether the worker is."""
    return True


@app.get("/export")
async def export(request: Request, since: date, until: date) -> int:
    """How many entries there are, by fetching them all."""
    bulk = request.state.jibble.with_options(priority="bulk", timeout=None)
    pages = bulk.time_entries.list(since=since, until=until, page_size=20, concurrency=4)
    return len(await pages.collect(limit=1_000_000))


@app.get("/people/{person_id}/latest")
async def latest(request: Request, person_id: str) -> bool:
    """Whether the person has an entry; 503 if the limiter won't let the call wait so long."""
    quick = request.state.jibble.with_options(max_wait=MAX_WAIT, timeout=30)
    try:
        return await quick.time_entries.latest(person_id) is not None
    except RateLimitedError as error:
        raise HTTPException(503, str(error)) from None
