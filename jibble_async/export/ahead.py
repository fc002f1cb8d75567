"""What a coroutine gives, for threads without a loop: a loop in a thread, a few items ahead."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import queue
import threading
import weakref
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeAlias, TypeVar

from jibble_async.errors import ConfigurationError
from jibble_async.export.loop_thread import LoopThread

__all__ = ["Ahead", "Give"]

T = TypeVar("T")
Give: TypeAlias = Callable[[T], Awaitable[None]]

# For requests under way, and connections to be closed.
_PATIENCE = 10.0


class Ahead(Generic[T]):
    """The items that a coroutine gives, one by one.

    The coroutine runs in a loop of its own, in a thread that ends with it, or in one that outlives
    it. It gets a function to give an item with, which waits while so many items wait as it may be
    ahead. When this is closed, or nobody has it any more, the coroutine is cancelled.

    Args:
        produce: The coroutine.
        ahead: How many items may wait.
        loop: Where it runs; by default a thread is made for it.

    Raises:
        BaseException: When iterated, what the coroutine raised, each time it is asked.

    Example:
        >>> for row in Ahead(lambda give: rows_of(client, give), 2):
        ...     print(row)
    """

    def __init__(
        self,
        produce: Callable[[Give[T]], Awaitable[None]],
        ahead: int,
        loop: LoopThread | None = None,
    ) -> None:
        self._course: _Course[T] = _Course(produce, ahead, loop)
        # Also when the interpreter ends: the thread may hold connections.
        self._end = weakref.finalize(self, self._course.end)

    def __iter__(self) -> Ahead[T]:
        return self

    def __next__(self) -> T:
        return self._course.next()

    def poll(self, seconds: float) -> T | None:
        """The next item, or None if there is none within a time.

        Args:
            seconds: The time.

        Raises:
            StopIteration: There are no more.
            BaseException: What the coroutine raised.
        """
        try:
            return self._course.next(seconds)
        except queue.Empty:
            return None

    def cancel(self) -> None:
        """Have the coroutine cancelled, and wait for nothing."""
        self._course.cancel()

    def close(self) -> None:
        """Have the coroutine cancelled, and wait for it a few seconds."""
        self._end()


class _Course(Generic[T]):
    """What the thread has in its hands: it knows nothing of who reads, who may be gone."""

    def __init__(
        self,
        produce: Callable[[Give[T]], Awaitable[None]],
        ahead: int,
        loop: LoopThread | None,
    ) -> None:
        self._produce = produce
        self._ahead = ahead
        self._items: queue.SimpleQueue[tuple[T] | BaseException] = queue.SimpleQueue()
        self._over: BaseException | None = None
        self._ending = threading.Event()
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]] | None = None
        self._process = os.getpid()
        self._future: concurrent.futures.Future[None] | None = None
        if loop is None:
            self._thread = threading.Thread(target=self._run, name="jibble-ahead", daemon=True)
            self._thread.start()
        else:
            self._thread = loop.thread
            self._future = loop.start(self._main)
            self._future.add_done_callback(self._ended)

    def next(self, seconds: float | None = None) -> T:
        if os.getpid() != self._process:
            raise ConfigurationError(
                "a thread of another process reads these rows: begin to read them in this one"
            )
        if self._over is not None:
            raise self._over
        item = self._items.get(timeout=seconds)
        if isinstance(item, BaseException):
            self._over = item
            self._wait()
            raise item
        assert self._running is not None
        loop, _ = self._running
        # A loop that has ended needs no place for another item.
        _call(loop, self._places.release)
        return item[0]

    def cancel(self) -> None:
        self._over = self._over or ConfigurationError("these rows are read no more: it was closed")
        self._ending.set()
        if self._running is not None and os.getpid() == self._process:
            loop, task = self._running
            _call(loop, task.cancel)

    def end(self) -> None:
        # Cancelled once more, an export that keeps its last pages would keep none.
        if not self._ending.is_set():
            self.cancel()
        if os.getpid() != self._process:
            return
        # Whatever collects garbage may have done so in that very thread.
        if self._thread is not threading.current_thread():
            self._wait()

    def _wait(self) -> None:
        if self._future is None:
            self._thread.join(_PATIENCE)
        else:
            concurrent.futures.wait([self._future], _PATIENCE)

    def _ended(self, future: concurrent.futures.Future[None]) -> None:
        error = asyncio.CancelledError() if future.cancelled() else future.exception()
        self._items.put(StopIteration() if error is None else error)

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:
            self._items.put(error)
        else:
            self._items.put(StopIteration())

    async def _main(self) -> None:
        self._places = asyncio.Semaphore(self._ahead)
        task = asyncio.current_task()
        assert task is not None
        self._running = (asyncio.get_running_loop(), task)
        # Asked to end before there was anything to cancel.
        if not self._ending.is_set():
            await self._produce(self._give)

    async def _give(self, item: T) -> None:
        await self._places.acquire()
        self._items.put((item,))


def _call(loop: asyncio.AbstractEventLoop, function: Callable[[], object]) -> None:
    try:
        loop.call_soon_threadsafe(function)
    except RuntimeError:
        # The loop is closed.
        return
