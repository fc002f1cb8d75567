"""Who waits at the adaptive limiter, for how long, and who is refused at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from benchmarks.limits.clicks import beside_bulk
from benchmarks.limits.simulator import Server
from jibble_async.errors import RateLimitedError
from jibble_async.limits.adaptive.limiter import AdaptiveLimiter
from jibble_async.limits.adaptive.rate import TRUSTED_STEP, RateEstimator
from jibble_async.limits.slots import Outcome, Priority, RateLimiter
from tests.limits.calls import probe_of
from tests.support.virtual_time import run

STEADY = ("loopback", "20-300 ms, drifting")


@pytest.mark.parametrize("headers", [True, False])
@pytest.mark.parametrize("latency", STEADY)
def test_a_click_overtakes_a_bulk_job_that_fills_the_quota(latency: str, headers: bool) -> None:
    # Without headers a click may come while a refusal is digested: one in a thousand waits longer.
    _, waits, _ = beside_bulk(
        AdaptiveLimiter, (10, 1.0), "aligned", latency, seed=3, headers=headers, windows=200
    )
    assert len(waits) == 200
    assert max(waits) <= 1.1


def _busy(
    limiter: RateLimiter, server: Server, latency: float, priority: Priority
) -> Callable[[], Awaitable[float]]:
    async def call() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        slot = await limiter.acquire(priority=priority)
        waited = loop.time() - began
        await asyncio.sleep(latency / 2)
        admitted, headers = server.ask(loop.time())
        await asyncio.sleep(latency / 2)
        slot.release(Outcome.ANSWERED if admitted else Outcome.THROTTLED, headers)
        return waited

    return call


def test_bulk_is_slowed_by_clicks_but_never_stopped() -> None:
    async def main() -> int:
        limiter = AdaptiveLimiter(initial=10)
        server = Server(10, 1.0, "aligned", headers=True)
        done = 0

        async def work(priority: Priority) -> None:
            nonlocal done
            call = _busy(limiter, server, 0.001, priority)
            while True:
                await call()
                done += priority == "bulk"

        jobs = [asyncio.create_task(work("interactive")) for _ in range(8)]
        jobs.append(asyncio.create_task(work("bulk")))
        await asyncio.sleep(60)
        for job in jobs:
            job.cancel()
        return done

    assert 20 <= run(main()) <= 40


@pytest.mark.parametrize("told", [True, False])
def test_a_wait_that_would_be_too_long_is_refused_at_once(
    told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        limiter = AdaptiveLimiter(initial=1)
        slot = await limiter.acquire()
        if told:
            quota = {"Limit": "10s", "Remaining": "9", "Reset": "2026-01-05T00:00:10Z"}
            headers = {f"X-Rate-Limit-{name}": value for name, value in quota.items()}
            slot.release(Outcome.ANSWERED, headers)
        waiting = [asyncio.create_task(limiter.acquire()) for _ in range(5)]
        await asyncio.sleep(0)
        began = loop.time()
        with pytest.raises(RateLimitedError, match="nothing was sent") as caught:
            await limiter.acquire(max_wait=2)
        assert loop.time() - began < 0.001
        assert caught.value.retry_after == pytest.approx(6, abs=0.6)
        await limiter.acquire(max_wait=10)
        assert all(task.done() for task in waiting)

    settled = partial(RateEstimator, learning=False, step=TRUSTED_STEP)
    monkeypatch.setattr("jibble_async.limits.adaptive.limiter.RateEstimator", settled)
    run(main())


@pytest.mark.parametrize("refused_first", [False, True])
def test_a_guess_refuses_nobody_before_it_was_tried(refused_first: bool) -> None:
    async def main() -> int:
        limiter = AdaptiveLimiter()
        if refused_first:
            (await limiter.acquire()).release(Outcome.THROTTLED)

        async def call() -> None:
            slot = await limiter.acquire(max_wait=60)
            await asyncio.sleep(0.05)
            slot.release(Outcome.ANSWERED)

        ended = await asyncio.gather(*(call() for _ in range(1000)), return_exceptions=True)
        return sum(isinstance(end, RateLimitedError) for end in ended)

    assert run(main()) == 0


def test_who_is_not_served_is_refused_at_the_end_of_what_it_may_wait() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        limiter = AdaptiveLimiter(initial=1)
        await limiter.acquire()
        calls = [asyncio.create_task(limiter.acquire(max_wait=3.5)) for _ in range(10)]
        ended = await asyncio.gather(*calls, return_exceptions=True)
        assert sum(isinstance(end, RateLimitedError) for end in ended) == 7
        assert loop.time() == pytest.approx(3.5, abs=0.01)

    run(main())


@pytest.mark.parametrize("accepted", [True, False])
def test_a_call_waits_for_the_answer_to_a_probe(accepted: bool) -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        limiter = AdaptiveLimiter(initial=10)
        probe = await probe_of(limiter)
        began = loop.time()
        call = asyncio.create_task(limiter.acquire(max_wait=5))
        await asyncio.sleep(0.05)
        if accepted:
            probe.release(Outcome.ANSWERED)
            await call
        else:
            with pytest.raises(RateLimitedError):
                await call
        return loop.time() - began

    assert run(main()) == pytest.approx(0.2 if accepted else 5, abs=0.1)


def test_what_the_server_asked_for_is_known_while_a_probe_is_out() -> None:
    async def main() -> None:
        limiter = AdaptiveLimiter(initial=10)
        early = await limiter.acquire()
        await probe_of(limiter)
        early.release(Outcome.THROTTLED, {"Retry-After": "30"})
        with pytest.raises(RateLimitedError) as caught:
            await limiter.acquire(max_wait=5)
        assert caught.value.retry_after == pytest.approx(30)

    run(main())


def test_a_wait_that_becomes_too_long_ends_in_time() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        limiter = AdaptiveLimiter(initial=1)
        slot = await limiter.acquire()
        patient = asyncio.create_task(limiter.acquire(max_wait=1.5))
        await asyncio.sleep(0.1)
        slot.release(Outcome.THROTTLED, {"Retry-After": "60"})
        with pytest.raises(RateLimitedError):
            await patient
        assert loop.time() == pytest.approx(1.5, abs=0.01)

    run(main())
