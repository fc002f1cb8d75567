"""An output written from an event loop, which stays free while the disk works."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from jibble_async.export.files.atomic import Part, PartFile, Spool, remove_dead_parts
from jibble_async.export.files.destinations import Destination
from jibble_async.export.files.disk import DiskThread

__all__ = ["Output"]

P = ParamSpec("P")
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
        self._disk = DiskThread()
        self.removed: list[Path] = []

    async def __aenter__(self) -> Self:
        try:
            self.part = await self.run(self._open)
        except BaseException:
            self._disk.forget()
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
        await self._disk.end(self.part.close)

    async def run(self, job: Callable[[], T]) -> T:
        """The result of a job, done after those before it.

        Args:
            job: What to do with the part, such as `output.part.publish`.
        """
        return await self._disk.run(job)

    async def write(self, make: Callable[P, bytes], *args: P.args, **kwargs: P.kwargs) -> None:
        """Append what a function gives, which is made in the thread as well.

        Args:
            make: The function, such as a sink's `encode`.
            *args: Its arguments.
            **kwargs: Those that have names.

        Raises:
            ExportError: It could not be written.
        """
        await self.run(lambda: self.part.write(make(*args, **kwargs)))

    def _open(self) -> Part:
        path, descriptor = self._destination.path, self._destination.descriptor
        if descriptor is not None:
            return Spool(path, descriptor)
        self.removed = remove_dead_parts(path)
        return PartFile(path)
