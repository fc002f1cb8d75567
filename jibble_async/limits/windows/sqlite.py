"""A rolling window that several processes of one machine share, over restarts too."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path

from jibble_async.limits.state_file import FileBusyError, FileThread
from jibble_async.limits.windows.policy import Policy, Wanted
from jibble_async.limits.windows.sqlite_file import WindowFile
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
        self._thread = FileThread(opener)
        self.degraded: str | None = None

    def open(self, clock: Callable[[], float]) -> None:
        self._thread.open()

    async def exchange(self, given_back: Sequence[GivenBack], wanted: Wanted, look: int) -> Answer:
        try:
            answer = await self._thread.run(lambda file: file.exchange(given_back, wanted, look))
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

    async def close(self) -> None:
        await self._thread.close()
