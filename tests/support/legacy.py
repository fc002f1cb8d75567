"""Clients of the old API for tests."""

from __future__ import annotations

from typing import Any

from jibble_legacy import LegacyClient, LegacyConfig, PasswordGrant

from jibble_async import StaticToken, Unlimited
from jibble_async.sandbox import Sandbox
from tests.support.clients import HeldTime


def legacy_at(
    url: str, *, auth: Any = None, limiter: Any = None, timezone: Any = None, **config: Any
) -> LegacyClient:
    """A client of one server, with a token that is there already unless told."""
    config.setdefault("clock", HeldTime().clock)
    return LegacyClient(
        auth=StaticToken("the-token") if auth is None else auth,
        config=LegacyConfig(url=url, **config),
        limiter=Unlimited() if limiter is None else limiter,
        timezone=timezone,
    )


def legacy_of(box: Sandbox, **arguments: Any) -> LegacyClient:
    """A client of the old API's host of a sandbox."""
    arguments.setdefault("auth", StaticToken(box.legacy_token))
    return legacy_at(box.legacy_url, **arguments)


def password_of(box: Sandbox) -> PasswordGrant:
    """What a token of the sandbox is asked for with."""
    return PasswordGrant(*box.legacy_credentials, token_url=box.legacy_token_url)
