"""The old API's limit, counted over all runs of the program, and what to say while it waits."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from pathlib import Path

from jibble_legacy.config import LIMIT, PERIOD, legacy_auth_from, legacy_config_from

from jibble_async.checks import unseen
from jibble_async.cli.folders import counting_file, make_private_folder
from jibble_async.cli.output import say
from jibble_async.core.credentials import StaticToken
from jibble_async.limits.slots import Priority, Slot
from jibble_async.limits.windows.sqlite import SharedWindow

__all__ = ["TellingWindow", "window_path"]

# Above the two minutes that an attempt of an export may take.
_LEASE = 180.0
# Whoever waits for longer is told why.
_SOON = 3.0


@unseen
def window_path(env: Mapping[str, str]) -> Path:
    """The file in which the requests of these credentials are counted.

    Its name is that of an app or of a token, as a hash.

    Args:
        env: Usually `os.environ`.

    Raises:
        ConfigurationError: It holds no credentials of the old API, or there is no home folder.
    """
    auth = legacy_auth_from(env)
    # The limit is one of the app (documented: old-limit), whoever its user is.
    owner = auth.token if isinstance(auth, StaticToken) else auth.client_id
    return counting_file("legacy", legacy_config_from(env).url, owner)


class TellingWindow(SharedWindow):
    """The old API's limit for all runs of the program, which says so when somebody must wait.

    Args:
        path: Where requests are counted.

    Attributes:
        tell: Gets the words, at the beginning of each longer wait.
    """

    def __init__(self, path: Path) -> None:
        make_private_folder(path.parent)
        super().__init__(path, LIMIT, PERIOD, lease=_LEASE)
        self.tell: Callable[[str], None] = say
        self._waiting = False

    @property
    def notice(self) -> str | None:
        """What is waited for, and how long about; None if nobody has waited for long."""
        if not self._waiting:
            return None
        used = "all" if self.used is None else str(self.used)
        minutes = math.ceil((self.room_in or 0.0) / 60)
        more = f", more in {minutes} min" if minutes else ""
        return f"waiting for the quota: {used} of {LIMIT} requests an hour are used{more}"

    async def acquire(
        self, *, priority: Priority = "interactive", max_wait: float | None = None
    ) -> Slot:
        """Wait for a slot, and say so if it takes long; see `RateLimiter.acquire`."""
        timer = asyncio.get_running_loop().call_later(_SOON, self._begin)
        try:
            return await super().acquire(priority=priority, max_wait=max_wait)
        finally:
            timer.cancel()
            self._waiting = False

    def _begin(self) -> None:
        self._waiting = True
        self.tell(self.notice or "")
