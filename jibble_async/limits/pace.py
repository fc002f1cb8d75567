"""Finding a rate that nobody tells: pure decisions on what was accepted and what was refused.

The rate climbs a little with each accepted request and steps down when one is refused, sized so
that about 0.7 % are refused whatever the quota is. The step shrinks while refusals come when they
are expected, which brings the rate close to the quota, and grows when they come early or are
overdue, which follows a quota that changed. Nothing here reads a clock or waits.

An episode is what begins with a refusal and ends with the next accepted request: milliseconds at
a sliding window, minutes at a long one that is used up. A cycle runs from the end of an episode to
the end of the next.
"""

from __future__ import annotations

import math

__all__ = ["Pace"]

_REFUSED = 0.007
"""The share of requests that may be refused."""
_SMALLEST, _LARGEST = 0.012, 0.30
"""Bounds of the step: the part by which a refusal lowers the rate."""
_HASTY = 0.05
"""Above this step refusals are allowed more often, in proportion: the rate is far off."""
_LEARNING = 1.12
"""Growth with each accepted request until the first refusal."""
_PAUSE = 0.1
"""What an episode begins with, in gaps between requests."""
_CATCH_UP = 0.02
"""Seconds of lateness, of timers and a busy loop, that are made up for."""
_LONG = 20
"""A window is long if it was seen to stay shut for this many requests."""
_LEAST, _MOST, _LONG_STEP = 0.8, 1.2, 0.1
"""How far the rate may be from what a long window delivers, and its largest step: a long window
answers late, and its past sends come back as an echo."""
_LOST = 30.0
"""Seconds after which the answer to a probe isn't waited for any longer."""


