"""A thread for the disk, so that the event loop stays free while it works."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["DiskThread"]

T = TypeVar("T")


class DiskThread:
    """Does all that is done to the files of an output, one job after the other."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="jibble-disk")

    async def run(self, job: Callable[[], T]) -> T:
        """The result of a job, done after those before it, also when nobody waits any more."""
        return await self._begun(job)

    async def end(self, last_job: Callable[[], None]) -> None:
        """Do the last job; whoever is cancelled meanwhile waits no longer, but it is done."""
        try:
            await asyncio.shield(self._begun(last_job))
        finally:
            self.forget()

    def forget(self) -> None:
        """Wait for nothing any more."""
        self._thread.shutdown(wait=False)

    def _begun(self, job: Callable[[], T]) -> asyncio.Future[T]:
        try:
            return asyncio.get_running_loop().run_in_executor(self._thread, job)
        except (AssertionError, NotImplementedError):
            # Some loops, such as trio-asyncio's, take no executors but their own, or none.
            return asyncio.wrap_future(self._thread.submit(job))
