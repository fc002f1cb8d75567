"""What a Python worker of Spark keeps from one task to the next: a loop, and clients.

A client of its own for each task would ask for a token each, and forget what it learnt of the
quota.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from jibble_async.checks import unseen
from jibble_async.client import JibbleClient
from jibble_async.core.call_options import Timeouts
from jibble_async.core.cursor import short_hash
from jibble_async.errors import ConfigurationError
from jibble_async.export.loop_thread import LoopThread
from jibble_async.export.patience import ATTEMPT, patient
from jibble_async.integrations.pacing import SharedLimiter
from jibble_async.integrations.spark.credentials import environment_of
from jibble_async.integrations.spark.options import Asked, raw_set
from jibble_async.integrations.spark.pacing import require_store, shared_limiter

__all__ = ["Process", "this_process"]


class _Kept(msgspec.Struct, frozen=True):
    client: JibbleClient
    limiter: SharedLimiter | None

    async def aclose(self) -> None:
        await self.client.aclose()
        if self.limiter is not None:
            await self.limiter.aclose()


class Process:
    """The loop and the clients of a process.

    Attributes:
        loop: Where clients are used.
    """

    def __init__(self) -> None:
        self.loop: LoopThread = LoopThread()
        self._kept: dict[str, _Kept] = {}

    async def clients(
        self, asked: Asked, accounts: Sequence[str | None]
    ) -> dict[str | None, JibbleClient]:
        """A client for each account: that of the task before, if nothing about it differs.

        Credentials are read anew each time, since they may be changed while the process lives.
        Clients that are not wanted any more are closed.

        Args:
            asked: The options.
            accounts: Those that the task reads.

        Raises:
            ConfigurationError: There are no credentials, or the limiter can't be made.
        """
        service = raw_set(asked).service
        found: dict[str | None, str] = {}
        for account in accounts:
            found[account] = await self._keep(asked, account, service)
        for name in self._kept.keys() - found.values():
            await self._kept.pop(name).aclose()
        return {account: self._caller(asked, self._kept[name]) for account, name in found.items()}

    def close(self) -> None:
        """Close the clients, and end the loop."""
        if self.loop.is_alive:
            self.loop.start(self._aclose).result()
            self.loop.close()

    async def _aclose(self) -> None:
        while self._kept:
            _, kept = self._kept.popitem()
            await kept.aclose()

    async def _keep(self, asked: Asked, account: str | None, service: str) -> str:
        environment = environment_of(asked, account)
        # By a hash, since a secret that is replaced is not to stay in memory for it.
        name = short_hash(repr((service, _pace(asked), sorted(environment.items()))))
        if name in self._kept:
            return name
        try:
            await require_store(asked, environment)
            self._kept[name] = _made(asked, environment, service)
        except ConfigurationError as error:
            failure = error.with_traceback(None)
            failure.__context__ = None
        else:
            return name
        # Reports of errors show the variables of every frame.
        del environment
        raise failure

    def _caller(self, asked: Asked, kept: _Kept) -> JibbleClient:
        caller = patient(kept.client, asked.give_up_after)
        if asked.limit is None:
            return caller
        # A request has to have ended when its slot is taken for lost.
        attempt = min(ATTEMPT, asked.lease)
        return caller.with_options(timeout=Timeouts(total=None, attempt=attempt))


_here: Process | None = None


def this_process() -> Process:
    """That of this process, which a forked one does not take from its parent."""
    # A worker is one process, and its tasks know nothing of each other.
    global _here
    if _here is None or not _here.loop.is_alive:
        _here = Process()
    return _here


@unseen
def _made(asked: Asked, environment: Mapping[str, str], service: str) -> _Kept:
    limiter = shared_limiter(asked, environment, service)
    limiters = None if limiter is None else {service: limiter}
    return _Kept(JibbleClient.from_env(environment, limiter=limiters), limiter)


def _pace(asked: Asked) -> tuple[object, ...]:
    return (
        asked.limiter,
        asked.limiter_key,
        asked.limit,
        asked.per,
        asked.workers,
        asked.linger,
        asked.lease,
        asked.trust_empty,
    )
