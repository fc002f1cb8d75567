from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from jibble_async.sandbox import Fault, Received
from jibble_async.sandbox.dataset import Dataset
from tests.sandbox.calling import PLATFORM, Caller, VirtualClock

PAGE = "/v1/TimeEntries?$count=true&$orderby=time,id&$top=10&$skip="


async def punch(caller: Caller) -> tuple[int, Any, dict[str, str]]:
    person = caller.box.dataset.rows("People")[0]["id"]
    body = {"type": "In", "personId": person, "platform": PLATFORM}
    return await caller.send("POST", "time_tracking", "/v1/TimeEntries", body)


@pytest.mark.parametrize(
    ("kind", "committed", "error"),
    [
        ("drop_before", False, aiohttp.ServerDisconnectedError),
        ("drop_after", True, aiohttp.ServerDisconnectedError),
        ("reset_before", False, aiohttp.ClientOSError),
        ("reset_after", True, aiohttp.ClientOSError),
    ],
)
async def test_a_lost_connection_commits_as_its_kind_says(
    caller: Caller, kind: str, committed: bool, error: Any
) -> None:
    before = len(caller.box.dataset.rows("TimeEntries"))
    caller.box.faults.add(Fault(kind, method="POST"))
    with pytest.raises(error):
        await punch(caller)
    entry = caller.box.ledger.requests[-1]
    assert (entry.status, entry.fault, entry.committed) == (None, kind, committed)
    assert len(caller.box.dataset.rows("TimeEntries")) == before + committed
    assert (await punch(caller))[0] == 201


@pytest.mark.parametrize("committed", [False, True])
async def test_a_stalled_request_waits_until_it_is_released(
    caller: Caller, committed: bool
) -> None:
    fault = caller.box.faults.add(Fault("stall", method="POST", committed=committed))
    waiting = asyncio.create_task(punch(caller))
    await fault.reached.wait()
    assert caller.box.ledger.requests[-1].committed is committed
    assert not waiting.done()
    fault.release()
    assert (await waiting)[0] == 201


async def test_closing_the_sandbox_ends_a_stall(caller: Caller) -> None:
    fault = caller.box.faults.add(Fault("stall"))
    waiting = asyncio.create_task(caller.track("/v1/TimeEntries"))
    await fault.reached.wait()
    await caller.box.aclose()
    await asyncio.wait([waiting])
    if waiting.exception() is None:
        assert waiting.result()[0] == 200


async def test_a_dripped_body_is_whole(caller: Caller) -> None:
    _, whole = await caller.track(PAGE + "0")
    caller.box.faults.add(Fault("drip", size=50))
    assert await caller.track(PAGE + "0") == (200, whole)
    assert caller.box.ledger.requests[-1].fault == "drip"


async def test_a_truncated_body_is_shorter_than_its_length(caller: Caller) -> None:
    caller.box.faults.add(Fault("truncate"))
    with pytest.raises(aiohttp.ClientPayloadError):
        await caller.track(PAGE + "0")


async def test_invalid_json_has_the_right_length(caller: Caller) -> None:
    caller.box.faults.add(Fault("invalid_json"))
    with pytest.raises(ValueError, match="delimiter"):
        await caller.track(PAGE + "0")


