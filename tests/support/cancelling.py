"""Cancel a piece of work at any of the places where it waits."""

from __future__ import annotations

import asyncio
import functools
import types
from collections.abc import Coroutine, Generator
from typing import Any, Literal, TypeAlias

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
