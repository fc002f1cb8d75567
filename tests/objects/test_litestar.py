from __future__ import annotations

from datetime import date
from typing import Annotated

import httpx
import pytest

from jibble_async import EntryType, Person, TimeEntry

litestar = pytest.importorskip("litestar", reason="Litestar is not installed")
params = pytest.importorskip("litestar.params")

ENTRY = TimeEntry(id="e", type=EntryType("Teleport"), belongs_to_date=date(2026, 7, 1))


async def test_litestar_takes_and_gives_entities() -> None:
    @litestar.get("/entry")
    async def entry() -> TimeEntry:
        return ENTRY

    @litestar.get("/people")
    async def people() -> list[Person]:
        return [Person(id="x", full_name="Ann")]

    @litestar.post("/entries")
    async def take(data: Annotated[TimeEntry, params.Body()]) -> str:
        return f"{data.type} {data.belongs_to_date}"

    app = litestar.Litestar([entry, people, take])
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://backend") as browser:
        found = (await browser.get("/entry")).json()
        assert (found["type"], found["belongsToDate"]) == ("Teleport", "2026-07-01")
        assert (await browser.get("/people")).json()[0]["fullName"] == "Ann"
        body = {"id": "e", "type": "Teleport", "belongsToDate": "2026-07-01"}
        assert (await browser.post("/entries", json=body)).text == "Teleport 2026-07-01"
        refused = await browser.post("/entries", json={"id": "e", "belongsToDate": "yesterday"})
        assert refused.status_code == 400
    parts = app.openapi_schema.to_schema()["components"]["schemas"]
    assert parts["TimeEntry"]["properties"]["belongsToDate"]["oneOf"][0]["format"] == "date"
