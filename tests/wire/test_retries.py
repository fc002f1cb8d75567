"""What is sent again, how often, and what it costs the server."""

from __future__ import annotations

import asyncio

import pytest

from jibble_async import (
    APIError,
    BadRequestError,
    ConflictError,
    ConnectFailedError,
    ConnectionLostError,
    DecodeError,
    FeatureRestrictedError,
    JibbleError,
    NotFoundError,
    PermissionDeniedError,
    ProtocolError,
    RateLimitedError,
    RetryPolicy,
    Safety,
    ServerError,
    ThrottledOrForbiddenError,
)
from jibble_async.sandbox import Fault, Sandbox
from tests.support.clients import HeldTime, client_at
from tests.support.leaks import RecordingLimiter
from tests.support.raw_server import Answer, RawServer, Script, head, json_reply, raw, reply
from tests.wire.week import client_of

FOUR = RetryPolicy(attempts=4, throttled_attempts=5)
ALL, REPEATABLE = {*Safety}, {Safety.READ, Safety.IDEMPOTENT}
IF_REFUSED = ALL - {Safety.ONCE}
DENIED = b'{"error": {"code": "forbidden", "message": "not yours"}}'

# What happens for ever, what it is raised as, how many attempts are made, and for which safety;
# for any other there is one.
FAILURES: dict[str, tuple[Answer, type[JibbleError], int, set[Safety]]] = {
    "reset": (raw(b"", "reset"), ConnectionLostError, 4, REPEATABLE),
    "truncated": (raw(head(200, {"Content-Length": "9"})), ConnectionLostError, 4, REPEATABLE),
    "garbage": (raw(b"garbage\r\n\r\n"), ProtocolError, 4, REPEATABLE),
    "no JSON": (reply(200, b'{"a": '), DecodeError, 4, REPEATABLE),
    "500": (reply(500), ServerError, 4, REPEATABLE),
    "502": (reply(502, b"<html>"), ServerError, 4, REPEATABLE),
    "503": (reply(503), ServerError, 4, REPEATABLE),
    "504": (reply(504), ServerError, 4, REPEATABLE),
    "501": (reply(501), ServerError, 1, ALL),
    "505": (reply(505), ServerError, 1, ALL),
    "400": (reply(400), BadRequestError, 1, ALL),
    "402": (reply(402), FeatureRestrictedError, 1, ALL),
    "404": (reply(404), NotFoundError, 1, ALL),
    "409": (reply(409), ConflictError, 1, ALL),
    "410": (reply(410), NotFoundError, 1, ALL),
    "422": (reply(422), BadRequestError, 1, ALL),
    "429": (reply(429), RateLimitedError, 5, IF_REFUSED),
    "a bare 403": (reply(403), ThrottledOrForbiddenError, 2, IF_REFUSED),
    "a 403 with a reason": (reply(403, DENIED), PermissionDeniedError, 1, ALL),
    "a redirect": (reply(307, b"", {"Location": "/v1/B"}), ProtocolError, 1, ALL),
}


@pytest.mark.parametrize("safety", Safety)
@pytest.mark.parametrize("failure", FAILURES)
async def test_how_often_a_failure_is_tried_again(
    server: RawServer, failure: str, safety: Safety
) -> None:
    answer, expected, attempts, where = FAILURES[failure]
    attempts = attempts if safety in where else 1
    server.answer = lambda _: answer
    # A GET throughout: what may be repeated is decided by the operation, not by its verb.
    async with client_at(server.url, retry=FOUR) as jibble:
        with pytest.raises(JibbleError) as caught:
            await jibble.request("GET", "workspace", "/v1/Things", safety=safety)
        assert jibble.stats.requests == attempts
        assert jibble.stats.retries == attempts - 1
    assert type(caught.value) is expected
    assert caught.value.attempts == attempts
    assert len(server.heard) == attempts


