"""Clients for tests: their time is recorded rather than spent."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from jibble_async import ClientConfig, Endpoints, JibbleClient, StaticToken, Unlimited
from jibble_async.core.clock import Clock


class HeldTime:
    """Time that passes only while somebody sleeps; nobody waits for it.

    Attributes:
        sleeps: What was asked to be waited, in seconds.
    """

    def __init__(self, chance: float = 0.5) -> None:
        self.sleeps: list[float] = []
        self.seconds = 1000.0
        self.clock = Clock(
            monotonic=lambda: self.seconds,
            now=lambda: datetime(2026, 7, 13, 9, 0, tzinfo=UTC),
            sleep=self._sleep,
            random=lambda: chance,
        )

    async def _sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.seconds += seconds
        await asyncio.sleep(0)


def loop_clock() -> Clock:
    """The clock of the running loop, whose time is virtual in a test."""
    return Clock(monotonic=asyncio.get_running_loop().time, random=lambda: 0.5)


def endpoints_at(url: str, identity: str | None = None) -> Endpoints:
    """Every service at one origin, and tokens there or elsewhere."""
    return Endpoints(
        identity=identity or url, workspace=url, time_tracking=url, time_attendance=url
    )


def client_at(
    url: str,
    *,
    identity: str | None = None,
    auth: Any = None,
    limiter: Any = None,
    connector: Any = None,
    proxy: str | None = None,
    **config: Any,
) -> JibbleClient:
    """A client of one server, with a token that is there already unless told."""
    config.setdefault("clock", HeldTime().clock)
    return JibbleClient(
        auth=StaticToken("the-token") if auth is None else auth,
        config=ClientConfig(endpoints=endpoints_at(url, identity), **config),
        limiter=Unlimited() if limiter is None else limiter,
        connector=connector,
        proxy=proxy,
    )
