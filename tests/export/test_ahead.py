from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Awaitable, Callable

import pytest

from jibble_async import ConfigurationError
from jibble_async.export.ahead import Ahead, Give
from tests.support.patience import PATIENCE

Produce = Callable[[Give[int]], Awaitable[None]]


def counting(until: int, log: list[int]) -> Produce:
    async def produce(give: Give[int]) -> None:
        for number in range(until):
            await give(number)
            log.append(number)

    return produce


def test_items_come_in_order_and_end() -> None:
    items = Ahead(counting(5, []), 2)
    assert list(items) == [0, 1, 2, 3, 4]
    with pytest.raises(StopIteration):
        next(items)
    assert "jibble-ahead" not in {each.name for each in threading.enumerate()}


def test_a_producer_is_only_so_far_ahead() -> None:
    given: list[int] = []
    stuck = threading.Event()

    async def produce(give: Give[int]) -> None:
        for number in range(9):
            giving = asyncio.ensure_future(give(number))
            for _ in range(20):
                await asyncio.sleep(0)
            if not giving.done():
                stuck.set()
            await giving
            given.append(number)

    items = Ahead(produce, 3)
    assert stuck.wait(PATIENCE)
    assert given == [0, 1, 2]
    items.close()


def test_an_error_stays_one() -> None:
    async def produce(give: Give[int]) -> None:
        await give(1)
        raise ConfigurationError("mine") from KeyError("cause")

    items = Ahead(produce, 2)
    assert next(items) == 1
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="mine") as caught:
            next(items)
        assert isinstance(caught.value.__cause__, KeyError)


def waiting(closed: list[str]) -> Produce:
    async def produce(give: Give[int]) -> None:
        try:
            await give(1)
            await asyncio.get_running_loop().create_future()
        finally:
            closed.append(threading.current_thread().name)

    return produce


def test_closing_cancels_the_producer() -> None:
    closed: list[str] = []
    items = Ahead(waiting(closed), 2)
    assert next(items) == 1
    items.close()
    items.close()
    assert closed == ["jibble-ahead"]
    with pytest.raises(ConfigurationError, match="closed"):
        next(items)


def test_closing_before_the_first_item_and_while_the_producer_waits_for_room() -> None:
    for _ in range(20):
        Ahead(counting(9, []), 1).close()
    assert "jibble-ahead" not in {each.name for each in threading.enumerate()}


def test_who_has_nothing_of_it_any_more_has_closed_it() -> None:
    closed: list[str] = []
    items = Ahead(waiting(closed), 2)
    assert next(items) == 1
    del items
    gc.collect()
    assert closed == ["jibble-ahead"]


def test_the_thread_that_drops_it_may_be_its_own() -> None:
    mine: list[Ahead[int]] = []
    dropped = threading.Event()

    async def produce(give: Give[int]) -> None:
        await give(1)
        await give(2)
        mine.clear()
        dropped.set()
        await asyncio.get_running_loop().create_future()

    mine.append(Ahead(produce, 1))
    next(mine[0])
    assert dropped.wait(PATIENCE)
    for each in threading.enumerate():
        if each.name == "jibble-ahead":
            each.join(PATIENCE)
            assert not each.is_alive()


def test_a_program_ends_though_it_is_not_read_to_its_end() -> None:
    program = """
        import asyncio
        from jibble_async.export.ahead import Ahead

        async def produce(give):
            try:
                for number in range(99):
                    await give(number)
            finally:
                print("closed", flush=True)

        items = Ahead(produce, 1)
        print(next(items), flush=True)
    """
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "0\nclosed\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork()")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_another_process_is_told_that_it_has_no_such_thread() -> None:
    items = Ahead(counting(9, []), 1)
    context = multiprocessing.get_context("fork")
    told = context.SimpleQueue()

    def ask() -> None:
        try:
            told.put(str(next(items)))
        except ConfigurationError as error:
            told.put(str(error))

    child = context.Process(target=ask)
    child.start()
    child.join(PATIENCE)
    assert "another process" in told.get()
    assert next(items) == 0
    items.close()


def test_a_poll_waits_no_longer_than_it_may() -> None:
    asked = threading.Event()

    async def produce(give: Give[int]) -> None:
        await asyncio.to_thread(asked.wait, PATIENCE)
        await give(1)

    items = Ahead(produce, 1)
    assert items.poll(0.0) is None
    asked.set()
    assert items.poll(PATIENCE) == 1
    with pytest.raises(StopIteration):
        items.poll(PATIENCE)


def test_to_cancel_is_to_wait_for_nothing() -> None:
    over, cancelled = threading.Event(), threading.Event()

    async def produce(give: Give[int]) -> None:
        try:
            await give(1)
            await asyncio.get_running_loop().create_future()
        finally:
            cancelled.set()
            await asyncio.to_thread(over.wait, PATIENCE)

    items = Ahead(produce, 1)
    assert next(items) == 1
    items.cancel()
    assert cancelled.wait(PATIENCE)
    over.set()
    # And closing cancels nothing once more.
    items.close()
    with pytest.raises(ConfigurationError, match="closed"):
        next(items)
