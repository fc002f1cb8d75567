from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from multidict import CIMultiDict

from benchmarks.limits.adaptive import CHANGES, settled_after, shares
from benchmarks.limits.clicks import beside_bulk
from benchmarks.limits.simulator import LATENCIES, Kind, Server, simulate
from jibble_async.errors import ConfigurationError, RateLimitedError
from jibble_async.limits.adaptive.limiter import AdaptiveLimiter
from jibble_async.limits.adaptive.rate import TRUSTED_STEP, RateEstimator
from jibble_async.limits.headers import read_limits, read_retry_after
from jibble_async.limits.slots import Outcome, Priority, RateLimiter
from tests.support.virtual_time import run

WINDOWS: tuple[Kind, ...] = ("aligned", "anchored", "sliding")
STEADY = ("loopback", "20-300 ms, drifting")


@pytest.mark.parametrize("latency", STEADY)
@pytest.mark.parametrize("kind", WINDOWS)
@pytest.mark.parametrize(
    ("quota", "used", "refused"),
    [((3, 1.0), 95, 2), ((10, 1.0), 97, 1), ((500, 300.0), 95, 1.6)],
)
def test_finds_a_quota_that_nobody_tells(
    quota: tuple[int, float], used: float, refused: float, kind: Kind, latency: str
) -> None:
    share, rejected = shares(AdaptiveLimiter, quota, kind, latency, seed=7)
    assert share >= used
    assert rejected <= refused


@pytest.mark.parametrize("kind", WINDOWS)
def test_random_travel_times_cost_a_part_of_the_quota(kind: Kind) -> None:
    share, rejected = shares(AdaptiveLimiter, (10, 1.0), kind, "20-300 ms, random", seed=7)
    assert share >= 85
    assert rejected <= 2


@pytest.mark.parametrize("latency", STEADY)
@pytest.mark.parametrize("quota", [(3, 1.0), (10, 1.0), (500, 300.0)])
def test_uses_all_of_a_quota_that_headers_tell(quota: tuple[int, float], latency: str) -> None:
    share, rejected = shares(AdaptiveLimiter, quota, "aligned", latency, seed=7, headers=True)
    assert share >= 99.5
    assert rejected <= 0.1


@pytest.mark.parametrize("kind", WINDOWS)
@pytest.mark.parametrize("latency", [STEADY[1], "20-300 ms, random"])
@pytest.mark.parametrize(("change", "within"), [(CHANGES[0], 20), (CHANGES[1], 120)])
def test_follows_a_change_of_quota(
    change: tuple[int, int], within: float, latency: str, kind: Kind
) -> None:
    assert settled_after(change, kind, latency, seed=7) <= within


@pytest.mark.parametrize("seed", [2, 8])
def test_a_long_window_that_is_halved_is_used_again(seed: int) -> None:
    server = Server(500, 300.0, "sliding")
    changed = 1800 + 11 * seed
    result = simulate(
        AdaptiveLimiter,
        server,
        LATENCIES[STEADY[1]],
        seed=seed,
        until=changed + 2400,
        change=(changed, 250),
    )
    used, refused = result.shares(changed + 600, changed + 2400, 250 / 300)
    assert used >= 85
    assert refused <= 1.5


@pytest.mark.parametrize("kind", ["aligned", "anchored"])
@pytest.mark.parametrize("change", CHANGES)
def test_follows_a_told_change_at_once(change: tuple[int, int], kind: Kind) -> None:
    assert settled_after(change, kind, STEADY[1], seed=7, headers=True) <= 3


def test_headers_of_a_sliding_window_are_no_worse_than_none() -> None:
    share, rejected = shares(AdaptiveLimiter, (10, 1.0), "sliding", STEADY[1], 7, headers=True)
    assert share >= 97
    assert rejected <= 1


