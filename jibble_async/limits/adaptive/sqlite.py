"""An adaptive limiter that several processes of one machine share, over restarts too."""

from __future__ import annotations

import time
from collections.abc import Callable
from os import PathLike
from pathlib import Path

from jibble_async.limits.adaptive.limiter import first_pacer
from jibble_async.limits.adaptive.pacer import Pacer
from jibble_async.limits.adaptive.stored import AwayError, PacerStore, StoredAdaptive
from jibble_async.limits.adaptive.turns import Asked, SharedPacer, Told
from jibble_async.limits.state_file import FileBusyError, FileThread, Format, StateFile

__all__ = ["SharedAdaptive", "open_file"]

FORMAT: Format[SharedPacer] = Format(
    application_id=0x4A625061,
    version=1,
    kind=SharedPacer,
    lost="what was learnt is not known any more",
    harmless="when no process uses it",
    durable=False,
)


class SharedAdaptive(StoredAdaptive):
    """An `AdaptiveLimiter` for all processes of a machine that name the same file.

    The rate, the probes, what the server tells and when the next request may go are one for all of
    them: what one is told, all know, and two send no faster than one. What was learnt outlasts the
    processes. Processes take turns, so that none starves; interactive calls of one go before bulk
    calls of another. One that was killed holds up nobody.

    The file is used in a thread of its own, by the machine's monotonic clock. It must be on a local
    disk. If another process stops with the file locked, each goes on with its part of the rate;
    `degraded` and the log say so. One that was in use before a fork is refused after it.

    Use one file for each credential and service.

    Args:
        path: The file; made, with its folder, at the first request.
        initial: Requests per second to begin with.

    Raises:
        ConfigurationError: `initial` is not a number above 0; from `acquire`, if the file is
            damaged, is something else, or can't be written.

    Example:
        >>> async with SharedAdaptive("~/.local/state/jibble/pace.db") as limiter:
        ...     client = JibbleClient(key_id, secret, limiter={"time-tracking": limiter})
    """

    def __init__(self, path: str | PathLike[str], *, initial: float = 4.0) -> None:
        self.path: Path = Path(path).expanduser()
        store = _FileStore(self.path, first_pacer("SharedAdaptive", initial))
        super().__init__(f"SharedAdaptive({str(self.path)!r})", store)


def open_file(path: Path, first: Pacer, clock: Callable[[], float]) -> StateFile[SharedPacer]:
    """The file of a `SharedAdaptive`.

    Args:
        path: The file.
        first: What is known when nothing was sent yet.
        clock: The machine's monotonic clock.
    """
    return StateFile(path, FORMAT, lambda now: SharedPacer(now, first), clock)


class _FileStore(PacerStore):
    """The file, and the thread in which it is used."""

    def __init__(self, path: Path, first: Pacer) -> None:
        super().__init__(first)
        self._thread = FileThread(lambda: open_file(path, first, time.monotonic))

    def open(self, clock: Callable[[], float]) -> None:
        super().open(clock)
        self._thread.open()

    async def close(self) -> None:
        await self._thread.close()

    async def _exchange(self, asked: Asked) -> tuple[SharedPacer, Told]:
        def use(file: StateFile[SharedPacer]) -> tuple[SharedPacer, Told]:
            return file.update(lambda shared, now: (shared, shared.exchange(asked, now)))

        try:
            return await self._thread.run(use)
        except FileBusyError as error:
            raise AwayError(f"the file is locked by another process ({error})") from None