@pytest.mark.parametrize("safety", Safety)
async def test_what_was_surely_not_sent_is_tried_again(safety: Safety) -> None:
    async with RawServer() as gone:
        url = gone.url
    async with client_at(url, retry=FOUR) as jibble:
        with pytest.raises(ConnectFailedError) as caught:
            await jibble.request("POST", "workspace", "/v1/Things", safety=safety)
    assert caught.value.attempts == 4


@pytest.mark.parametrize(
    ("method", "path", "attempts"),
    [
        ("GET", "/v1/Things", 4),
        ("POST", "/v1/Things", 1),
        ("PUT", "/v1/Things", 1),
        ("PATCH", "/v1/Things", 1),
        ("DELETE", "/v1/Things", 1),
        ("GET", "/v1/TimesheetsSummary/TimeAttendanceReportStartExport", 1),
    ],
)
async def test_the_safety_of_a_request_that_does_not_name_it(
    server: RawServer, method: str, path: str, attempts: int
) -> None:
    server.answer = Script(raw(b"", "reset"))
    async with client_at(server.url, retry=FOUR) as jibble:
        with pytest.raises(ConnectionLostError):
            await jibble.request(method, "time-attendance", path)
    assert len(server.heard) == attempts


async def test_an_outage_that_ends_is_survived_with_jittered_growing_waits(box: Sandbox) -> None:
    time = HeldTime(chance=0.5)
    box.faults.add(Fault("status", status=503, times=2))
    async with client_of(box, clock=time.clock) as jibble:
        assert await jibble.people.list().first() is not None
    assert time.sleeps == [0.25, 0.5]
    assert box.ledger.count("workspace") == 3


async def test_a_request_is_the_same_each_time(server: RawServer) -> None:
    server.answer = Script(reply(503), reply(503), json_reply([]))
    async with client_at(server.url) as jibble:
        await jibble.request(
            "POST", "workspace", "/v1/Things", json={"a": 1}, safety=Safety.IDEMPOTENT
        )
    first, *others = server.heard
    assert first.body == b'{"a":1}'
    assert others == [first, first]


async def test_retries_of_an_outage_stay_within_the_budget(server: RawServer) -> None:
    server.answer = Script(reply(503))
    calls, capacity = 500, 50
    exhausted: list[str] = []
    async with client_at(server.url) as jibble:
        for _ in range(calls):
            with pytest.raises(ServerError) as caught:
                await jibble.request("GET", "workspace", "/v1/Things")
            if caught.value.retries_exhausted:
                exhausted.append(str(caught.value))
        assert jibble.stats.retries <= capacity
    assert len(server.heard) <= 1.1 * calls + capacity
    assert len(exhausted) >= calls - capacity
    assert all("budget" in text for text in exhausted)


async def test_the_budget_comes_back_with_success(server: RawServer) -> None:
    async with client_at(server.url) as jibble:
        server.answer = Script(reply(503))
        for _ in range(20):
            with pytest.raises(ServerError):
                await jibble.request("GET", "workspace", "/v1/Things")
        with pytest.raises(ServerError) as caught:
            await jibble.request("GET", "workspace", "/v1/Things")
        assert caught.value.retries_exhausted
        server.answer = Script(json_reply({}))
        for _ in range(11):
            await jibble.request("GET", "workspace", "/v1/Things")
        server.answer = Script(reply(503), json_reply({"well": "again"}))
        answer = await jibble.request("GET", "workspace", "/v1/Things")
    assert answer == {"well": "again"}


async def test_waiting_that_the_server_asked_for_is_free(server: RawServer) -> None:
    time = HeldTime()
    answers: list[Answer] = []
    server.answer = lambda _: answers.pop()
    async with client_at(server.url, clock=time.clock) as jibble:
        for _ in range(80):
            answers += [json_reply({}), reply(429, b"", {"Retry-After": "1"})]
            await jibble.request("GET", "workspace", "/v1/Things")
        server.answer = Script(reply(503), json_reply({}))
        await jibble.request("GET", "workspace", "/v1/Things")
        assert jibble.stats.retries == 81


