from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import signal
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from jibble_async.errors import ConfigurationError, RateLimitedError
from jibble_async.limits.shared import SharedWindow
from jibble_async.limits.slots import Outcome, RateLimiter
from jibble_async.limits.stored import (
    OVERDUE,
    Answer,
    GivenBack,
    StoredWindow,
    Terms,
    Wanted,
)
from tests.limits.calls import now, send
from tests.limits.fleet import Fleet, Job
from tests.limits.processes import Direct, process
from tests.limits.schedules import HAIR, tightest
from tests.support import virtual_time


def is_due(moment: float) -> object:
    return pytest.approx(moment, abs=0.01)


@pytest.mark.parametrize(
    "options", [{"limit": 0}, {"per": 0}, {"linger": -1}, {"lease": 0}, {"reserve": 1}]
)
def test_numbers_that_leave_nothing_are_refused(path: Path, options: dict[str, float]) -> None:
    numbers: dict[str, Any] = {"limit": 1, "per": 1, "linger": 1, "lease": 1, **options}
    with pytest.raises(ConfigurationError):
        SharedWindow(path, **numbers)


def test_it_is_a_limiter_and_touches_nothing_before_use(path: Path) -> None:
    before = threading.active_count()
    assert isinstance(SharedWindow(path, 1, 1), RateLimiter)
    assert not path.parent.exists()
    assert threading.active_count() == before


@pytest.mark.parametrize("seed", range(12))
def test_processes_together_never_exceed_the_limit(path: Path, seed: int) -> None:
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
        windows = [process(path, limit, per) for _ in range(4)]
        await asyncio.gather(
            *(caller(window, 8 * per) for window in windows for _ in range(dice.choice((1, 8))))
        )
        for window in windows:
            await window.aclose()

    virtual_time.run(main())
    assert len(arrivals) > limit
    assert tightest(sorted(arrivals), limit) >= per - HAIR


@pytest.mark.parametrize(
    ("outcome", "due"),
    [
        (Outcome.NOT_SENT, 1.0),
        (Outcome.ANSWERED, 3.0),
        (Outcome.THROTTLED, 3.0),
        (Outcome.ABANDONED, 6.0),
    ],
)
def test_another_process_waits_as_long_as_a_slot_counts(
    path: Path, outcome: Outcome, due: float
) -> None:
    async def main() -> float:
        one, other = process(path, 1, 2, linger=3), process(path, 1, 2, linger=3)
        slot = await one.acquire()
        await asyncio.sleep(1)
        slot.release(outcome)
        await asyncio.sleep(0.01)
        await other.acquire()
        return now()

    assert virtual_time.run(main()) == pytest.approx(due, abs=0.02)


def test_each_of_several_held_back_may_be_waited_for_as_long_as_it_takes(path: Path) -> None:
    async def main() -> list[float]:
        window = process(path, 20, 100)
        for _ in range(18):
            (await window.acquire(priority="bulk")).release(Outcome.ANSWERED)

        async def call() -> float:
            await window.acquire(priority="bulk", max_wait=97)
            return now()

        return list(await asyncio.gather(call(), call()))

    # The next slot comes due after 100 seconds.
    assert virtual_time.run(main()) == [is_due(45), is_due(95)]


def test_a_refusal_holds_back_every_process(path: Path) -> None:
    async def main() -> tuple[int | None, float]:
        one, other = process(path, 5, 10), process(path, 5, 10)
        assert one.used is None
        (await other.acquire()).release(Outcome.ANSWERED)
        await asyncio.sleep(4)
        slot = await one.acquire()
        used = one.used
        slot.release(Outcome.THROTTLED)
        await asyncio.sleep(0.01)
        await other.acquire()
        return used, now()

    assert virtual_time.run(main()) == (2, pytest.approx(10, abs=0.02))


