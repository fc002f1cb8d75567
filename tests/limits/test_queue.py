from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jibble_async.errors import ConfigurationError, RateLimitedError
from jibble_async.limits.queue import CallQueue
from jibble_async.limits.slots import FREE_SLOT, Outcome, Priority, Slot
from tests.support.chaos import examples
from tests.support.virtual_time import run


class Returnable:
    """A slot that tells what is released."""

    def __init__(self, released: Callable[[Outcome], object]) -> None:
        self._released = released

    def release(self, outcome: Outcome, headers: Mapping[str, str] | None = None) -> None:
        self._released(outcome)


async def waiting(
    queue: CallQueue, priorities: str, max_wait: float | None = None
) -> tuple[list[asyncio.Task[Slot]], list[str]]:
    """Calls in the queue, `i` or `b` for each, and the order in which they are served."""
    served: list[str] = []

    async def call(name: str) -> Slot:
        priority: Priority = "interactive" if name[0] == "i" else "bulk"
        slot = await queue.wait(priority, max_wait)
        served.append(name)
        return slot

    calls = [asyncio.create_task(call(f"{p}{number}")) for number, p in enumerate(priorities)]
    await asyncio.sleep(0)
    return calls, served


def test_interactive_goes_before_bulk_and_each_in_order() -> None:
    async def main() -> list[str]:
        queue = CallQueue()
        calls, served = await waiting(queue, "bibi")
        for _ in calls:
            assert queue.serve(FREE_SLOT)
        await asyncio.gather(*calls)
        assert not queue.serve(FREE_SLOT)
        return served

    assert run(main()) == ["i1", "i3", "b0", "b2"]


def test_bulk_is_overtaken_by_as_many_as_the_bound_says() -> None:
    async def main() -> list[str]:
        queue = CallQueue(starvation_bound=3)
        calls, served = await waiting(queue, "i" * 10 + "bb")
        dues: list[bool] = []
        for _ in calls:
            dues.append(queue.bulk_is_due)
            queue.serve(FREE_SLOT)
        await asyncio.gather(*calls)
        assert [number for number, due in enumerate(dues) if due] == [3, 7]
        return served

    assert "".join(name[0] for name in run(main())) == "iiibiiibiiii"


def test_only_slots_that_overtake_bulk_count_against_the_bound() -> None:
    async def main() -> list[str]:
        queue = CallQueue(starvation_bound=2)
        calls, served = await waiting(queue, "ii")
        queue.serve(FREE_SLOT)
        queue.serve(FREE_SLOT)
        more, more_served = await waiting(queue, "iib")
        for _ in more:
            queue.serve(FREE_SLOT)
        await asyncio.gather(*calls, *more)
        return served + more_served

    assert run(main()) == ["i0", "i1", "i0", "i1", "b2"]


def test_a_newcomer_passes_those_that_it_goes_before() -> None:
    async def main() -> None:
        queue = CallQueue(starvation_bound=2)
        assert queue.may_pass("interactive")
        assert queue.may_pass("bulk")
        bulk, _ = await waiting(queue, "b")
        assert not queue.may_pass("bulk")
        for _ in range(2):
            assert queue.may_pass("interactive")
            queue.passed()
        assert not queue.may_pass("interactive")
        queue.serve(FREE_SLOT)
        interactive, _ = await waiting(queue, "i")
        assert not queue.may_pass("interactive")
        assert not queue.may_pass("bulk")
        queue.serve(FREE_SLOT)
        await asyncio.gather(*bulk, *interactive)

    run(main())


def test_how_many_are_ahead() -> None:
    async def main() -> None:
        queue = CallQueue()
        calls, _ = await waiting(queue, "ibi")
        assert queue.ahead_of("interactive") == queue.count("interactive") == 2
        assert queue.count("bulk") == 1
        assert queue.ahead_of("bulk") == len(queue) == 3
        for _ in calls:
            queue.serve(FREE_SLOT)
        await asyncio.gather(*calls)
        assert len(queue) == 0

    run(main())


def test_a_slot_that_comes_with_the_cancellation_is_given_back_unused() -> None:
    async def main() -> list[Outcome]:
        released: list[Outcome] = []
        queue = CallQueue()
        (call,), _ = await waiting(queue, "b")
        queue.serve(Returnable(released.append))
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        return released

    assert run(main()) == [Outcome.NOT_SENT]


@examples(60)
@given(st.integers(0, 2**32))
def test_cancelling_and_refusing_those_who_wait_loses_no_slot(seed: int) -> None:
    chance = random.Random(seed)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        queue = CallQueue(starvation_bound=chance.randint(1, 5))
        calls, served = await waiting(queue, "".join(chance.choices("ib", k=30)), max_wait=3)
        for call in chance.sample(calls, 12):
            loop.call_later(chance.choice([0, 0.1, 0.5, 1, 2]), call.cancel)
        given = 0
        unused: list[Outcome] = []
        while loop.time() < 4:
            given += queue.serve(Returnable(unused.append))
            await asyncio.sleep(chance.choice([0, 0.1, 0.5]))
        found = await asyncio.gather(*calls, return_exceptions=True)
        assert given == len(served) + len(unused)
        assert set(unused) <= {Outcome.NOT_SENT}
        assert len(queue) == 0
        for call in found:
            assert not isinstance(call, BaseException) or isinstance(
                call, asyncio.CancelledError | RateLimitedError
            )

    run(main())


def test_a_call_waits_no_longer_than_it_may() -> None:
    async def main() -> float:
        queue = CallQueue()
        with pytest.raises(RateLimitedError, match="nothing was sent") as caught:
            await queue.wait("bulk", max_wait=2)
        assert caught.value.status == 429
        assert len(queue) == 0
        return asyncio.get_running_loop().time()

    assert run(main()) == pytest.approx(2, abs=0.001)


def test_all_fail_with_an_error_of_their_own() -> None:
    async def main() -> None:
        queue = CallQueue()
        calls, _ = await waiting(queue, "ib")
        queue.fail(ConfigurationError("closed"))
        errors = await asyncio.gather(*calls, return_exceptions=True)
        assert [str(error) for error in errors] == ["closed", "closed"]
        assert errors[0] is not errors[1]

    run(main())
