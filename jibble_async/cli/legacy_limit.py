"""The old API's limit, counted over all runs of the program, and what to say while it waits."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from jibble_legacy.config import LIMIT, PERIOD, legacy_auth_from, legacy_config_from

from jibble_async.cli.output import say
from jibble_async.core.credentials import StaticToken
from jibble_async.errors import ConfigurationError
from jibble_async.limits.slots import Priority, Slot
from jibble_async.limits.windows.sqlite import SharedWindow

__all__ = ["TellingWindow", "window_path"]

# Above the two minutes that an attempt of an export may take.
_LEASE = 180.0
# Whoever waits for longer is told why.
_SOON = 3.0


def window_path(env: Mapping[str, str]) -> Path:
    """The file in which the requests of these credentials are counted.

    It lies in the user's state folder, after the XDG Base Directory Specification. Its name is
    that of an app or of a token, as a hash.

    Args:
        env: Usually `os.environ`.

    Raises:
        ConfigurationError: The environment holds no credentials of the old API, or there is no
            home folder.
    """
    auth = legacy_auth_from(env)
    # The limit is one of the app (documented: old-limit), whoever its user is.
    owner = auth.token if isinstance(auth, StaticToken) else auth.client_id
    name = hashlib.sha256(f"{legacy_config_from(env).url} {owner}".encode()).hexdigest()[:16]
    return _state_folder(env) / "jibble" / f"legacy-{name}.db"


def _state_folder(env: Mapping[str, str]) -> Path:
    given = env.get("XDG_STATE_HOME", "")
    if os.path.isabs(given):
        return Path(given)
    try:
        return Path.home() / ".local" / "state"
    except RuntimeError:
        raise ConfigurationError(
            "there is no home folder to count requests in: set XDG_STATE_HOME"
        ) from None


def _make_private(folder: Path) -> None:
    # With all that is missing above it, as the specification says; whatever is there stays. What
    # goes wrong is told by the window.
    with contextlib.suppress(OSError):
        for each in reversed((folder, *folder.parents)):
            if not each.exists():
                each.mkdir(mode=0o700)


class TellingWindow(SharedWindow):
    """The old API's limit for all runs of the program, which says so when somebody must wait.

    Args:
        path: Where requests are counted.

    Attributes:
        tell: Gets the words, at the beginning of each longer wait.
    """

    def __init__(self, path: Path) -> None:
        _make_private(path.parent)
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
