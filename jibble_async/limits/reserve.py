"""What bulk calls leave of a window, so that an interactive call need not wait for its turn.

A bulk call may take a slot if afterwards each interactive call that is to be expected would find
one free, or due within the time of one slot. As many are expected as there were in the last
period, and at least a part of the window that is set aside. What was left for calls that didn't
come is taken as soon as the next slots come due. What that costs is some per cent of a small window
where answers take unevenly long, and next to nothing elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import chain

from jibble_async.errors import ConfigurationError

__all__ = ["Reserve"]


class Reserve:
    """Says when a bulk call may take a slot of a window.

    Args:
        name: The constructor's call, for messages.
        limit: Slots of the window.
        per: The period in seconds.
        share: The part of the window to set aside at least.

    Attributes:
        least: Interactive calls that are expected in a period at least.

    Raises:
        ConfigurationError: `share` is no part.
    """

    __slots__ = ("_limit", "_per", "least")

    def __init__(self, name: str, limit: int, per: float, share: float) -> None:
        if not 0 <= share < 1:
            raise ConfigurationError(f"{name}: reserve={share} is not a part, from 0 to below 1")
        self._limit = limit
        self._per = per
        # A call now and then is always to be expected, unless none is ever to be.
        self.least: float = max(1.0, limit * share) if share else 0.0

    def bulk_from(self, free: int, dues: Iterable[float], now: float, interactive: int) -> float:
        """When a bulk call may take one of the slots that are free now, if nothing else happens.

        With all slots free that is never later than now.

        Args:
            free: Slots that are free; at least 1.
            dues: When the others come due, sorted; those under way, of which that isn't known
                yet, left out.
            now: The time.
            interactive: Interactive calls of the last period.
        """
        limit, per = self._limit, self._per
        # The number of calls to come spreads by its root.
        expected = min(limit, max(self.least, interactive + math.sqrt(interactive)))
        begin = now
        left = free - 1
        # Nothing that is sent or answered from now on comes due before a period has passed.
        for due in chain(dues, (now + per,)):
            if left >= expected:
                break
            begin = max(begin, min(due, now + per) - per / limit - left * per / expected)
            left += 1
        return begin
