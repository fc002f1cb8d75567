"""What a process of a test has of a shared window, so that several can be in one."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path

from jibble_async.limits.stored import (
    Answer,
    GivenBack,
    StoredWindow,
    Terms,
    Wanted,
)
from jibble_async.limits.window_file import WindowFile


class Direct:
    """A window file used in the loop's thread, on the loop's clock."""

    degraded: str | None = None
    stopped_for = 0.0
    granted = 0

    def __init__(self, path: Path, terms: Terms) -> None:
        self._numbers = (path, terms)
        self._file: WindowFile | None = None

    def open(self, clock: Callable[[], float]) -> None:
        self._file = WindowFile(*self._numbers, clock)
        # Processes of these tests end without a word, as killed ones do.
        weakref.finalize(self, self._file.close)

    async def exchange(self, given_back: Sequence[GivenBack], wanted: Wanted, look: int) -> Answer:
        assert self._file is not None
        await asyncio.sleep(0.0005)
        answer = self._file.exchange(given_back, wanted, look)
        self.granted += len(answer.granted)
        stopped_for, self.stopped_for = self.stopped_for, 0.0
        await asyncio.sleep(0.0005 + stopped_for)
        return answer

    async def close(self) -> None:
        if self._file is not None:
            self._file.close()


def process(
    path: Path, limit: int, per: float, linger: float = 1.0, lease: float = 5.0
) -> StoredWindow:
    """What a process has, without the thread."""
    terms = Terms(limit, per, linger, lease, reserve=0.1)
    return StoredWindow(f"window of {path.name}", Direct(path, terms), terms)
