"""An event loop whose time stands still while something runs, and jumps when all wait."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.watch: Callable[[], None] = lambda: None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.watch()
        if timeout is None:
            raise RuntimeError("deadlock: every task waits and no timer is set")
        ready = super().select(0)
        # A turn of the loop takes a moment, as in life: rounding can't make it spin for ever.
        self.now += 1e-7 if ready else max(timeout, 1e-7)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop for tests of timing: no real second passes, and time is exact."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def each_turn(self, watch: Callable[[], None]) -> None:
        """Call `watch` once in each turn of the loop, before what is due runs."""
        self._jumping.watch = watch

    def run_in_executor(
        self, executor: Any, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """The work of a thread, done at once: no thread knows of this time."""
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
