"""The slots that processes of one machine share, counted in a SQLite file."""

from __future__ import annotations

import uuid
from bisect import insort
from collections.abc import Callable, Sequence
from math import inf
from pathlib import Path

from msgspec import Struct

from jibble_async.errors import ConfigurationError
from jibble_async.limits.state_file import Format, StateFile
from jibble_async.limits.windows.policy import Decision, Place, Policy, State, Wanted
from jibble_async.limits.windows.reserve import Clicks
from jibble_async.limits.windows.stored import Answer, GivenBack

__all__ = ["WindowFile"]

APPLICATION_ID = 0x4A62576E
VERSION = 2
FORGET = 60.0
DURABLE_FROM = 60.0
"""Periods from this many seconds on outlast a power cut and the restart that follows, so their
transactions are flushed to the disk; a shorter period is over by then."""


class Counted(Struct, array_like=True):
    """What the file holds, as one value: it is read, and written back, as a whole.

    Attributes:
        per: The period that is counted for, in seconds.
        seen: The latest time at which the file was read.
        dues: When the slots that were given back no longer count, and their keys; sorted.
        under_way: The other slots, by their keys: until when each counts if its holder is never
            heard of again, and when it was granted to an interactive call; `-inf` if to another.
        clicks: What `Clicks` are made of.
        places: The queue of processes.
        closed_until: Nobody gets a slot before that time.
    """

    per: float
    seen: float
    dues: list[tuple[float, str]] = []
    under_way: dict[str, tuple[float, float]] = {}
    clicks: tuple[list[float], float, float] = ([], -inf, -inf)
    places: list[Place] = []
    closed_until: float = -inf

    def move(self, by: float) -> None:
        """Let all times be later by some seconds; who waited is gone."""
        times, last, crowded = self.clicks
        self.seen += by
        self.dues = [(due + by, key) for due, key in self.dues]
        self.under_way = {key: (end + by, at + by) for key, (end, at) in self.under_way.items()}
        self.clicks = [time + by for time in times], last + by, crowded + by
        self.places = []
        self.closed_until += by

    def forget(self, now: float) -> None:
        """Drop what counts no longer."""
        self.dues = [due for due in self.dues if due[0] > now]
        self.under_way = {key: slot for key, slot in self.under_way.items() if slot[0] > now}
        self.places = [place for place in self.places if place.asks_at > now - FORGET]


class WindowFile:
    """Slots and the queue of processes in one SQLite file; every exchange is one transaction.

    What is counted is moved along when the machine restarts; see `StateFile`.

    Args:
        path: The file; made, with its folder, if it is not there.
        policy: What is promised.
        clock: The machine's monotonic clock.

    Raises:
        ConfigurationError: The file is damaged, is something else, can't be written, or counts
            for another period.
    """

    def __init__(self, path: Path, policy: Policy, clock: Callable[[], float]) -> None:
        self._path = path
        self._policy = policy
        self._holder = uuid.uuid4().hex[:12]
        self._taken = 0
        what = Format(
            APPLICATION_ID,
            VERSION,
            Counted,
            "what was sent is not known any more",
            f"when nothing has been sent for {policy.lost_after:g} s",
            durable=policy.per >= DURABLE_FROM,
        )
        self._file = StateFile(path, what, lambda now: Counted(policy.per, now), clock)
        try:
            self._file.update(self._check_period)
        except BaseException:
            self._file.close()
            raise

    def exchange(self, given_back: Sequence[GivenBack], wanted: Wanted, look: int) -> Answer:
        """Do what `SlotStore.exchange` says.

        Raises:
            FileBusyError: Nothing was done.
            ConfigurationError: The file can't be used any more.
        """
        return self._file.update(
            lambda counted, now: self._exchange(counted, now, given_back, wanted, look)
        )

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _exchange(
        self,
        counted: Counted,
        now: float,
        given_back: Sequence[GivenBack],
        wanted: Wanted,
        look: int,
    ) -> Answer:
        policy = self._policy
        clicks = Clicks(policy.limit, policy.per, *counted.clicks)
        for slot in given_back:
            if slot.key not in counted.under_way:
                # It comes once more, as nobody heard the answer; or its lease has ended.
                counted.dues = [due for due in counted.dues if due[1] != slot.key]
            _, clicked = counted.under_way.pop(slot.key, (now, -inf))
            if slot.free_at is None:
                clicks.take_back(clicked)
            elif slot.free_at > now:
                # Also after its lease: its request may have just been sent.
                insort(counted.dues, (slot.free_at, slot.key))
        counted.closed_until = max(counted.closed_until, wanted.closed_until)
        dues, under_way = [due for due, _ in counted.dues], counted.under_way
        state = State(dues, len(under_way), clicks, counted.places, counted.closed_until)
        oldest_due = policy.oldest_due(state, now)
        clicks.wait(wanted.interactive, now)
        decision = Decision(0, 0, (), now, ())
        if wanted.total:
            decision = policy.decide(state, wanted, now, look, self._holder)
        keys = [f"{self._holder}:{self._taken + number}" for number in range(decision.granted)]
        self._taken += len(keys)
        for number, key in enumerate(keys):
            clicked = -inf
            if number < decision.interactive:
                clicked = now
                clicks.add(now)
            under_way[key] = now + policy.lost_after, clicked
        counted.clicks = clicks.kept(now)
        others = [place for place in counted.places if place.holder != self._holder]
        counted.places = [*others, *decision.places]
        used = len(dues) + len(under_way)
        return Answer(
            keys, now, decision.dues, decision.ask_again, used=used, oldest_due=oldest_due
        )

    def _check_period(self, counted: Counted, _: float) -> None:
        if counted.per == self._policy.per:
            return
        if counted.dues or counted.under_way:
            raise ConfigurationError(
                f"{self._path} counts requests per {counted.per:g} s, not per "
                f"{self._policy.per:g} s: give every process the same numbers, or choose another "
                "path"
            )
        counted.per = self._policy.per