def test_every_process_is_held_back_for_as_long_as_the_server_says(path: Path) -> None:
    async def main() -> float:
        one, other = process(path, 5, 100), process(path, 5, 100)
        (await one.acquire()).release(Outcome.ANSWERED)
        await asyncio.sleep(0.01)
        one.hold(31)
        await asyncio.sleep(0.01)
        await other.acquire()
        return now()

    assert virtual_time.run(main()) == pytest.approx(31, abs=0.05)


def test_what_came_back_is_not_forgotten_when_the_store_fails(path: Path) -> None:
    class Failing(Direct):
        fails = False

        async def exchange(
            self, given_back: Sequence[GivenBack], wanted: Wanted, look: int
        ) -> Answer:
            if self.fails:
                raise ConfigurationError("the disk is full")
            return await super().exchange(given_back, wanted, look)

    async def main() -> float:
        terms = Terms(1, 2, 3, 1000, reserve=0)
        store = Failing(path, terms)
        window = StoredWindow("window", store, terms)
        slot = await window.acquire()
        store.fails = True
        slot.release(Outcome.ANSWERED)
        await asyncio.sleep(1)
        with pytest.raises(ConfigurationError):
            await window.acquire()
        store.fails = False
        await window.acquire()
        return now()

    assert virtual_time.run(main()) == is_due(2)


def test_killed_holder_is_leased_out(path: Path) -> None:
    async def main() -> float:
        dead, alive = process(path, 1, 2, linger=3, lease=4), process(path, 1, 2, linger=3, lease=4)
        slot = await dead.acquire()
        slot._owner = None  # type: ignore[attr-defined]
        await alive.acquire()
        return now()

    assert virtual_time.run(main()) == is_due(1 + 4 + 3 + 2)


def test_slot_that_reached_a_stopped_process_too_late_is_not_used(path: Path) -> None:
    async def main() -> tuple[float, int]:
        terms = Terms(1, 2, linger=0, lease=5, reserve=0)
        store = Direct(path, terms)
        window = StoredWindow("window", store, terms)
        store.stopped_for = 1.5
        await window.acquire()
        return now(), store.granted

    served_at, granted = virtual_time.run(main())
    assert served_at == is_due(1.5)
    assert granted == 2


def test_late_release_counts_although_the_lease_has_ended(path: Path) -> None:
    async def main() -> float:
        stopped, alive = (process(path, 1, 2, linger=0, lease=1) for _ in range(2))
        slot = await stopped.acquire()
        await asyncio.sleep(10)
        await send(alive, Outcome.NOT_SENT)
        slot.release(Outcome.ANSWERED)
        await asyncio.sleep(0.1)
        await alive.acquire()
        return now()

    assert virtual_time.run(main()) == is_due(12)


def test_dropped_slot_is_an_abandoned_one(path: Path) -> None:
    async def main() -> float:
        one, other = process(path, 1, 2, linger=3), process(path, 1, 2, linger=3)
        await one.acquire()
        await asyncio.sleep(0.01)
        await other.acquire()
        return now()

    assert virtual_time.run(main()) == pytest.approx(5, abs=0.05)


def test_restart_remembers_what_was_sent(path: Path) -> None:
    async def main() -> float:
        before = process(path, 2, 10)
        await send(before)
        await send(before)
        await before.aclose()
        await asyncio.sleep(1)
        await send(process(path, 2, 10))
        return now()

    assert virtual_time.run(main()) == is_due(10)


def test_max_wait_raises_before_waiting(path: Path) -> None:
    async def main() -> None:
        one, other = process(path, 2, 10), process(path, 2, 10)
        await send(one)
        await asyncio.sleep(1)
        await send(one)
        began = now()
        with pytest.raises(RateLimitedError) as caught:
            await other.acquire(max_wait=8)
        assert now() - began < 0.01
        assert caught.value.retry_after == is_due(9)
        # A call in the second place needs the second slot.
        first = asyncio.create_task(other.acquire())
        await asyncio.sleep(0)
        with pytest.raises(RateLimitedError):
            await other.acquire(max_wait=9.5)
        assert now() - began < 0.03
        await other.acquire(max_wait=10.5)
        await first

    virtual_time.run(main())


