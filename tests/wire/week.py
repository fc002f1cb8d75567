"""The organisation that these tests ask about."""

from __future__ import annotations

from datetime import date
from typing import Any

from jibble_async import ClientConfig, JibbleClient, Unlimited
from jibble_async.config import endpoints_from
from jibble_async.sandbox import Sandbox
from tests.support.clients import HeldTime

WEEK: dict[str, Any] = {
    "people": 6,
    "since": date(2026, 7, 6),
    "until": date(2026, 7, 12),
    "seed": 3,
}


def client_of(box: Sandbox, **arguments: Any) -> JibbleClient:
    """A client of a sandbox whose waits are not waited for."""
    config = {
        name: arguments.pop(name)
        for name in ("retry", "timeouts", "page_size", "hooks", "max_body_bytes", "clock")
        if name in arguments
    }
    config.setdefault("clock", HeldTime().clock)
    arguments.setdefault("limiter", Unlimited())
    env = box.environment()
    arguments["config"] = ClientConfig(endpoints=endpoints_from(env), **config)
    return JibbleClient.from_env(env, **arguments)


def entry_ids(box: Sandbox) -> list[str]:
    """The ids of the time entries that a walk should give, sorted."""
    return sorted(row["id"] for row in box.ledger.rows("TimeEntries"))
