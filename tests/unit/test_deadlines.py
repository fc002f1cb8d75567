from __future__ import annotations

import asyncio

import pytest

from jibble_async import ConfigurationError
from jibble_async.core.deadlines import Deadlines
from tests.support.virtual_time import run


async def within(deadlines: Deadlines, seconds: float, work: float) -> str:
    """What becomes of work that takes `work` seconds, and how long it took."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    deadline = deadlines.start()
    deadline.sooner(seconds)
    try:
        await asyncio.sleep(work)
    except asyncio.CancelledError:
        if not deadline.expired():
            raise
        return f"late after {loop.time() - started:.3f}"
    else:
        return f"done after {loop.time() - started:.3f}"
    finally:
        deadline.stop()


def test_each_deadline_falls_at_its_own_time() -> None:
    async def main() -> list[str]:
        deadlines = Deadlines(asyncio.get_running_loop())
        # The second is earlier than the first, for which the timer is already set.
        jobs = [(5.0, 9.0), (1.0, 9.0), (3.0, 2.0), (1.0, 0.5), (2.0, 9.0), (0.0, 1.0)]
        return await asyncio.gather(*(within(deadlines, *job) for job in jobs))

    assert run(main()) == [
        "late after 5.000",
        "late after 1.000",
        "done after 2.000",
        "done after 0.500",
        "late after 2.000",
        "late after 0.000",
    ]


def test_one_after_the_other_in_one_task() -> None:
    async def main() -> list[str]:
        deadlines = Deadlines(asyncio.get_running_loop())
        found = [await within(deadlines, *job) for job in ((10, 1), (1, 10), (2, 1), (1, 2))]
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        return found

    assert run(main()) == [
        "done after 1.000",
        "late after 1.000",
        "done after 1.000",
        "late after 1.000",
    ]


def test_thousands_that_are_met_leave_no_work() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        deadlines = Deadlines(loop)
        for _ in range(5_000):
            deadline = deadlines.start()
            deadline.sooner(30.0)
            deadline.stop()
        assert await within(deadlines, 1.0, 2.0) == "late after 1.000"
        await asyncio.sleep(60)

    run(main())


def test_the_cancellation_of_somebody_else_is_not_taken_for_a_deadline() -> None:
    async def main() -> None:
        deadlines = Deadlines(asyncio.get_running_loop())
        task = asyncio.create_task(within(deadlines, 5.0, 9.0))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())


def test_a_cancellation_at_the_same_moment_wins() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        deadlines = Deadlines(loop)
        task = asyncio.create_task(within(deadlines, 1.0, 9.0))
        await asyncio.sleep(0)
        loop.call_at(loop.time() + 1.0, task.cancel)
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())


def test_a_stopped_deadline_does_not_fall() -> None:
    async def main() -> None:
        deadlines = Deadlines(asyncio.get_running_loop())
        deadline = deadlines.start()
        deadline.sooner(1.0)
        deadline.stop()
        await asyncio.sleep(5)
        assert not deadline.expired()

    run(main())


def test_closing_ends_all_and_waits_until_they_have() -> None:
    async def main() -> None:
        deadlines = Deadlines(asyncio.get_running_loop())
        tasks = [asyncio.create_task(within(deadlines, each, 3.0)) for each in (1.0, 9.0)]
        await asyncio.sleep(0.5)
        await deadlines.aclose()
        assert [each.done() for each in tasks] == [True, True]
        assert [await each for each in tasks] == ["late after 0.500"] * 2
        await deadlines.aclose()
        with pytest.raises(ConfigurationError, match="closed"):
            deadlines.start()

    run(main())


def test_one_that_rests_may_be_set_again_and_the_earlier_time_holds() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        deadline = Deadlines(loop).start()
        deadline.sooner(None)
        deadline.sooner(5.0)
        deadline.rest()
        await asyncio.sleep(10)
        for first, second in ((1.0, 5.0), (5.0, 1.0)):
            started = loop.time()
            deadline.sooner(first)
            deadline.sooner(second)
            with pytest.raises(asyncio.CancelledError):
                await asyncio.sleep(9)
            assert deadline.expired()
            assert loop.time() - started == pytest.approx(1.0)
            deadline.rest()
        deadline.stop()

    run(main())


def test_asyncios_own_timeout_works_within_and_around() -> None:
    async def main() -> None:
        deadlines = Deadlines(asyncio.get_running_loop())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await within(deadlines, 5.0, 9.0)

        async def nested() -> str:
            deadline = deadlines.start()
            deadline.sooner(2.0)
            try:
                async with asyncio.timeout(5):
                    await asyncio.sleep(9)
            except asyncio.CancelledError:
                return "late" if deadline.expired() else "cancelled"
            finally:
                deadline.stop()
            return "done"

        assert await nested() == "late"

    run(main())