@pytest.mark.parametrize(
    "lie",
    [
        {"X-Rate-Limit-Reset": "9999-12-31T23:59:59Z"},
        {"X-Rate-Limit-Reset": "9999-12-31T23:59:59Z", "Date": "Mon, 05 Jan 2026 00:01:40 GMT"},
        {"X-Rate-Limit-Limit": "999999999d", "X-Rate-Limit-Remaining": "1"},
    ],
)
def test_one_wrong_answer_about_a_window_is_not_waited_for(lie: dict[str, str]) -> None:
    class Lying(Server):
        lied = False

        def ask(self, now: float) -> tuple[bool, dict[str, str] | None]:
            admitted, headers = super().ask(now)
            if headers is not None and now > 100 and not self.lied:
                self.lied = True
                headers |= lie
            return admitted, headers

    server = Lying(10, 1.0, "aligned", headers=True)
    result = simulate(AdaptiveLimiter, server, LATENCIES[STEADY[0]], seed=7, until=200)
    assert server.lied
    used, _ = result.shares(101, 200, 10)
    assert used >= 95


def test_a_window_that_ends_next_week_is_asked_about_each_hour() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        limiter = AdaptiveLimiter()
        quota = {"Limit": "7d", "Remaining": "0", "Reset": "2026-01-12T00:00:00Z"}
        headers = {f"X-Rate-Limit-{name}": value for name, value in quota.items()}
        (await limiter.acquire()).release(Outcome.ANSWERED, headers)
        assert limiter.quota is not None
        began = loop.time()
        await limiter.acquire()
        return loop.time() - began

    assert run(main()) == pytest.approx(3600)


def test_finds_a_second_limit_that_the_headers_hide() -> None:
    class TwoLimits(Server):
        def ask(self, now: float) -> tuple[bool, dict[str, str] | None]:
            admitted, headers = super().ask(now)
            if admitted and not hidden.ask(now)[0]:
                self.log[-1] = (now, False)
                admitted = False
            return admitted, headers

    hidden = Server(5, 1.0, "sliding")
    server = TwoLimits(6000, 600.0, "aligned", headers=True)
    result = simulate(AdaptiveLimiter, server, LATENCIES[STEADY[0]], seed=7, until=200)
    used, refused = result.shares(100, 200, 5)
    assert used >= 90
    assert refused <= 5


def test_long_retry_after_stops_everybody_and_a_short_one_does_not() -> None:
    async def refused_with(retry_after: str) -> float:
        loop = asyncio.get_running_loop()
        limiter = AdaptiveLimiter(initial=10)
        slot = await limiter.acquire()
        slot.release(Outcome.THROTTLED, {"Retry-After": retry_after})
        began = loop.time()
        await limiter.acquire()
        assert limiter.rejections == 1
        return loop.time() - began

    assert run(refused_with("30")) == pytest.approx(30, abs=0.01)
    assert run(refused_with("1000000000")) == pytest.approx(3600, abs=0.01)
    assert run(refused_with("1")) < 0.5


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
        for _ in range(2):
            (await limiter.acquire()).release(Outcome.THROTTLED)
        probe = await limiter.acquire()
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
        for _ in range(2):
            (await limiter.acquire()).release(Outcome.THROTTLED)
        await limiter.acquire()
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


def test_cancelling_a_waiter_costs_no_slot() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        limiter = AdaptiveLimiter(initial=1)
        await limiter.acquire()
        waiting = [asyncio.create_task(limiter.acquire()) for _ in range(100)]
        last = asyncio.create_task(limiter.acquire())
        await asyncio.sleep(0.5)
        for task in waiting:
            task.cancel()
        await last
        assert loop.time() == pytest.approx(1, abs=0.01)
        assert limiter.waits == 1
        assert limiter.waited == pytest.approx(1, abs=0.01)

    run(main())


def test_a_request_that_was_not_sent_gives_its_slot_back() -> None:
    async def main() -> None:
        limiter = AdaptiveLimiter(initial=1)
        for _ in range(10):
            slot = await limiter.acquire(max_wait=0.1)
            slot.release(Outcome.NOT_SENT)
            slot.release(Outcome.THROTTLED)
        assert limiter.rejections == 0

    run(main())


