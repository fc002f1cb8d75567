"""What every window promises, wherever its slots are counted: who gets a slot first."""

from __future__ import annotations

import asyncio
import random

import pytest

from jibble_async.errors import RateLimitedError
from jibble_async.limits.adaptive.limiter import AdaptiveLimiter
from jibble_async.limits.bucket import TokenBucket
from jibble_async.limits.slots import Outcome, Priority, Queued, RateLimiter
from tests.limits.calls import is_due, now, send
from tests.limits.schedules import HAIR, Load, play, tightest, used
from tests.limits.stores import Store, Window
from tests.support import virtual_time
from tests.support.chaos import TIMES

PERIODS = 20 if TIMES > 1 else 10
PRIORITIES: tuple[Priority, ...] = ("bulk", "interactive", "bulk")


def test_order_is_kept_within_a_priority(store: Store) -> None:
    async def main() -> list[str]:
        window = store.window(1, 1)
        await send(window)
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


def test_who_waits_is_counted_by_priority(store: Store) -> None:
    async def main() -> list[dict[str, int]]:
        window = store.window(1, 1)
        assert isinstance(window, Queued)
        seen = [dict(window.waiting)]
        await send(window)
        async with asyncio.TaskGroup() as group:
            for priority in PRIORITIES:
                group.create_task(send(window, priority=priority))
            await asyncio.sleep(0.1)
            seen.append(dict(window.waiting))
        return [*seen, dict(window.waiting)]

    nobody = {"interactive": 0, "bulk": 0}
    assert virtual_time.run(main()) == [nobody, {"interactive": 1, "bulk": 2}, nobody]


@pytest.mark.parametrize(
    ("limiter", "burst"), [(AdaptiveLimiter(initial=1), 5), (TokenBucket(2, per=2, burst=1), 1)]
)
def test_limiters_that_are_no_windows_count_who_waits_too(limiter: Queued, burst: int) -> None:
    async def main() -> list[dict[str, int]]:
        assert isinstance(limiter, RateLimiter)
        seen = [dict(limiter.waiting)]
        async with asyncio.TaskGroup() as group:
            for priority in (*PRIORITIES[:1] * burst, *PRIORITIES):
                group.create_task(send(limiter, priority=priority))
            await asyncio.sleep(0.1)
            seen.append(dict(limiter.waiting))
        return [*seen, dict(limiter.waiting)]

    nobody = {"interactive": 0, "bulk": 0}
    assert virtual_time.run(main()) == [nobody, {"interactive": 1, "bulk": 2}, nobody]


def test_interactive_of_one_process_goes_before_bulk_of_another(store: Store) -> None:
    async def main() -> list[str]:
        job, web = store.window(1, 1), store.window(1, 1)
        await send(job)
        served: list[str] = []

        async def call(name: str, window: Window, priority: Priority) -> None:
            slot = await window.acquire(priority=priority)
            served.append(name)
            slot.release(Outcome.ANSWERED)

        async with asyncio.TaskGroup() as group:
            for number in range(3):
                group.create_task(call(f"bulk {number}", job, "bulk"))
            await asyncio.sleep(0.5)
            group.create_task(call("click", web, "interactive"))
        return served

    assert virtual_time.run(main()) == ["click", "bulk 0", "bulk 1", "bulk 2"]


def test_bulk_of_one_process_is_not_starved_by_another(store: Store) -> None:
    async def main() -> dict[Priority, int]:
        windows: dict[Priority, Window] = {
            "interactive": store.window(10, 1),
            "bulk": store.window(10, 1),
        }
        counts: dict[Priority, int] = {"interactive": 0, "bulk": 0}

        async def caller(priority: Priority) -> None:
            while now() < 40:
                slot = await windows[priority].acquire(priority=priority)
                counts[priority] += 1
                slot.release(Outcome.ANSWERED)

        await asyncio.gather(*(caller("interactive") for _ in range(30)), caller("bulk"))
        return counts

    counts = virtual_time.run(main())
    # At most 20 go before it, and up to 9 more that come due together with its own.
    assert counts["bulk"] >= counts["interactive"] / 31
    assert counts["interactive"] >= 5 * counts["bulk"]


