"""The places where slots are counted, each in virtual time: what the contract suite runs over.

To add one that processes share: a class here, and its line in `SHARED`.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import redis

from jibble_async.limits.redis_link import RedisLink
from jibble_async.limits.slots import Outcome, Priority, Slot
from jibble_async.limits.windows.local import RollingWindow
from jibble_async.limits.windows.policy import Policy, Wanted
from jibble_async.limits.windows.redis import RedisStore
from jibble_async.limits.windows.redis_lua import CLOCK, SCRIPT
from jibble_async.limits.windows.sqlite_file import WindowFile
from jibble_async.limits.windows.stored import Answer, GivenBack, SlotStore, StoredWindow
from tests.limits.redis_server import RedisServer

Exchange = Callable[[Sequence[GivenBack], Wanted, int], Answer]


class Window(Protocol):
    """What all windows have."""

    limit: int
    per: float

    @property
    def rate(self) -> float: ...

    @property
    def used(self) -> int | None: ...

    def hold(self, wait: float | None = None) -> float: ...

    async def acquire(
        self, *, priority: Priority = "interactive", max_wait: float | None = None
    ) -> Slot: ...

    def take_back(self, key: str, outcome: Outcome, taken_at: float) -> None: ...


class Store(Protocol):
    """One place where slots are counted."""

    def window(
        self, limit: int, per: float, linger: float = 1.0, lease: float = 5.0, reserve: float = 0.1
    ) -> Window:
        """What another process has of the window, or this one where there is only one."""
        ...


class SharedStore(Store, Protocol):
    """One that several processes share."""

    def window(
        self, limit: int, per: float, linger: float = 1.0, lease: float = 5.0, reserve: float = 0.1
    ) -> StoredWindow: ...

    def slot_store(self, policy: Policy) -> Direct:
        """Another process's way to it."""
        ...

    def exchanges(self, policy: Policy, clock: Callable[[], float]) -> Exchange:
        """Another process's exchanges, without a loop."""
        ...


class Local:
    """The memory of one process."""

    def __init__(self) -> None:
        self._windows: dict[tuple[float, ...], RollingWindow] = {}

    def window(
        self, limit: int, per: float, linger: float = 1.0, lease: float = 5.0, reserve: float = 0.1
    ) -> Window:
        numbers = (limit, per, linger, reserve)
        if numbers not in self._windows:
            self._windows[numbers] = RollingWindow(limit, per, linger, reserve=reserve)
        return self._windows[numbers]


class Direct:
    """A store used in the loop's thread, on the loop's clock, a millisecond away.

    Attributes:
        fails: What every exchange raises, if anything.
        stopped_for: Seconds for which the process is stopped after the next exchange.
        granted: How many slots were granted.
    """

    degraded: str | None = None

    def __init__(self, connect: Callable[[Callable[[], float]], Exchange]) -> None:
        self._connect = connect
        self.fails: Exception | None = None
        self.stopped_for = 0.0
        self.granted = 0

    def open(self, clock: Callable[[], float]) -> None:
        self._exchange = self._connect(clock)

    async def exchange(self, given_back: Sequence[GivenBack], wanted: Wanted, look: int) -> Answer:
        if self.fails is not None:
            raise self.fails
        await asyncio.sleep(0.0005)
        answer = self._exchange(given_back, wanted, look)
        self.granted += len(answer.granted)
        stopped_for, self.stopped_for = self.stopped_for, 0.0
        await asyncio.sleep(0.0005 + stopped_for)
        return answer

    async def close(self) -> None:
        """Nothing: the file is closed when nobody has it any more, as after a kill."""


class _Shared:
    def window(
        self, limit: int, per: float, linger: float = 1.0, lease: float = 5.0, reserve: float = 0.1
    ) -> StoredWindow:
        policy = Policy("window", limit, per, linger, reserve, lease)
        store: SlotStore = self.slot_store(policy)
        return StoredWindow(store, policy)

    def slot_store(self, policy: Policy) -> Direct:
        return Direct(lambda clock: self.exchanges(policy, clock))

    def exchanges(self, policy: Policy, clock: Callable[[], float]) -> Exchange:
        raise NotImplementedError


class Sqlite(_Shared):
    """A SQLite file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def exchanges(self, policy: Policy, clock: Callable[[], float]) -> Exchange:
        file = WindowFile(self._path, policy, clock)
        exchange = file.exchange

        def once(given_back: Sequence[GivenBack], wanted: Wanted, look: int) -> Answer:
            return exchange(given_back, wanted, look)

        weakref.finalize(once, file.close)
        return once


class ScriptOnOurClock:
    """The script of `RedisWindow`, run by a real server, on a clock of the test's."""

    def __init__(self, server: RedisServer) -> None:
        assert CLOCK in SCRIPT
        self._script = server.client.register_script(
            SCRIPT.replace(CLOCK, "local now = tonumber(ARGV[2])")
        )

    def run(self, keys: Sequence[str], question: bytes, now: float) -> list[Any]:
        reply: list[Any] = self._script(keys, [question, repr(now)])  # type: ignore[assignment]
        return reply


class VirtualLink(RedisLink):
    """A millisecond's way to a script that runs by the clock of the test.

    Attributes:
        clock: The clock.
        away: Whether the store can't be reached.
    """

    def __init__(self, url: str, script: ScriptOnOurClock) -> None:
        super().__init__("RedisWindow", url, "", 0.5)
        self._on_our_clock = script
        self.clock: Callable[[], float] = lambda: 0.0
        self.away: Callable[[], bool] = lambda: False

    def _connect(self) -> Callable[..., Any]:
        async def run(keys: Sequence[str], args: Sequence[bytes]) -> Any:
            await asyncio.sleep(0.0005)
            if self.away():
                raise redis.ConnectionError
            reply = self._on_our_clock.run(keys, args[0], self.clock())
            await asyncio.sleep(0.0005)
            return reply

        return run


class VirtualRedis(RedisStore):
    """What a process has of a `RedisWindow`, in virtual time.

    Attributes:
        link: The way to it.
    """

    def __init__(
        self, server: RedisServer, policy: Policy, workers: int = 1, *, trust_empty: bool = True
    ) -> None:
        self._on_our_clock = ScriptOnOurClock(server)
        self.link = VirtualLink(server.url, self._on_our_clock)
        super().__init__(server.url, policy, workers, "test", 0.5, trust_empty)

    def _make_link(self, url: str, timeout: float) -> RedisLink:
        return self.link

    def open(self, clock: Callable[[], float]) -> None:
        self.link.clock = clock
        super().open(clock)

    def at_once(self, given_back: Sequence[GivenBack], wanted: Wanted, look: int) -> Answer:
        """An exchange that takes no time."""
        now = self._clock()
        question = self._question(given_back, wanted, look, self._policy.limit, now)
        return self._read(self._on_our_clock.run(self._keys, question, now), wanted, now)


class Redis(_Shared):
    """A Redis server, which counts by the clock of the test."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server

    def exchanges(self, policy: Policy, clock: Callable[[], float]) -> Exchange:
        store = VirtualRedis(self._server, policy)
        store.open(clock)
        return store.at_once


SHARED: dict[str, tuple[Callable[[Any], SharedStore], str]] = {
    "sqlite": (Sqlite, "path"),
    "redis": (Redis, "redis_server"),
}
"""Each store that processes share, with the fixture that gives its place."""
STORES = ("local", *SHARED)
