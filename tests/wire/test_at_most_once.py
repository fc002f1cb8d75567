"""The start of an export: whatever happens to it, the server is asked for it once."""

from __future__ import annotations

from typing import Any

import pytest

from jibble_async import (
    AmbiguousWriteError,
    AuthenticationError,
    ClientCredentials,
    ConfigurationError,
    ConnectFailedError,
    ConnectionLostError,
    DeadlineExceededError,
    JibbleClient,
    JibbleError,
    RateLimitedError,
    RetryPolicy,
    ThrottledOrForbiddenError,
    Timeouts,
)
from jibble_async.sandbox import Fault, Sandbox
from jibble_async.sandbox.faults import KINDS
from tests.support.clients import HeldTime, client_at
from tests.support.raw_server import Held, RawServer, Script, json_reply, raw, reply, token_reply
from tests.wire.broken import FAULTS
from tests.wire.week import WEEK, client_of

EXPORT = "TimeAttendanceReportStartExport"
KEY = ClientCredentials("the-id", "the-secret")
SHORT = Timeouts(total=None, attempt=6)
WAYS = ["typed", "raw"]

# What is refused, so that there surely is no job.
REFUSED = {"too_many", "empty_403", "denied_403", "unauthorized"}
# What is answered all the same: late, or with trouble that only pages can have.
PAGES = {"duplicate_rows", "empty_page", "foreign_link", "no_count", "repeat_link", "wrong_count"}
ANSWERED = PAGES | {"drip"}
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    *((kind, {}) for kind in KINDS if kind not in {"bad_row", "mutate"}),
    ("stall", {"committed": True}),
    ("too_many", {"retry_after": None}),
    ("too_many", {"retry_after": None, "headers": False}),
    ("too_many", {"retry_after": 0}),
    ("too_many", {"as_date": True}),
    ("empty_403", {"body": "{}"}),
    ("empty_403", {"body": "null"}),
    ("status", {"status": 403, "headers": {"X-Rate-Limit-Remaining": "0"}}),
    ("status", {"status": 403, "headers": {"Retry-After": "1"}}),
    ("status", {"status": 408}),
    ("status", {"status": 500, "committed": True}),
    ("status", {"status": 503, "headers": {"Retry-After": "1"}}),
    ("status", {"status": 503, "committed": True}),
    ("status", {"status": 504}),
    ("status", {"status": 200, "body": "<html>"}),
    ("redirect", {"status": 307, "location": "/v1/" + EXPORT}),
]


async def begin(jibble: JibbleClient, way: str) -> Any:
    """Start an export by its method, or as a request of one's own."""
    if way == "typed":
        return await jibble.reports.start_attendance_export(WEEK["since"], WEEK["until"])
    params = {"from": WEEK["since"].isoformat(), "to": WEEK["until"].isoformat()}
    params |= {"fileFormat": "Xlsx"}
    return await jibble.request("GET", "time-attendance", f"/v1/{EXPORT}", params=params)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("kind", "params"), VARIANTS, ids=str)
async def test_no_fault_of_the_server_makes_two_requests(
    box: Sandbox, kind: str, params: dict[str, Any], way: str
) -> None:
    box.faults.add(Fault(kind, path=EXPORT, times=None, **params))
    error: JibbleError | None = None
    async with client_of(box, timeouts=SHORT if kind == "stall" else Timeouts()) as jibble:
        try:
            await begin(jibble, way)
        except JibbleError as caught:
            error = caught
    box.faults.clear()
    assert box.ledger.count(path=EXPORT) == 1
    jobs = len(box.ledger.rows("ExportLogs"))
    assert jobs <= 1
    refused = kind in REFUSED or params.get("status") in {403, 408}
    if kind in ANSWERED:
        assert error is None
        assert jobs == 1
    else:
        assert error is not None
        assert error.maybe_processed is not refused
        assert error.attempts == 1
        assert jobs <= error.maybe_processed
        assert isinstance(error, AmbiguousWriteError) is (way == "typed" and not refused)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fault", FAULTS)
async def test_no_fault_below_http_makes_two_requests(
    server: RawServer, fault: str, way: str
) -> None:
    answer, expected = FAULTS[fault]
    server.answer = lambda _: answer
    timeouts = SHORT if expected is DeadlineExceededError else Timeouts()
    async with client_at(server.url, timeouts=timeouts) as jibble:
        with pytest.raises(JibbleError) as caught:
            await begin(jibble, way)
    assert caught.value.maybe_processed
    assert len(server.heard) == 1


