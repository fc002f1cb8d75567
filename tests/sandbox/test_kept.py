"""A sandbox that is found as the last program left it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from jibble_async.sandbox import Sandbox, kept_sandbox
from tests.sandbox.calling import PLATFORM, Caller, LegacyCaller, VirtualClock

SETS = ("People", "TimeTrackingPeople", "Projects", "TimeEntries")


@asynccontextmanager
async def opened(path: Path, clock: VirtualClock) -> AsyncIterator[tuple[Sandbox, Caller]]:
    async with (
        kept_sandbox(path, people=6, entries=200, clock=clock) as box,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(5)) as session,
    ):
        caller = Caller(box, session)
        await caller.authorise()
        yield box, caller


def rows_of(box: Sandbox) -> dict[str, Any]:
    return {
        **{name: box.dataset.rows(name) for name in SETS},
        "old": box.legacy.rows("timeentries"),
    }


async def test_it_goes_on_where_it_was_left(tmp_path: Path, clock: VirtualClock) -> None:
    path = tmp_path / "box.jsonl"
    async with opened(path, clock) as (box, caller):
        owner = box.dataset.owner_id
        clock.forward(60)
        body = {"personId": owner, "type": "In", "platform": PLATFORM}
        _, entry, _ = await caller.send("POST", "time_tracking", "/v1/TimeEntries", body)
        # Longer than a token is valid.
        clock.forward(4000)
        await caller.authorise()
        project = {"name": "Brücke"}
        assert (await caller.send("POST", "workspace", "/v1/Projects", project))[0] == 201
        note = {"note": "Überstunden"}
        where = f"/v1/TimeEntries({entry['id']})"
        assert (await caller.send("PATCH", "time_tracking", where, note))[0] == 204
        async with aiohttp.ClientSession() as session:
            old = LegacyCaller(box, session)
            assert (await old.send("POST", "/timeentries", {"action": 1}))[0] == 200
        before = rows_of(box)
        assert len(before["old"]) == 201
    # Another day, and the rows are no younger for it.
    clock.forward(40 * 86_400)
    for _ in range(2):
        async with opened(path, clock) as (box, caller):
            assert rows_of(box) == before
            assert box.ledger.committed == []
            assert (await caller.track("/v1/TimeEntries"))[1]["value"][0]["note"] == "Überstunden"
            async with aiohttp.ClientSession() as session:
                assert (await LegacyCaller(box, session).get("/teams"))[0] == 200


async def test_half_a_line_is_of_a_request_that_was_not_answered(
    tmp_path: Path, clock: VirtualClock
) -> None:
    path = tmp_path / "box.jsonl"
    async with opened(path, clock) as (box, caller):
        body = {"personId": box.dataset.owner_id, "type": "In", "platform": PLATFORM}
        for _ in range(2):
            clock.forward(1)
            await caller.send("POST", "time_tracking", "/v1/TimeEntries", body)
    content = path.read_bytes()
    path.write_bytes(content[:-5])
    async with opened(path, clock) as (box, caller):
        assert len(box.dataset.rows("TimeEntries")) == 1
        await caller.send("POST", "time_tracking", "/v1/TimeEntries", body)
    async with opened(path, clock) as (box, _):
        assert len(box.dataset.rows("TimeEntries")) == 2


@pytest.mark.parametrize("content", ["", "{}", "{}\n", "no\n"])
def test_what_is_no_journal_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "box.jsonl"
    path.write_text(content)
    with pytest.raises(ValueError, match="no journal of a sandbox"):
        kept_sandbox(path)
