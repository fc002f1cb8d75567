"""What every adaptive limiter promises, wherever what it knows is kept."""

from __future__ import annotations

import asyncio

import pytest

from jibble_async.errors import ConfigurationError, RateLimitedError
from jibble_async.limits.slots import Outcome, Paced, Priority, RateLimiter
from tests.limits.calls import is_due, now, probe_of, send
from tests.limits.pacers import Adaptive, Place
from tests.support import virtual_time


def told(remaining: int, per: int = 10, second: int = 10) -> dict[str, str]:
    return {
        "X-Rate-Limit-Limit": f"{per}s",
        "X-Rate-Limit-Remaining": f"{remaining}",
        "X-Rate-Limit-Reset": f"2026-01-05T00:00:{second:02}Z",
    }


async def settle(limiter: Adaptive) -> None:
    """Let the store hear of what was given back."""
    await asyncio.sleep(0.01)


async def refused(limiter: Adaptive, headers: dict[str, str] | None = None) -> None:
    (await limiter.acquire()).release(Outcome.THROTTLED, headers)
    await settle(limiter)


def test_it_is_a_limiter_that_tells_its_rate(place: Place) -> None:
    limiter = place.limiter(initial=2.5)
    assert isinstance(limiter, RateLimiter)
    assert isinstance(limiter, Paced)
    assert (limiter.rate, limiter.quota) == (2.5, None)
    assert (limiter.waits, limiter.waited, limiter.rejections) == (0, 0, 0)


def test_five_calls_in_a_row_are_not_held_back(place: Place) -> None:
    async def main() -> float:
        one, other = place.limiter(), place.limiter()
        for limiter in (one, one, one):
            await send(limiter)
        await settle(one)
        for limiter in (other, other):
            await send(limiter)
        early = now()
        await send(other)
        assert now() == is_due(early + 0.25)
        return early

    assert virtual_time.run(main()) < 0.03


def test_calls_are_paced_together(place: Place) -> None:
    async def main() -> float:
        limiters = [place.limiter(initial=10) for _ in range(2)]
        await refused(limiters[0])
        began = now()

        async def call(limiter: Adaptive) -> None:
            for _ in range(10):
                await send(limiter)

        await asyncio.gather(*(call(limiter) for limiter in limiters))
        return now() - began

    # 20 calls at 7 a second, which a few that were accepted raise a little.
    assert 2.4 <= virtual_time.run(main()) <= 3


def test_processes_take_turns(place: Place) -> None:
    async def main() -> list[int]:
        limiters = [place.limiter(initial=10) for _ in range(2)]
        await refused(limiters[0])
        order: list[int] = []

        async def call(number: int) -> None:
            await limiters[number].acquire()
            order.append(number)

        # One has more calls, which came first.
        tasks = [asyncio.create_task(call(0)) for _ in range(20)]
        await asyncio.sleep(0.01)
        tasks += [asyncio.create_task(call(1)) for _ in range(5)]
        await asyncio.gather(*tasks)
        return order

    order = virtual_time.run(main())
    one, other = place.limiter(), place.limiter()
    if one is not other:
        assert order[:10].count(1) in {4, 5}
    else:
        assert order == [0] * 20 + [1] * 5


def test_what_is_told_to_one_is_known_to_all(place: Place) -> None:
    async def main() -> None:
        one, other = place.limiter(), place.limiter()
        (await one.acquire()).release(Outcome.ANSWERED, told(9))
        await settle(one)
        began = now()
        (await other.acquire()).release(Outcome.ANSWERED, told(8))
        await settle(other)
        assert other.quota == (10, 10)
        assert other.rate == 1
        # What is left is spread over what is left of the window.
        assert 0.4 <= now() - began <= 1.2

    virtual_time.run(main())


def test_a_wait_that_the_server_asks_of_one_holds_for_all(place: Place) -> None:
    async def main() -> None:
        one, other = place.limiter(), place.limiter()
        await refused(one, {"Retry-After": "30"})
        with pytest.raises(RateLimitedError) as caught:
            await other.acquire(max_wait=5)
        assert caught.value.retry_after == is_due(30)
        await other.acquire()
        assert now() == is_due(30)
        assert one.rejections == 1

    virtual_time.run(main())


def test_a_shut_window_is_probed_by_one_and_its_answer_lets_all_go(place: Place) -> None:
    async def main() -> None:
        one, other = place.limiter(initial=10), place.limiter(initial=10)
        probe = await probe_of(one)
        waiting = [asyncio.create_task(each.acquire()) for each in (one, other)]
        await asyncio.sleep(3)
        assert not any(task.done() for task in waiting)
        probe.release(Outcome.ANSWERED)
        began = now()
        await asyncio.gather(*waiting)
        assert now() - began <= 0.4

    virtual_time.run(main())


