"""One piece of work for all who wait for it."""

from __future__ import annotations

import asyncio

import pytest

from jibble_async import JibbleError
from jibble_async.core.single_flight import SingleFlight


class Work:
    """Work that ends when it is told to."""

    def __init__(self) -> None:
        self.begun = 0
        self.end: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.flight = SingleFlight(self._do, "work")

    async def _do(self) -> int:
        self.begun += 1
        return await asyncio.shield(self.end)


async def test_each_waiter_gets_an_error_of_its_own() -> None:
    work = Work()
    waiters = [asyncio.create_task(work.flight.result()) for _ in range(3)]
    await asyncio.sleep(0)
    work.end.set_exception(JibbleError("failed"))
    errors = await asyncio.gather(*waiters, return_exceptions=True)
    assert work.begun == 1
    assert [str(error) for error in errors] == ["failed"] * 3
    assert len({id(error) for error in errors}) == 3


async def test_who_comes_after_the_last_has_left_begins_anew() -> None:
    work = Work()
    waiter = asyncio.create_task(work.flight.result())
    await asyncio.sleep(0)
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    assert not work.flight.under_way
    work.end.set_result(5)
    assert await work.flight.result() == 5
    assert work.begun == 2


async def test_a_waiter_who_leaves_takes_nothing_from_the_others() -> None:
    work = Work()
    leaving, staying = (asyncio.create_task(work.flight.result()) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.sleep(0)
    work.end.set_result(5)
    assert await staying == 5
    assert work.begun == 1


async def test_work_that_a_stranger_cancels_is_begun_anew_once() -> None:
    work = Work()
    waiters = [asyncio.create_task(work.flight.result()) for _ in range(2)]

    async def cancel_the_work() -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        (task,) = (each for each in asyncio.all_tasks() if each.get_name() == "work")
        task.cancel()
        for _ in range(5):
            await asyncio.sleep(0)

    await cancel_the_work()
    assert work.begun == 2
    await cancel_the_work()
    for error in await asyncio.gather(*waiters, return_exceptions=True):
        assert "somebody cancelled" in str(error)
    work.end.set_result(5)
    assert await work.flight.result() == 5
    assert work.begun == 3


async def test_work_that_was_stopped_is_not_begun_anew() -> None:
    work = Work()
    waiter = asyncio.create_task(work.flight.result())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await work.flight.aclose()
    with pytest.raises(JibbleError, match="this client was closed"):
        await waiter
    assert work.begun == 1
