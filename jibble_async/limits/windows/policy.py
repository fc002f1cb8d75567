"""The policy of a rolling window: which calls get a slot now, and when to ask again.

It is pure: `Policy.decide` goes from what is counted, what is wanted and the time to a decision.
`RollingWindow` asks it about its memory, `SharedWindow` about a file, within a transaction; the
script of `RedisWindow` says the same in Lua.

How long a slot counts, and why that long, is said by `RollingWindow`.

Where processes share a window they stand in a queue: interactive calls go before bulk calls, unless
enough of them have overtaken one; among equals, who came first. Each gets its part of what is free.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice
from math import inf

from msgspec import Struct

from jibble_async.checks import require_counts, require_numbers
from jibble_async.errors import ConfigurationError
from jibble_async.limits.queue import STARVATION_BOUND
from jibble_async.limits.slots import Outcome
from jibble_async.limits.stored import ASK_AGAIN, GRANT_TIMEOUT, OVERDUE
from jibble_async.limits.windows.reserve import Clicks, Reserve

__all__ = ["Decision", "Place", "Policy", "State", "Wanted"]


class Wanted(Struct, frozen=True):
    """What the calls that wait in a process want.

    Attributes:
        interactive: How many of them are interactive.
        bulk: How many are bulk.
        bulk_is_due: Whether a bulk call goes first, as many have overtaken it.
        spacing: How far apart slots may come due for bulk calls; see `Reserve.spacing`.
        closed_until: A time before which nobody is to get a slot.
    """

    interactive: int = 0
    bulk: int = 0
    bulk_is_due: bool = False
    spacing: float = 0.0
    closed_until: float = -inf

    @property
    def total(self) -> int:
        """How many wait."""
        return self.interactive + self.bulk

    @property
    def bulk_first(self) -> bool:
        """Whether the first of them is a bulk call."""
        return not self.interactive or self.bulk_is_due


class Place(Struct, frozen=True):
    """A place of a process in the queue of processes; it has one for each priority.

    Attributes:
        holder: The process.
        bulk: Whether the call that waits is a bulk call.
        since: Since when it has waited.
        asks_at: When the process asks next. One that is late is not waited for.
    """

    holder: str
    bulk: bool
    since: float
    asks_at: float


class State(Struct, frozen=True):
    """What is counted.

    Attributes:
        dues: When the slots that were given back no longer count, sorted; all later than now.
        under_way: Slots that were not given back yet.
        clicks: The interactive calls among them.
        places: The queue of processes.
        closed_until: Nobody gets a slot before that time.
    """

    dues: Sequence[float]
    under_way: int
    clicks: Clicks
    places: Sequence[Place] = ()
    closed_until: float = -inf


class Decision(Struct, frozen=True):
    """Who gets a slot now.

    Attributes:
        interactive: How many interactive calls do.
        bulk: How many bulk calls do.
        dues: If none does: when the next slots come due for this process, at the earliest; sorted.
        ask_again: When to ask again.
        places: The places of this process in the queue from now on.
    """

    interactive: int
    bulk: int
    dues: Sequence[float]
    ask_again: float
    places: Sequence[Place]

    @property
    def granted(self) -> int:
        """How many calls get a slot."""
        return self.interactive + self.bulk


class Policy:
    """What a window promises, and what follows from it.

    Args:
        name: The constructor's call, for messages.
        limit: Requests that the server accepts in a period.
        per: The period in seconds.
        linger: Seconds for which a request that was given up may still be on its way.
        reserve: The part of the window that bulk calls leave to interactive ones at least.
        lease: Seconds from a slot's grant within which its request has ended; a slot whose holder
            is never heard of again counts for longer by the rest.

    Raises:
        ConfigurationError: A window of these numbers could never send.
    """

    grant_timeout: float = GRANT_TIMEOUT

    def __init__(
        self, name: str, limit: int, per: float, linger: float, reserve: float, lease: float = inf
    ) -> None:
        require_counts(name, limit=limit)
        require_numbers(name, per=per, linger=linger, reserve=reserve, lease=lease)
        if limit < 1 or not 0 < per < inf or not 0 <= linger < inf or lease <= 0:
            raise ConfigurationError(
                f"{name} can't send anything: limit must be a whole number from 1, per and lease "
                "seconds above 0, linger seconds from 0"
            )
        self.name = name
        self.limit = limit
        self.per = per
        self.linger = linger
        self.lease = lease
        self.reserve: Reserve = Reserve(name, limit, per, reserve)
        # What has overtaken a bulk call is known for a period: there must be as many in it.
        self.starvation_bound: int = min(STARVATION_BOUND, math.ceil(0.9 * limit))

    @property
    def lost_after(self) -> float:
        """How long a slot counts whose holder is never heard of again, in seconds.

        The holder had it for up to `GRANT_TIMEOUT` before its caller got it, the request was given
        up `lease` later at most, and may have arrived `linger` after that.
        """
        return self.grant_timeout + self.lease + self.linger + self.per

    def free_at(self, outcome: Outcome, now: float) -> float | None:
        """Until when a slot counts that is given back now; None if it doesn't."""
        if outcome is Outcome.NOT_SENT:
            return None
        return now + self.per + (self.linger if outcome is Outcome.ABANDONED else 0.0)

    def hold_until(self, now: float, oldest_due: float | None, wait: float | None) -> float:
        """Until when nobody gets a slot, since the server refuses what is within the limit.

        Args:
            now: The time.
            oldest_due: When the oldest request no longer counts, if one does.
            wait: Seconds for which the server asked to be left alone, if it did.
        """
        if wait is not None:
            return now + wait
        return now + self.per if oldest_due is None else max(now, oldest_due)

    def due_of(self, dues: Sequence[float], place: int) -> float:
        """When the call at a place in a process's queue gets a slot at the earliest.

        Args:
            dues: When the next slots come due for the process; not empty.
            place: How many calls go before it.
        """
        rounds, index = divmod(place, self.limit)
        return dues[min(index, len(dues) - 1)] + rounds * self.per

    def oldest_due(self, state: State, now: float) -> float:
        """When the oldest request no longer counts, if those under way are answered now."""
        return self._dues(state, now, 0, 1)[0]

    def decide(
        self, state: State, wanted: Wanted, now: float, look: int = 1, holder: str = ""
    ) -> Decision:
        """Which calls of a process get a slot now.

        Args:
            state: What is counted.
            wanted: The calls that wait in the process, one at least.
            now: The time.
            look: How many dues to tell, one at least.
            holder: The process, as its places name it.
        """
        since = {place.bulk: place.since for place in state.places if place.holder == holder}
        others = [place for place in state.places if place.holder != holder]
        turn = since.get(wanted.bulk_first, now)
        overdue = wanted.bulk_first and (
            wanted.bulk_is_due or self._is_overdue(state.clicks, turn, now)
        )
        first = Place(holder, wanted.bulk_first, turn, now)
        free = self.limit - state.under_way - len(state.dues)
        room = free - self._ahead(others, state.clicks, first, overdue, now)
        interactive = bulk = 0
        begin = max(now, state.closed_until)
        if room > 0 and begin <= now:
            sharing = 1 + len({place.holder for place in others})
            part = min(wanted.total, max(1, room // sharing))
            bulk = 1 if overdue else 0
            interactive = min(wanted.interactive, part - bulk)
            taken = interactive + bulk
            more, begin = self._more_bulk(
                state, wanted.spacing, room - taken, part - taken, interactive, now
            )
            bulk += more
        dues: list[float] = []
        ask_again = now
        if not interactive + bulk:
            dues = [begin] * min(look, max(0, room))
            later = self._dues(state, now, max(0, -room), look - len(dues))
            dues += [max(begin, due) for due in later]
            # One of those ahead may have gone: then the next slot is left lying.
            soonest = begin if free > 0 else max(begin, self.oldest_due(state, now))
            ask_again = min(dues[0], soonest + OVERDUE, now + ASK_AGAIN)
        left = ((False, wanted.interactive, interactive), (True, wanted.bulk, bulk))
        places = [
            Place(holder, is_bulk, since.get(is_bulk, now), ask_again)
            for is_bulk, wants, gets in left
            if wants and not gets
        ]
        return Decision(interactive, bulk, dues, ask_again, places)

    def _is_overdue(self, clicks: Clicks, since: float, now: float) -> bool:
        """Whether enough interactive calls have overtaken a bulk call that waits since then."""
        return clicks.since(since, now) >= self.starvation_bound

    def _ahead(
        self, others: Sequence[Place], clicks: Clicks, first: Place, overdue: bool, now: float
    ) -> int:
        """How many places of others go before the first call of a process."""
        # A process with an interactive call asks for that one first, so its overdue bulk call goes
        # before nobody: otherwise all might wait for each other.
        clicking = {place.holder for place in others if not place.bulk}

        def goes_before(other: Place) -> bool:
            earlier = other.since < first.since
            if first.bulk and not overdue:
                return earlier or not other.bulk
            if not other.bulk:
                return earlier and not first.bulk
            return (
                (earlier or not first.bulk)
                and other.holder not in clicking
                and self._is_overdue(clicks, other.since, now)
            )

        return sum(other.asks_at > now - OVERDUE and goes_before(other) for other in others)

    def _more_bulk(
        self, state: State, spacing: float, free: int, most: int, interactive: int, now: float
    ) -> tuple[int, float]:
        """How many bulk calls get a slot in their turn, and when the next may have one."""
        count, begin = 0, now
        if most:
            recent = interactive + state.clicks.since(now - self.per, now)
            soon = self.reserve.slot
            if not state.clicks.one_by_one(now):
                soon = max(soon, spacing)
            while count < most and begin <= now:
                begin = self.reserve.bulk_from(free - count - 1, state.dues, now, recent, soon)
                if begin <= now:
                    count += 1
        return count, begin

    def _dues(self, state: State, now: float, skip: int, look: int) -> list[float]:
        """The next dues after those skipped; slots under way count as if answered now."""
        answered_now = now + self.per
        dues = list(islice(state.dues, skip, skip + look))
        if state.under_way:
            dues = [min(due, answered_now) for due in dues]
        return dues + [answered_now] * (look - len(dues))
