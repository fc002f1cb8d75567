"""What a resource of the old API gets of its client."""

from __future__ import annotations

from jibble_async.api.session import Session
from jibble_async.core.caller import Caller
from jibble_legacy.config import LegacyConfig
from jibble_legacy.days import WorkingDays

__all__ = ["SERVICE", "LegacySession"]

SERVICE = "legacy"


class LegacySession(Session):
    """What a resource of the old API gets of its client.

    Args:
        caller: Makes the calls of all sessions of the client.
        config: Where the API is, and how the path of activities is spelt there.
        days: The time zones in which people work, if they are known.
    """

    def __init__(self, caller: Caller, config: LegacyConfig, days: WorkingDays | None) -> None:
        super().__init__(caller, lambda _: config.url)
        self.activities_path: str = config.activities_path
        self.days: WorkingDays | None = days
