"""What the hooks are told, and what the sums come to."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from yarl import URL

from jibble_async import (
    ClientConfig,
    ClientCredentials,
    ConfigurationError,
    JibbleError,
    NotFoundError,
    Page,
    RetryPolicy,
    Safety,
    ServerError,
    TokenBucket,
    Unlimited,
)
from jibble_async.core.emitter import Emitter
from jibble_async.core.operation import Operation
from jibble_async.core.walk import told
from jibble_async.events import (
    AttemptFinished,
    AttemptStarted,
    CallEvent,
    CallFinished,
    CallStarted,
    Event,
    PageRead,
    RetryScheduled,
    SlotWaited,
    TokenRefreshed,
    WalkFinished,
    WalkStarted,
)
from jibble_async.sandbox import Sandbox
from tests.support.clients import HeldTime, client_at, loop_clock
from tests.support.leaks import RecordingLimiter, settled
from tests.support.raw_server import RawServer, Script, json_reply, page, raw, reply
from tests.wire.week import client_of

THINGS = ("request", "workspace", "GET", "/v1/Things")
TOKEN = ("token", "identity", "POST", "/connect/token")
LIST = ("paginate", "workspace", "/v1/Things")
# Of which the client's chance makes half.
ONE, TWO = "7fffffff-1", "7fffffff-2"


def place(server: RawServer) -> tuple[str, int | None]:
    return "127.0.0.1", URL(server.url).port


def calls(events: list[Event]) -> list[CallEvent]:
    return [each for each in events if isinstance(each, CallEvent)]


async def test_the_story_of_a_call(server: RawServer) -> None:
    events: list[Event] = []
    server.answer = Script(reply(503), raw(b"", "reset"), json_reply({}))
    key = ClientCredentials("id", "secret")
    async with client_at(server.url, auth=key, hooks=(events.append,)) as jibble:
        await jibble.request("GET", "workspace", "/v1/Things", params={"$top": "canary"})
    here = place(server)
    assert events == [
        CallStarted(*THINGS, ONE, 1, "interactive"),
        CallStarted(*TOKEN, TWO, 1, "interactive"),
        AttemptStarted(*TOKEN, TWO, 1, 0, *here),
        AttemptFinished(*TOKEN, TWO, 1, 0, *here, 200, 0.0),
        CallFinished(*TOKEN, TWO, 1, 0.0),
        TokenRefreshed(3600),
        AttemptStarted(*THINGS, ONE, 1, 0, *here),
        AttemptFinished(*THINGS, ONE, 1, 0, *here, 503, 0.0),
        RetryScheduled(*THINGS, ONE, 1, 0.25, "ServerError", 503),
        AttemptStarted(*THINGS, ONE, 2, 1, *here),
        AttemptFinished(*THINGS, ONE, 2, 1, *here, None, 0.0, "ConnectionLostError"),
        # On a connection that was kept: not the server's trouble, so there is nothing to wait for.
        RetryScheduled(*THINGS, ONE, 2, 0.0, "ConnectionLostError"),
        AttemptStarted(*THINGS, ONE, 3, 2, *here),
        AttemptFinished(*THINGS, ONE, 3, 2, *here, 200, 0.0),
        CallFinished(*THINGS, ONE, 3, 0.25),
    ]


async def test_the_story_of_a_walk(server: RawServer) -> None:
    events: list[Event] = []
    server.answer = Script(page([1, 2], count=3), page([3], count=3))
    async with client_at(server.url, hooks=(events.append,)) as jibble:
        await jibble.paginate("workspace", "/v1/Things", page_size=2).collect()
    assert [each for each in events if not isinstance(each, CallEvent)] == [
        WalkStarted(*LIST, ONE),
        PageRead(*LIST, ONE, 2, 3),
        PageRead(*LIST, ONE, 1, 3),
        WalkFinished(*LIST, ONE, 2, 3, 0.0),
    ]
    started = [each for each in events if isinstance(each, CallStarted)]
    assert [(each.walk_id, each.call_id) for each in started] == [
        (ONE, "7fffffff-2"),
        (ONE, "7fffffff-3"),
    ]


async def test_pages_that_are_fetched_ahead_are_of_their_walk(server: RawServer) -> None:
    events: list[Event] = []
    server.answer = Script(*(page([number], count=4) for number in range(4)))
    async with client_at(server.url, hooks=(events.append,)) as jibble:
        pager = jibble.paginate("workspace", "/v1/Things", page_size=1, concurrency=3)
        assert len(await pager.collect()) == 4
    started = [each for each in events if isinstance(each, CallStarted)]
    assert {each.walk_id for each in started} == {ONE}
    assert len({each.call_id for each in started}) == 4
    (finished,) = (each for each in events if isinstance(each, WalkFinished))
    assert (finished.pages, finished.rows, finished.error) == (4, 4, None)


async def test_a_walk_ends_with_the_class_of_error_that_users_know() -> None:
    class NearlyNotFoundError(NotFoundError):
        """What an adapter of ours makes of one."""

    async def pages() -> AsyncGenerator[Page[Any], None]:
        raise NearlyNotFoundError("gone", status=404)
        yield

    events: list[Event] = []
    emitter = Emitter([events.append], HeldTime().clock)
    operation = Operation("workspace", "GET", "/v1/People", Safety.READ, name="people.list")
    with pytest.raises(NearlyNotFoundError):
        [page async for page in told(pages(), emitter, operation, "1")]
    assert isinstance(events[-1], WalkFinished)
    assert events[-1].error == "NotFoundError"


async def test_a_walk_that_is_left_has_an_end_and_no_error(server: RawServer) -> None:
    events: list[Event] = []
    server.answer = Script(page([1, 2], count=9))
    async with client_at(server.url, hooks=(events.append,)) as jibble:
        async with jibble.paginate("workspace", "/v1/Things", page_size=2) as pager:
            async for _ in pager:
                break
        await settled(lambda: isinstance(events[-1], WalkFinished))
        (finished,) = (each for each in events if isinstance(each, WalkFinished))
    assert (finished.pages, finished.rows, finished.error) == (1, 2, None)


async def test_a_walk_that_fails_tells_what_it_ended_with(server: RawServer) -> None:
    events: list[Event] = []
    server.answer = Script(page([1, 2], count=9), reply(404))
    async with client_at(server.url, hooks=(events.append,)) as jibble:
        with pytest.raises(JibbleError):
            await jibble.paginate("workspace", "/v1/Things", page_size=2).collect()
    assert events[-1] == WalkFinished(*LIST, ONE, 1, 2, 0.0, "NotFoundError")
    assert events[-2] == CallFinished(*_page(events), 1, 0.0, "NotFoundError", 404)


def _page(events: list[Event]) -> tuple[str, str, str, str, str]:
    last = calls(events)[-1]
    return last.operation, last.service, last.method, last.path, last.call_id


async def test_a_cancelled_attempt_is_told_of(server: RawServer) -> None:
    events: list[Event] = []
    server.answer = Script(raw(b"", "stall"))
    async with client_at(server.url, hooks=(events.append,)) as jibble:
        task = asyncio.create_task(jibble.request("GET", "workspace", "/v1/Things"))
        await server.until_heard(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert events[2:] == [
        AttemptFinished(*THINGS, ONE, 1, 0, *place(server), None, 0.0, "CancelledError"),
        CallFinished(*THINGS, ONE, 1, 0.0, "CancelledError"),
    ]


async def test_a_call_that_ends_with_its_client_is_told_of(server: RawServer) -> None:
    events: list[Event] = []
    server.answer = Script(raw(b"", "stall"))
    async with client_at(server.url, hooks=(events.append,)) as jibble:
        task = asyncio.create_task(jibble.request("GET", "workspace", "/v1/Things"))
        await server.until_heard(1)
    with pytest.raises(ConfigurationError):
        await task
    assert events[-1] == CallFinished(*THINGS, ONE, 1, 0.0, "ConfigurationError")


async def test_what_a_reader_of_the_callers_own_raises_ends_its_call(server: RawServer) -> None:
    def refuse(*_: Any) -> None:
        raise ZeroDivisionError

    events: list[Event] = []
    server.answer = Script(json_reply({"value": [1]}))
    async with client_at(server.url, hooks=(events.append,)) as jibble:
        with pytest.raises(ZeroDivisionError):
            await jibble.paginate("workspace", "/v1/Things", on_bad_row=refuse).collect()
    assert [each.error for each in events if isinstance(each, CallFinished | WalkFinished)] == [
        "ZeroDivisionError",
        "ZeroDivisionError",
    ]


async def test_another_token_is_the_same_attempt_and_another_request(server: RawServer) -> None:
    events: list[Event] = []
    server.answer = Script(reply(401), json_reply({}))
    key = ClientCredentials("id", "secret")
    async with client_at(server.url, auth=key, hooks=(events.append,)) as jibble:
        await jibble.request("GET", "workspace", "/v1/Things")
    sent = [each for each in calls(events) if isinstance(each, AttemptStarted)]
    asked = [(each.attempt, each.resends) for each in sent if each.operation == "request"]
    assert asked == [(1, 0), (1, 1)]


async def test_waits_are_told_apart(server: RawServer) -> None:
    events: list[Event] = []
    limiter = RecordingLimiter(lambda: asyncio.sleep(8))
    server.answer = Script(reply(429, b"", {"Retry-After": "5"}), json_reply({}))
    async with client_at(
        server.url, limiter=limiter, clock=loop_clock(), hooks=(events.append,)
    ) as jibble:
        await jibble.with_options(priority="bulk").request("GET", "workspace", "/v1/Things")
        stats = jibble.stats
    waited = [each for each in events if isinstance(each, SlotWaited)]
    assert [each.seconds for each in waited] == [pytest.approx(8.0), pytest.approx(8.0)]
    assert {each.priority for each in waited} == {"bulk"}
    (retry,) = (each for each in events if isinstance(each, RetryScheduled))
    assert retry.throttled
    assert stats.limiter_wait_seconds == pytest.approx(16.0)
    assert stats.server_wait_seconds == retry.seconds >= 5
    assert stats.throttled_seconds == stats.limiter_wait_seconds + stats.server_wait_seconds


async def test_how_many_wait_is_known_by_priority(server: RawServer) -> None:
    limiter = TokenBucket(2, per=60, burst=1)
    async with client_at(server.url, limiter=limiter, clock=loop_clock()) as jibble:
        assert jibble.stats.waiting["workspace"] == {"interactive": 0, "bulk": 0}
        server.answer = Script(json_reply({}))
        bulk = jibble.with_options(priority="bulk")
        asking = [bulk, bulk, bulk, jibble]
        tasks = [
            asyncio.create_task(each.request("GET", "workspace", "/v1/Things")) for each in asking
        ]
        await server.until_heard(1)
        assert jibble.stats.waiting["workspace"] == {"interactive": 1, "bulk": 2}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert jibble.stats.waiting["workspace"] == {"interactive": 0, "bulk": 0}
    async with client_at(server.url, limiter=Unlimited()) as jibble:
        assert jibble.stats.waiting == {}


async def test_the_sums(box: Sandbox) -> None:
    async with client_of(box) as jibble:
        entries = await jibble.time_entries.list(page_size=50).collect()
        bulk = jibble.with_options(priority="bulk")
        people = await bulk.people.list().collect()
        with pytest.raises(JibbleError):
            await bulk.request("GET", "workspace", "/v1/Nothing")
        stats = jibble.stats
    assert stats.rows == len(entries) + len(people)
    assert stats.requests == len(box.ledger.requests)
    assert stats.token_requests == 1
    assert stats.retries == 0
    assert stats.throttled == 0


@pytest.mark.parametrize("kind", [ZeroDivisionError, asyncio.CancelledError])
async def test_a_hook_that_raises_is_logged_and_harms_no_call(
    server: RawServer, caplog: pytest.LogCaptureFixture, kind: type[BaseException]
) -> None:
    def hook(_: Event) -> None:
        raise kind

    told: list[Event] = []
    server.answer = Script(reply(503), page([1], count=1))
    async with client_at(server.url, hooks=(hook, told.append)) as jibble:
        assert len(await jibble.paginate("workspace", "/v1/Things").collect()) == 1
    # Who comes after it hears of everything.
    failures = [each for each in caplog.records if each.exc_info]
    assert len(told) == len(failures) == 10
    assert {(each.name, each.levelname) for each in failures} == {("jibble_async", "ERROR")}


class Tracing:
    """A hook that has something to be sent."""

    def __init__(self, given: Any) -> None:
        self.given = given

    def __call__(self, _: Event) -> None:
        pass

    def headers(self) -> Any:
        if isinstance(self.given, BaseException):
            raise self.given
        return self.given


TRACE = {"traceparent": "00-a-b-01", "tracestate": "x=1"}


async def sent_with(server: RawServer, given: Any, **options: Any) -> dict[str, str]:
    server.answer = Script(json_reply({}))
    key = ClientCredentials("id", "secret")
    async with client_at(server.url, auth=key, hooks=[Tracing(given)]) as jibble:
        asking = jibble.with_options(**options)
        await asking.request("GET", "workspace", "/v1/Things")
    names = {"traceparent", "tracestate", "baggage", "x-id"}
    assert not names & server.heard_tokens[0].headers.keys()
    return {name: value for name, value in server.heard[0].headers.items() if name in names}


async def test_a_tracing_hook_has_its_place_in_the_trace_sent_and_nothing_else(
    server: RawServer,
) -> None:
    given = {**TRACE, "baggage": "user=ann", "authorization": "Bearer x", "x-id": "1"}
    assert await sent_with(server, given) == TRACE
    assert server.heard[0].headers["authorization"] == "Bearer the-token"


async def test_a_hooks_place_goes_before_that_of_the_caller(server: RawServer) -> None:
    told = {"traceparent": "00-c-d-01", "X-Id": "7"}
    assert await sent_with(server, TRACE, headers=told) == {**TRACE, "x-id": "7"}


@pytest.mark.parametrize(
    "given", [ZeroDivisionError(), None, {"traceparent": "a\r\nX-Id: 1"}, {"traceparent": 7}]
)
async def test_what_a_hook_can_not_give_harms_no_call(
    server: RawServer, given: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert await sent_with(server, given) == {}
    assert "a hook failed to give its headers" in caplog.text


@pytest.mark.parametrize("hook", [None, "print", 7])
def test_what_is_no_hook_is_refused(hook: Any) -> None:
    with pytest.raises(ConfigurationError, match="a hook is a plain function"):
        ClientConfig(hooks=(hook,))


def test_a_hook_that_would_have_to_be_awaited_is_refused() -> None:
    async def hook(_: Event) -> None:
        pass

    class Hook:
        async def __call__(self, _: Event) -> None:
            pass

    for awaited in (hook, functools.partial(hook), Hook()):
        with pytest.raises(ConfigurationError, match="a hook is a plain function"):
            ClientConfig(hooks=(awaited,))  # type: ignore[arg-type]


def test_hooks_may_be_given_by_whatever_gives_them() -> None:
    assert ClientConfig(hooks=(each for each in [print])).hooks == (print,)  # type: ignore[arg-type]


@pytest.mark.parametrize("level", [logging.WARNING, logging.INFO, logging.DEBUG])
async def test_without_a_hook_the_log_has_what_its_level_asks_for(
    server: RawServer, caplog: pytest.LogCaptureFixture, level: int
) -> None:
    caplog.set_level(level)
    server.answer = Script(page([1], count=2), reply(503), reply(500))
    async with client_at(server.url, auth=ClientCredentials("id", "secret")) as jibble:
        jibble = jibble.with_options(retry=RetryPolicy(attempts=2))
        with pytest.raises(ServerError):
            await jibble.paginate("workspace", "/v1/Things", page_size=1).collect()
    kinds = [vars(each)["jibble_event"] for each in caplog.records]
    told = {
        logging.WARNING: ["RetryScheduled", "CallFinished"],
        logging.INFO: ["TokenRefreshed", "RetryScheduled", "CallFinished"],
        logging.DEBUG: [
            "AttemptFinished",
            "TokenRefreshed",
            *["AttemptFinished", "PageRead"],
            *["AttemptFinished", "RetryScheduled", "AttemptFinished", "CallFinished"],
            "WalkFinished",
        ],
    }
    assert kinds == told[level]
    # One call has one id, also where its beginning was not told.
    about = {"RetryScheduled", "CallFinished"}
    of_call = [vars(each) for each in caplog.records if vars(each)["jibble_event"] in about]
    assert len({each["jibble_call_id"] for each in of_call}) == 1


async def test_what_ends_is_told_from_the_inside(server: RawServer) -> None:
    told: list[str] = []

    def outer(event: Event) -> None:
        told.append(f"outer {type(event).__name__}")

    def inner(event: Event) -> None:
        told.append(f"inner {type(event).__name__}")

    async with client_at(server.url, hooks=(outer, inner)) as jibble:
        await jibble.request("GET", "workspace", "/v1/Things")
    assert told == [
        "outer CallStarted",
        "inner CallStarted",
        "outer AttemptStarted",
        "inner AttemptStarted",
        "inner AttemptFinished",
        "outer AttemptFinished",
        "inner CallFinished",
        "outer CallFinished",
    ]


async def test_a_log_that_fails_harms_no_call(
    server: RawServer, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: logging.LogRecord) -> bool:
        raise RuntimeError("a filter that fails")

    def fail(_: Event) -> None:
        raise RuntimeError("a hook that fails")

    logger = logging.getLogger("jibble_async")
    logger.addFilter(refuse)
    logger.setLevel(logging.DEBUG)
    try:
        async with client_at(server.url, hooks=(fail,)) as jibble:
            await jibble.request("POST", "workspace", "/v1/Things", json={})
    finally:
        logger.setLevel(logging.NOTSET)
        logger.removeFilter(refuse)
    assert len(server.heard) == 1
    assert "a filter that fails" in capsys.readouterr().err
