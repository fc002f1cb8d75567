"""What the windows promise that processes share, wherever their slots are counted."""

from __future__ import annotations

import asyncio
import random

import pytest

from jibble_async.errors import ConfigurationError, RateLimitedError
from jibble_async.limits.slots import Outcome
from jibble_async.limits.windows.policy import Policy
from jibble_async.limits.windows.stored import StoredWindow
from tests.limits.calls import is_due, now, send
from tests.limits.schedules import HAIR, tightest
from tests.limits.stores import SharedStore
from tests.support import virtual_time
from tests.support.chaos import seeds


@seeds(8)
def test_processes_together_never_exceed_the_limit(shared: SharedStore, seed: int) -> None:
    dice = random.Random(seed)
    limit, per = dice.choice([(1, 1.0), (3, 0.5), (15, 2.0), (50, 1.0)])
    arrivals: list[float] = []

    async def caller(window: StoredWindow, until: float) -> None:
        while now() < until:
            try:
                async with asyncio.timeout(dice.choice((None, None, 0.3))):
                    slot = await window.acquire(priority=dice.choice(("interactive", "bulk")))
            except TimeoutError:
                continue
            there, back = dice.uniform(0, 0.1), dice.uniform(0, 0.1)
            fate = dice.random()
            if fate < 0.05:
                slot.release(Outcome.NOT_SENT)
            elif fate < 0.15:
                arrivals.append(now() + there + dice.uniform(0, 1))
                await asyncio.sleep(there)
                slot.release(Outcome.ABANDONED)
            elif fate < 0.2:
                arrivals.append(now() + there)
                # As if killed: nobody ever hears of the slot again.
                slot._owner = None  # type: ignore[attr-defined]
            else:
                arrivals.append(now() + there)
                await asyncio.sleep(there + back)
                slot.release(Outcome.ANSWERED)

    async def main() -> None:
        windows = [shared.window(limit, per) for _ in range(4)]
        await asyncio.gather(
            *(caller(window, 8 * per) for window in windows for _ in range(dice.choice((1, 8))))
        )
        for window in windows:
            await window.aclose()

    virtual_time.run(main())
    assert len(arrivals) > limit
    assert tightest(sorted(arrivals), limit) >= per - HAIR


def test_killed_holder_is_leased_out(shared: SharedStore) -> None:
    async def main() -> float:
        dead, alive = (shared.window(1, 2, linger=3, lease=4) for _ in range(2))
        slot = await dead.acquire()
        slot._owner = None  # type: ignore[attr-defined]
        await alive.acquire()
        return now()

    assert virtual_time.run(main()) == is_due(1 + 4 + 3 + 2)


@pytest.mark.parametrize(("stopped_for", "grants"), [(0.9, 1), (1.5, 2)])
def test_slot_that_reached_a_stopped_process_too_late_is_not_used(
    shared: SharedStore, stopped_for: float, grants: int
) -> None:
    async def main() -> tuple[float, int]:
        policy = Policy("window", 1, 2, linger=0, reserve=0, lease=5)
        store = shared.slot_store(policy)
        window = StoredWindow(store, policy)
        store.stopped_for = stopped_for
        await window.acquire()
        return now(), store.granted

    assert virtual_time.run(main()) == (is_due(stopped_for), grants)


def test_late_release_counts_although_the_lease_has_ended(shared: SharedStore) -> None:
    async def main() -> float:
        stopped, alive = (shared.window(1, 2, linger=0, lease=1) for _ in range(2))
        slot = await stopped.acquire()
        await asyncio.sleep(10)
        await send(alive, Outcome.NOT_SENT)
        slot.release(Outcome.ANSWERED)
        await asyncio.sleep(0.1)
        await alive.acquire()
        return now()

    assert virtual_time.run(main()) == is_due(12)


def test_restart_remembers_what_was_sent(shared: SharedStore) -> None:
    async def main() -> float:
        before = shared.window(2, 10)
        await send(before)
        await send(before)
        await before.aclose()
        await asyncio.sleep(1)
        await send(shared.window(2, 10))
        return now()

    assert virtual_time.run(main()) == is_due(10)


def test_used_is_not_known_before_the_store_was_asked(shared: SharedStore) -> None:
    assert shared.window(5, 10).used is None
    assert shared.window(5, 10).room_in is None


def test_room_is_there_when_the_oldest_request_counts_no_longer(shared: SharedStore) -> None:
    async def main() -> float | None:
        one, other = shared.window(2, 10), shared.window(2, 10)
        await send(one)
        await asyncio.sleep(4)
        await send(other)
        return other.room_in

    assert virtual_time.run(main()) == is_due(6)


def test_what_came_back_is_not_forgotten_when_the_store_fails(shared: SharedStore) -> None:
    async def main() -> float:
        policy = Policy("window", 1, 2, linger=3, reserve=0, lease=1000)
        store = shared.slot_store(policy)
        window = StoredWindow(store, policy)
        slot = await window.acquire()
        store.fails = ConfigurationError("the disk is full")
        slot.release(Outcome.ANSWERED)
        await asyncio.sleep(1)
        with pytest.raises(ConfigurationError):
            await window.acquire()
        store.fails = None
        await window.acquire()
        return now()

    assert virtual_time.run(main()) == is_due(2)


def test_cancelled_waiters_leave_the_queue_of_processes(shared: SharedStore) -> None:
    async def main() -> None:
        one, other = shared.window(1, 10), shared.window(1, 10)
        await send(one)
        waiter = asyncio.create_task(one.acquire())
        await asyncio.sleep(0.5)
        waiter.cancel()
        await asyncio.sleep(0.1)
        await other.acquire(max_wait=9.5)

    virtual_time.run(main())


def test_limit_of_one_process_may_be_lower(shared: SharedStore) -> None:
    async def main() -> None:
        wide, narrow = shared.window(3, 10), shared.window(2, 10)
        await send(wide)
        await send(wide)
        with pytest.raises(RateLimitedError):
            await narrow.acquire(max_wait=9)
        await send(wide)

    virtual_time.run(main())


def test_processes_take_turns(shared: SharedStore) -> None:
    async def main() -> list[int]:
        counts = [0, 0, 0, 0]
        windows = [shared.window(10, 1) for _ in counts]

        async def caller(number: int) -> None:
            while now() < 20:
                slot = await windows[number].acquire()
                counts[number] += 1
                await asyncio.sleep(0.02)
                slot.release(Outcome.ANSWERED)

        # The first has fifty tasks, the others five each, which can't use a quarter's half more.
        crowd = [caller(0) for _ in range(50)]
        await asyncio.gather(*crowd, *(caller(i) for i in (1, 2, 3) for _ in range(5)))
        return counts

    counts = virtual_time.run(main())
    assert min(counts) >= 0.5 * sum(counts) / 4
    assert sum(counts) >= 0.97 * 20 * 10 / 1.02


def test_closed_window_lets_waiting_calls_fail_and_opens_again(shared: SharedStore) -> None:
    async def main() -> float:
        window = shared.window(1, 5, linger=0)
        await send(window)
        await window.aclose()
        waiting = asyncio.create_task(window.acquire())
        await asyncio.sleep(0.01)
        await window.aclose()
        with pytest.raises(ConfigurationError, match="closed"):
            await waiting
        await window.acquire()
        return now()

    assert virtual_time.run(main()) == is_due(5)
