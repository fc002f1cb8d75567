"""A rolling window that workers on several hosts share, counted in Redis."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable, Sequence
from math import inf
from typing import TYPE_CHECKING, Any

from jibble_async.errors import ConfigurationError
from jibble_async.limits.redis_script import KEYS, SCRIPT
from jibble_async.limits.reserve import LATELY, REMEMBERED, Reserve
from jibble_async.limits.share import Share
from jibble_async.limits.stored import (
    ASK_AGAIN,
    OVERDUE,
    Answer,
    GivenBack,
    StoredWindow,
    Terms,
    Wanted,
)

if TYPE_CHECKING:
    from redis.asyncio import Redis

__all__ = ["RedisWindow"]

PROBE = 1.0
"""Seconds between attempts to reach a store that is away."""

logger: logging.Logger = logging.getLogger("jibble_async.limits")


class RedisWindow(StoredWindow):
    """A `RollingWindow` for all workers that name the same Redis and key.

    An exchange with the store is one round trip, and all times are the store's: the workers'
    clocks do not matter. Workers take turns, so that none starves; a slot whose holder died counts
    for `1 + lease + linger + per` seconds. What happens when the store fails is said by `degraded`
    and the log:

    - Away, or slower than `timeout`: nothing is sent until all that it granted has left the window;
      then each worker has `limit // workers` for itself, until the store is back and has been told
      what they sent.
    - Emptied (flushed, or restarted without its data): nothing is sent until all that was granted
      before has left the window.

    The promise is that of `RollingWindow`, with these assumptions more: a request has ended at most
    `lease` seconds after its slot was granted; the store's clock is not put forward; it evicts no
    keys, and no replica takes over that lacks its last writes; `workers` is at least the
    number of processes; and when one of them can't reach the store, none can. (Where only some are
    cut off, each of them may send its share on top.)

    Args:
        url: As for redis-py: `redis://`, `rediss://` or `unix://`.
        limit: Requests that the server accepts in a period; the same in every worker.
        per: The period in seconds; the same in every worker.
        linger: Seconds for which a request that was given up may still be on its way.
        workers: How many processes share the limit at most.
        lease: The longest time in seconds from a slot's grant to its release; above the time-out
            of an attempt.
        key: What the quota belongs to: one for each pair of credentials and service.
        reserve: The part of the window that bulk calls leave to interactive ones at least, until
            the next slots come due; the same in every worker.
        timeout: Seconds that the store may take for an answer.
        trust_empty: What an empty store means to a worker that has just started: False, that its
            data may have been lost; True, that nothing was sent lately.

    Raises:
        ConfigurationError: The numbers leave nothing to send, the address is wrong, or the extra
            `redis` is not installed; from `acquire`, if the store refuses the credentials.

    Example:
        >>> limiter = RedisWindow("redis://cache:6379/0", limit=150, per=3600, workers=4)
        >>> client = LegacyClient(token, limiter=limiter)
        ...
        >>> await limiter.aclose()
    """

    def __init__(
        self,
        url: str,
        limit: int,
        per: float,
        linger: float = 60.0,
        *,
        workers: int,
        lease: float = 60.0,
        key: str = "jibble",
        reserve: float = 0.1,
        timeout: float = 0.5,
        trust_empty: bool = False,
    ) -> None:
        name = f"RedisWindow(limit={limit}, per={per}, linger={linger}, workers={workers})"
        if workers < 1:
            raise ConfigurationError(f"{name} has no workers")
        self.workers = workers
        terms = Terms(limit, per, linger, lease, reserve)
        store = _RedisStore(url, terms, workers, key, timeout, trust_empty)
        super().__init__(name, store, terms)


class _RedisStore:
    """The script, and what is done when it can't be run."""

    def __init__(
        self,
        url: str,
        terms: Terms,
        workers: int,
        key: str,
        timeout: float,
        trust_empty: bool,
    ) -> None:
        try:
            from redis.asyncio.connection import parse_url
        except ImportError as error:
            raise ConfigurationError(
                "RedisWindow needs the extra: pip install 'jibble-async[redis]'"
            ) from error
        try:
            parse_url(url)
        except ValueError as error:
            raise ConfigurationError(f"RedisWindow can't use its url: {error}") from None
        self._url = url
        self._limit = terms.limit
        self._per = terms.per
        self._hold = terms.hold
        self._patience = terms.patience
        self._least = Reserve(url, terms.limit, terms.per, terms.reserve).least
        self._keys = [f"{{{key}}}:{name}" for name in KEYS]
        self._timeout = timeout
        self._trust_empty = trust_empty
        self._share = Share(terms.limit // workers, self._hold)
        self._holder = ""
        self._taken = 0
        self._epoch = ""
        self._clock: Callable[[], float] = time.monotonic
        self._redis: Redis | None = None
        self._script: Callable[..., Any] | None = None
        self._last_contact = -inf
        self._full_from = inf
        self._away_since: float | None = None
        self._next_probe = -inf
        self.degraded: str | None = None

    def open(self, clock: Callable[[], float]) -> None:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        self._clock = clock
        self._holder = uuid.uuid4().hex[:12]
        self._redis = Redis.from_url(  # pyright: ignore[reportUnknownMemberType]
            self._url,
            decode_responses=True,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=self._timeout,
        )
        self._script = self._redis.register_script(SCRIPT)

    async def exchange(self, given_back: Sequence[GivenBack], wanted: Wanted, look: int) -> Answer:
        from redis.exceptions import AuthenticationError, RedisError

        now = self._clock()
        if self._away_since is not None and now < self._next_probe:
            return self._from_share(given_back, wanted.total, look)
        # The store's memory of the last `hold` seconds is complete if it was heard of since then.
        # Otherwise others may be living on their shares, and have to be heard first.
        if now - self._last_contact > self._hold:
            self._full_from = inf
        cap = self._limit if now >= self._full_from else self._share.limit
        try:
            async with asyncio.timeout(self._timeout):
                reply = await self._call(given_back, wanted, look, cap, now)
        except (RedisError, OSError) as error:
            # On a Unix socket redis-py wraps a refusal in a lost connection.
            if isinstance(error, AuthenticationError) or isinstance(
                error.__cause__, AuthenticationError
            ):
                raise ConfigurationError(f"Redis refused the credentials: {error}") from None
            self._lost(error)
            return self._from_share(given_back, wanted.total, look)
        return self._read(reply, wanted.total, now)

    async def close(self) -> None:
        if self._redis is not None:
            await self._redis.aclose()
            self._redis = None

    async def _call(
        self,
        given_back: Sequence[GivenBack],
        wanted: Wanted,
        look: int,
        cap: int,
        now: float,
    ) -> list[Any]:
        assert self._script is not None
        arguments: list[str | float] = [
            self._holder,
            self._taken,
            wanted.interactive,
            wanted.bulk,
            int(wanted.bulk_is_due),
            cap,
            self._hold,
            self._epoch if now - self._last_contact <= self._hold else "",
            uuid.uuid4().hex,
            int(self._trust_empty),
            look,
            self._per,
            ASK_AGAIN,
            OVERDUE,
            self._patience,
            self._least,
            wanted.apart,
            LATELY,
            REMEMBERED,
        ]
        for slot in given_back:
            arguments += [slot.key, 0 if slot.free_at is None else slot.free_at - now]
        # Keys are never used twice, not even if the answer is lost.
        self._taken += wanted.total
        reply: list[Any] = await self._script(keys=self._keys, args=arguments)
        return reply

    def _read(self, reply: list[Any], want: int, asked: float) -> Answer:
        now = self._clock()
        epoch, count, closed = str(reply[0]), int(reply[1]), float(reply[2])
        if self._full_from == inf:
            self._full_from = now + PROBE + 2 * self._timeout
        self._epoch = epoch
        self._last_contact = asked
        self._share.clear()
        self._back(closed)
        if len(reply) == 3:
            opens = [now + closed] if closed > 0 else []
            return Answer((), asked, opens, now + min(closed, ASK_AGAIN))
        first = self._taken - want
        granted = [f"{self._holder}:{first + i}" for i in range(count)]
        used, oldest = int(reply[3]), now + float(reply[4])
        ask_again, *dues = [now + float(wait) for wait in reply[5:]] or [now]
        if now < self._full_from and self._share.limit < self._limit:
            ask_again, *dues = [min(due, self._full_from) for due in (ask_again, *dues)]
        return Answer(granted, asked, dues, ask_again, used=used, oldest_due=oldest)

    def _from_share(self, given_back: Sequence[GivenBack], want: int, look: int) -> Answer:
        assert self._away_since is not None
        kept = [slot for slot in given_back if not self._share.give_back(slot)]
        now = self._clock()
        opens = self._away_since + self._hold
        granted: Sequence[str] = ()
        dues: Sequence[float] = (opens,)
        if now >= opens:
            keys = [f"{self._holder}:{self._taken + i}" for i in range(want)]
            self._taken += want
            granted = self._share.take(keys, now)
            dues = self._share.dues(look)
            self.degraded = (
                f"Redis is away: this worker sends {self._share.limit} of {self._limit} requests "
                f"per {self._per:g} s"
            )
        ask_again = min([self._next_probe, *dues[:1]])
        return Answer(granted, now, dues, ask_again, kept=[*kept, *self._share.counted()])

    def _lost(self, error: Exception) -> None:
        now = self._clock()
        self._next_probe = now + PROBE
        if self._away_since is None:
            self._away_since = now
            self.degraded = (
                f"Redis is away ({type(error).__name__}): nothing is sent for {self._hold:g} s, "
                f"then {self._share.limit} of {self._limit} requests per {self._per:g} s"
            )
            logger.warning("shared limit: %s", self.degraded)

    def _back(self, closed: float) -> None:
        if self._away_since is not None:
            logger.warning("shared limit: Redis answers again")
            self._away_since = None
            self.degraded = None
        if closed > 0:
            if self.degraded is None:
                logger.warning(
                    "shared limit: Redis has lost its data, or is new: nothing is sent for %.1f s "
                    "(on a first start, trust_empty=True says that nothing was sent before)",
                    closed,
                )
            self.degraded = (
                f"Redis has lost its data, or is new: nothing is sent for {closed:.1f} s"
            )
        else:
            self.degraded = None
