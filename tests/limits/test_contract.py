"""What every window promises, wherever its slots are counted: how long each counts."""

from __future__ import annotations

import asyncio
import gc
import math
from typing import Any

import pytest

from jibble_async.errors import ConfigurationError, RateLimitedError
from jibble_async.limits.slots import Counting, Outcome, Paced, RateLimiter
from jibble_async.limits.stored import OVERDUE
from tests.limits.calls import is_due, now, send
from tests.limits.schedules import HAIR, Load, drawn, play, tightest
from tests.limits.stores import Store
from tests.support import virtual_time
from tests.support.chaos import seeds


def test_it_is_a_limiter_that_counts_and_tells_its_rate(store: Store) -> None:
    window = store.window(10, 4)
    assert isinstance(window, RateLimiter)
    assert isinstance(window, Counting)
    assert isinstance(window, Paced)
    assert window.rate == 2.5


@pytest.mark.parametrize(
    "number",
    [
        *({"limit": wrong} for wrong in (0, -1, 1.5, math.nan, "5", None)),
        *({"per": wrong} for wrong in (0, -1, math.nan, math.inf, "1", None)),
        *({"linger": wrong} for wrong in (-1, math.nan, math.inf, "1", None)),
        *({"reserve": wrong} for wrong in (-0.1, 1, math.nan, "1", None)),
    ],
)
def test_numbers_that_leave_nothing_are_refused(store: Store, number: dict[str, Any]) -> None:
    numbers: dict[str, Any] = {"limit": 1, "per": 1, **number}
    with pytest.raises(ConfigurationError, match=r"can't send|reserve|is no (whole )?number"):
        store.window(**numbers)


@seeds(20)
def test_server_never_counts_more_than_the_limit(store: Store, seed: int) -> None:
    limit, per, load = drawn(seed)
    schedule = play(store.window(limit, per, load.linger), load, seed)
    assert tightest(schedule.arrivals, limit) >= per - HAIR


def test_window_of_one_is_for_one_at_a_time_whoever_is_due(store: Store) -> None:
    # Bulk comes into its turn again and again, since interactive calls overtake it.
    load = Load(callers=30, seconds=60, linger=0, interactive=0.9, legs=(0.01, 0.02))
    schedule = play(store.window(1, 1, linger=0), load, seed=1)
    assert len(schedule.arrivals) > 50
    assert tightest(schedule.arrivals, 1) >= 1 - HAIR


@pytest.mark.parametrize(
    ("outcome", "due"),
    [
        (Outcome.NOT_SENT, 1.0),
        (Outcome.ANSWERED, 3.0),
        (Outcome.THROTTLED, 3.0),
        (Outcome.ABANDONED, 6.0),
    ],
)
def test_outcome_says_how_long_a_slot_counts(store: Store, outcome: Outcome, due: float) -> None:
    async def main() -> float:
        one, other = store.window(1, 2, linger=3), store.window(1, 2, linger=3)
        slot = await one.acquire()
        await asyncio.sleep(1)
        slot.release(outcome)
        # Only the first release counts.
        slot.release(Outcome.NOT_SENT)
        await asyncio.sleep(0.01)
        await other.acquire()
        return now()

    assert virtual_time.run(main()) == is_due(due)


def test_dropped_slot_is_an_abandoned_one(store: Store) -> None:
    async def main() -> float:
        one, other = store.window(1, 2, linger=3), store.window(1, 2, linger=3)
        slot = await one.acquire()
        await asyncio.sleep(1)
        del slot
        gc.collect()
        await asyncio.sleep(0.01)
        await other.acquire()
        return now()

    assert virtual_time.run(main()) == is_due(6)


def test_what_is_used_is_what_counts(store: Store) -> None:
    async def main() -> list[int | None]:
        window = store.window(5, 10)
        slots = [await window.acquire() for _ in range(3)]
        seen = [window.used]
        slots[0].release(Outcome.NOT_SENT)
        slots[1].release(Outcome.ANSWERED)
        await asyncio.sleep(0.01)
        seen.append(window.used)
        await asyncio.sleep(10)
        await send(window, Outcome.NOT_SENT)
        await asyncio.sleep(0.01)
        seen.append(window.used)
        return seen

    assert virtual_time.run(main()) == [3, 2, 1]


def test_cancelled_waiters_cost_nothing(store: Store) -> None:
    async def main() -> float:
        one, other = store.window(1, 1), store.window(1, 1)
        await send(one)
        waiters = [asyncio.create_task(one.acquire()) for _ in range(50)]
        await asyncio.sleep(0.5)
        patient = asyncio.create_task(other.acquire())
        await asyncio.sleep(0.1)
        for waiter in waiters:
            waiter.cancel()
        await patient
        return now()

    # Those of another process are found to be gone when they don't ask in time.
    assert 1 <= virtual_time.run(main()) <= 1 + OVERDUE + 0.02


