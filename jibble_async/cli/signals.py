"""Ctrl-C, SIGTERM and SIGHUP: one way to end, whatever the program is doing."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Coroutine
from types import FrameType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import asyncio

__all__ = ["Interruption"]

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


class _Interrupted(KeyboardInterrupt):
    """A signal came.

    Once KeyboardInterrupt itself has left code that `exec` was given as a text, as libraries do
    while they load, `python -m` ends by SIGINT, whatever its exit code.
    """


class Interruption:
    """Makes a signal end what is done within it, by `KeyboardInterrupt`.

    A coroutine is cancelled, and so can tidy up and say, in the notes of its cancellation, what
    became of a write; the same signal once more, or Ctrl-C, does not wait for that. What whoever
    started the program made it ignore, as `nohup` does, stays ignored.

    Attributes:
        exit_code: 128 and the number of the signal, as shells have it.
    """

    def __init__(self) -> None:
        self.exit_code: int = 128 + signal.SIGINT
        self._asked: int | None = None
        self._main: tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]] | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        # Other threads have no say in signals.
        if threading.current_thread() is threading.main_thread():
            for name in _NAMES:
                number = getattr(signal, name, None)
                # None is a handler that Python did not set, and could not put back.
                if number and signal.getsignal(number) not in {signal.SIG_IGN, None}:
                    self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine to its end.

        Raises:
            KeyboardInterrupt: A signal came; with the notes of the cancellation.
        """
        # One that was never begun, since a signal came first, would be warned of.
        with contextlib.closing(coroutine):
            import asyncio

            try:
                asyncio.run(self._watched(coroutine))
            except asyncio.CancelledError as cancelled:
                interrupt = KeyboardInterrupt()
                for note in getattr(cancelled, "__notes__", ()):
                    interrupt.add_note(note)
                raise interrupt from None

    async def _watched(self, coroutine: Coroutine[Any, Any, None]) -> None:
        import asyncio

        task = asyncio.current_task()
        assert task is not None
        self._main = (asyncio.get_running_loop(), task)
        try:
            await coroutine
        finally:
            self._main = None

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        ending = self._main is not None and self._asked is not None
        if ending and number not in {self._asked, signal.SIGINT}:
            # As systemd's SIGHUP behind its SIGTERM: the first one is being heeded.
            return
        self.exit_code, self._asked = 128 + number, number
        if ending or self._main is None:
            raise _Interrupted
        loop, task = self._main
        task.cancel()
        # A loop that waits for the network looks at it only when it is woken.
        loop.call_soon_threadsafe(lambda: None)
