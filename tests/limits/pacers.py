"""The places where what adaptive limiters know is kept, each in virtual time.

To add one that processes share: a class here, and its line in `SHARED`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import redis
from msgspec.msgpack import Decoder, encode

from jibble_async.limits.adaptive.limiter import AdaptiveLimiter, first_pacer
from jibble_async.limits.adaptive.redis import SWAP, RedisPacerStore
from jibble_async.limits.adaptive.sqlite import open_file
from jibble_async.limits.adaptive.stored import AwayError, PacerStore, StoredAdaptive
from jibble_async.limits.adaptive.turns import Asked, SharedPacer, Told
from jibble_async.limits.redis_link import RedisLink
from jibble_async.limits.state_file import StateFile
from jibble_async.limits.stored import catch_up
from tests.limits.redis_server import RedisServer

Adaptive = AdaptiveLimiter | StoredAdaptive


class Place(Protocol):
    """One place where what is known is kept."""

    def limiter(self, initial: float = 4.0) -> Adaptive:
        """What another process has of it, or this one where there is only one."""
        ...


class SharedPlace(Place, Protocol):
    """One that several processes share."""

    def limiter(self, initial: float = 4.0) -> StoredAdaptive: ...

    def store(self, initial: float = 4.0) -> PacerStore:
        """Another process's way to it."""
        ...

    def close(self) -> None:
        """Close what the processes of the test, which end by no other way, had open."""
        ...


class Local:
    """The memory of one process."""

    def __init__(self) -> None:
        self._limiter: AdaptiveLimiter | None = None

    def limiter(self, initial: float = 4.0) -> Adaptive:
        self._limiter = self._limiter or AdaptiveLimiter(initial)
        return self._limiter


class Direct(PacerStore):
    """A store used in the loop's thread, on the loop's clock, a millisecond away.

    Attributes:
        away: Whether it can't be reached.
    """

    def __init__(
        self, initial: float, connect: Callable[[Callable[[], float]], Callable[[Asked], Any]]
    ) -> None:
        super().__init__(first_pacer("a test", initial))
        self._connect = connect
        self.away = False

    def open(self, clock: Callable[[], float]) -> None:
        super().open(clock)
        self._update = self._connect(clock)

    async def close(self) -> None:
        """Nothing: as after a kill."""

    async def _exchange(self, asked: Asked) -> tuple[SharedPacer, Told]:
        await asyncio.sleep(0.0005)
        if self.away:
            raise AwayError("it is away")
        answer: tuple[SharedPacer, Told] = self._update(asked)
        await asyncio.sleep(0.0005)
        return answer


class _Shared:
    def limiter(self, initial: float = 4.0) -> StoredAdaptive:
        return StoredAdaptive("limiter", self.store(initial))

    def store(self, initial: float = 4.0) -> PacerStore:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is open."""


class Memory(_Shared):
    """Bytes in memory, which several limiters of one loop share."""

    def __init__(self) -> None:
        self._state = b""

    def store(self, initial: float = 4.0) -> Direct:
        def connect(clock: Callable[[], float]) -> Callable[[Asked], Any]:
            def update(asked: Asked) -> tuple[SharedPacer, Told]:
                now = clock()
                shared = SharedPacer(now, first_pacer("a test", initial))
                if self._state:
                    shared = Decoder(SharedPacer).decode(self._state)
                catch_up(shared, now)
                told = shared.exchange(asked, now)
                self._state = encode(shared)
                return shared, told

            return update

        return Direct(initial, connect)


class Sqlite(_Shared):
    """A SQLite file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files: list[StateFile[SharedPacer]] = []

    def close(self) -> None:
        for file in self._files:
            file.close()

    def store(self, initial: float = 4.0) -> Direct:
        def connect(clock: Callable[[], float]) -> Callable[[Asked], Any]:
            file = open_file(self._path, first_pacer("a test", initial), clock)
            self._files.append(file)
            return lambda asked: file.update(
                lambda shared, now: (shared, shared.exchange(asked, now))
            )

        return Direct(initial, connect)


class SwapOnOurClock(RedisLink):
    """A millisecond's way to a real server that tells the time of the test.

    Attributes:
        clock: The clock.
        away: Whether the store can't be reached.
        ahead: Seconds by which the server's clock is ahead.
    """

    def __init__(self, server: RedisServer) -> None:
        super().__init__("RedisAdaptive", server.url, "", 0.5)
        time = "local time = redis.call('TIME')"
        assert time in SWAP
        self._ours = server.client.register_script(
            SWAP.replace(time, "local time = {ARGV[5], ARGV[6]}")
        )
        self.clock: Callable[[], float] = lambda: 0.0
        self.away = False
        self.ahead = 0.0

    def _connect(self) -> Callable[..., Any]:
        async def run(keys: Sequence[str], args: Sequence[Any]) -> Any:
            await asyncio.sleep(0.0005)
            if self.away:
                raise redis.ConnectionError
            seconds, micros = divmod(round(1e6 * (self.clock() + self.ahead)), 1_000_000)
            reply = self._ours(keys, [*args, seconds, micros])
            await asyncio.sleep(0.0005)
            return reply

        return run


class VirtualRedis(RedisPacerStore):
    """What a process has of a `RedisAdaptive`, in virtual time.

    Attributes:
        link: The way to it.
    """

    def __init__(self, server: RedisServer, initial: float = 4.0) -> None:
        self.link = SwapOnOurClock(server)
        super().__init__(self.link, "test", first_pacer("a test", initial))

    def open(self, clock: Callable[[], float]) -> None:
        self.link.clock = clock
        super().open(clock)


class Redis(_Shared):
    """A Redis server, which tells the time of the test."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server

    def store(self, initial: float = 4.0) -> VirtualRedis:
        return VirtualRedis(self._server, initial)


SHARED: dict[str, tuple[Callable[[Any], SharedPlace], str]] = {
    "sqlite": (Sqlite, "path"),
    "redis": (Redis, "redis_server"),
}
"""Each place that processes share, with the fixture that gives it."""
PLACES = ("local", *SHARED)