@pytest.mark.parametrize(
    ("fault", "status", "header", "body"),
    [
        (Fault("html_502"), 502, ("Content-Type", "text/html"), "Bad Gateway"),
        (Fault("status", status=503, headers={"Retry-After": "7"}), 503, ("Retry-After", "7"), ""),
        (Fault("too_many", retry_after=3), 429, ("Retry-After", "3"), "quota"),
        (
            Fault("too_many", retry_after=30, as_date=True),
            429,
            ("Retry-After", "Mon, 13 Jul 2026 09:00:30 GMT"),
            "quota",
        ),
        (Fault("too_many"), 429, ("X-Rate-Limit-Reset", "2026-07-13T09:00:01.0000000Z"), "quota"),
        (Fault("empty_403", body="{}"), 403, None, ""),
        (Fault("denied_403"), 403, None, "forbidden"),
        (Fault("unauthorized"), 401, ("WWW-Authenticate", 'Bearer error="invalid_token"'), ""),
        (
            Fault("redirect", status=307, location="http://127.0.0.1:9/x"),
            307,
            ("Location", "http://127.0.0.1:9/x"),
            "",
        ),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else None,
)
async def test_a_fault_answers_instead_of_the_service(
    caller: Caller, fault: Fault, status: int, header: tuple[str, str] | None, body: str
) -> None:
    caller.box.faults.add(fault)
    before = len(caller.box.ledger.committed)
    answered, text, headers = await punch(caller)
    assert answered == status
    assert body in str(text)
    assert header is None or headers[header[0]] == header[1]
    assert len(caller.box.ledger.committed) == before


async def test_no_retry_after_is_sent_when_the_fault_has_none(caller: Caller) -> None:
    caller.box.faults.add(Fault("too_many", retry_after=None, headers=False))
    _, _, headers = await punch(caller)
    assert not {"Retry-After", "X-Rate-Limit-Remaining"} & headers.keys()


@pytest.mark.parametrize("body", ["", "{}", "null"])
async def test_a_throttling_403_has_the_body_it_was_given(caller: Caller, body: str) -> None:
    caller.box.faults.add(Fault("empty_403", body=body))
    url = f"{caller.box.endpoints['workspace']}/v1/People"
    async with caller.session.get(url) as response:
        assert (response.status, await response.text()) == (403, body)


async def test_an_error_status_may_come_after_the_commit(caller: Caller) -> None:
    caller.box.faults.add(Fault("status", status=500, committed=True))
    assert (await punch(caller))[0] == 500
    assert caller.box.ledger.requests[-1].committed


async def test_an_empty_page_links_to_the_rest(caller: Caller) -> None:
    _, whole = await caller.track(PAGE + "10")
    caller.box.faults.add(Fault("empty_page"))
    _, page = await caller.track(PAGE + "10")
    assert page["value"] == []
    headers = {"Authorization": f"Bearer {caller.bearer}"}
    async with caller.session.get(page["@odata.nextLink"], headers=headers) as response:
        assert await response.json() == whole


async def test_links_that_must_not_be_followed(caller: Caller) -> None:
    caller.box.faults.add(Fault("repeat_link"))
    caller.box.faults.add(Fault("foreign_link", link="https://elsewhere.invalid/v1/TimeEntries"))
    _, repeated = await caller.track(PAGE + "10")
    _, foreign = await caller.track(PAGE + "10")
    assert repeated["@odata.nextLink"].endswith("skip=10")
    assert repeated["@odata.nextLink"].startswith(caller.box.endpoints["time_tracking"])
    assert foreign["@odata.nextLink"] == "https://elsewhere.invalid/v1/TimeEntries"


async def test_pushed_in_rows_repeat_but_lose_none(caller: Caller) -> None:
    truth = [row["id"] for row in caller.box.dataset.rows("TimeEntries")]
    caller.box.faults.add(Fault("duplicate_rows", nth=3, rows=2))
    pages: list[list[str]] = []
    count = 1
    while sum(map(len, pages)) < count:
        _, page = await caller.track(f"{PAGE}{sum(map(len, pages))}")
        pages.append([row["id"] for row in page["value"]])
        count = page["@odata.count"]
    assert pages[2][:2] == pages[1][-2:]
    seen = [row_id for page in pages for row_id in page]
    assert len(seen) == len(truth) + 2
    assert set(seen) == set(truth)


async def test_counts_that_are_wrong_or_missing(caller: Caller) -> None:
    rows = len(caller.box.dataset.rows("TimeEntries"))
    caller.box.faults.add(Fault("wrong_count", by=5))
    caller.box.faults.add(Fault("wrong_count", count=0))
    caller.box.faults.add(Fault("no_count"))
    counts = [(await caller.track(PAGE + "0"))[1].get("@odata.count") for _ in range(4)]
    assert counts == [rows + 5, 0, None, rows]


async def test_rows_change_between_pages_and_a_bad_row_is_only_shown(caller: Caller) -> None:
    def archive_all(dataset: Dataset) -> None:
        for row in dataset.rows("TimeEntries"):
            row["status"] = "Archived"

    kept = "/v1/TimeEntries?$count=true&$top=1&$filter=status ne 'Archived'"
    assert (await caller.track(kept))[1]["@odata.count"] > 0
    caller.box.faults.add(Fault("mutate", change=archive_all))
    assert (await caller.track(kept))[1]["@odata.count"] == 0
    caller.box.faults.add(Fault("bad_row", row=1, field="time", value="yesterday"))
    assert (await caller.track(PAGE + "0"))[1]["value"][1]["time"] == "yesterday"
    assert (await caller.track(PAGE + "0"))[1]["value"][1]["time"] != "yesterday"


async def test_faults_wait_for_their_requests(caller: Caller) -> None:
    caller.box.faults.add(Fault("html_502", service="workspace", path="People", nth=2, times=2))
    statuses = [(await caller.work("/v1/People?$top=1"))[0] for _ in range(4)]
    assert statuses == [200, 502, 502, 200]
    assert (await caller.work("/v1/Groups"))[0] == 200
    caller.box.faults.add(Fault("html_502", times=None))
    assert [(await caller.work("/v1/Groups"))[0] for _ in range(3)] == [502] * 3
    assert (await caller.authorise())["token_type"] == "Bearer"
    caller.box.faults.clear()
    assert (await caller.work("/v1/Groups"))[0] == 200


async def test_a_script_decides_by_the_request(caller: Caller) -> None:
    def script(received: Received) -> Fault | None:
        return Fault("html_502") if received.number % 2 else None

    caller.box.faults.script = script
    assert [(await caller.work("/v1/Groups"))[0] for _ in range(4)] == [200, 502, 200, 502]


def test_a_fault_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown fault"):
        Fault("meteor")
    with pytest.raises(ValueError, match="no parameter rows"):
        Fault("drip", rows=1)
    with pytest.raises(ValueError, match="unknown service"):
        Fault("drip", service="time_tracking")  # type: ignore[arg-type]


async def test_a_commit_may_come_long_after_its_connection_was_lost(
    caller: Caller, clock: VirtualClock
) -> None:
    box = caller.box
    rows = box.dataset.rows("TimeEntries")
    before = len(rows)
    for seconds in (300.0, 60.0):
        box.faults.add(Fault("commit_later", method="POST", after=seconds))
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await punch(caller)
    first, second = (each.number for each in box.ledger.select(method="POST", path="TimeEntries"))
    clock.now += timedelta(seconds=59)
    await caller.track(PAGE + "0")
    assert len(rows) == before
    clock.now += timedelta(seconds=1)
    await caller.track(PAGE + "0")
    assert [each.number for each in box.ledger.committed] == [second]
    clock.now += timedelta(seconds=239)
    box.hosts.catch_up()
    assert len(rows) == before + 1
    box.hosts.catch_up(whole=True)
    assert [each.number for each in box.ledger.committed] == [second, first]
    assert len(rows) == before + 2
    box.hosts.catch_up(whole=True)
    assert len(rows) == before + 2