@pytest.mark.parametrize("released", [True, False])
def test_a_lost_probe_does_not_hold_up_the_rest_for_ever(place: Place, released: bool) -> None:
    async def main() -> float:
        limiter = place.limiter(initial=10)
        probe = await probe_of(limiter)
        began = now()
        if released:
            probe.release(Outcome.ABANDONED)
        await place.limiter(initial=10).acquire()
        return now() - began

    assert virtual_time.run(main()) <= (1 if released else 31)


def test_a_request_that_was_not_sent_gives_its_slot_back(place: Place) -> None:
    async def main() -> None:
        limiter = place.limiter(initial=1)
        for _ in range(10):
            slot = await limiter.acquire(max_wait=0.1)
            slot.release(Outcome.NOT_SENT)
            slot.release(Outcome.THROTTLED)
            await settle(limiter)
        assert limiter.rejections == 0

    virtual_time.run(main())


def test_cancelled_waiters_cost_no_slot(place: Place) -> None:
    async def main() -> None:
        one, other = place.limiter(initial=1), place.limiter(initial=1)
        await refused(one)
        waiting = [asyncio.create_task(one.acquire()) for _ in range(50)]
        await asyncio.sleep(0.5)
        patient = asyncio.create_task(other.acquire())
        await asyncio.sleep(0.1)
        for task in waiting:
            task.cancel()
        await patient
        assert now() == pytest.approx(1.17, abs=0.05)

    virtual_time.run(main())


def test_interactive_calls_of_one_go_before_bulk_calls_of_another(place: Place) -> None:
    async def main() -> list[str]:
        one, other = place.limiter(initial=2), place.limiter(initial=2)
        await refused(one)
        order: list[str] = []

        async def call(limiter: Adaptive, priority: Priority) -> None:
            await limiter.acquire(priority=priority)
            order.append(priority)

        calls = [call(one, "bulk") for _ in range(3)]
        tasks = [asyncio.create_task(each) for each in calls]
        await asyncio.sleep(0.1)
        tasks += [asyncio.create_task(call(other, "interactive")) for _ in range(2)]
        await asyncio.gather(*tasks)
        return order

    assert virtual_time.run(main()) == ["interactive"] * 2 + ["bulk"] * 3


def test_bulk_of_one_is_slowed_by_the_clicks_of_another_but_not_stopped(place: Place) -> None:
    async def main() -> int:
        one, other = place.limiter(initial=10), place.limiter(initial=10)
        await refused(one)
        order: list[Priority] = []
        enough = asyncio.Event()

        async def work(limiter: Adaptive, priority: Priority) -> None:
            while True:
                await send(limiter, priority=priority)
                order.append(priority)
                if len(order) >= 85:
                    enough.set()

        jobs = [asyncio.create_task(work(other, "interactive")) for _ in range(8)]
        jobs.append(asyncio.create_task(work(one, "bulk")))
        await enough.wait()
        for job in jobs:
            job.cancel()
        return order.count("bulk")

    # One of 21.
    assert 3 <= virtual_time.run(main()) <= 5


def test_a_wait_that_is_known_to_be_too_long_is_refused_at_once(place: Place) -> None:
    async def main() -> None:
        limiter = place.limiter(initial=1)
        (await limiter.acquire()).release(Outcome.ANSWERED, told(9))
        await settle(limiter)
        waiting = [asyncio.create_task(limiter.acquire()) for _ in range(5)]
        await settle(limiter)
        began = now()
        with pytest.raises(RateLimitedError, match="nothing was sent") as caught:
            await limiter.acquire(max_wait=2)
        assert now() - began < 0.01
        assert caught.value.retry_after == pytest.approx(6, abs=0.6)
        await limiter.acquire(max_wait=10)
        assert all(task.done() for task in waiting)

    virtual_time.run(main())


def test_a_guess_refuses_nobody_before_it_was_tried(place: Place) -> None:
    async def main() -> int:
        limiters = place.limiter(), place.limiter()

        async def call(limiter: Adaptive) -> None:
            slot = await limiter.acquire(max_wait=60)
            await asyncio.sleep(0.05)
            slot.release(Outcome.ANSWERED)

        calls = [call(limiters[number % 2]) for number in range(200)]
        ended = await asyncio.gather(*calls, return_exceptions=True)
        return sum(isinstance(end, RateLimitedError) for end in ended)

    assert virtual_time.run(main()) == 0


@pytest.mark.parametrize("initial", [0, -1, float("nan"), float("inf"), "5", None])
def test_a_senseless_rate_is_an_error(place: Place, initial: float) -> None:
    with pytest.raises(ConfigurationError):
        place.limiter(initial=initial)
