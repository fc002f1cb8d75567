"""A web backend that clocks people in while an export runs on the same client.

`uvicorn fastapi_backend:app --workers 2`. Pages of the export wait in line as `bulk`, so a clock-in
is the next request, whichever worker has it: they share a limiter (on many hosts: `RedisAdaptive`).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from uuid import UUID

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from jibble_async import JibbleClient, SharedAdaptive


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, JibbleClient]]:
    async with SharedAdaptive("pace.db") as pace, JibbleClient.from_env(limiter=pace) as jibble:
        yield {"jibble": jibble}


app = FastAPI(lifespan=lifespan)


@app.get("/entries.csv")
async def export(request: Request, since: date, until: date) -> StreamingResponse:
    bulk = request.state.jibble.with_options(priority="bulk", timeout=None)
    entries = bulk.time_entries.list(since=since, until=until, concurrency=4)
    return StreamingResponse(f"{e.person_id},{e.type},{e.time}\n" async for e in entries)


@app.post("/people/{person_id}/clock-in")
async def clock_in(request: Request, person_id: UUID) -> dict[str, str]:
    return {"id": (await request.state.jibble.time_entries.clock_in(str(person_id))).id}