@pytest.mark.parametrize("released", [True, False])
def test_a_lost_probe_does_not_hold_up_the_rest_for_ever(released: bool) -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        limiter = AdaptiveLimiter(initial=10)
        for _ in range(2):
            (await limiter.acquire()).release(Outcome.THROTTLED)
        probe = await limiter.acquire()
        began = loop.time()
        if released:
            probe.release(Outcome.ABANDONED)
        await limiter.acquire()
        return loop.time() - began

    assert run(main()) <= (1 if released else 31)


def test_a_rate_that_nobody_uses_does_not_grow() -> None:
    estimator = RateEstimator(10)
    for second in range(100):
        estimator.sent(second)
        estimator.accepted(second, second + 0.1, held=False)
    assert estimator.rate == 10
    estimator.sent(100)
    estimator.accepted(100, 100.1, held=True)
    assert estimator.rate > 10


def test_tells_what_it_believes() -> None:
    async def main() -> None:
        limiter = AdaptiveLimiter(initial=10)
        assert (limiter.rate, limiter.quota) == (10, None)
        slot = await limiter.acquire()
        slot.release(
            Outcome.ANSWERED,
            CIMultiDict(
                {
                    "x-rate-limit-limit": "1s",
                    "x-rate-limit-remaining": "3",
                    "x-rate-limit-reset": "2025-06-11T05:18:51.0588326Z",
                }
            ),
        )
        assert (limiter.rate, limiter.quota) == (4, (4, 1))
        assert "4 requests per second" in repr(limiter)

    run(main())


@pytest.mark.parametrize("initial", [0, -1, float("nan"), float("inf"), "5", None])
def test_a_senseless_rate_is_an_error(initial: Any) -> None:
    with pytest.raises(ConfigurationError):
        AdaptiveLimiter(initial=initial)


def test_one_limiter_serves_one_loop_at_a_time() -> None:
    limiter = AdaptiveLimiter(initial=1000)

    async def use() -> None:
        await limiter.acquire()

    run(use())
    run(use())  # the first loop is closed by now

    async def use_in_both() -> None:
        await limiter.acquire()
        with pytest.raises(ConfigurationError, match="another event loop"):
            await asyncio.to_thread(run, use())

    asyncio.run(use_in_both())


DOCUMENTED = {
    "X-Rate-Limit-Limit": "1s",
    "X-Rate-Limit-Remaining": "3",
    "X-Rate-Limit-Reset": "2025-06-11T05:18:51.0588326Z",
}


def test_reads_the_documented_headers() -> None:
    lower = {name.lower(): value for name, value in DOCUMENTED.items()}
    assert read_limits(DOCUMENTED) == read_limits(CIMultiDict(lower)) == read_limits(lower)
    reading = read_limits(DOCUMENTED)
    assert reading is not None
    assert (reading.remaining, reading.per) == (3, 1.0)
    assert reading.resets_at == pytest.approx(1749619131.058832, abs=1e-5)


@pytest.mark.parametrize(("text", "seconds"), [("15m", 900), ("12h", 43200), ("7d", 604800)])
def test_reads_longer_windows(text: str, seconds: float) -> None:
    reading = read_limits(DOCUMENTED | {"X-Rate-Limit-Limit": text})
    assert reading is not None
    assert reading.per == seconds


@pytest.mark.parametrize("name", list(DOCUMENTED))
@pytest.mark.parametrize("value", ["", "soon", "-1", "0s", "99999-01-01", "32d", "9" * 400 + "d"])
def test_headers_without_sense_tell_nothing(name: str, value: str) -> None:
    assert read_limits(DOCUMENTED | {name: value}) is None
    assert read_limits({key: held for key, held in DOCUMENTED.items() if key != name}) is None


def test_reads_retry_after_in_both_forms() -> None:
    date = {"Retry-After": "Wed, 11 Jun 2025 05:19:00 GMT"}
    assert read_retry_after({"retry-after": "7"}) == 7
    assert read_retry_after(date | {"Date": "Wed, 11 Jun 2025 05:18:50 GMT"}) == 10
    assert read_retry_after(date, now=1749619139.5) == 0.5
    assert read_retry_after(date, now=1749619199) == 0
    assert read_retry_after(date) is None
    assert read_retry_after({"Retry-After": "soon"}) is None
    assert read_retry_after({}) is None
