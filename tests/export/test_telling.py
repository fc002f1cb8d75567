"""What is told of an export."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import pytest

from jibble_async import (
    ClientConfig,
    JibbleClient,
    JibbleError,
    RetryPolicy,
    StaticToken,
    Unlimited,
)
from jibble_async.api.base_client import session_of
from jibble_async.api.raw import raw_set_of
from jibble_async.config import endpoints_from
from jibble_async.events import (
    CallEvent,
    Event,
    ExportAdvanced,
    ExportEvent,
    ExportFinished,
    ExportSettled,
    ExportStarted,
    PageRead,
    WindowRead,
)
from jibble_async.export import Exporter
from jibble_async.export.proof.anchored import AnchorLostError
from jibble_async.export.telling import ExportTelling
from jibble_async.sandbox import Fault, Sandbox
from tests.support.clients import HeldTime
from tests.support.telling import unfinished

ENTRIES = ("time_entries.export", "time-tracking")


def client_of(box: Sandbox, events: list[Event]) -> JibbleClient:
    environment = box.environment()
    config = ClientConfig(
        endpoints=endpoints_from(environment),
        page_size=5,
        clock=HeldTime().clock,
        retry=RetryPolicy(attempts=1),
        hooks=(events.append,),
    )
    return JibbleClient.from_env(environment, config=config, limiter=Unlimited())


async def test_the_story_of_an_export(box: Sandbox, tmp_path: Path) -> None:
    events: list[Event] = []
    async with client_of(box, events) as jibble:
        exporter = Exporter(
            jibble, "time_entries", out=tmp_path / "all.jsonl", since=date(2026, 7, 6)
        )
        report = await exporter.run()
    told = [each for each in events if isinstance(each, ExportEvent)]
    assert {(each.operation, each.service) for each in told} == {ENTRIES}
    begin, *windows, settled, end = told
    assert isinstance(begin, ExportStarted)
    assert begin.resumed_rows == 0
    assert [each.done for each in windows if isinstance(each, WindowRead)] == [
        *range(1, begin.windows + 1)
    ]
    assert settled == ExportSettled(*ENTRIES, "proved", settled.rounds, 0, 0)  # type: ignore[union-attr]
    assert end == ExportFinished(*ENTRIES, report.rows, 0.0)
    pages = [each for each in events if isinstance(each, PageRead)]
    assert {(each.operation, each.path, each.walk_id) for each in pages} == {
        ("time_entries.list", "/v1/TimeEntries", None)
    }
    assert unfinished(events) == []
    calls = {each.operation for each in events if isinstance(each, CallEvent)}
    assert calls == {"token", "time_entries.list"}


async def test_an_export_that_fails_and_goes_on(box: Sandbox, tmp_path: Path) -> None:
    events: list[Event] = []
    box.faults.add(Fault("denied_403", path="TimeEntries", nth=9, times=None))
    async with client_of(box, events) as jibble:
        for failing in (True, False):
            exporter = Exporter(
                jibble, "time_entries", out=tmp_path / "all.jsonl", concurrency=1, resume=True
            )
            if failing:
                with pytest.raises(JibbleError):
                    await exporter.run()
                box.faults.clear()
            else:
                await exporter.run()
    first, second = (each for each in events if isinstance(each, ExportStarted))
    failed, done = (each for each in events if isinstance(each, ExportFinished))
    assert (first.resumed_rows, failed.error) == (0, "PermissionDeniedError")
    assert 0 < second.resumed_rows == failed.rows < done.rows
    assert done.error is None
    assert unfinished(events) == []


async def test_an_export_that_is_cancelled_has_an_end(box: Sandbox, tmp_path: Path) -> None:
    events: list[Event] = []
    stall = Fault("stall", path="TimeEntries", nth=9)
    box.faults.add(stall)
    async with client_of(box, events) as jibble:
        exporter = Exporter(jibble, "time_entries", out=tmp_path / "all.jsonl", concurrency=1)
        task = asyncio.create_task(exporter.run())
        await stall.reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    (end,) = (each for each in events if isinstance(each, ExportFinished))
    assert end.error == "CancelledError"
    assert unfinished(events) == []


def test_how_far_it_is_is_told_every_few_minutes_however_many_pages_come() -> None:
    events: list[Event] = []
    time = HeldTime()
    config = ClientConfig(clock=time.clock, hooks=(events.append,))
    client = JibbleClient(auth=StaticToken("x"), config=config)
    telling = ExportTelling(session_of(client), raw_set_of(client, "people"))
    telling.started(1, 3, 10)
    for minute in range(13):
        time.seconds += 60
        telling.advanced(1 + minute // 6, 3, minute, 100)
    assert events == [
        ExportStarted("people.export", "workspace", 3, 10),
        ExportAdvanced("people.export", "workspace", 1, 3, 4, 100, 300.0),
        WindowRead("people.export", "workspace", 2, 3, 6, 100),
        ExportAdvanced("people.export", "workspace", 2, 3, 9, 100, 600.0),
        WindowRead("people.export", "workspace", 3, 3, 12, 100),
    ]


def test_an_error_of_our_own_is_told_by_the_class_that_users_know() -> None:
    events: list[Event] = []
    config = ClientConfig(clock=HeldTime().clock, hooks=(events.append,))
    client = JibbleClient(auth=StaticToken("x"), config=config)
    telling = ExportTelling(session_of(client), raw_set_of(client, "people"))
    telling.finished(7, AnchorLostError("rows moved"))
    assert events == [ExportFinished("people.export", "workspace", 7, 0.0, "PaginationError")]
