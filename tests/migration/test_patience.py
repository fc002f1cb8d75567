"""When to look again, and how what is done side by side ends."""

from __future__ import annotations

import asyncio

import pytest
from jibble_legacy.migration.writing.patience import Patience, side_by_side

from jibble_async import ClientConfig, ConflictError, JibbleClient
from jibble_async.core.clock import Clock
from tests.support import virtual_time
from tests.support.memory_wire import KilledError, clock_from


def patience(settle: float = 600.0) -> Patience:
    config = ClientConfig(clock=Clock(now=clock_from()))
    return Patience(JibbleClient("id", "secret", config=config), settle)


def now() -> float:
    return round(asyncio.get_running_loop().time(), 2)


def test_it_looks_seldom_and_once_more_when_all_must_have_arrived() -> None:
    async def main() -> list[tuple[float, bool]]:
        waits = patience()
        since = waits.now()
        return [(now(), last) async for last in waits.looks(since)]

    assert virtual_time.run(main()) == [
        (0.0, False),
        (15.0, False),
        (45.0, False),
        (105.0, False),
        (225.0, False),
        (465.0, False),
        (600.0, True),
    ]


def test_what_was_given_up_long_ago_is_looked_for_once() -> None:
    async def main() -> None:
        waits = patience()
        since = waits.now()
        await asyncio.sleep(700)
        assert [last async for last in waits.looks(since)] == [True]
        # Less than usual is allowed, more is not.
        assert [last async for last in waits.looks(waits.now() - 60_000, 60.0)] == [True]
        assert [last async for last in waits.looks(waits.now() - 600_000, 9000.0)] == [True]

    virtual_time.run(main())


def test_it_ends_early_if_the_step_is_to_stop() -> None:
    async def main() -> None:
        waits = patience()
        asyncio.get_running_loop().call_later(20, waits.stopped.set)
        assert [last async for last in waits.looks(waits.now())] == [False, False]
        assert now() == 20.0

    virtual_time.run(main())


async def lasting(seconds: float, done: list[float]) -> None:
    await asyncio.sleep(seconds)
    done.append(seconds)


async def failing(seconds: float, error: BaseException) -> None:
    await asyncio.sleep(seconds)
    raise error


def test_an_error_awaits_what_is_on_the_wire_and_no_longer() -> None:
    async def main() -> None:
        waits, done = patience(), []
        error = ConflictError("no", status=409)
        work = [lasting(9, done), failing(1, error), lasting(12, done)]
        with pytest.raises(ConflictError):
            await side_by_side(work, waits)
        assert waits.stopped.is_set()
        assert (now(), done) == (11.0, [9])

    virtual_time.run(main())


def test_a_kill_awaits_nothing() -> None:
    async def main() -> None:
        waits, done = patience(), []
        with pytest.raises(KilledError):
            await side_by_side([failing(1, KilledError()), lasting(2, done)], waits)
        assert (now(), done) == (1.0, [])

    virtual_time.run(main())


def test_a_second_interruption_ends_it_at_once() -> None:
    async def main() -> None:
        waits, done = patience(), []
        task = asyncio.ensure_future(side_by_side([lasting(9, done), lasting(90, done)], waits))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.sleep(1)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (now(), done) == (2.0, [])

    virtual_time.run(main())


@pytest.mark.parametrize(("times", "ends"), [(1, 9.0), (2, 2.0)])
def test_an_interruption_of_what_is_within_another(times: int, ends: float) -> None:
    async def main() -> None:
        waits, done = patience(), []
        inner = side_by_side([lasting(9, done), lasting(1, done)], waits)
        task = asyncio.ensure_future(side_by_side([inner], waits))
        for _ in range(times):
            await asyncio.sleep(1)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert now() == ends

    virtual_time.run(main())


def test_nothing_to_do_is_done() -> None:
    async def main() -> None:
        await side_by_side([], patience())

    virtual_time.run(main())