@pytest.mark.parametrize("way", WAYS)
async def test_what_was_not_sent_is_tried_again(way: str) -> None:
    async with RawServer() as gone:
        url = gone.url
    async with client_at(url, retry=RetryPolicy(attempts=3)) as jibble:
        with pytest.raises(ConnectFailedError) as caught:
            await begin(jibble, way)
    assert (caught.value.attempts, caught.value.maybe_processed) == (3, False)


async def test_what_the_server_asks_for_is_told(box: Sandbox) -> None:
    time = HeldTime()
    box.faults.add(Fault("too_many", path=EXPORT, retry_after=7))
    box.faults.add(Fault("empty_403", path=EXPORT))
    async with client_of(box, clock=time.clock) as jibble:
        with pytest.raises(RateLimitedError) as caught:
            await begin(jibble, "typed")
        # The 429 before it is evidence that this one is about speed too.
        with pytest.raises(RateLimitedError) as bare:
            await begin(jibble, "typed")
        await begin(jibble, "typed")
    assert caught.value.retry_after == 7
    assert not isinstance(bare.value, ThrottledOrForbiddenError)
    assert time.sleeps == []
    assert box.ledger.count(path=EXPORT) == 3
    assert len(box.ledger.rows("ExportLogs")) == 1


@pytest.mark.parametrize("way", WAYS)
async def test_a_token_that_is_due_is_renewed_before_sending(way: str) -> None:
    time = HeldTime()
    async with Sandbox(**WEEK, token_lifetime=600, clock=time.clock.now) as box:
        async with client_of(box, clock=time.clock) as jibble:
            await jibble.people.list().first()
            time.seconds += 599
            await begin(jibble, way)
        assert len(box.ledger.token_requests) == 2
        assert [each.status for each in box.ledger.select(path=EXPORT)] == [200]


@pytest.mark.parametrize("way", WAYS)
async def test_a_token_that_is_refused_is_replaced_for_the_next_call(
    box: Sandbox, way: str
) -> None:
    async with client_of(box) as jibble:
        await jibble.people.list().first()
        await box.expire_tokens()
        with pytest.raises(AuthenticationError) as caught:
            await begin(jibble, way)
        assert not caught.value.maybe_processed
        assert box.ledger.count(path=EXPORT) == 1
        await begin(jibble, way)
    assert box.ledger.count(path=EXPORT) == 2
    assert len(box.ledger.token_requests) == 2


@pytest.mark.parametrize("kind", ["html_502", "drop_before", "unauthorized"])
async def test_a_refusal_stays_one_when_there_is_no_other_token(box: Sandbox, kind: str) -> None:
    async with client_of(box) as jibble:
        await jibble.people.list().first()
        await box.expire_tokens()
        box.faults.add(Fault(kind, service="identity", times=None))
        with pytest.raises(AuthenticationError) as caught:
            await begin(jibble, "typed")
    assert "TimeAttendance" in str(caught.value.request)
    assert box.ledger.count(path=EXPORT) == 1


async def test_time_that_runs_out_after_a_refusal_sends_nothing_again(server: RawServer) -> None:
    server.token_answer = Script(token_reply(), Held(token_reply("another")))
    server.answer = Script(json_reply({}), reply(401))
    # Time is held, so that by its own clock the call could go on.
    async with client_at(server.url, auth=KEY) as jibble:
        await jibble.request("GET", "workspace", "/v1/Things")
        with pytest.raises(AuthenticationError):
            await begin(jibble.with_options(timeout=Timeouts(total=10)), "typed")
    assert len(server.heard) == 2


@pytest.mark.parametrize("path", [f"/v1/{EXPORT}", f"/v1/{EXPORT.lower()}()", f"/v1/{EXPORT}/"])
async def test_a_job_has_no_rows_to_page_through(server: RawServer, path: str) -> None:
    async with client_at(server.url) as jibble:
        with pytest.raises(ConfigurationError, match="use request"):
            jibble.paginate("time-attendance", path)
        server.answer = Script(raw(b"", "reset"))
        with pytest.raises(ConnectionLostError):
            await jibble.request("GET", "time-attendance", path)
    assert len(server.heard) == 1
