"""Spans and metrics of what a client does, as OpenTelemetry's SDK takes them."""

from __future__ import annotations

import asyncio
import importlib
import sys
from datetime import date
from pathlib import Path

import pytest
from jibble_legacy import LegacyClient, LegacyConfig
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from jibble_async import (
    ClientCredentials,
    JibbleError,
    NotFoundError,
    TokenBucket,
    Unlimited,
)
from jibble_async.export import Exporter
from jibble_async.sandbox import Sandbox
from tests.support.clients import HeldTime, client_at, loop_clock
from tests.support.raw_server import RawServer, Script, json_reply, page, raw, reply
from tests.support.telemetry import Telemetry
from tests.wire.week import client_of

KEY = ClientCredentials("the-id", "the-secret")
GUID = "7b1b3e0e-52a2-4d4b-9a53-6f1f1c9e6f10"


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


async def test_a_list_with_a_retry_and_a_refusal(server: RawServer, telemetry: Telemetry) -> None:
    refused = reply(429, b"", {"Retry-After": "2"})
    server.answer = Script(page([1, 2], count=3), reply(503), refused, page([3], count=3))
    async with client_at(server.url, auth=KEY, hooks=[telemetry.hook]) as jibble:
        assert len(await jibble.paginate("workspace", "/v1/People", page_size=2).collect()) == 3
    assert telemetry.tree() == [
        "jibble paginate",
        "* jibble.page.read",
        "* jibble.page.read",
        "  jibble paginate page",
        "    jibble token",
        "      POST /connect/token",
        "    GET /v1/People",
        "  jibble paginate page",
        "  * jibble.retry.scheduled",
        "  * jibble.retry.scheduled",
        "    GET /v1/People !503",
        "    GET /v1/People !429",
        "    GET /v1/People",
    ]


async def test_a_request_has_the_attributes_of_the_semantic_conventions(
    server: RawServer, telemetry: Telemetry
) -> None:
    server.answer = Script(reply(503), json_reply({"id": GUID}))
    async with client_at(server.url, hooks=[telemetry.hook]) as jibble:
        await jibble.people.get(GUID)
    first, second = (span for span in telemetry.spans if span.kind is SpanKind.CLIENT)
    port = int(server.url.rpartition(":")[2])
    asked = {
        "http.request.method": "GET",
        "url.template": "/v1/People({id})",
        "server.address": "127.0.0.1",
        "server.port": port,
    }
    assert dict(first.attributes or {}) == {
        **asked,
        "http.response.status_code": 503,
        "error.type": "503",
    }
    assert dict(second.attributes or {}) == {
        **asked,
        "http.request.resend_count": 1,
        "http.response.status_code": 200,
    }
    assert [each.status.status_code for each in (first, second)] == [
        StatusCode.ERROR,
        StatusCode.UNSET,
    ]
    call = telemetry.span("jibble people.get")
    assert (call.attributes or {})["jibble.attempts"] == 2
    assert call.status.status_code is StatusCode.UNSET


async def test_calls_in_parallel_are_the_children_of_the_programs_own_span(
    server: RawServer, telemetry: Telemetry
) -> None:
    server.answer = Script(json_reply({}))
    tracer = telemetry.traces.get_tracer("a program")
    async with client_at(server.url, hooks=[telemetry.hook]) as jibble:
        with tracer.start_as_current_span("request") as mine:
            ask = [jibble.request("GET", "workspace", "/v1/Things") for _ in range(5)]
            await asyncio.gather(*ask)
            assert trace.get_current_span() is mine
    assert telemetry.tree() == [
        "request",
        *["  jibble request", "    GET /v1/Things"] * 5,
    ]


