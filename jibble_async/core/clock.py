"""Time, sleep and chance, in one place, so that tests can hold all three."""

from __future__ import annotations

import asyncio
import functools
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import msgspec

__all__ = ["Clock"]


class Clock(msgspec.Struct, frozen=True):
    """What the client knows of time.

    Attributes:
        monotonic: Seconds that never jump; what all waiting is measured by.
        now: The date and time, used only to read an HTTP date.
        sleep: Waits for a number of seconds.
        random: A number from 0 to 1, for jitter.
    """

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = functools.partial(datetime.now, UTC)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = random.random
