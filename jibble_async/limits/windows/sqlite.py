"""A rolling window that several processes of one machine share, over restarts too."""

from __future__ import annotations

import asyncio
import logging
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from os import PathLike
from pathlib import Path

from jibble_async.limits.windows.policy import Policy, Wanted
from jibble_async.limits.windows.sqlite_file import FileBusyError, WindowFile
from jibble_async.limits.windows.stored import Answer, GivenBack, StoredWindow

__all__ = ["SharedWindow"]

RETRY = 0.05

logger: logging.Logger = logging.getLogger("jibble_async.limits")


class SharedWindow(StoredWindow):
    """A `RollingWindow` for all processes of a machine that name the same file.

    The slots are counted in a SQLite file, by the machine's monotonic clock, in a thread of its
    own. Processes take turns, so that none starves. A slot whose holder was killed is counted for
    `1 + lease + linger + per` seconds. If another process stops with the file locked, nothing is
    granted until it goes on; `degraded` and the log say so.

    The promise is that of `RollingWindow`, with one more assumption: a request has ended at most
    `lease` seconds after its slot was granted. The file must be on a local disk. Deleting it
    forgets what was sent. A window that was in use before a fork is refused after it.

    Args:
        path: The file; made, with its folder, at the first request.
        limit, per, linger, reserve: As for `RollingWindow`; `per` and `reserve` the same in every
            process.
        lease: The longest time in seconds from a slot's grant to its release; above the time-out
            of an attempt.

    Raises:
        ConfigurationError: The numbers leave nothing to send; from `acquire`, if the file is
            damaged, is something else, can't be written, or counts for another period.

    Example:
        >>> limiter = SharedWindow("~/.local/state/jibble/limit.db", limit=150, per=3600)
        >>> client = LegacyClient(token, limiter=limiter)
        ...
        >>> await limiter.aclose()
    """

    def __init__(
        self,
        path: str | PathLike[str],
        limit: int,
        per: float,
        linger: float = 60.0,
        *,
        lease: float = 60.0,
        reserve: float = 0.1,
    ) -> None:
        self.path: Path = Path(path).expanduser()
        name = (
            f"SharedWindow({str(self.path)!r}, limit={limit}, per={per}, linger={linger}, "
            f"lease={lease})"
        )
        policy = Policy(name, limit, per, linger, reserve, lease)
        store = _FileStore(lambda: WindowFile(self.path, policy, time.monotonic))
        super().__init__(store, policy)


class _FileStore:
    """A `WindowFile` and the thread it is used in."""

    def __init__(self, opener: Callable[[], WindowFile]) -> None:
        self._opener = opener
        self._thread: ThreadPoolExecutor | None = None
        self._file: WindowFile | None = None
        self._finalizer: weakref.finalize[..., _FileStore] | None = None
        self.degraded: str | None = None

    def open(self, clock: Callable[[], float]) -> None:
        self._thread = ThreadPoolExecutor(1, "jibble-shared-window")

    async def exchange(self, given_back: Sequence[GivenBack], wanted: Wanted, look: int) -> Answer:
        assert self._thread is not None
        try:
            # Not by the loop, as some have no executors.
            answer = await asyncio.wrap_future(
                self._thread.submit(self._in_thread, given_back, wanted, look)
            )
        except FileBusyError as error:
            if self.degraded is None:
                self.degraded = f"the file is locked by another process ({error}): nothing is sent"
                logger.warning("shared limit: %s", self.degraded)
            now = time.monotonic()
            return Answer((), now, (), now + RETRY, kept=given_back)
        if self.degraded is not None:
            self.degraded = None
            logger.info("shared limit: the file is free again")
        return answer

    def _in_thread(self, given_back: Sequence[GivenBack], wanted: Wanted, look: int) -> Answer:
        if self._file is None:
            self._file = self._opener()
            self._finalizer = weakref.finalize(self, self._file.close)
        return self._file.exchange(given_back, wanted, look)

    async def close(self) -> None:
        if self._thread is not None:
            thread, self._thread = self._thread, None
            await asyncio.wrap_future(thread.submit(self._close_in_thread))
            thread.shutdown(wait=False)

    def _close_in_thread(self) -> None:
        self._file = None
        if self._finalizer is not None:
            self._finalizer()
