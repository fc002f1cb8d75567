"""An adaptive limiter that workers on several hosts share, kept in Redis."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from math import inf
from typing import Any

from msgspec.msgpack import Decoder, encode

from jibble_async.checks import unseen
from jibble_async.errors import ConfigurationError
from jibble_async.limits.adaptive.limiter import first_pacer
from jibble_async.limits.adaptive.pacer import Pacer
from jibble_async.limits.adaptive.stored import AwayError, PacerStore, StoredAdaptive
from jibble_async.limits.adaptive.turns import Asked, SharedPacer, Told
from jibble_async.limits.redis_link import RedisLink, StoreAwayError
from jibble_async.limits.stored import catch_up

__all__ = ["SWAP", "RedisAdaptive"]

VERSION = 1
KEPT_FOR = 30 * 86400
"""Seconds for which Redis keeps what nobody uses."""
TRIES = 50
"""Attempts of an exchange while others change what is there, until the store counts as too busy."""

SWAP = """
-- The store's clock is the one that counts, whatever the workers' clocks say.
local time = redis.call('TIME')
local mark = redis.call('HGET', KEYS[1], 'mark') or ''
if mark ~= ARGV[1] then
  return {0, time[1], time[2], mark, redis.call('HGET', KEYS[1], 'state') or ''}
end
redis.call('HSET', KEYS[1], 'mark', ARGV[2], 'state', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return {1, time[1], time[2]}
"""
"""Compare and set: the state is replaced if it is still the one that was decided upon, of which the
mark tells; otherwise what is there is told."""

DECODER = Decoder(SharedPacer)


class RedisAdaptive(StoredAdaptive):
    """An `AdaptiveLimiter` for all workers that name the same Redis and key.

    What they share is what processes share by `SharedAdaptive`; all times are the store's, so that
    the workers' clocks do not matter. An exchange with the store is one round trip, and one more
    for each other worker that came first. While the store is away, or slower than `timeout`, each
    worker goes on with its part of the rate; `degraded` and the log say so. If the store was
    emptied, the first that notices puts back what it saw last.

    Args:
        url: As for redis-py: `redis://`, `rediss://` or `unix://`.
        key: What the quota belongs to: one for each pair of credentials and service.
        initial: Requests per second to begin with.
        timeout: Seconds that the store may take for an answer.

    Raises:
        ConfigurationError: `initial` is not a number above 0, the address is wrong, or the extra
            `redis` is not installed; from `acquire`, if the store refuses what no wait will mend
            (the credentials, the number of the database, a key of something else), or is none.

    Example:
        >>> async with RedisAdaptive("redis://cache:6379/0", key="time-tracking") as limiter:
        ...     client = JibbleClient(key_id, secret, limiter={"time-tracking": limiter})
    """

    @unseen
    def __init__(
        self, url: str, *, key: str = "jibble", initial: float = 4.0, timeout: float = 0.5
    ) -> None:
        first = first_pacer("RedisAdaptive", initial)
        link = RedisLink("RedisAdaptive", url, SWAP, timeout)
        super().__init__(f"RedisAdaptive(key={key!r})", RedisPacerStore(link, key, first))


class RedisPacerStore(PacerStore):
    """A hash with a `SharedPacer`, and the mark of who wrote it last."""

    def __init__(self, link: RedisLink, key: str, first: Pacer) -> None:
        super().__init__(first)
        self._link = link
        self._key = f"{{{key}}}:pacer:{VERSION}"
        # What is there, as far as is known; a mark that nobody wrote asks for it.
        self._mark = b"?"
        self._state = b""
        self._marks = 0

    def open(self, clock: Callable[[], float]) -> None:
        """Get ready for the running loop, without I/O."""
        super().open(clock)
        self._link.open()

    async def close(self) -> None:
        """Close the connection."""
        await self._link.close()

    async def _exchange(self, asked: Asked) -> tuple[SharedPacer, Told]:
        for _ in range(TRIES):
            if self._mark != b"?":
                shared = self._decoded()
                now = self._clock() + self.ahead
                catch_up(shared, now)
                told = shared.exchange(asked, now)
                if await self._swap(encode(shared)):
                    return shared, told
            else:
                await self._swap(b"")
        raise AwayError("Redis is too busy")

    def _decoded(self) -> SharedPacer:
        if not self._state:
            # Emptied, or new: what was seen last holds on.
            last = self._last
            if last.seen == -inf:
                last.seen = self._clock() + self.ahead
            return DECODER.decode(encode(last))
        try:
            return DECODER.decode(self._state)
        except ValueError as error:
            raise ConfigurationError(
                f"RedisAdaptive can't read what is at {self._key!r}: {error}; choose another key=, "
                "or delete it"
            ) from None

    async def _swap(self, state: bytes) -> bool:
        """Put a state in the place of the one that is known; False if another is there now."""
        self._marks += 1
        mark = f"{self.holder}:{self._marks}:{uuid.uuid4().hex[:8]}".encode()
        asked = self._clock()
        try:
            reply: list[Any] = await self._link.run(
                [self._key], [self._mark, mark, state, KEPT_FOR]
            )
        except StoreAwayError as error:
            # Whether it was stored isn't known.
            self._mark = b"?"
            raise AwayError(f"Redis is away ({error})") from None
        # The store's clock stood so between the question and the answer.
        at = int(reply[1]) + int(reply[2]) / 1e6
        self._see_clock(at - self._clock(), at - asked)
        if reply[0]:
            self._mark, self._state = mark, state
        else:
            self._mark, self._state = reply[3], reply[4]
        return bool(reply[0])
