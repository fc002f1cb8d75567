"""The old API in memory, in virtual time: what counts is when a request arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from jibble_legacy import LegacyClient, LegacyConfig

from jibble_async.core.clock import Clock
from jibble_async.core.operation import Request
from jibble_async.core.wire import Reply
from jibble_async.events import Hook
from jibble_async.sandbox.dataset import Dataset
from jibble_async.sandbox.exchange import Call
from jibble_async.sandbox.ledger import Ledger, Received
from jibble_async.sandbox.legacy.host import LegacyHost
from jibble_async.sandbox.legacy.records import organisation_rows
from jibble_async.sandbox.legacy.rules import LEGACY_QUOTA, LegacyRules
from jibble_async.sandbox.legacy.store import LegacyStore
from jibble_async.sandbox.quotas import QuotaMeter

EMPTY_BODIES = (b"", b" \r\n", b"{}", b"null", b'""', b'{"meta":{"code":403},"response":{}}')


class LegacyHostInMemory:
    """Counts as a server does that takes `limit` requests in `per` seconds.

    Attributes:
        heard: When which path was asked for.
        refused: How many were refused for the limit.
        others: Requests that somebody else with these credentials made, by when they count.
        forbidden: The paths that these credentials may not use.
        body: What a refusal says.
        headers: What comes with it.
        answer: Gives the answer to a request that is not refused.
    """

    def __init__(self, limit: int = 150, per: float = 3600.0) -> None:
        self.limit = limit
        self.per = per
        self.heard: list[tuple[float, str]] = []
        self.refused = 0
        self.others: list[float] = []
        self.forbidden: set[str] = set()
        self.body = b""
        self.headers: Mapping[str, str] = {}
        self.answer: Callable[[Request], Reply] = lambda _: Reply(200, {}, b"[]")
        self._counted: list[float] = []

    @property
    def paths(self) -> list[str]:
        return [path for _, path in self.heard]

    async def send(self, request: Request, headers: Mapping[str, str], call: Any) -> Reply:
        call.leaves(on_kept=False)
        await asyncio.sleep(0.05)
        now = asyncio.get_running_loop().time()
        path = request.url.path.removeprefix("/api/v1/")
        self.heard.append((now, path))
        recent = [at for at in (*self._counted, *self.others) if at > now - self.per]
        over = len(recent) >= self.limit
        if not over:
            self._counted.append(now)
        self.refused += over
        reply = self.answer(request)
        if over or path in self.forbidden:
            reply = Reply(403, self.headers, self.body)
        await asyncio.sleep(0.05)
        return reply

    async def aclose(self) -> None:
        pass

    def client(
        self, patch: pytest.MonkeyPatch, hooks: tuple[Hook, ...] = (), **arguments: Any
    ) -> LegacyClient:
        """A client of this host; to be made in the loop that it is used in."""
        patch.setattr("jibble_async.core.caller.Transport", lambda *_, **__: self)
        loop = asyncio.get_running_loop()
        clock = Clock(monotonic=loop.time, random=lambda: 0.5)
        return LegacyClient("the-token", config=LegacyConfig(clock=clock, hooks=hooks), **arguments)


class SandboxInMemory(LegacyHostInMemory):
    """The sandbox's old API without a network, with its quota by the loop's time.

    Attributes:
        store: Its rows.
        ledger: What it received.
        before: Called with the number of a request before it is answered.
    """

    def __init__(self, dataset: Dataset) -> None:
        super().__init__()
        self.store = LegacyStore(partial(organisation_rows, dataset))
        self.ledger = Ledger(dataset)
        self.before: Callable[[int], None] = lambda _: None
        self._quotas = QuotaMeter(LEGACY_QUOTA)
        self._host = LegacyHost(self.store, LegacyRules(), self.ledger, lambda: _BEGIN, 1)

    async def send(self, request: Request, headers: Mapping[str, str], call: Any) -> Reply:
        call.leaves(on_kept=False)
        await asyncio.sleep(0.05)
        url, number = request.url, len(self.ledger.requests) + 1
        now = _BEGIN + timedelta(seconds=asyncio.get_running_loop().time())
        received = Received(number, now, "legacy", "GET", str(url), url.raw_path)
        self.ledger.requests.append(received)
        refusal, _ = self._quotas.take("somebody", "legacy", now)
        self.before(number)
        self.store.notice()
        call = Call("GET", url.raw_path, url.raw_query_string, b"", {}, "")
        answer = refusal or self._host.answer(call, received)
        received.status = answer.status
        await asyncio.sleep(0.05)
        return Reply(answer.status, {}, answer.encoded())


_BEGIN = datetime(2026, 8, 1, tzinfo=UTC)
