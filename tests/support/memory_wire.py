"""A client bound straight to the sandbox's hosts: no socket, virtual time, an end at any step.

Each request makes three steps: it *arrives*, which the ledger notes; what it changes is
*committed*; its answer is *read*. At a chosen step everything ends in one of three ways, and
whatever is left of the client can't reach the hosts any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias

import pytest
from jibble_legacy import LegacyClient, LegacyConfig, PasswordGrant
from multidict import CIMultiDict

from jibble_async import ClientConfig, JibbleClient, RateLimiter, Unlimited
from jibble_async.core.call import Call
from jibble_async.core.clock import Clock
from jibble_async.core.operation import Request
from jibble_async.core.wire import Reply
from jibble_async.errors import ConnectionLostError
from jibble_async.sandbox import Sandbox
from jibble_async.sandbox.exchange import Reply as Answer
from jibble_async.sandbox.faults import UNANSWERED

LEGACY_TOKENS = "https://connect.herokuapp.com/oauth/token"
SEAM = "jibble_async.core.caller.Transport"
BEGIN = datetime(2026, 7, 13, 9, 0, tzinfo=UTC)
Ending: TypeAlias = Literal["killed", "cancelled", "silent"]


class KilledError(BaseException):
    """What a killed program's tasks end with."""


def clock_from(begin: datetime = BEGIN) -> Callable[[], datetime]:
    """The instant by the running loop's time."""
    return lambda: begin + timedelta(seconds=asyncio.get_running_loop().time())


class MemoryWire:
    """A transport to a sandbox.

    Args:
        box: The sandbox; it is not started.
        end_at: The step at which everything ends, from 1; None for never.
        ending: `killed`: every task that is at the wire gets `KilledError`, then and later.
            `cancelled`: the task that made the wire is cancelled. `silent`: that one request is
            never answered.
        latency: Seconds that a request takes to the hosts, and its answer back.

    Attributes:
        steps: The steps made so far, such as `committed POST /v1/TimeEntries`.
        on_kill: Called when a request's step ends everything.
        dead: Whether it has.
    """

    def __init__(
        self,
        box: Sandbox,
        *,
        end_at: int | None = None,
        ending: Ending = "killed",
        latency: float = 0.05,
    ) -> None:
        self.steps: list[str] = []
        self.on_kill: Callable[[], None] | None = None
        self.dead = False
        self._box = box
        self._end_at = end_at
        self._ending = ending
        self._latency = latency
        self._victim = asyncio.current_task()

    async def send(self, request: Request, headers: Mapping[str, str], call: Call[Any]) -> Reply:
        await asyncio.sleep(self._latency)
        self._breathe()
        call.leaves(on_kept=False)
        url, method = request.url, request.operation.method
        name = f"{method} {url.path}"
        visit = self._box.hosts.arrive(
            method, str(url.origin()), url.raw_path_qs, headers, request.body or b""
        )
        if isinstance(visit, Answer):
            return _reply(visit)
        await self._step(f"arrives {name}")
        kind = "" if visit.fault is None else visit.fault.kind
        if kind in UNANSWERED:
            raise ConnectionLostError("the connection was lost")
        answer = visit.reply()
        await self._step(f"committed {name}")
        await asyncio.sleep(self._latency)
        if kind in {"drop_after", "reset_after", "truncate"}:
            raise ConnectionLostError("the connection was lost")
        visit.received.status = answer.status
        await self._step(f"read {name}")
        return _reply(answer)

    async def aclose(self) -> None:
        pass

    def client(
        self, patch: pytest.MonkeyPatch, *, limiter: RateLimiter | None = None, **config: Any
    ) -> JibbleClient:
        """A client that asks the real hosts' names of this sandbox."""
        return JibbleClient(
            self._box.client_id,
            self._box.client_secret,
            config=ClientConfig(clock=self._clock(patch), **config),
            limiter=limiter or Unlimited(),
        )

    def legacy_client(
        self, patch: pytest.MonkeyPatch, *, limiter: RateLimiter | None = None, **config: Any
    ) -> LegacyClient:
        """The same for the old API, with a password."""
        return LegacyClient(
            auth=PasswordGrant(*self._box.legacy_credentials, token_url=LEGACY_TOKENS),
            config=LegacyConfig(clock=self._clock(patch), **config),
            limiter=limiter or Unlimited(),
        )

    def _clock(self, patch: pytest.MonkeyPatch) -> Clock:
        patch.setattr(SEAM, lambda *_, **__: self)
        loop = asyncio.get_running_loop()
        return Clock(monotonic=loop.time, now=clock_from(), random=lambda: 0.5)

    def tick(self, name: str) -> None:
        """Make a step that is no request's: a kill may come there as well."""
        self._breathe()
        self.steps.append(name)
        if len(self.steps) == self._end_at and self._ending == "killed":
            self.dead = True
            raise KilledError

    def _breathe(self) -> None:
        if self.dead:
            raise KilledError

    async def _step(self, name: str) -> None:
        try:
            self.tick(name)
        except KilledError:
            if self.on_kill is not None:
                self.on_kill()
            raise
        if len(self.steps) != self._end_at:
            return
        match self._ending:
            case "killed":
                pass
            case "cancelled":
                assert self._victim is not None
                self._victim.cancel()
                await asyncio.sleep(0)
            case "silent":
                await asyncio.get_running_loop().create_future()


def _reply(answer: Answer) -> Reply:
    return Reply(answer.status, CIMultiDict(answer.headers), answer.encoded())
