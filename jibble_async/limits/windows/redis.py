"""A rolling window that workers on several hosts share, counted in Redis."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Sequence
from math import inf
from typing import Any

import msgspec

from jibble_async.checks import require_counts, unseen
from jibble_async.errors import ConfigurationError
from jibble_async.limits.redis_link import PROBE, RedisLink, StoreAwayError
from jibble_async.limits.stored import ASK_AGAIN, OVERDUE
from jibble_async.limits.windows.fallback import FallbackQuota
from jibble_async.limits.windows.policy import Policy, Wanted
from jibble_async.limits.windows.redis_lua import KEYS, SCRIPT
from jibble_async.limits.windows.reserve import LATELY, REMEMBERED
from jibble_async.limits.windows.stored import Answer, GivenBack, StoredWindow

__all__ = ["RedisWindow"]

logger: logging.Logger = logging.getLogger("jibble_async.limits")


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
        self._link = self._make_link(url, timeout)
        self._policy = policy
        self._keys = [f"{{{key}}}:{name}" for name in KEYS]
        self._timeout = timeout
        self._trust_empty = trust_empty
        self._fallback = FallbackQuota(policy.limit // workers, policy.lost_after)
        self._holder = ""
        self._taken = 0
        self._epoch = ""
        self._clock: Callable[[], float] = time.monotonic
        self._last_contact = -inf
        self._full_from = inf
        self._away_since: float | None = None
        self._next_probe = -inf
        self.degraded: str | None = None

    def open(self, clock: Callable[[], float]) -> None:
        """Get ready for the running loop; see `SlotStore.open`."""
        self._clock = clock
        self._holder = uuid.uuid4().hex[:12]
        self._link.open()

    def _make_link(self, url: str, timeout: float) -> RedisLink:
        return RedisLink("RedisWindow", url, SCRIPT, timeout)

    async def exchange(self, given_back: Sequence[GivenBack], wanted: Wanted, look: int) -> Answer:
        """Ask the script, or the fallback quota; see `SlotStore.exchange`."""
        now = self._clock()
        if self._away_since is not None and now < self._next_probe:
            return self._fall_back(given_back, wanted, look)
        # The store's memory of all that may count is complete if it was heard of since then.
        # Otherwise others may be living on their fallback quota, and have to be heard first.
        if now - self._last_contact > self._policy.lost_after:
            self._epoch = ""
            self._full_from = inf
        limit = self._policy.limit if now >= self._full_from else self._fallback.limit
        question = self._question(given_back, wanted, look, limit, now)
        try:
            reply = await self._link.run(self._keys, [question])
        except StoreAwayError as error:
            self._lost(str(error))
            return self._fall_back(given_back, wanted, look)
        return self._read(reply, wanted, now)

    async def close(self) -> None:
        """Close the connection."""
        await self._link.close()

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
        self._epoch, used, granted = reply[0].decode(), int(reply[2]), int(reply[5])
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