def test_cancelled_waiters_cost_nothing(path: Path) -> None:
    async def main() -> float:
        one, other = process(path, 1, 1), process(path, 1, 1)
        await send(one)
        waiters = [asyncio.create_task(one.acquire()) for _ in range(5)]
        await asyncio.sleep(0.5)
        patient = asyncio.create_task(other.acquire())
        await asyncio.sleep(0.1)
        for waiter in waiters:
            waiter.cancel()
        await patient
        return now()

    assert virtual_time.run(main()) <= 1 + OVERDUE + 0.01


def test_cancelled_waiters_leave_the_line_of_processes(path: Path) -> None:
    async def main() -> None:
        one, other = process(path, 1, 10), process(path, 1, 10)
        await send(one)
        waiter = asyncio.create_task(one.acquire())
        await asyncio.sleep(0.5)
        waiter.cancel()
        await asyncio.sleep(0.1)
        await other.acquire(max_wait=9.5)

    virtual_time.run(main())


def test_limit_of_one_process_may_be_lower(path: Path) -> None:
    async def main() -> None:
        wide, narrow = process(path, 3, 10), process(path, 2, 10)
        await send(wide)
        await send(wide)
        with pytest.raises(RateLimitedError):
            await narrow.acquire(max_wait=9)
        await send(wide)

    virtual_time.run(main())


async def test_locked_file_grants_nothing_and_says_so(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jibble_async.limits.window_file.BUSY_TIMEOUT", 0.05)
    caplog.set_level(logging.INFO, "jibble_async.limits")
    window = SharedWindow(path, 5, 1)
    await send(window)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as stopped:
        stopped.execute("BEGIN IMMEDIATE")
        with pytest.raises(RateLimitedError):
            await window.acquire(max_wait=0.3)
        assert window.degraded is not None
        assert "locked" in window.degraded
        stopped.execute("ROLLBACK")
    await send(window)
    assert window.degraded is None
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    await window.aclose()


async def test_file_is_not_touched_in_the_thread_of_the_loop(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[int] = set()
    connect = sqlite3.connect

    def traced(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **kwargs)
        connection.set_trace_callback(lambda _: threads.add(threading.get_ident()))
        return connection

    monkeypatch.setattr(sqlite3, "connect", traced)
    window = SharedWindow(path, 5, 1)
    await send(window)
    await window.aclose()
    assert len(threads) == 1
    assert threading.get_ident() not in threads


async def test_closed_window_lets_waiting_calls_fail_and_opens_again(path: Path) -> None:
    window = SharedWindow(path, 1, 0.05, linger=0)
    await send(window)
    await window.aclose()
    slot = await window.acquire()
    waiting = asyncio.create_task(window.acquire())
    await asyncio.sleep(0)
    await window.aclose()
    with pytest.raises(ConfigurationError, match="closed"):
        await waiting
    slot.release(Outcome.ANSWERED)


def test_window_that_was_not_closed_leaves_no_warning(path: Path) -> None:
    window = SharedWindow(path, 5, 1)
    asyncio.run(send(window))
    del window


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
@pytest.mark.parametrize(("limit", "per"), [(50, 1.0), (15, 0.5)])
async def test_real_processes_killed_stopped_and_restarted(
    path: Path, limit: int, per: float
) -> None:
    job = Job("shared", os.fspath(path), limit, per)
    async with Fleet(leg=0.01) as fleet:
        for name in ("a", "b", "c", "d"):
            await fleet.start(name, job)
        await fleet.heard("a", "b", "c", "d")
        fleet.send_signal("a", signal.SIGKILL)
        fleet.send_signal("b", signal.SIGSTOP)
        await fleet.heard("c", "d", count=max(2, limit // 8))
        await fleet.start("e", job)
        fleet.send_signal("b", signal.SIGCONT)
        await fleet.heard("b", "c", "d", "e", count=2)
        for name in ("b", "c", "d", "e"):
            await fleet.finish(name)
    assert fleet.tightest(limit) >= per
