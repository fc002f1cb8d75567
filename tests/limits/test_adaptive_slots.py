"""What the adaptive limiter makes of slots, and what it tells of itself."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from multidict import CIMultiDict

from jibble_async.errors import ConfigurationError
from jibble_async.limits.adaptive.limiter import AdaptiveLimiter
from jibble_async.limits.adaptive.rate import LARGEST_STEP, TRUSTED_STEP, RateEstimator
from jibble_async.limits.slots import Outcome
from tests.limits.calls import probe_of
from tests.support.virtual_time import run


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
        probe = await probe_of(limiter)
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


def test_what_was_not_sent_and_a_shorter_wait_change_nothing_of_a_told_window() -> None:
    """A shorter wait does not end a longer one, and a slot that was not used is there again."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        limiter = AdaptiveLimiter()
        headers = {
            "X-Rate-Limit-Limit": "600s",
            "X-Rate-Limit-Remaining": "9",
            "X-Rate-Limit-Reset": "2026-01-01T00:10:00Z",
        }
        (await limiter.acquire()).release(Outcome.ANSWERED, headers)
        assert limiter.quota == (10, 600.0)
        before = limiter._pacer.quota.window.left
        slot = await limiter.acquire()
        slot.release(Outcome.NOT_SENT)
        assert limiter._pacer.quota.window.left == before
        first, second = await limiter.acquire(), await limiter.acquire()
        begun = loop.time()
        first.release(Outcome.THROTTLED, {"Retry-After": "2000"})
        second.release(Outcome.THROTTLED, {"Retry-After": "10"})
        await limiter.acquire()
        assert loop.time() >= begun + 2000

    run(main())


@pytest.mark.parametrize(
    ("outcome", "step"),
    [
        # Refused with much left: there is another limit, of which nothing is told.
        (Outcome.THROTTLED, LARGEST_STEP / 2),
        # The window's end moves with each answer: it slides, and the told rate is the quota.
        (Outcome.ANSWERED, TRUSTED_STEP),
    ],
)
def test_headers_are_left_after_three_answers_that_speak_against_them(
    outcome: Outcome, step: float
) -> None:
    async def main() -> None:
        limiter = AdaptiveLimiter()
        for number in range(4):
            second = number if outcome is Outcome.ANSWERED else 0
            headers = {
                "X-Rate-Limit-Limit": "600s",
                "X-Rate-Limit-Remaining": f"{5999 - number}",
                "X-Rate-Limit-Reset": f"2026-01-01T00:10:0{second}Z",
            }
            slot = await limiter.acquire()
            slot.release(outcome if number else Outcome.ANSWERED, headers)
            assert limiter.quota == ((6000, 600.0) if number < 3 else None)
        rate = limiter.rate
        (await limiter.acquire()).release(Outcome.THROTTLED)
        assert limiter.rate == pytest.approx(rate * (1 - step))

    run(main())
