"""An event loop whose time stands still while something runs, and jumps when all wait.

It is for tests whose clients and servers all live in it, on sockets of loopback or none: then
whatever is under way is in a task, or in the kernel's loopback. No second passes for real, so that
deadlines are exact, and the same on a busy machine. What answers from another process or thread
is not waited for: a test of such is marked `real_time`, and none of its deadlines may be short.
"""

from __future__ import annotations

import asyncio
import selectors
import socket
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_ROOM = 1024
"""Connections that a listener keeps until they are accepted: one more is tried again in a second,
a real one."""


class _Beacon:
    """A byte that is sent around loopback: what was sent before it has arrived when it has."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            self._out = socket.create_connection(server.getsockname())
            self._back, _ = server.accept()
        self._out.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def follow(self) -> None:
        self._out.send(b".")
        self._back.recv(1)

    def close(self) -> None:
        self._out.close()
        self._back.close()


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._beacon: _Beacon | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout != 0:
            ready = self._arriving()
        if ready or timeout == 0:
            # A turn of the loop takes a moment, as in life: rounding can't make it spin for ever.
            self.now += 1e-7
        elif timeout is None:
            raise RuntimeError("deadlock: every task waits and no timer is set")
        else:
            self.now += max(timeout, 1e-7)
        return ready

    def close(self) -> None:
        if self._beacon is not None:
            self._beacon.close()
        super().close()

    def _arriving(self) -> list[tuple[selectors.SelectorKey, int]]:
        """What loopback still has for us."""
        # The loop's own socket, by which it is woken, is always there.
        if len(self.get_map()) < 2:
            return []
        if self._beacon is None:
            self._beacon = _Beacon()
        self._beacon.follow()
        return super().select(0)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop for tests of timing: no real second passes, and time is exact."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    async def create_server(self, *args: Any, **kwargs: Any) -> asyncio.Server:
        return await super().create_server(*args, **(kwargs | {"backlog": _ROOM}))

    async def subprocess_exec(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("a process has no virtual time: mark the test real_time")

    def run_in_executor(
        self, executor: Any, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """The work of a thread, done at once: no thread knows of this time."""
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