class Pace:
    """When the next request may go, learnt from the answers to those before.

    Args:
        rate: Requests per second to begin with.

    Attributes:
        rate: Requests per second as now believed.
        learning: True until the first refusal: the quota was never reached.
    """

    __slots__ = (
        "_accepted",
        "_before",
        "_began_at",
        "_cut_at",
        "_cycle_at",
        "_early",
        "_horizon",
        "_in_episode",
        "_last_refused_at",
        "_mark_at",
        "_marked",
        "_next_at",
        "_now",
        "_now_at",
        "_probe",
        "_probing",
        "_refused",
        "_since",
        "_spread",
        "_step",
        "_typical",
        "learning",
        "rate",
    )

    def __init__(self, rate: float) -> None:
        self.rate: float = rate
        self.learning: bool = True
        self._step = _LARGEST
        self._next_at = -math.inf
        # The cycle: when it began, what was accepted, and how many accepts could raise the rate.
        self._cycle_at = math.nan
        self._accepted = 0
        self._since = 0
        # The episode: when it began, its refusals, and the last moment that changed the rate.
        # What was sent before that tells nothing of the new one.
        self._in_episode = False
        self._began_at = 0.0
        self._refused = 0
        self._cut_at = -math.inf
        self._probing = False
        self._probe: float | None = None
        self._last_refused_at = 0.0
        # Experience: refusals per episode, how irregular cycles are, early refusals in a row.
        self._typical = 1.0
        self._spread = 0.0
        self._early = 0
        # What is accepted while refusals keep coming early is the quota itself.
        self._mark_at = 0.0
        self._marked = 0.0
        # The longest that requests were refused, and what was accepted in that long a time, twice.
        self._horizon = 0.0
        self._before = (0.0, 0)
        self._now_at = 0.0
        self._now = 0

    @classmethod
    def near(cls, limit: int, per: float, now: float, *, slides: bool) -> Pace:
        """A pace that begins at a rate that was told, and doesn't have to learn it.

        Args:
            limit: Requests that were told to be accepted in a window.
            per: Length of the window in seconds.
            now: The time.
            slides: Whether that is the quota, only that its window slides. Otherwise refusals
                have shown that there is another, of which nothing is told.
        """
        pace = cls(limit / per)
        pace.learning = False
        pace._step = _HASTY if slides and limit > _LONG else _LARGEST / 2
        pace._next_at = pace._cut_at = pace._cycle_at = pace._mark_at = pace._now_at = now
        pace._before = (now, 0)
        if slides:
            pace._horizon = per
            pace._before = (now - per, limit)
        return pace

    def due(self) -> float:
        """When the next request may go."""
        return self._next_at if self._probe is None else self._probe + _LOST

    def sent(self, now: float) -> None:
        """Count a request that goes now."""
        if math.isnan(self._cycle_at):
            self._cycle_at = self._now_at = now
            self._before = (now, 0)
        late = now - self._next_at
        self._next_at = (self._next_at if late < _CATCH_UP else now) + 1 / self.rate
        if self._probing:
            self._probe = now

    def unanswered(self, sent_at: float, *, sent: bool) -> None:
        """Take note of a request that will not be answered.

        Args:
            sent_at: When it was sent.
            sent: False if the server surely didn't see it, so that another may go instead.
        """
        if self._probe == sent_at:
            self._probe = None
        elif not sent:
            self._next_at -= 1 / self.rate

    def accepted(self, sent_at: float, now: float, *, held: bool) -> None:
        """Learn from a request that was accepted.

        Args:
            sent_at: When it was sent.
            now: When its answer came.
            held: Whether it had waited for its slot. A rate that nobody uses proves nothing.
        """
        self._accepted += 1
        self._marked += 1
        self._now += 1
        if now - self._now_at > self._horizon and not (self.learning or self._in_episode):
            self._before = (self._now_at, self._now)
            self._now_at, self._now = now, 0
        if sent_at < self._cut_at:
            return
        if self._in_episode:
            self._recover(sent_at, now)
        if held:
            self._grow(now)

    def refused(self, sent_at: float, now: float, wait: float | None = None) -> None:
        """Learn from a request that was refused for going too fast.

        Args:
            sent_at: When it was sent.
            now: When its answer came.
            wait: Seconds for which the server wants to see nothing, if it said so.
        """
        self._refused += 1
        if sent_at < self._cut_at:
            return
        if not self._in_episode:
            self._in_episode = True
            self._began_at = now
            self._cut(now)
            pause = _PAUSE / self.rate
        else:
            self._probing = True
            pause = max(_PAUSE / self.rate, (now - self._began_at) / 2)
        if wait is not None:
            self._probing = True
            pause = wait
        self._cut_at = now
        self._last_refused_at = sent_at if wait is None else now + wait
        self._probe = None
        self._next_at = max(now, 0.0 if self._probing else self._next_at) + pause

    def _grow(self, now: float) -> None:
        if self.learning:
            self.rate *= _LEARNING
            return
        self._since += 1
        share = self._share()
        expected = self._typical / share
        overdue = self._since > (1.25 + 1.8 * self._spread) * expected
        if overdue and now - self._cycle_at > 1.25 * self._horizon:
            largest = _LONG_STEP if self._long() else _LARGEST
            self._step = max(self._step, min(largest, self._step * (1 + 5 / expected)))
        if self._long() and self.rate > _MOST * self._delivered(now):
            return
        self.rate *= 1 + self._step * share / self._typical

    def _cut(self, now: float) -> None:
        if self.learning:
            self.learning = False
            self.rate *= 1 - self._step
            self._mark_at, self._marked = now, 0.0
            return
        timely = self._since * self._share() / self._typical
        self._spread += (min(1.5, abs(timely - 1)) - self._spread) * 0.2
        if timely >= 0.1:
            self._early = 0
            if timely > 0.3:
                self._step = max(_SMALLEST, self._step * 0.7)
                self._horizon *= 0.95
            self.rate *= 1 - self._step
            self._mark_at, self._marked = now, 0.0
        else:
            self._cut_early(now)
        if self._long():
            self.rate = max(self.rate, _LEAST * self._delivered(now))

    def _cut_early(self, now: float) -> None:
        self._early += 1
        lowest = self.rate * (1 - self._step * (1 if self._early == 1 else 3))
        if self._early > 2 and not self._long():
            self._step = min(_LARGEST, self._step * 2)
        delivered = self._marked / max(now - self._mark_at, 1e-9)
        self.rate = max(lowest, min(delivered, self.rate * (1 - _SMALLEST)))
        # The older half counts half: the quota may have changed meanwhile.
        self._marked /= 2
        self._mark_at = (self._mark_at + now) / 2

    def _recover(self, sent_at: float, now: float) -> None:
        first = self._horizon == 0
        shut = now - self._began_at
        self._horizon = max(self._horizon, shut)
        if self._probing:
            self._measure(sent_at, now, shut, first=first)
            self._probing = False
            self._probe = None
            self._next_at = sent_at + 1 / self.rate
        if self._early > 1:
            self._typical = 1.0
        elif not first:
            self._typical += (self._refused - self._typical) / 4
            if self._long():
                self.rate = max(self.rate, _LEAST * self._delivered(now))
        self._in_episode = False
        self._refused = 0
        self._since = 0
        self._accepted = 0
        self._cycle_at = now

    def _measure(self, sent_at: float, now: float, shut: float, *, first: bool) -> None:
        # The quota was back at some time between the last probe that failed and this one.
        late = max(0.0, sent_at - self._last_refused_at) / 2
        self._mark_at += late
        cycle = now - self._cycle_at - late
        measured = self.rate
        if self._accepted >= 50 and (shut > 0.05 * cycle or self._long()):
            measured = self._accepted / cycle
            off = abs(1 - measured / self.rate)
            if shut > 0.3 * cycle:
                off = min(0.04, off)
                if first:
                    self._typical = 3.0
            self._step = min(self._step, max(_SMALLEST, off))
        elif self._marked > 2:
            measured = self._marked / max(now - self._mark_at, 1e-9)
            measured = max(measured, self.rate * (1 - 3 * self._step))
        self.rate = min(self.rate, measured)

    def _share(self) -> float:
        return _REFUSED * max(1.0, self._step / _HASTY)

    def _long(self) -> bool:
        return self._horizon * self.rate > _LONG

    def _delivered(self, now: float) -> float:
        at, accepted = self._before
        return (accepted + self._now) / (now - at) if now > at else self.rate
