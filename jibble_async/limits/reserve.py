"""What bulk calls leave of a window, so that an interactive call need not wait for its turn.

A bulk call may take a slot if afterwards each interactive call that is to be expected would find
one free, or due soon. As many are expected as there were in the last period, and at least a part of
the window that is set aside. What was left for calls that didn't come is taken as soon as the next
slots come due.

How soon is soon decides what that costs. While interactive calls come one by one it is the time of
one slot. But slots come back further apart than that, as answers take time, and unevenly where
answers take unevenly long: a slot would lie idle in each larger gap. So while nobody calls, or many
at once, whom one slot would not help, it is as long as it takes to leave next to none idle.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable
from itertools import chain, takewhile
from math import inf

from jibble_async.errors import ConfigurationError

__all__ = ["LATELY", "REMEMBERED", "Clicks", "Reserve", "RoundTrips"]

LATELY = 10.0
"""Seconds after an interactive call for which the next is waited for."""

REMEMBERED = 60.0
"""Seconds for which it is remembered that several came at once."""


class RoundTrips:
    """How long slots are under way, and how unevenly, by the last 64 or so.

    Attributes:
        mean: The usual round trip in seconds.
        spread: The usual distance from it in seconds.
    """

    __slots__ = ("_count", "mean", "spread")

    def __init__(self) -> None:
        self.mean: float = 0.0
        self.spread: float = 0.0
        self._count = 0

    def add(self, seconds: float) -> None:
        """Take note of a round trip."""
        self._count += self._count < 64
        distance = seconds - self.mean
        self.mean += distance / self._count
        if self._count > 1:
            self.spread += (abs(distance) - self.spread) / self._count


class Clicks:
    """The interactive calls of a window.

    Args:
        limit: Slots of the window.
        per: The period in seconds.

    Attributes:
        add: Takes note of one, by the time when it came.
    """

    __slots__ = ("_crowded", "_last", "_per", "_slot", "_times", "add")

    def __init__(self, limit: int, per: float) -> None:
        self._per = per
        self._slot = per / limit
        # Taking note must be cheap, so they are looked at when a bulk call comes.
        self._times: deque[float] = deque(maxlen=max(limit, 16))
        self._last = self._crowded = -inf
        self.add: Callable[[float], None] = self._times.append

    def take_back(self) -> None:
        """Forget one that didn't use its slot."""
        if self._times:
            self._times.pop()

    def recent(self, now: float) -> int:
        """How many there were in the last period."""
        self._look()
        times = self._times
        while times and times[0] <= now - self._per:
            times.popleft()
        return len(times)

    def one_by_one(self, now: float) -> bool:
        """Whether some came lately, and no two of them within the time of one slot."""
        self._look()
        return self._last >= now - LATELY and self._crowded < now - REMEMBERED

    def _look(self) -> None:
        new = list(takewhile(lambda time: time > self._last, reversed(self._times)))
        for time in reversed(new):
            if time - self._last < self._slot:
                self._crowded = time
            self._last = time


class Reserve:
    """Says when a bulk call may take a slot of a window.

    Args:
        name: The constructor's call, for messages.
        limit: Slots of the window.
        per: The period in seconds.
        share: The part of the window to set aside at least.

    Attributes:
        least: Interactive calls that are expected in a period at least.
        slot: The time of one slot in seconds.

    Raises:
        ConfigurationError: `share` is no part.
    """

    __slots__ = ("_limit", "_per", "least", "slot")

    def __init__(self, name: str, limit: int, per: float, share: float) -> None:
        if not 0 <= share < 1:
            raise ConfigurationError(f"{name}: reserve={share} is not a part, from 0 to below 1")
        self._limit = limit
        self._per = per
        # A call now and then is always to be expected, unless none is ever to be.
        self.least: float = max(1.0, limit * share) if share else 0.0
        self.slot: float = per / limit

    def apart(self, trips: RoundTrips) -> float:
        """How far apart slots may come due without one being held back, in seconds.

        Evenly they come `(per + round trip) / limit` apart. How much further decides what part of
        the window lies idle: 1% at most with these numbers, by `benchmarks/limits/windows.py`.
        """
        # The fewer the slots, the more of the window is each of them.
        few = 20 / self._limit
        more = min(4, few) * min(1, few) * trips.spread
        return (self._per + trips.mean) / self._limit + more

    def bulk_from(
        self, free: int, dues: Iterable[float], now: float, interactive: int, soon: float
    ) -> float:
        """When a bulk call may take one of the slots that are free now, if nothing else happens.

        With all slots free that is never later than now.

        Args:
            free: Slots that are free; at least 1.
            dues: When the others come due, sorted; those under way, of which that isn't known
                yet, left out.
            now: The time.
            interactive: Interactive calls of the last period.
            soon: How long an interactive call may wait, in seconds; at least the time of one slot.
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
            begin = max(begin, min(due, now + per) - soon - left * per / expected)
            left += 1
        return begin
