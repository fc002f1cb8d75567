"""A 403 without a reason: what it means is found out, in a bounded number of requests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from jibble_legacy.forbidden import Probe, Question

from jibble_async import (
    APIError,
    PermissionDeniedError,
    RateLimitedError,
    RollingWindow,
    Safety,
    ThrottledOrForbiddenError,
    Unlimited,
)
from jibble_async.core.clock import Clock
from jibble_async.core.operation import Request
from jibble_async.core.wire import Reply
from jibble_async.events import Event, RetryScheduled
from tests.legacy.hosts import EMPTY_BODIES, LegacyHostInMemory
from tests.support import virtual_time

PATIENT = {"timeout": None}


def now() -> float:
    return asyncio.get_running_loop().time()


def run(host: LegacyHostInMemory, use: Callable[[Any], Awaitable[Any]], **arguments: Any) -> Any:
    async def main() -> Any:
        with pytest.MonkeyPatch.context() as patch:
            async with host.client(patch, **arguments) as legacy:
                return await use(legacy)

    return virtual_time.run(main())


@pytest.mark.parametrize("body", EMPTY_BODIES)
def test_a_missing_right_is_told_by_other_requests_being_answered(body: bytes) -> None:
    host = LegacyHostInMemory()
    host.forbidden, host.body = {"clients"}, body

    async def use(legacy: Any) -> PermissionDeniedError:
        with pytest.raises(PermissionDeniedError) as caught:
            await legacy.clients.list().collect()
        assert await legacy.people.list().collect() == []
        assert legacy.stats.throttled == 0
        return caught.value

    error = run(host, use)
    assert type(error) is PermissionDeniedError
    assert (error.status, error.attempts) == (403, 2)
    assert error.request == "GET legacy /api/v1/clients?filter[limit]"
    assert host.paths == ["clients", "teams", "clients", "teammembers"]


@pytest.mark.parametrize("others", [0, 140], ids=["a right, perhaps", "the limit, perhaps"])
def test_what_is_for_once_is_not_sent_again(others: int) -> None:
    host = LegacyHostInMemory()
    host.forbidden, host.others = {"clients"}, [-100.0] * others

    async def use(legacy: Any) -> ThrottledOrForbiddenError:
        with pytest.raises(ThrottledOrForbiddenError, match="not sent again") as caught:
            await legacy.request("POST", "/api/v1/clients", json={}, safety=Safety.ONCE)
        return caught.value

    assert run(host, use).attempts == 1
    assert host.paths.count("clients") == 1


def test_a_quota_that_others_use_up_is_waited_for() -> None:
    host = LegacyHostInMemory()
    host.others = [-100.0] * 140

    async def use(legacy: Any) -> list[float]:
        times: list[float] = []
        for _ in range(12):
            await legacy.with_options(**PATIENT).clients.list().collect()
            times.append(now())
        assert legacy.stats.throttled == 1
        return times

    times = run(host, use)
    # Ten had room. The eleventh was refused, the probe too; its turn comes when our own oldest
    # request is out, by when there must be room whoever else is there.
    assert times[9] == pytest.approx(1.0, abs=0.01)
    assert times[10] == pytest.approx(3600 + 0.2, abs=0.1)
    assert host.refused == 2
    assert host.paths[10:13] == ["clients", "teams", "clients"]


def test_a_refusal_that_is_taken_for_the_limit_is_told_as_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    host = LegacyHostInMemory()
    host.others = [-100.0] * 150
    events: list[Event] = []

    async def use(legacy: Any) -> None:
        await legacy.with_options(**PATIENT).clients.list().collect()

    run(host, use, hooks=(events.append,))
    retries = [each for each in events if isinstance(each, RetryScheduled)]
    assert [(each.error, each.throttled) for each in retries] == [("PermissionDeniedError", True)]
    assert {each.name for each in caplog.records} == {"jibble_legacy"}


def test_everybody_is_held_back_meanwhile() -> None:
    host = LegacyHostInMemory()
    host.others = [0.0] * 149

    async def use(legacy: Any) -> list[float]:
        patient = legacy.with_options(**PATIENT)
        await patient.clients.list().collect()

        async def ask(delay: float) -> float:
            await asyncio.sleep(delay)
            await patient.people.list().collect()
            return now()

        return await asyncio.gather(ask(0), *(ask(10 * each) for each in range(1, 20)))

    times = run(host, use)
    assert host.refused == 2
    assert min(times) > 3600


def test_nobody_who_can_not_wait_is_kept() -> None:
    host = LegacyHostInMemory()
    host.others = [0.0] * 150

    async def use(legacy: Any) -> tuple[ThrottledOrForbiddenError, float]:
        with pytest.raises(ThrottledOrForbiddenError) as caught:
            await legacy.clients.list().collect()
        return caught.value, now()

    error, took = run(host, use)
    assert took < 1
    assert error.retry_after == pytest.approx(3600, abs=1)
    assert error.attempts == 1
    assert "1 of 150 requests in 3600 s" in str(error)
    assert host.paths == ["clients", "teams"]


def test_a_window_that_is_nearly_full_is_waited_for_without_asking() -> None:
    # A server whose limit is another than the one believed in.
    host = LegacyHostInMemory(limit=9)

    async def use(legacy: Any) -> float:
        for _ in range(10):
            await legacy.with_options(**PATIENT).clients.list().collect()
        return now()

    took = run(host, use, limiter=RollingWindow(10, 3600))
    assert took == pytest.approx(3600, abs=2)
    assert host.paths == ["clients"] * 11
    assert host.refused == 1


def test_a_server_that_says_how_long_is_believed() -> None:
    host = LegacyHostInMemory(limit=1, per=30)
    host.headers = {"Retry-After": "31"}

    async def use(legacy: Any) -> float:
        await legacy.clients.list().collect()
        await legacy.clients.list().collect()
        with pytest.raises(RateLimitedError) as caught:
            await legacy.with_options(max_wait=5).clients.list().collect()
        assert type(caught.value) is RateLimitedError
        assert caught.value.retry_after == 31
        return now()

    assert run(host, use) == pytest.approx(31.4, abs=0.1)
    assert host.paths == ["clients"] * 4


def test_everybody_is_held_back_for_as_long_as_the_server_says() -> None:
    host = LegacyHostInMemory(per=30)
    host.headers, host.others = {"Retry-After": "31"}, [0.0] * 150

    async def use(legacy: Any) -> list[float]:
        async def ask(delay: float) -> float:
            await asyncio.sleep(delay)
            await legacy.with_options(**PATIENT).people.list().collect()
            return now()

        with pytest.raises(RateLimitedError):
            await legacy.with_options(max_wait=5).people.list().collect()
        return await asyncio.gather(*(ask(delay) for delay in (0, 1, 5)))

    assert min(run(host, use)) > 31
    assert host.refused == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "86400"},
        {"X-RateLimit-Reset": "1529928060000", "Date": "Mon, 25 Jun 2018 12:00:00 GMT"},
    ],
    ids=str,
)
def test_nobody_waits_for_longer_than_a_limit_can_mean(headers: dict[str, str]) -> None:
    host = LegacyHostInMemory(limit=0)
    host.headers = headers

    async def use(legacy: Any) -> tuple[APIError, float]:
        with pytest.raises(RateLimitedError) as caught:
            await legacy.with_options(**PATIENT).clients.list().collect()
        host.limit = 150
        await legacy.people.list().collect()
        return caught.value, now()

    error, took = run(host, use)
    assert took < 1
    assert error.retry_after is not None
    assert error.retry_after >= 86400


def test_a_token_that_may_do_nothing_is_undecided() -> None:
    host = LegacyHostInMemory(limit=0)

    async def use(legacy: Any) -> tuple[ThrottledOrForbiddenError, float]:
        with pytest.raises(ThrottledOrForbiddenError) as caught:
            await legacy.with_options(**PATIENT).clients.list().collect()
        return caught.value, now()

    error, took = run(host, use)
    assert took == pytest.approx(3600, abs=1)
    assert error.attempts == 2
    assert host.paths == ["clients", "teams", "clients"]


def test_a_limiter_that_does_not_count_costs_no_wait() -> None:
    host = LegacyHostInMemory(limit=0)

    async def use(legacy: Any) -> float:
        with pytest.raises(ThrottledOrForbiddenError, match="is not known here"):
            await legacy.with_options(**PATIENT).clients.list().collect()
        return now()

    assert run(host, use, limiter=Unlimited()) < 1
    assert host.paths == ["clients", "teams", "clients"]


def test_an_unsafe_write_that_was_refused_is_sent_again() -> None:
    host = LegacyHostInMemory(limit=9)
    made: list[Request] = []

    def answer(request: Request) -> Reply:
        if request.operation.method == "POST":
            made.append(request)
        return Reply(200, {}, b'{"id": "1dkzv9nQTjLvK8OD"}')

    async def use(legacy: Any) -> Any:
        host.answer = lambda _: Reply(200, {}, b"[]")
        for _ in range(9):
            await legacy.clients.list().collect()
        host.answer = answer
        return await legacy.with_options(**PATIENT).clients.create("A", "XXX123YYY")

    client = run(host, use, limiter=RollingWindow(10, 3600))
    assert client.id == "1dkzv9nQTjLvK8OD"
    assert host.paths == ["clients"] * 11
    assert host.refused == 1


def test_a_write_that_may_have_been_done_before_says_so() -> None:
    host = LegacyHostInMemory()
    replies = [Reply(502, {}, b""), Reply(403, {}, b""), Reply(200, {}, b"[]"), Reply(403, {}, b"")]
    host.answer = lambda _: replies.pop(0)

    async def use(legacy: Any) -> PermissionDeniedError:
        with pytest.raises(PermissionDeniedError) as caught:
            await legacy.clients.update("XXX123YYY", name="A")
        return caught.value

    error = run(host, use)
    assert error.maybe_processed
    assert error.attempts == 3


def test_cancelling_while_held_back_leaves_nothing() -> None:
    host = LegacyHostInMemory()
    host.others = [0.0] * 150

    async def use(legacy: Any) -> int:
        patient = legacy.with_options(**PATIENT)
        task = asyncio.create_task(patient.clients.list().collect())
        await asyncio.sleep(100)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return len(asyncio.all_tasks())

    assert run(host, use) == 1


@pytest.mark.parametrize(
    ("others", "kind", "sent"),
    [(0, PermissionDeniedError, 20 + 1 + 20), (150, ThrottledOrForbiddenError, 20 + 1)],
)
def test_calls_refused_at_once_put_one_question(
    others: int, kind: type[APIError], sent: int
) -> None:
    host = LegacyHostInMemory()
    host.forbidden, host.others = {"clients"}, [0.0] * others

    async def use(legacy: Any) -> list[Any]:
        calls = (legacy.clients.list().collect() for _ in range(20))
        return await asyncio.gather(*calls, return_exceptions=True)

    errors = run(host, use)
    assert [type(error) for error in errors] == [kind] * 20
    assert (host.paths.count("teams"), len(host.paths)) == (1, sent)


@pytest.mark.parametrize(
    ("answer", "refused_at", "asked"),
    [
        (Probe.ANSWERED, 0.5, 1),
        (Probe.ANSWERED, 1.5, 2),
        (Probe.REFUSED, 1.5, 1),
        (Probe.REFUSED, 2.5, 2),
        (Probe.FAILED, 0.5, 2),
    ],
)
def test_whose_answer_serves_another(answer: Probe, refused_at: float, asked: int) -> None:
    """The first question is put at 1 and answered at 2."""

    async def main() -> int:
        question, clock = Question(), Clock(monotonic=now)
        times: list[float] = []

        async def ask() -> Probe:
            times.append(now())
            await asyncio.sleep(1)
            return answer

        async def put(at: float, refused_at: float) -> Probe:
            await asyncio.sleep(at)
            return await question.put("interactive", refused_at, clock, ask)

        got = await asyncio.gather(put(1.0, 0.9), put(1.2, refused_at))
        assert got == [answer] * 2
        return len(times)

    assert virtual_time.run(main()) == asked


def test_nobody_waits_for_an_answer_longer_than_a_call_may_take() -> None:
    class Slow(LegacyHostInMemory):
        async def send(self, request: Request, headers: Mapping[str, str], call: Any) -> Reply:
            call.leaves(on_kept=False)
            await asyncio.sleep(25 if request.url.path.endswith("teams") else 0)
            return await super().send(request, headers, call)

    host = Slow()
    host.forbidden = {"clients"}

    async def use(legacy: Any) -> float:
        patient = asyncio.create_task(legacy.with_options(**PATIENT).clients.list().collect())
        await asyncio.sleep(1)
        with pytest.raises(ThrottledOrForbiddenError):
            await legacy.with_options(timeout=5).clients.list().collect()
        ended = now()
        with pytest.raises(PermissionDeniedError):
            await patient
        return ended

    assert run(host, use) == pytest.approx(6, abs=0.1)
    assert host.paths == ["clients", "clients", "teams", "clients"]