@pytest.mark.chaos
@pytest.mark.parametrize(("limit", "per"), [(50, 1.0), (15, 2.0), (10, 1.0), (3, 1.0)])
def test_interactive_waits_for_one_slot_beside_jobs_that_fill_the_quota(
    store: Store, limit: int, per: float
) -> None:
    dice = random.Random(1)
    waits: list[float] = []
    arrivals: list[float] = []

    async def call(window: Window, priority: Priority) -> None:
        began = now()
        slot = await window.acquire(priority=priority)
        if priority == "interactive":
            waits.append(now() - began)
        there, back = dice.uniform(0.01, 0.1), dice.uniform(0.01, 0.1)
        arrivals.append(now() + there)
        await asyncio.sleep(there + back)
        slot.release(Outcome.ANSWERED)

    async def job(window: Window) -> None:
        while now() < PERIODS * per:
            await call(window, "bulk")

    async def main() -> None:
        windows = [store.window(limit, per) for _ in range(4)]
        async with asyncio.TaskGroup() as group:
            for window in windows:
                for _ in range(max(8, limit // 2)):
                    group.create_task(job(window))
            # The first windows show how many interactive calls there are; nothing announces those.
            await asyncio.sleep(1.37)
            while now() < (PERIODS - 2) * per:
                group.create_task(call(windows[0], "interactive"))
                await asyncio.sleep(1)

    virtual_time.run(main())
    assert waits[0] <= 2 * (per + 0.11) / limit + 0.004
    # A process asks its store up to twice before it knows that a slot is there.
    assert max(waits[1:]) <= per / limit + 0.004
    assert tightest(sorted(arrivals), limit) >= per - HAIR
    assert len(arrivals) >= 0.93 * PERIODS * limit * per / (per + 0.11)


@pytest.mark.parametrize("interactive", [0.0, 0.3])
@pytest.mark.parametrize("limit", [3, 10])
def test_many_waiters_use_nearly_all(store: Store, limit: int, interactive: float) -> None:
    load = Load(callers=60, seconds=40, linger=1.0, interactive=interactive)
    schedule = play(store.window(limit, 1.0), load, seed=1)
    assert tightest(schedule.arrivals, limit) >= 1 - HAIR
    assert used(schedule, load, limit, 1.0) >= 0.97


def test_bulk_leaves_a_part_of_the_window_to_interactive(store: Store) -> None:
    async def main() -> None:
        job, web = store.window(20, 100), store.window(20, 100)
        for _ in range(18):
            await send(job, priority="bulk")
        with pytest.raises(RateLimitedError) as caught:
            await job.acquire(priority="bulk", max_wait=1)
        # When half of the time that the two are kept for has passed, one of them will do.
        assert caught.value.retry_after == is_due(45)
        await web.acquire(max_wait=1)
        await web.acquire(max_wait=1)
        with pytest.raises(RateLimitedError):
            await web.acquire(max_wait=1)

    virtual_time.run(main())


def test_each_of_several_held_back_may_be_waited_for_as_long_as_it_takes(store: Store) -> None:
    async def main() -> list[float]:
        window = store.window(20, 100)
        for _ in range(18):
            await send(window, priority="bulk")

        async def call() -> float:
            await window.acquire(priority="bulk", max_wait=97)
            return now()

        return list(await asyncio.gather(call(), call()))

    # The next slot comes due after 100 seconds.
    assert virtual_time.run(main()) == [is_due(45), is_due(95)]


def test_what_was_left_is_taken_in_the_end(store: Store) -> None:
    async def main() -> list[float]:
        window = store.window(10, 100)
        granted: list[float] = []
        for _ in range(30):
            slot = await window.acquire(priority="bulk")
            granted.append(now())
            slot.release(Outcome.ANSWERED)
        return granted

    granted = virtual_time.run(main())
    assert granted[8] <= 0.02
    assert granted[9] >= 80
    assert granted[29] <= 300


def test_interactive_calls_under_way_are_expected_again(store: Store) -> None:
    async def main() -> None:
        job, web = store.window(10, 100), store.window(10, 100)
        under_way = [await web.acquire() for _ in range(4)]
        with pytest.raises(RateLimitedError):
            await job.acquire(priority="bulk", max_wait=1)
        # But not those that were not sent.
        for slot in under_way:
            slot.release(Outcome.NOT_SENT)
        await asyncio.sleep(0.01)
        for _ in range(9):
            await job.acquire(priority="bulk", max_wait=1)

    virtual_time.run(main())


def test_a_call_is_expected_again_for_a_period(store: Store) -> None:
    async def main() -> list[bool]:
        job, web = store.window(4, 100, linger=1000), store.window(4, 100, linger=1000)
        # Its slot counts for much longer.
        await send(web, Outcome.ABANDONED)
        await send(web, Outcome.ABANDONED)
        await asyncio.sleep(0.01)

        async def fits() -> bool:
            try:
                slot = await job.acquire(priority="bulk", max_wait=0.1)
            except RateLimitedError:
                return False
            slot.release(Outcome.NOT_SENT)
            return True

        seen = [await fits()]
        await asyncio.sleep(98)
        seen.append(await fits())
        await asyncio.sleep(2)
        seen.append(await fits())
        return seen

    # Two are expected: all that is left is kept for them. Later one will do.
    assert virtual_time.run(main()) == [False, False, True]


def test_bulk_that_is_held_back_goes_when_twenty_have_passed_it(store: Store) -> None:
    async def main() -> list[bool]:
        window = store.window(100, 100, reserve=0.5)
        for _ in range(50):
            await window.acquire(priority="bulk")
        held_back = asyncio.create_task(window.acquire(priority="bulk"))
        served: list[bool] = []
        for _ in range(20):
            await asyncio.sleep(0.01)
            served.append(held_back.done())
            await send(window, Outcome.NOT_SENT)
        await asyncio.sleep(0.01)
        served.append(held_back.done())
        held_back.cancel()
        return served

    assert virtual_time.run(main()) == [False] * 20 + [True]


def test_bulk_that_is_due_need_not_wait_for_an_answer(store: Store) -> None:
    async def main() -> tuple[bool, int]:
        window = store.window(100, 100, reserve=0.5)
        under_way = [await window.acquire(priority="bulk") for _ in range(50)]
        held_back = asyncio.create_task(window.acquire(priority="bulk"))
        await asyncio.sleep(0.01)
        under_way += [await window.acquire() for _ in range(20)]
        await asyncio.sleep(0.01)
        return held_back.done(), len(under_way)

    assert virtual_time.run(main()) == (True, 70)


def test_without_a_reserve_a_job_takes_all_at_once(store: Store) -> None:
    async def main() -> None:
        window = store.window(10, 100, reserve=0)
        for _ in range(10):
            (await window.acquire(priority="bulk", max_wait=0.01)).release(Outcome.ANSWERED)

    virtual_time.run(main())
