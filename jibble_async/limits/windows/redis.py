"""A rolling window that workers on several hosts share, counted in Redis."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING, Any

import msgspec

from jibble_async.checks import require_counts, unseen
from jibble_async.errors import ConfigurationError
from jibble_async.limits.windows.fallback import FallbackQuota
from jibble_async.limits.windows.policy import ASK_AGAIN, OVERDUE, Policy, Wanted
from jibble_async.limits.windows.redis_lua import KEYS, SCRIPT
from jibble_async.limits.windows.reserve import LATELY, REMEMBERED
from jibble_async.limits.windows.stored import Answer, GivenBack, StoredWindow

if TYPE_CHECKING:
    from redis.asyncio import Redis

__all__ = ["RedisWindow"]

PROBE = 1.0
"""Seconds between attempts to reach a store that is away."""

PASSES = ("BUSY ", "MISCONF ", "NOREPLICAS ", "UNKILLABLE ")
"""How refusals begin that end by themselves, of those that redis-py has no class for."""

logger: logging.Logger = logging.getLogger("jibble_async.limits")


def _stays(error: BaseException) -> bool:
    """Whether no wait will mend it: what the store says no to, or what is no such store."""
    from redis import exceptions as of

    passing = (
        of.ReadOnlyError,
        of.OutOfMemoryError,
        of.TryAgainError,
        of.ClusterDownError,
        of.NoScriptError,
    )
    if isinstance(error, passing) or str(error).startswith(PASSES):
        return False
    broken_off = (ssl.SSLEOFError, ssl.SSLZeroReturnError)
    if isinstance(error, (of.ResponseError, of.AuthenticationError, of.InvalidResponse)) or (
        isinstance(error, ssl.SSLError) and not isinstance(error, broken_off)
    ):
        return True
    # redis-py wraps what it meets while it connects in a lost connection.
    reason = error.__cause__ or error.__context__
    return reason is not None and _stays(reason)


class RedisWindow(StoredWindow):
    """A `RollingWindow` for all workers that name the same Redis and key.

    An exchange with the store is one round trip, and all times are the store's: the workers'
    clocks do not matter. Workers take turns, so that none starves; a slot whose holder died counts
    for `1 + lease + linger + per` seconds. What happens when the store fails is said by `degraded`
    and the log:

    - Away, or slower than `timeout`: nothing is sent until all that it granted has left the window;
      then each worker has a fallback quota of `limit // workers` for itself, until the store is
      back and has been told what they sent.
    - Emptied (flushed, or restarted without its data): nothing is sent until all that was granted
      before has left the window.

    The promise is that of `RollingWindow`, with these assumptions more: a request has ended at most
    `lease` seconds after its slot was granted; the store's clock is not put forward; it evicts no
    keys, and no replica takes over that lacks its last writes; `workers` is at least the
    number of processes; and when one of them can't reach the store, none can. (Where only some are
    cut off, each of them may send its fallback quota on top.)

    Args:
        url: As for redis-py: `redis://`, `rediss://` or `unix://`.
        limit, per, linger, reserve: As for `RollingWindow`; the same in every worker.
        workers: How many processes share the limit at most.
        lease: As for `SharedWindow`.
        key: What the quota belongs to: one for each pair of credentials and service.
        timeout: Seconds that the store may take for an answer.
        trust_empty: What an empty store means to a worker that has just started: False, that its
            data may have been lost; True, that nothing was sent lately. A store that is emptied
            later has lost its data in any case.

    Raises:
        ConfigurationError: The numbers leave nothing to send, the address is wrong, or the extra
            `redis` is not installed; from `acquire`, if the store refuses what no wait will mend
            (the credentials, the number of the database, a key of something else), or is none.

    Example:
        >>> limiter = RedisWindow("redis://cache:6379/0", limit=150, per=3600, workers=4)
        >>> client = LegacyClient(token, limiter=limiter)
        ...
        >>> await limiter.aclose()
    """

    @unseen
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
        require_counts(name, workers=workers)
        if workers < 1:
            raise ConfigurationError(f"{name} has no workers")
        self.workers = workers
        policy = Policy(name, limit, per, linger, reserve, lease)
        super().__init__(RedisStore(url, policy, workers, key, timeout, trust_empty), policy)


class RedisStore:
    """The script, and what is done when it can't be run."""

    def __init__(
        self,
        url: str,
        policy: Policy,
        workers: int,
        key: str,
        timeout: float,
        trust_empty: bool,
    ) -> None:
        try:
            from redis.asyncio.connection import parse_url
        except ImportError as error:
            raise ConfigurationError(
                "RedisWindow needs the extra: pip install '.[redis]'"
            ) from error
        parts: Mapping[str, Any] | None = None
        with contextlib.suppress(ValueError):
            parts = parse_url(url)
        if parts is None:
            # Without redis-py's words, not even as the context: they may quote a password.
            raise ConfigurationError(
                "RedisWindow can't use its url: it is redis://, rediss:// or unix://, then "
                "[user][:password@]host[:port][/number of the database], with special characters "
                "in a password as %2F"
            )
        self._url = url
        self._password = str(parts.get("password") or "")
        tls = url.startswith("rediss://")
        self._plain = (parts.get("host", "localhost"), parts.get("port", 6379)) if tls else None
        self._policy = policy
        self._keys = [f"{{{key}}}:{name}" for name in KEYS]
        self._timeout = timeout
        self._trust_empty = trust_empty
        self._fallback = FallbackQuota(policy.limit // workers, policy.lost_after)
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
        """Get ready for the running loop; see `SlotStore.open`."""
        self._clock = clock
        self._holder = uuid.uuid4().hex[:12]
        self._script = self._connect()

    def _connect(self) -> Callable[..., Any]:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        self._redis = Redis.from_url(  # pyright: ignore[reportUnknownMemberType]
            self._url,
            decode_responses=True,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=self._timeout,
        )
        script: Callable[..., Any] = self._redis.register_script(SCRIPT)
        return script

    async def exchange(self, given_back: Sequence[GivenBack], wanted: Wanted, look: int) -> Answer:
        """Ask the script, or the fallback quota; see `SlotStore.exchange`."""
        from redis.exceptions import RedisError

        assert self._script is not None
        now = self._clock()
        if self._away_since is not None and now < self._next_probe:
            return self._fall_back(given_back, wanted, look)
        # The store's memory of all that may count is complete if it was heard of since then.
        # Otherwise others may be living on their fallback quota, and have to be heard first.
        if now - self._last_contact > self._policy.lost_after:
            self._epoch = ""
            self._full_from = inf
        limit = self._policy.limit if now >= self._full_from else self._fallback.limit
        try:
            async with asyncio.timeout(self._timeout):
                question = self._question(given_back, wanted, look, limit, now)
                reply = await self._script(keys=self._keys, args=[question])
        except (RedisError, OSError) as error:
            words = self._words(error)
            if _stays(error):
                raise ConfigurationError(
                    f"RedisWindow can't count there, check address and credentials: {words}"
                ) from None
            if await self._is_plain():
                raise ConfigurationError(
                    "RedisWindow can't count there: Redis speaks no TLS at that port, which "
                    "rediss:// asks for and redis:// does not"
                ) from None
            self._lost(words)
            return self._fall_back(given_back, wanted, look)
        return self._read(reply, wanted, now)

    async def close(self) -> None:
        """Close the connection."""
        if self._redis is not None:
            await self._redis.aclose()
            self._redis = None

    def _question(
        self,
        given_back: Sequence[GivenBack],
        wanted: Wanted,
        look: int,
        limit: int,
        now: float,
    ) -> bytes:
        policy = self._policy
        first = self._taken
        # Keys are never used twice, not even if the answer is lost.
        self._taken += wanted.total
        return msgspec.json.encode(
            {
                "holder": self._holder,
                "first": first,
                "limit": limit,
                "per": policy.per,
                "lost_after": policy.lost_after,
                "starvation_bound": policy.starvation_bound,
                "least": policy.reserve.least,
                "interactive": wanted.interactive,
                "bulk": wanted.bulk,
                "bulk_is_due": wanted.bulk_is_due,
                "spacing": wanted.spacing,
                "closed_for": max(0.0, wanted.closed_until - now),
                "given_back": [
                    (slot.key, 0 if slot.free_at is None else slot.free_at - now)
                    for slot in given_back
                ],
                "look": look,
                "epoch": self._epoch,
                "new_epoch": uuid.uuid4().hex,
                # Once it was heard of, an empty store is one that has lost its data.
                "trust_empty": self._trust_empty and self._last_contact == -inf,
                "ask_again": ASK_AGAIN,
                "overdue": OVERDUE,
                "lately": LATELY,
                "remembered": REMEMBERED,
            }
        )

    def _read(self, reply: list[Any], wanted: Wanted, asked: float) -> Answer:
        now = self._clock()
        self._epoch, used, granted = str(reply[0]), int(reply[2]), int(reply[5])
        if self._full_from == inf:
            self._full_from = now + PROBE + 2 * self._timeout
        self._last_contact = asked
        self._fallback.clear()
        self._back(float(reply[1]))
        first = self._taken - wanted.total
        keys = [f"{self._holder}:{number}" for number in range(first, first + granted)]
        ask_again, *dues = [now + float(wait) for wait in (reply[4], *reply[6:])]
        if now < self._full_from and self._fallback.limit < self._policy.limit:
            ask_again, *dues = [min(due, self._full_from) for due in (ask_again, *dues)]
        oldest = now + float(reply[3])
        return Answer(keys, asked, dues, ask_again, used=used, oldest_due=oldest)

    def _fall_back(self, given_back: Sequence[GivenBack], wanted: Wanted, look: int) -> Answer:
        assert self._away_since is not None
        fallback, policy = self._fallback, self._policy
        kept = [slot for slot in given_back if not fallback.give_back(slot)]
        now = self._clock()
        opens = max(self._away_since + policy.lost_after, wanted.closed_until)
        granted: Sequence[str] = ()
        dues: Sequence[float] = (opens,)
        if now >= opens:
            first = self._taken
            self._taken += wanted.total
            keys = [f"{self._holder}:{number}" for number in range(first, self._taken)]
            granted = fallback.take(keys, now)
            dues = fallback.dues(look)
            self.degraded = (
                f"Redis is away: this worker sends {fallback.limit} of {policy.limit} requests "
                f"per {policy.per:g} s"
            )
        ask_again = min([self._next_probe, *dues[:1]])
        # It isn't known that the store stays away: it may grant what it is asked for next.
        soonest = max(self._next_probe, wanted.closed_until)
        dues = [min(due, soonest) for due in dues]
        return Answer(granted, now, dues, ask_again, kept=[*kept, *fallback.counted()])

    def _words(self, error: BaseException) -> str:
        """What the store, or the way to it, says; a server may quote what it was sent."""
        words = str(error)
        if self._password:
            words = words.replace(self._password, "***")
        return f"{type(error).__name__}: {words[:200]}" if words else type(error).__name__

    async def _is_plain(self) -> bool:
        """Whether a store to be reached by TLS, and never heard of, answers without.

        To the beginning of a TLS connection Redis would say nothing, as if it were slow.
        """
        if self._plain is None or self._last_contact > -inf:
            return False
        try:
            async with asyncio.timeout(self._timeout):
                reader, writer = await asyncio.open_connection(*self._plain)
                try:
                    writer.write(b"PING\r\n")
                    return await reader.read(1) in {b"+", b"-"}
                finally:
                    writer.close()
        except OSError:
            return False

    def _lost(self, words: str) -> None:
        now = self._clock()
        self._next_probe = now + PROBE
        if self._away_since is None:
            self._away_since = now
            policy = self._policy
            self.degraded = (
                f"Redis is away ({words}): nothing is sent for "
                f"{policy.lost_after:g} s, then {self._fallback.limit} of {policy.limit} requests "
                f"per {policy.per:g} s"
            )
            logger.warning("shared limit: %s", self.degraded)

    def _back(self, lost_for: float) -> None:
        if self._away_since is not None:
            logger.warning("shared limit: Redis answers again")
            self._away_since = None
            self.degraded = None
        if lost_for > 0:
            if self.degraded is None:
                logger.warning(
                    "shared limit: Redis has lost its data, or is new: nothing is sent for %.1f s "
                    "(on a first start, trust_empty=True says that nothing was sent before)",
                    lost_for,
                )
            self.degraded = (
                f"Redis has lost its data, or is new: nothing is sent for {lost_for:.1f} s"
            )
        else:
            self.degraded = None
