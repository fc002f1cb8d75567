from __future__ import annotations

import asyncio
import gc
from statistics import fmean

import pytest

from jibble_async.errors import ConfigurationError, RateLimitedError
from jibble_async.limits.slots import Outcome, Priority, RateLimiter
from jibble_async.limits.window import RollingWindow
from tests.limits.calls import now
from tests.limits.schedules import HAIR, Load, drawn, play, tightest, used
from tests.support import virtual_time

SEEDS = 400


def test_it_is_a_limiter() -> None:
    assert isinstance(RollingWindow(1, 1), RateLimiter)


def test_server_never_counts_more_than_the_limit() -> None:
    gave_up = 0
    for seed in range(SEEDS):
        limit, per, load = drawn(seed)
        schedule = play(RollingWindow(limit, per, load.linger), load, seed)
        assert tightest(schedule.arrivals, limit) >= per - HAIR, f"seed {seed}"
        gave_up += schedule.abandoned
    assert gave_up > SEEDS


def test_without_the_assumption_the_limit_breaks() -> None:
    # Proves that the test above can see it.
    load = Load(callers=20, seconds=10, linger=1.0, lost=0.3, slack=2.0)
    gaps = [tightest(play(RollingWindow(5, 1, 1.0), load, seed).arrivals, 5) for seed in range(20)]
    assert min(gaps) < 1 - HAIR


