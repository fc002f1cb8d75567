from __future__ import annotations

import asyncio
import gc
import random
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


def test_bulk_is_not_starved() -> None:
    async def main() -> tuple[int, int]:
        window = RollingWindow(10, 1)
        served = {"interactive": 0, "bulk": 0}

        async def keep_calling(priority: Priority) -> None:
            while now() < 60:
                slot = await window.acquire(priority=priority)
                served[priority] += 1
                slot.release(Outcome.ANSWERED)

        callers = [keep_calling("interactive") for _ in range(30)]
        await asyncio.gather(*callers, keep_calling("bulk"))
        return served["interactive"], served["bulk"]

    interactive, bulk = virtual_time.run(main())
    # At most 20 go before it, and up to 9 more that come due together with its own.
    assert bulk >= interactive / 31


def beside_a_job(
    window: RollingWindow, per: float, every: float, seed: int = 1
) -> tuple[list[float], list[float], int]:
    """What calls at regular times wait for, and when all requests arrive, and how many are bulk."""
    dice = random.Random(seed)
    waits: list[float] = []
    arrivals: list[float] = []
    bulk = 0

    async def send(priority: Priority) -> None:
        began = now()
        slot = await window.acquire(priority=priority)
        if priority == "interactive":
            waits.append(now() - began)
        there, back = dice.uniform(0.01, 0.15), dice.uniform(0.01, 0.15)
        arrivals.append(now() + there)
        await asyncio.sleep(there + back)
        slot.release(Outcome.ANSWERED)

    async def job() -> None:
        nonlocal bulk
        while now() < 30 * per:
            await send("bulk")
            bulk += 1

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(2 * window.limit):
                group.create_task(job())
            while now() < 28 * per:
                await asyncio.sleep(every)
                group.create_task(send("interactive"))

    virtual_time.run(main())
    return waits, sorted(arrivals), bulk


@pytest.mark.parametrize(("limit", "per"), [(50, 1.0), (15, 2.0), (10, 1.0), (3, 1.0)])
def test_interactive_waits_for_one_slot_beside_a_job_that_fills_the_quota(
    limit: int, per: float
) -> None:
    waits, arrivals, bulk = beside_a_job(RollingWindow(limit, per), per, every=1.0)
    # Nothing announced the first.
    assert waits[0] <= 2 * (per + 0.16) / limit
    assert max(waits[1:]) <= per / limit + HAIR
    assert tightest(arrivals, limit) >= per - HAIR
    # Bulk gets what is left of what travel times of 0.16 s leave.
    assert bulk >= 0.9 * (30 * limit * per / (per + 0.16) - len(waits))


def test_more_is_left_to_interactive_calls_where_that_is_said() -> None:
    # Four of ten slots are wanted, which nothing announces in the first window.
    surprised, _, _ = beside_a_job(RollingWindow(10, 60.0), 60.0, every=15.0)
    expected, _, _ = beside_a_job(RollingWindow(10, 60.0, reserve=0.5), 60.0, every=15.0)
    assert max(surprised) > 10
    assert max(expected) <= 6 + HAIR


def test_what_was_left_is_taken_in_the_end() -> None:
    async def main() -> list[float]:
        window = RollingWindow(10, 100)
        granted: list[float] = []
        for _ in range(30):
            slot = await window.acquire(priority="bulk")
            granted.append(now())
            slot.release(Outcome.ANSWERED)
        return granted

    granted = virtual_time.run(main())
    assert granted[8] <= HAIR
    assert granted[9] >= 80
    assert granted[29] <= 300


def test_interactive_calls_under_way_are_expected_again() -> None:
    async def main() -> None:
        window = RollingWindow(10, 100)
        under_way = [await window.acquire() for _ in range(4)]
        with pytest.raises(RateLimitedError):
            await window.acquire(priority="bulk", max_wait=1)
        for slot in under_way:
            slot.release(Outcome.NOT_SENT)
        for _ in range(9):
            await window.acquire(priority="bulk", max_wait=1)

    virtual_time.run(main())


def test_bulk_that_is_held_back_goes_when_twenty_have_passed_it() -> None:
    async def main() -> list[bool]:
        window = RollingWindow(100, 100, reserve=0.5)
        taken = [await window.acquire(priority="bulk") for _ in range(50)]
        held_back = asyncio.create_task(window.acquire(priority="bulk"))
        served: list[bool] = []
        for _ in range(20):
            await asyncio.sleep(0)
            served.append(held_back.done())
            (await window.acquire()).release(Outcome.NOT_SENT)
        await asyncio.sleep(0)
        served.append(held_back.done())
        assert len(taken) == 50
        held_back.cancel()
        return served

    assert virtual_time.run(main()) == [False] * 20 + [True]


def test_no_slot_stays_free_when_twenty_have_passed_bulk() -> None:
    async def main() -> tuple[int, float]:
        window = RollingWindow(100, 3600, reserve=0.5)
        for _ in range(50):
            (await window.acquire(priority="bulk")).release(Outcome.ANSWERED)
        held_back = asyncio.create_task(window.acquire(priority="bulk"))
        await asyncio.sleep(1)
        for _ in range(49):
            (await window.acquire()).release(Outcome.ANSWERED)
        await held_back
        return window.used, now()

    used_up, moment = virtual_time.run(main())
    assert used_up == 100
    assert moment == pytest.approx(1, abs=1e-3)


def test_bulk_that_is_held_back_may_be_waited_for_as_long_as_that_takes() -> None:
    async def main() -> float:
        window = RollingWindow(10, 100)
        for _ in range(9):
            (await window.acquire(priority="bulk")).release(Outcome.ANSWERED)
        with pytest.raises(RateLimitedError) as caught:
            await window.acquire(priority="bulk", max_wait=89)
        assert caught.value.retry_after == pytest.approx(90)
        await window.acquire(priority="bulk", max_wait=91)
        return now()

    assert virtual_time.run(main()) == pytest.approx(90)


def test_without_a_reserve_a_job_takes_all_at_once() -> None:
    async def main() -> None:
        window = RollingWindow(10, 100, reserve=0)
        for _ in range(10):
            (await window.acquire(priority="bulk", max_wait=0)).release(Outcome.ANSWERED)

    virtual_time.run(main())


@pytest.mark.parametrize("reserve", [-0.1, 1.0])
def test_a_reserve_that_is_no_part_is_refused(reserve: float) -> None:
    with pytest.raises(ConfigurationError, match="reserve"):
        RollingWindow(10, 1, reserve=reserve)


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