async def test_between_two_pages_the_programs_own_span_is_the_current_one(
    server: RawServer, telemetry: Telemetry
) -> None:
    server.answer = Script(*(page([number], count=4) for number in range(4)))
    tracer = telemetry.traces.get_tracer("a program")
    async with client_at(server.url, hooks=[telemetry.hook]) as jibble:
        with tracer.start_as_current_span("request") as mine:
            pager = jibble.paginate("workspace", "/v1/Things", page_size=1, concurrency=2)
            async for _ in pager:
                assert trace.get_current_span() is mine
    tree = [line for line in telemetry.tree() if "*" not in line]
    # Those that are fetched ahead, in tasks of their own, are there as well.
    assert tree == [
        "request",
        "  jibble paginate",
        *["    jibble paginate page", "      GET /v1/Things"] * 4,
    ]
    walk = telemetry.span("jibble paginate").attributes or {}
    assert (walk["jibble.rows"], walk["jibble.pages"]) == (4, 4)


async def test_what_failed_is_marked_and_what_was_cancelled_is_not(
    server: RawServer, telemetry: Telemetry
) -> None:
    server.answer = Script(reply(404), raw(b"", "stall"))
    async with client_at(server.url, hooks=[telemetry.hook]) as jibble:
        with pytest.raises(NotFoundError):
            await jibble.people.get(GUID)
        task = asyncio.create_task(jibble.request("GET", "workspace", "/v1/Things"))
        await server.until_heard(2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert telemetry.tree() == [
        "jibble people.get !NotFoundError",
        "  GET /v1/People({id}) !404",
        "jibble request !CancelledError",
        "  GET /v1/Things !CancelledError",
    ]
    status = {span.name: span.status.status_code for span in telemetry.spans}
    assert status["jibble people.get"] is StatusCode.ERROR
    assert status["jibble request"] is status["GET /v1/Things"] is StatusCode.UNSET
    assert trace.get_current_span() is trace.INVALID_SPAN


async def test_each_request_carries_the_place_of_its_span(
    server: RawServer, telemetry: Telemetry
) -> None:
    server.answer = Script(reply(503), json_reply({}))
    async with client_at(server.url, auth=KEY, hooks=[telemetry.hook]) as jibble:
        await jibble.request("GET", "workspace", "/v1/Things")
    sent = [heard.headers["traceparent"].split("-")[2] for heard in server.heard]
    spans = [span for span in telemetry.spans if span.name == "GET /v1/Things"]
    assert sent == [f"{span.context.span_id:016x}" for span in spans if span.context]
    # Who gives tokens is told nothing but what gets one.
    assert "traceparent" not in server.heard_tokens[0].headers


async def test_the_metrics(server: RawServer, telemetry: Telemetry) -> None:
    refused = reply(429, b"", {"Retry-After": "2"})
    server.answer = Script(page([1, 2], count=3), reply(503), refused, page([3], count=3))
    async with client_at(server.url, auth=KEY, hooks=[telemetry.hook]) as jibble:
        await jibble.paginate("workspace", "/v1/People", page_size=2).collect()
    of = {"jibble.operation": "paginate", "jibble.service": "workspace"}
    token = {"jibble.operation": "token", "jibble.service": "identity"}
    points = telemetry.points
    assert points("jibble.client.call.duration") == [(token, 1), (of, 2)]
    assert points("jibble.client.rows") == [(of, 3)]
    assert points("jibble.client.retries") == [
        (of | {"error.type": "ServerError"}, 1),
        (of | {"error.type": "RateLimitedError"}, 1),
    ]
    assert points("jibble.client.refusals") == [(of, 1)]
    assert points("jibble.client.tokens") == [({}, 1)]
    assert points("jibble.client.wait.duration") == [
        (of | {"jibble.wait.for": "retry"}, 1),
        (of | {"jibble.wait.for": "server"}, 1),
    ]
    codes = [
        labels["http.response.status_code"]
        for labels, _ in points("http.client.request.duration")
        if labels["url.template"] == "/v1/People"
    ]
    assert codes == [200, 503, 429]


async def test_who_waits_is_measured_of_clients_that_are_watched(
    server: RawServer, telemetry: Telemetry
) -> None:
    server.answer = Script(json_reply({}))
    limiter = TokenBucket(10, per=10, burst=1)
    async with client_at(
        server.url, limiter=limiter, clock=loop_clock(), hooks=[telemetry.hook]
    ) as jibble:
        assert telemetry.points("jibble.client.waiting") == []
        same, other = jibble.with_options(timeout=9), client_at(server.url, limiter=limiter)
        for client in (jibble, same, other):
            telemetry.hook.watch(client)
        asking = [jibble.request("GET", "workspace", "/v1/Things") for _ in range(3)]
        calls = asyncio.gather(*asking)
        await server.until_heard(1)
        labels = {"jibble.service": "workspace", "jibble.priority": "interactive"}
        assert (labels, 2) in telemetry.points("jibble.client.waiting")
        assert telemetry.points("jibble.client.rate")
        await calls
        assert (labels, 0) in telemetry.points("jibble.client.waiting")
    waits = telemetry.points("jibble.client.wait.duration")
    assert [(of["jibble.wait.for"], times) for of, times in waits] == [("limiter", 2)]


async def test_the_old_api_tells_the_same(server: RawServer, telemetry: Telemetry) -> None:
    server.answer = Script(json_reply([{"id": "abc", "name": "A"}]), json_reply([]))
    config = LegacyConfig(url=server.url, hooks=[telemetry.hook], clock=HeldTime().clock)
    async with LegacyClient("a-token", config=config, limiter=Unlimited()) as jibble:
        await jibble.organizations.list().collect()
    assert telemetry.tree() == [
        "jibble organizations.list",
        "* jibble.page.read",
        "  jibble organizations.list page",
        "    GET /api/v1/teams",
    ]


async def test_an_export_is_above_its_calls(
    box: Sandbox, telemetry: Telemetry, tmp_path: Path
) -> None:
    async with client_of(box, hooks=[telemetry.hook]) as jibble:
        out = tmp_path / "entries.jsonl"
        monday = date(2026, 7, 6)
        exporter = Exporter(jibble, "time_entries", out=out, since=monday, until=monday)
        report = await exporter.run()
    export = telemetry.span("jibble time_entries.export")
    assert (export.attributes or {})["jibble.rows"] == report.rows > 0
    names = [event.name for event in export.events]
    assert names[0] == "jibble.export.read"
    assert names[-1] == "jibble.export.settled"
    assert export.context is not None
    below = {
        span.name
        for span in telemetry.spans
        if span.parent is not None and span.parent.span_id == export.context.span_id
    }
    assert "jibble time_entries.list" in below
    assert trace.get_current_span() is trace.INVALID_SPAN


async def test_an_export_that_fails_says_so(
    server: RawServer, telemetry: Telemetry, tmp_path: Path
) -> None:
    server.answer = Script(page([], count=9), reply(404))
    async with client_at(server.url, hooks=[telemetry.hook]) as jibble:
        exporter = Exporter(jibble, "people", out=tmp_path / "people.jsonl")
        with pytest.raises(JibbleError):
            await exporter.run()
    export = telemetry.span("jibble people.export")
    assert export.status.status_code is StatusCode.ERROR


def test_without_the_extra_an_import_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    home = "jibble_async.integrations.opentelemetry"
    for name in (home, f"{home}_metrics"):
        monkeypatch.delitem(sys.modules, name)
    for name in [each for each in sys.modules if each.partition(".")[0] == "opentelemetry"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r'pip install "jibble-async\[otel\]"') as caught:
        importlib.import_module(home)
    assert caught.value.__cause__ is None


async def test_two_hooks_on_one_client_leave_nothing_open(server: RawServer) -> None:
    first, second = Telemetry(), Telemetry()
    async with client_at(server.url, auth=KEY, hooks=[first.hook, second.hook]) as jibble:
        await jibble.request("GET", "workspace", "/v1/Things")
        assert not trace.get_current_span().get_span_context().is_valid
    for each in (first, second):
        ended = sorted(span.name for span in each.spans)
        assert ended == ["GET /v1/Things", "POST /connect/token", "jibble request", "jibble token"]
