"""A loop in a thread of its own, which outlives what runs in it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from jibble_async.errors import ConfigurationError

__all__ = ["LoopThread"]

T = TypeVar("T")


class LoopThread:
    """Runs coroutines for threads without a loop, one beside the other.

    The thread is a daemon: it ends with the process, or when this is closed.

    Example:
        >>> loop = LoopThread()
        >>> loop.start(client.people.list().count).result()
    """

    def __init__(self) -> None:
        self._process = os.getpid()
        self._ready: concurrent.futures.Future[asyncio.AbstractEventLoop]
        self._ready = concurrent.futures.Future()
        self.thread: threading.Thread = threading.Thread(
            target=self._run, name="jibble-loop", daemon=True
        )
        """The thread."""
        self.thread.start()
        self._loop = self._ready.result()

    @property
    def is_alive(self) -> bool:
        """Whether this process has the thread, which one that was forked has not, and it runs."""
        return os.getpid() == self._process and self.thread.is_alive()

    def start(self, function: Callable[[], Coroutine[Any, Any, T]]) -> concurrent.futures.Future[T]:
        """Have a coroutine run.

        Args:
            function: Makes it, in that thread.

        Raises:
            ConfigurationError: The thread is of another process, or was closed.
        """

        async def run() -> T:
            return await function()

        if not self.is_alive:
            raise ConfigurationError("this loop is of another process, or was closed")
        return asyncio.run_coroutine_threadsafe(run(), self._loop)

    def close(self) -> None:
        """Cancel what runs, and end the thread."""
        if self.is_alive:
            self._loop.call_soon_threadsafe(self._over.set)
            self.thread.join()

    def _run(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        self._over = asyncio.Event()
        self._ready.set_result(asyncio.get_running_loop())
        await self._over.wait()
