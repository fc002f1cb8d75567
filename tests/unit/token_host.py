"""A token host in memory, and the refreshes that are under way."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from jibble_async import (
    ClientCredentials,
    JibbleError,
)
from jibble_async.core.clock import Clock
from jibble_async.core.credentials import Auth
from jibble_async.core.operation import Request
from jibble_async.core.tokens import Tokens
from jibble_async.core.wire import Reply
from jibble_async.odata.tokens import grant_of

PAIR = ClientCredentials("key-id", "key-secret")

DAY = 24 * 3600.0


class TokenHost:
    """A token host in memory, with a clock of its own."""

    def __init__(self, auth: Auth = PAIR, **members: Any) -> None:
        self.now = 1000.0
        self.chance = 0.0
        self.members: dict[str, Any] = {"expires_in": 3600, **members}
        self.requests: list[Request] = []
        self.lifetimes: list[float | None] = []
        self.failure: JibbleError | None = None
        self.gate: asyncio.Event | None = None
        self.tokens = Tokens(
            grant_of(auth, "https://identity.example"),
            self._exchange,
            Clock(monotonic=lambda: self.now, random=lambda: self.chance),
            self.lifetimes.append,
        )

    async def _exchange(self, request: Request) -> Reply:
        self.requests.append(request)
        number = len(self.requests)
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        answer = {"access_token": f"token-{number}", "token_type": "Bearer", **self.members}
        return Reply(200, {}, msgspec.json.encode(answer))


async def refreshed() -> None:
    """Wait for the refresh that is under way, whatever becomes of it."""
    await asyncio.gather(*refreshes(), return_exceptions=True)


def refreshes() -> list[asyncio.Task[Any]]:
    return [task for task in asyncio.all_tasks() if task.get_name() == "jibble token refresh"]
