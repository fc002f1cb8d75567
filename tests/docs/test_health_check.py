"""The health check of `docs/reliability.md`: what it tells, and what it costs of a quota."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest

from jibble_async.sandbox import Fault, Sandbox
from tests.docs.blocks import blocks

httpx = pytest.importorskip("httpx")
pytest.importorskip("fastapi")


@pytest.mark.parametrize("fails", [False, True])
async def test_however_many_ask_one_request_a_minute_is_made(
    fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = (each for each in blocks() if "/healthz" in each.text)
    names: dict[str, Any] = {"__name__": "health"}
    exec(block.compiled(), names)
    app = names["app"]
    async with Sandbox(people=1, since=date(2026, 7, 6), until=date(2026, 7, 6)) as box:
        for name, value in box.environment().items():
            monkeypatch.setenv(name, value)
        if fails:
            box.faults.add(Fault("html_502", service="workspace", times=None))
        web = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://health")
        async with app.router.lifespan_context(app), web:
            answers = await asyncio.gather(*(web.get("/healthz") for _ in range(9)))
            asked = [each for each in box.ledger.requests if "Organizations" in str(each.target)]
            alive = await web.get("/livez")
    assert {answer.status_code for answer in answers} == {503 if fails else 200}
    assert ("502" in str(answers[0].json()["trouble"])) is fails
    assert len(asked) == 1
    assert alive.json() == {"status": "ok"}
