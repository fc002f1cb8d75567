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
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import chain
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
    """Interactive calls that got a slot: each counts for `per` after its grant.

    One that came back unused counts no longer, but it still shows how such calls come.

    Args:
        limit: Slots of the window.
        per: The period in seconds.
        times: The grants of the last period, sorted.
        last: When the last one was granted.
        crowded: When one was last granted within the time of one slot after another, or several
            waited at once.

    Attributes:
        add: Takes note of one, by the time of its grant.
    """

    def __init__(
        self,
        limit: int,
        per: float,
        times: Sequence[float] = (),
        last: float = -inf,
        crowded: float = -inf,
    ) -> None:
        self._per = per
        self._slot = per / limit
        self._times = list(times)
        self._last = last
        self._crowded = crowded
        # Taking note must be cheap, so they are looked at when that matters to a bulk call.
        self._new: deque[float] = deque(maxlen=max(limit, 16))
        self.add: Callable[[float], None] = self._new.append

    def kept(self, now: float) -> tuple[list[float], float, float]:
        """What to make them from again: the times of the last period, the last, and a crowd's."""
        self.since(now, now)
        return self._times, self._last, self._crowded

    def take_back(self, time: float) -> None:
        """Count one no longer, since it didn't use its slot."""
        self._look()
        with suppress(ValueError):
            self._times.remove(time)

    def wait(self, count: int, now: float) -> None:
        """Take note of how many wait: several are a crowd, however far apart they get slots."""
        if count > 1:
            self._look()
            self._crowded = now

    def since(self, moment: float, now: float) -> int:
        """How many were granted after `moment`, of those of the last period."""
        self._look()
        del self._times[: bisect_right(self._times, now - self._per)]
        return len(self._times) - bisect_right(self._times, moment)

    def one_by_one(self, now: float) -> bool:
        """Whether some came lately, and for long no two of them within the time of one slot."""
        self._look()
        return self._last >= now - LATELY and self._crowded < now - REMEMBERED

    def _look(self) -> None:
        new = self._new
        while new:
            time = new.popleft()
            if time - self._last < self._slot:
                self._crowded = time
            self._last = time
            self._times.append(time)


class Reserve:
    """Says when a bulk call may take a slot of a window.

    Args:
        name: The constructor's call, for messages.
        limit: Slots of the window.
        per: The period in seconds.
        part: The part of the window to set aside at least.

    Attributes:
        least: Interactive calls that are expected in a period at least.
        slot: The time of one slot in seconds.

    Raises:
        ConfigurationError: `part` is no part.
    """

    def __init__(self, name: str, limit: int, per: float, part: float) -> None:
        if not 0 <= part < 1:
            raise ConfigurationError(f"{name}: reserve={part!r} is not a part, from 0 to below 1")
        self._limit = limit
        self._per = per
        # However small, it keeps the last slot for a call now and then; 0 keeps none.
        self.least: float = limit * part
        self.slot: float = per / limit

    def spacing(self, trips: RoundTrips) -> float:
        """How far apart slots may come due without one being held back, in seconds.

        Evenly they come `(per + round trip) / limit` apart. How much further decides what part of
        the window lies idle: 1% at most with these numbers, by `benchmarks/limits/windows.py`.
        """
        # The fewer the slots, the more of the window is each of them.
        few = 20 / self._limit
        more = min(4, few) * min(1, few) * trips.spread
        return (self._per + trips.mean) / self._limit + more

    def bulk_from(
        self, left: int, dues: Iterable[float], now: float, interactive: int, soon: float
    ) -> float:
        """When a bulk call may take one of the slots that are free now, if nothing else happens.

        With all slots free that is never later than now.

        Args:
            left: Slots that stay free when it has taken one.
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
        # Nothing that is sent or answered from now on comes due before a period has passed.
        for due in chain(dues, (now + per,)):
            if left >= expected:
                break
            begin = max(begin, min(due, now + per) - soon - left * per / expected)
            left += 1
        return begin
