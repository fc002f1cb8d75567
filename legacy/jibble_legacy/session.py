"""What a resource of the old API gets of its client."""

from __future__ import annotations

from typing import Self

from jibble_async.api.session import Session
from jibble_async.core.caller import Caller
from jibble_async.core.options import CallOptions
from jibble_legacy.days import WorkingDays

__all__ = ["SERVICE", "LegacySession"]

SERVICE = "legacy"


class LegacySession(Session):
    """What a resource of the old API gets of its client.

    Args:
        caller: Makes the calls of all sessions of the client.
        options: What holds for the calls of this session.
        activities_path: How the path of activities is spelt.
        days: The time zones in which people work, if they are known.
    """

    def __init__(
        self,
        caller: Caller,
        options: CallOptions | None,
        activities_path: str,
        days: WorkingDays | None,
    ) -> None:
        super().__init__(caller, options)
        self.activities_path: str = activities_path
        self.days: WorkingDays | None = days

    def with_options(self, options: CallOptions) -> Self:
        """A session with other options, which shares everything else.

        Args:
            options: What holds for its calls.
        """
        return type(self)(self.caller, options, self.activities_path, self.days)
