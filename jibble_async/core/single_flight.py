"""One piece of work for any number of callers who want its outcome at the same time."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from jibble_async.errors import ConfigurationError, JibbleError

__all__ = ["SingleFlight"]

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Work that is one task however many wait for it.

    Cancelling one waiter harms no other; cancelling the last cancels the work, unless it was
    begun for its own sake.

    Args:
        work: Does it.
        name: Of its task.
    """

    def __init__(self, work: Callable[[], Coroutine[Any, Any, T]], name: str) -> None:
        self._work = work
        self._name = name
        self._task: asyncio.Task[T] | None = None
        self._waiters = 0
        self._kept = False
        self._closed = False

    @property
    def under_way(self) -> bool:
        """Whether the work is being done."""
        return self._task is not None

    def begin(self) -> None:
        """See to it that the work is being done, though nobody waits for it.

        What it fails with is told to nobody but those who come to wait.
        """
        self._started()
        self._kept = True

    async def result(self, *, once_more: bool = True) -> T:
        """The outcome of the work that is under way, or else is begun.

        Args:
            once_more: Whether to begin anew if a stranger cancels the work, such as a program
                that cancels all tasks but its own.

        Raises:
            ConfigurationError: It was stopped.
            JibbleError: It failed so.
        """
        task = self._started()
        self._waiters += 1
        try:
            # Shielded: a waiter who is cancelled must not take the work from the others.
            return await asyncio.shield(task)
        except JibbleError as error:
            # To each who waited one of its own, to note on it what call it ended.
            failure: JibbleError | None = copy.copy(error)
        except asyncio.CancelledError:
            # The work's, if it was stopped and nobody cancelled this waiter: told as an error,
            # since a task that sees a cancellation which nobody asked for ends without a word.
            waiter = asyncio.current_task()
            if not task.cancelled() or (waiter is not None and waiter.cancelling()):
                raise
            failure = None
        finally:
            self._waiters -= 1
            if not self._waiters and not self._kept and not task.done():
                # Forgotten at once, so that who comes before it has ended begins anew.
                self._task = None
                task.cancel()
        if failure is None and once_more and not self._closed:
            return await self.result(once_more=False)
        whose = "this client was closed" if self._closed else "somebody cancelled the client's task"
        raise failure or ConfigurationError(f"{whose} while a call was under way")

    async def aclose(self) -> None:
        """Stop the work for good, and wait for its end."""
        self._closed = True
        task = self._task
        if task is not None:
            task.cancel()
            await asyncio.wait((task,))

    def _started(self) -> asyncio.Task[T]:
        task = self._task
        if task is None:
            task = self._task = asyncio.create_task(self._work(), name=self._name)
            task.add_done_callback(self._done)
            self._kept = False
        return task

    def _done(self, task: asyncio.Task[T]) -> None:
        if self._task is task:
            self._task = None
        if not task.cancelled():
            # Everybody who waited may be gone; then nobody else asks for the outcome.
            task.exception()