async def test_clients_made_by_with_options_share_budget_and_sums(server: RawServer) -> None:
    server.answer = Script(reply(503))
    async with client_at(server.url) as jibble:
        other = jibble.with_options(retry=RetryPolicy(attempts=100, base_delay=0.0), timeout=None)
        with pytest.raises(ServerError):
            await other.request("GET", "workspace", "/v1/Things")
        with pytest.raises(ServerError) as caught:
            await jibble.request("GET", "workspace", "/v1/Things")
        assert caught.value.attempts == 1
        assert caught.value.retries_exhausted
        assert jibble.stats is other.stats
        assert jibble.stats.requests == len(server.heard) == 52


NO_REASON = [b"", b"{}", b"null", b'""', b"  \r\n"]


@pytest.mark.parametrize("body", NO_REASON)
async def test_a_bare_403_without_evidence_is_tried_once_more(
    server: RawServer, body: bytes
) -> None:
    server.answer = Script(reply(403, body))
    async with client_at(server.url) as jibble:
        with pytest.raises(PermissionDeniedError) as caught:
            await jibble.request("GET", "workspace", "/v1/Things")
    assert isinstance(caught.value, RateLimitedError)
    assert len(server.heard) == 2


@pytest.mark.parametrize("body", NO_REASON)
@pytest.mark.parametrize(
    "evidence", [{"X-Rate-Limit-Remaining": "0"}, {"Retry-After": "1"}], ids=str
)
async def test_a_bare_403_with_evidence_is_throttling(
    server: RawServer, body: bytes, evidence: dict[str, str]
) -> None:
    refused = reply(403, body, evidence)
    server.answer = Script(refused, refused, refused, json_reply({}))
    async with client_at(server.url) as jibble:
        assert await jibble.request("POST", "workspace", "/v1/Things") == {}
        assert jibble.stats.throttled == 3


async def test_a_recent_429_is_evidence_for_that_service_for_a_minute(server: RawServer) -> None:
    time = HeldTime()
    once = RetryPolicy(throttled_attempts=1)
    server.answer = Script(reply(429), reply(403))
    async with client_at(server.url, clock=time.clock, retry=once) as jibble:

        async def ask(service: str) -> JibbleError:
            with pytest.raises(APIError) as caught:
                await jibble.request("GET", service, "/v1/Things")  # type: ignore[arg-type]
            return caught.value

        assert type(await ask("workspace")) is RateLimitedError
        assert type(await ask("workspace")) is RateLimitedError
        assert type(await ask("time-tracking")) is ThrottledOrForbiddenError
        time.seconds += 61
        assert type(await ask("workspace")) is ThrottledOrForbiddenError


async def test_a_403_with_a_reason_says_it_even_amid_throttling(server: RawServer) -> None:
    server.answer = Script(reply(403, DENIED, {"X-Rate-Limit-Remaining": "0"}))
    async with client_at(server.url) as jibble:
        with pytest.raises(PermissionDeniedError, match="not yours") as caught:
            await jibble.request("GET", "workspace", "/v1/Things")
    assert not isinstance(caught.value, RateLimitedError)
    assert caught.value.code == "forbidden"
    assert len(server.heard) == 1


async def test_each_attempt_takes_a_slot_of_its_own(server: RawServer) -> None:
    limiter = RecordingLimiter()
    server.answer = Script(reply(503), reply(503), json_reply({}))
    async with client_at(server.url, limiter=limiter) as jibble:
        await jibble.request("GET", "workspace", "/v1/Things")
    assert len(limiter.outcomes) == 3
    assert limiter.held == 0


async def test_concurrent_failures_share_the_budget(server: RawServer) -> None:
    server.answer = Script(reply(500))
    async with client_at(server.url) as jibble:
        calls = (jibble.request("GET", "workspace", "/v1/Things") for _ in range(100))
        results = await asyncio.gather(*calls, return_exceptions=True)
    assert all(type(each) is ServerError for each in results)
    assert len(server.heard) == 150