@pytest.mark.parametrize("interactive", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(
    ("limit", "per"), [(50, 1.0), (15, 2.0), (10, 1.0), (5, 1.0), (3, 1.0), (150, 60.0)]
)
def test_two_hundred_waiters_use_nearly_all(limit: int, per: float, interactive: float) -> None:
    seconds = max(20, 1500 / limit) * per
    load = Load(callers=200, seconds=seconds, linger=1.0, interactive=interactive)
    shares: list[float] = []
    for seed in range(3):
        schedule = play(RollingWindow(limit, per, 1.0), load, seed)
        assert tightest(schedule.arrivals, limit) >= per - HAIR
        shares.append(used(schedule, load, limit, per))
    assert fmean(shares) >= 0.99


def test_order_is_kept_within_a_priority() -> None:
    async def main() -> list[str]:
        window = RollingWindow(1, 1)
        (await window.acquire()).release(Outcome.ANSWERED)
        served: list[str] = []

        async def call(name: str, priority: Priority) -> None:
            slot = await window.acquire(priority=priority)
            served.append(name)
            slot.release(Outcome.ANSWERED)

        async with asyncio.TaskGroup() as group:
            for name in ("b1", "b2", "i1", "b3", "i2"):
                group.create_task(call(name, "interactive" if name[0] == "i" else "bulk"))
                await asyncio.sleep(0)
        return served

    assert virtual_time.run(main()) == ["i1", "i2", "b1", "b2", "b3"]


@pytest.mark.parametrize(
    ("outcome", "free_after"),
    [
        (Outcome.NOT_SENT, 0.0),
        (Outcome.ANSWERED, 2.0),
        (Outcome.THROTTLED, 2.0),
        (Outcome.ABANDONED, 5.0),
    ],
)
def test_outcome_says_how_long_a_slot_counts(outcome: Outcome, free_after: float) -> None:
    async def main() -> float:
        window = RollingWindow(1, 2, linger=3)
        slot = await window.acquire()
        await asyncio.sleep(1)
        slot.release(outcome)
        slot.release(Outcome.NOT_SENT)
        await window.acquire()
        return now()

    assert virtual_time.run(main()) == pytest.approx(1 + free_after, abs=1e-4)


def test_dropped_slot_is_an_abandoned_one() -> None:
    async def main() -> float:
        window = RollingWindow(1, 2, linger=3)
        slot = await window.acquire()
        waiter = asyncio.create_task(window.acquire())
        await asyncio.sleep(1)
        del slot
        gc.collect()
        await waiter
        return now()

    assert virtual_time.run(main()) == pytest.approx(6, abs=1e-4)


def test_cancelled_waiters_cost_nothing() -> None:
    async def main() -> float:
        window = RollingWindow(2, 1)
        for _ in range(2):
            (await window.acquire()).release(Outcome.ANSWERED)
        waiters = [asyncio.create_task(window.acquire()) for _ in range(50)]
        await asyncio.sleep(0.5)
        for waiter in waiters[:-2]:
            waiter.cancel()
        await asyncio.gather(*waiters[-2:])
        return now()

    assert virtual_time.run(main()) == pytest.approx(1, abs=1e-4)


def test_slot_that_comes_with_the_cancellation_goes_to_the_next() -> None:
    async def main() -> float:
        window = RollingWindow(1, 1)
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

    assert virtual_time.run(main()) == pytest.approx(0.1, abs=1e-4)


@pytest.mark.parametrize("ahead", [0, 1, 2, 3])
def test_max_wait_that_cannot_be_met_raises_at_once(ahead: int) -> None:
    async def main() -> None:
        window = RollingWindow(2, 10)
        for _ in range(2):
            (await window.acquire()).release(Outcome.ANSWERED)
            await asyncio.sleep(1)
        line = [asyncio.create_task(window.acquire(priority="bulk")) for _ in range(ahead)]
        await asyncio.sleep(0)
        due = (8, 9, 18, 19)[ahead]
        began = now()
        with pytest.raises(RateLimitedError) as caught:
            await window.acquire(priority="bulk", max_wait=due - 0.1)
        assert caught.value.status == 429
        assert caught.value.retry_after == pytest.approx(due, abs=1e-3)
        assert now() - began < 1e-4
        # Interactive calls do not stand behind those.
        with pytest.raises(RateLimitedError):
            await window.acquire(max_wait=7.9)
        for task in line:
            task.cancel()

    virtual_time.run(main())


def test_max_wait_takes_slots_under_way_into_account() -> None:
    async def main() -> None:
        window = RollingWindow(1, 10)
        slot = await window.acquire()
        with pytest.raises(RateLimitedError):
            await window.acquire(max_wait=9.9)
        patient = asyncio.create_task(window.acquire(max_wait=10.5))
        await asyncio.sleep(1)
        slot.release(Outcome.ANSWERED)
        began = now()
        with pytest.raises(RateLimitedError, match="nothing was sent"):
            await patient
        assert now() - began == pytest.approx(9.5, abs=1e-3)
        await window.acquire(max_wait=1)

    virtual_time.run(main())


def test_what_was_sent_outlives_its_loop() -> None:
    window = RollingWindow(1, 10)

    async def send() -> None:
        (await window.acquire()).release(Outcome.ANSWERED)

    async def refused() -> None:
        with pytest.raises(RateLimitedError):
            await window.acquire(max_wait=9)

    virtual_time.run(send())
    virtual_time.run(refused())


def test_second_loop_is_refused_while_the_first_lives() -> None:
    window = RollingWindow(1, 10)
    first = virtual_time.VirtualTimeLoop()
    first.run_until_complete(window.acquire())
    with pytest.raises(ConfigurationError, match="another event loop"):
        virtual_time.run(window.acquire())
    first.close()


@pytest.mark.parametrize(
    ("limit", "per", "linger"), [(0, 1.0, 0.0), (1, 0.0, 0.0), (1, -1.0, 0.0), (1, 1.0, -1.0)]
)
def test_numbers_that_leave_nothing_are_refused(limit: int, per: float, linger: float) -> None:
    with pytest.raises(ConfigurationError):
        RollingWindow(limit, per, linger)


def test_uncontended_slots_start_no_timer_and_no_task() -> None:
    async def main() -> int:
        window = RollingWindow(100, 1)
        for _ in range(100):
            (await window.acquire()).release(Outcome.ANSWERED)
        return len(asyncio.all_tasks())

    assert virtual_time.run(main()) == 1


def test_everybody_is_held_back_for_as_long_as_the_server_says() -> None:
    async def main() -> list[float]:
        window = RollingWindow(5, 10)
        (await window.acquire()).release(Outcome.NOT_SENT)
        window.hold(8)
        await asyncio.sleep(1)
        window.hold(2)
        times: list[float] = []
        for _ in range(5):
            (await window.acquire()).release(Outcome.ANSWERED)
            times.append(now())
        return times

    assert virtual_time.run(main()) == pytest.approx([8] * 5, abs=1e-4)


def test_a_refusal_holds_everybody_back_until_the_oldest_request_is_out() -> None:
    async def main() -> list[float]:
        window = RollingWindow(5, 10)
        (await window.acquire()).release(Outcome.ANSWERED)
        await asyncio.sleep(4)
        (await window.acquire()).release(Outcome.THROTTLED)
        assert window.used == 2
        with pytest.raises(RateLimitedError) as caught:
            await window.acquire(max_wait=1)
        assert caught.value.retry_after == pytest.approx(6)
        times: list[float] = []
        for _ in range(4):
            await window.acquire()
            times.append(now())
        assert window.used == 5
        return times

    assert virtual_time.run(main()) == pytest.approx([10] * 4, abs=1e-4)
