"""A web backend that clocks people in while an export runs on the same client.

`uvicorn fastapi_backend:app`. Pages of the export wait in line as `bulk`, so a clock-in is the next
request that is sent, however many of them are there.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from uuid import UUID

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from jibble_async import JibbleClient


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, JibbleClient]]:
    async with JibbleClient.from_env() as jibble:
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