def test_slot_that_comes_with_the_cancellation_goes_to_the_next(store: Store) -> None:
    async def main() -> float:
        window = store.window(1, 1)
        slot = await window.acquire()
        first = asyncio.create_task(window.acquire())
        second = asyncio.create_task(window.acquire())
        await asyncio.sleep(0.1)
        slot.release(Outcome.NOT_SENT)
        first.cancel()
        await second
        with pytest.raises(asyncio.CancelledError):
            await first
        return now()

    assert virtual_time.run(main()) == is_due(0.1)


@pytest.mark.parametrize("ahead", [0, 1, 2, 3])
def test_max_wait_that_cannot_be_met_raises_before_waiting(store: Store, ahead: int) -> None:
    async def main() -> None:
        window = store.window(2, 10)
        for _ in range(2):
            await send(window)
            await asyncio.sleep(1)
        line = [asyncio.create_task(window.acquire(priority="bulk")) for _ in range(ahead)]
        await asyncio.sleep(0)
        wait = (8, 9, 18, 19)[ahead]
        began = now()
        with pytest.raises(RateLimitedError, match="nothing was sent") as caught:
            await window.acquire(priority="bulk", max_wait=wait - 0.1)
        assert caught.value.status == 429
        assert caught.value.retry_after == is_due(wait)
        assert now() - began < 0.01
        # Interactive calls do not stand behind those.
        with pytest.raises(RateLimitedError):
            await window.acquire(max_wait=7.9)
        assert now() - began < 0.02
        patient = asyncio.create_task(window.acquire(max_wait=8.1))
        await patient
        assert now() - began == is_due(8)
        for task in line:
            task.cancel()

    virtual_time.run(main())


def test_max_wait_of_zero_takes_only_what_is_there(store: Store) -> None:
    async def main() -> None:
        window = store.window(1, 10)
        with pytest.raises(RateLimitedError):
            await asyncio.gather(*(window.acquire(max_wait=0.01) for _ in range(2)))

    virtual_time.run(main())


def test_max_wait_takes_slots_under_way_into_account(store: Store) -> None:
    async def main() -> None:
        one, other = store.window(1, 10), store.window(1, 10)
        slot = await one.acquire()
        with pytest.raises(RateLimitedError):
            await other.acquire(max_wait=9.9)
        assert now() < 0.01
        patient = asyncio.create_task(other.acquire(max_wait=10.5))
        await asyncio.sleep(1)
        slot.release(Outcome.ANSWERED)
        with pytest.raises(RateLimitedError):
            await patient
        assert now() <= 10.51
        await other.acquire(max_wait=10.1)
        assert now() == is_due(11)

    virtual_time.run(main())


def test_a_refusal_holds_everybody_back_until_the_oldest_request_is_out(store: Store) -> None:
    async def main() -> list[float]:
        one, other = store.window(5, 10), store.window(5, 10)
        await send(other)
        await asyncio.sleep(4)
        (await one.acquire()).release(Outcome.THROTTLED)
        await asyncio.sleep(0.01)
        assert one.used == 2
        with pytest.raises(RateLimitedError) as caught:
            await other.acquire(max_wait=1)
        assert caught.value.retry_after == is_due(6)
        times: list[float] = []
        for _ in range(4):
            await other.acquire()
            times.append(now())
        return times

    assert virtual_time.run(main()) == [is_due(10)] * 4


def test_everybody_is_held_back_for_as_long_as_the_server_says(store: Store) -> None:
    async def main() -> list[float]:
        one, other = store.window(5, 10), store.window(5, 10)
        await send(one, Outcome.NOT_SENT)
        assert one.hold(8) == is_due(8)
        await asyncio.sleep(1)
        # What was said before holds on.
        assert one.hold(2) == is_due(7)
        times: list[float] = []
        for _ in range(5):
            await send(other)
            times.append(now())
        return times

    assert virtual_time.run(main()) == [is_due(8)] * 5


def test_a_slot_that_comes_back_unused_is_held_back_too(store: Store) -> None:
    async def main() -> float:
        window = store.window(5, 10)
        slot = await window.acquire()
        window.hold(3)
        waiting = asyncio.create_task(window.acquire())
        await asyncio.sleep(1)
        slot.release(Outcome.NOT_SENT)
        await waiting
        return now()

    assert virtual_time.run(main()) == is_due(3)


def test_where_nothing_counts_a_refusal_holds_back_for_a_period(store: Store) -> None:
    async def main() -> float:
        window = store.window(5, 10)
        await send(window, Outcome.NOT_SENT)
        await asyncio.sleep(0.01)
        return window.hold()

    assert virtual_time.run(main()) == is_due(10)
