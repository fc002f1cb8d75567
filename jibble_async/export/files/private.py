"""Files that others make on our behalf, and that nobody else may read."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Generator

__all__ = ["making_private"]


class _Umask:
    """What a process takes from the modes of its new files, for all of its threads at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._before = 0

    def tighten(self) -> None:
        with self._lock:
            if self._users == 0:
                self._before = os.umask(0o077)
            self._users += 1

    def restore(self) -> None:
        # By the last one, since a thread that began later found what another had set.
        with self._lock:
            self._users -= 1
            if self._users == 0:
                os.umask(self._before)


_umask = _Umask()


@contextlib.contextmanager
def making_private() -> Generator[None]:
    """Let whatever makes files within it, such as a database, make them for their owner only.

    Files that other threads make meanwhile are private, too; none is ever less so than it was
    to be.
    """
    _umask.tighten()
    try:
        yield
    finally:
        _umask.restore()
