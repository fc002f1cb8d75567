"""How much an old account holds, which it does not count, and how long it takes to read."""

from __future__ import annotations

from datetime import datetime

import msgspec

from jibble_legacy.migration.progress import ends_at, seconds_for
from jibble_legacy.migration.source import Source

__all__ = ["Estimate", "estimate", "requests_for"]

_FIRST = 1_000
_SHARE = 25
"""Rows are known to a 25th of themselves."""
_LISTS = 12
"""Requests for what is no time entry, where there is little of it."""


class Estimate(msgspec.Struct, frozen=True):
    """How much there is to read, and how long that takes.

    Attributes:
        least: Time entries that there are at least.
        most: Time entries that there are at most.
        requests: Requests that it takes, those for people whom no list shows not counted.
        seconds: How long it takes within the limit; 0 where nobody counts.
        ends: When it will be done if it begins now.
        asked: Requests that were sent to find out.
    """

    least: int
    most: int
    requests: int
    seconds: float
    ends: datetime
    asked: int

    @property
    def rows(self) -> int:
        """How many time entries there are, about."""
        return (self.least + self.most) // 2


async def estimate(source: Source) -> Estimate:
    """How much there is, found out with some twenty requests at most.

    Args:
        source: The old account.

    Raises:
        JibbleError: A call failed for good.
    """
    asked, least, most = 0, 0, _FIRST
    while True:
        asked += 1
        if not await source.has(most):
            break
        least, most = most + 1, most * 2
    while most - least > most // _SHARE:
        middle = (least + most) // 2
        asked += 1
        if await source.has(middle):
            least = middle + 1
        else:
            most = middle
    requests = requests_for(most, source.size)
    quota, now = source.quota, source.now()
    return Estimate(
        least, most, requests, seconds_for(requests, quota), ends_at(now, requests, quota), asked
    )


def requests_for(rows: int, size: int) -> int:
    """How many requests it takes to read time entries, and all lists.

    Args:
        rows: How many entries.
        size: Rows of a page.
    """
    # Each page begins with a row of the one before it.
    return _LISTS + -(-rows // max(1, size - 1)) + 2
