"""Cancel a piece of work at any of the places where it waits."""

from __future__ import annotations

import asyncio
import functools
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Literal, TypeAlias

from tests.support.virtual_time import VirtualTimeLoop

When: TypeAlias = Literal["while it waits", "as it is woken"]


class CancelAt:
    """Runs a coroutine and cancels its task at its n-th wait.

    Args:
        number: Which wait, counted from 1.
        when: As soon as it waits, or when what it waits for has come and it is about to go on.

    Attributes:
        reached: Whether there was such a wait.
    """

    def __init__(self, number: int, when: When) -> None:
        self.reached = False
        self._number = number
        self._when = when

    async def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return await self._drive(work)

    @types.coroutine
    def _drive(self, work: Coroutine[Any, Any, Any]) -> Generator[Any, Any, Any]:
        task = asyncio.current_task()
        assert task is not None
        waits = 0
        send: Any = None
        failure: BaseException | None = None
        while True:
            try:
                awaited = work.send(send) if failure is None else work.throw(failure)
            except StopIteration as end:
                return end.value
            send, failure = None, None
            waits += 1
            if waits == self._number:
                self.reached = True
                if self._when == "while it waits" or awaited is None:
                    task.cancel()
                else:
                    # Called before the task's own callback, which is added after this one.
                    awaited.add_done_callback(functools.partial(_cancel, task))
            try:
                send = yield awaited
            except BaseException as error:
                failure = error


def _cancel(task: asyncio.Task[Any], _awaited: object) -> None:
    task.cancel()


class TurningLoop(VirtualTimeLoop):
    """A loop of virtual time that says when a turn of it begins.

    Attributes:
        before_turn: Called once in each turn, before what is due runs.
    """

    def __init__(self) -> None:
        super().__init__()
        self.before_turn: Callable[[], None] = lambda: None
        select = self._jumping.select

        def watched(timeout: float | None = None) -> Any:
            self.before_turn()
            return select(timeout)

        self._jumping.select = watched  # type: ignore[method-assign]


def in_turns(main: Coroutine[Any, Any, Any]) -> None:
    """Run `main` to its end in such a loop."""
    with asyncio.Runner(loop_factory=TurningLoop) as runner:
        runner.run(main)


class CancelAtTurn:
    """Cancels a task after so many turns of its loop, which is a `TurningLoop`.

    Args:
        number: Which turn, counted from 1 while the task is under way; None for none.

    Attributes:
        turns: How many turns there were until the task was done, or was cancelled.
        cancelled: Whether it was.
    """

    def __init__(self, number: int | None) -> None:
        self.turns = 0
        self.cancelled = False
        self._number = number

    def watch(self, task: asyncio.Task[Any]) -> None:
        """Begin to count."""
        loop = task.get_loop()
        assert isinstance(loop, TurningLoop)

        def turn() -> None:
            if task.done() or self.cancelled:
                return
            self.turns += 1
            if self.turns == self._number:
                self.cancelled = task.cancel()

        loop.before_turn = turn
