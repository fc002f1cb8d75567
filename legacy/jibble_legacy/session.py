"""What a resource of the old API gets of its client."""

from __future__ import annotations

from typing import Self

from jibble_async.api.session import Backend, Session
from jibble_async.core.options import CallOptions
from jibble_legacy.days import WorkingDays

__all__ = ["SERVICE", "LegacySession"]

SERVICE = "legacy"


class LegacySession(Session):
    """What a resource of the old API gets of its client.

    Args:
        backend: What stands behind the client.
        options: What holds for the calls of this session.
        activities_path: How the path of activities is spelt.
        days: The time zones in which people work, if they are known.
    """

    def __init__(
        self,
        backend: Backend,
        options: CallOptions,
        activities_path: str,
        days: WorkingDays | None,
    ) -> None:
        super().__init__(backend, options)
        self.activities_path: str = activities_path
        self.days: WorkingDays | None = days

    def with_options(self, options: CallOptions) -> Self:
        """A session with other options, which shares everything else.

        Args:
            options: What holds for its calls.
        """
        return type(self)(self.backend, options, self.activities_path, self.days)
