"""Whose turn it is where processes share a `Pacer`: pure state, and one exchange with it.

Each process whose calls wait has one place in the queue of processes: interactive calls go before
bulk calls, unless enough of them have overtaken one; among equals, who came first. A process takes
one slot at a time while others wait, so none starves; its own calls have their own queue
(`CallQueue`). One that is late when it is its turn is not waited for, and one that died leaves
nothing but a slot that was not used.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from jibble_async.limits.adaptive.pacer import Heard, Pacer, Permit, Soonest
from jibble_async.limits.queue import STARVATION_BOUND
from jibble_async.limits.stored import ASK_AGAIN, OVERDUE

__all__ = ["Asked", "SharedPacer", "Told"]

FORGET = 60.0
"""Seconds after which a process that was not heard of is gone."""


class Place(Struct):
    """A process in the queue of processes.

    Attributes:
        holder: The process.
        bulk: Whether only bulk calls wait in it.
        since: Since when one does.
        asks_at: When the process asks next.
    """

    holder: str
    bulk: bool
    since: float
    asks_at: float


class Asked(Struct, frozen=True):
    """What a process tells, and wants; all times are on the clock of the exchange.

    Attributes:
        holder: The process.
        heard: What became of requests.
        calls: How many calls wait in it.
        bulk: Whether all of them are bulk calls.
    """

    holder: str
    heard: Sequence[Heard] = ()
    calls: int = 0
    bulk: bool = False


class Told(Struct, frozen=True):
    """What it is told; all times are on the clock of the exchange.

    Attributes:
        granted: The requests that may go.
        granted_at: When that was decided.
        ask_again: When to ask again if none may.
        soonest: When the next may go at the earliest.
        kept: What the store could not take note of.
    """

    granted: Sequence[Permit]
    granted_at: float
    ask_again: float
    soonest: Soonest
    kept: Sequence[Heard] = ()


class SharedPacer(Struct):
    """What processes share: the pacer, and the queue of processes.

    Attributes:
        seen: The latest time at which it was used.
        pacer: When the next request may go.
        places: The queue of processes.
        overtaken: How many interactive calls have gone in a row before a bulk call that waits.
        heard_of: The processes, and when each was last heard of.
    """

    seen: float
    pacer: Pacer
    places: list[Place] = []
    overtaken: int = 0
    heard_of: dict[str, float] = {}

    def move(self, by: float) -> None:
        """Let all times be later by some seconds; who waited is gone."""
        self.pacer.resume(self.seen + by, self.seen)
        self.seen += by
        self.places = []
        self.heard_of = {}

    def forget(self, now: float) -> None:
        """Drop processes that are gone."""
        self.places = [place for place in self.places if place.asks_at > now - FORGET]
        self.heard_of = {holder: at for holder, at in self.heard_of.items() if at > now - FORGET}

    def exchange(self, asked: Asked, now: float) -> Told:
        """Learn what a process tells, and say which of its calls may go now."""
        for heard in asked.heard:
            self.pacer.learn(heard)
        self.heard_of[asked.holder] = now
        mine = self._place(asked, now)
        granted: list[Permit] = []
        while mine is not None and self.pacer.due() <= now and self._ahead(mine, now) == 0:
            granted.append(self.pacer.let_go(now, held=mine.since < now))
            waits = any(place.bulk for place in self.places if place is not mine)
            self.overtaken = self.overtaken + 1 if waits and not mine.bulk else 0
            # The next call of this process stands behind those of the others.
            self.places.remove(mine)
            mine = None
            if len(granted) < asked.calls:
                mine = Place(asked.holder, asked.bulk, now, now)
                self.places.append(mine)
        ask_again = now + ASK_AGAIN
        soonest = self.pacer.soonest(now)
        if mine is not None:
            ask_again = self._ask_again(mine, now)
            mine.asks_at = ask_again
        return Told(granted, now, ask_again, soonest)

    def _place(self, asked: Asked, now: float) -> Place | None:
        """The place of a process, if a call waits in it."""
        found = next((place for place in self.places if place.holder == asked.holder), None)
        if found is not None:
            self.places.remove(found)
        if not asked.calls:
            return None
        if found is None or found.bulk is not asked.bulk:
            found = Place(asked.holder, asked.bulk, now, now)
        self.places.append(found)
        return found

    def _ahead(self, mine: Place, now: float) -> int:
        """How many processes go before this one."""
        bulk_first = self.overtaken >= STARVATION_BOUND

        def order(place: Place) -> tuple[bool, float]:
            return place.bulk is not bulk_first, place.since

        return sum(
            place is not mine and place.asks_at > now - OVERDUE and order(place) < order(mine)
            for place in self.places
        )

    def _ask_again(self, mine: Place, now: float) -> float:
        pacer = self.pacer
        again = max(now, pacer.due())
        # Whoever is ahead may have gone: then the slot isn't left lying for long.
        again += min(self._ahead(mine, now) / pacer.rate, OVERDUE)
        if not pacer.told and pacer.estimator.awaits_answer:
            again = min(again, now + OVERDUE)
        return min(again, now + ASK_AGAIN)
