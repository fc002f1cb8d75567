"""An output written from an event loop, which stays free while the disk works."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from jibble_async.export.destinations import Destination
from jibble_async.export.files import Part, PartFile, Spool, remove_dead_parts

__all__ = ["Output"]

T = TypeVar("T")


class Output:
    """A part of an output, and the thread that does all that is done to it, in turn.

    Args:
        destination: Where it goes.

    Attributes:
        part: What is written so far.
        removed: Parts that killed writers of this output had left, and that were removed.
    """

    part: Part

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="jibble-disk")
        self.removed: list[Path] = []

    async def __aenter__(self) -> Self:
        try:
            self.part = await self.run(self._open)
        except BaseException:
            self._thread.shutdown(wait=False)
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc_type is not None:
            self.part.abandon()
        try:
            # Cancelled once more it is closed all the same, by its thread.
            await asyncio.shield(self._begun(self.part.close))
        finally:
            self._thread.shutdown(wait=False)

    async def run(self, job: Callable[[], T]) -> T:
        """The result of a job, done after those before it.

        Args:
            job: What to do with the part, such as `output.part.publish`.
        """
        return await self._begun(job)

    def _begun(self, job: Callable[[], T]) -> asyncio.Future[T]:
        try:
            return asyncio.get_running_loop().run_in_executor(self._thread, job)
        except (AssertionError, NotImplementedError):
            # Some loops, such as trio-asyncio's, take no executors but their own, or none.
            return asyncio.wrap_future(self._thread.submit(job))

    def _open(self) -> Part:
        path, descriptor = self._destination.path, self._destination.descriptor
        if descriptor is not None:
            return Spool(path, descriptor)
        self.removed = remove_dead_parts(path)
        return PartFile(path)
