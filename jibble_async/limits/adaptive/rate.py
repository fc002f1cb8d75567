"""A rate estimator: how fast a server that tells nothing lets requests through.

Congestion control for requests instead of packets: a refusal is a loss, an accepted request an
acknowledgement, the quota a bottleneck without a queue. The parts and their relatives:

- *Pacing* (GCRA with next to no burst): requests go `1 / rate` apart.
- *An initial window* (RFC 6928): a program that only wants a few answers is not paced. At first,
  and again after idling, five may go at once, to begin with each when the one before was answered
  (self-clocking). Once a rate is known they are an advance on what even pacing would send:
  idling has to come before them, and a pause comes after, so that no window sees more.
- *Slow start* until the first refusal: growth with each accepted request.
- *Multiplicative increase, multiplicative decrease* afterwards, balanced by the loss that is to be
  expected, as in TCP-friendly rate control: a refusal lowers the rate by `step`, and the requests
  accepted until the next one is due raise it by as much. So 0.7 % are refused, whatever the quota
  and the step. (AIMD, by contrast, oscillates by its fixed decrease, and is refused the more, the
  smaller the quota.)
- *A step that adapts*, as in trust-region or resilient back-propagation: refusals that come in
  time halve it, which brings the rate close to the quota; early ones triple it, overdue ones
  widen it, which follows a quota that changed.
- *Probing with exponential back-off* while a window is used up, one request at a time.
- *A delivery rate* (BBR's bottleneck estimate): what was accepted in a whole cycle of a long window
  is what the quota allows. A rate never rises by it, as a lull would look like a small quota.

An episode begins with a refusal and ends with the next accepted request: milliseconds at a sliding
window, minutes at a long one that is used up. A cycle goes from the end of one episode to the end
of the next. Nothing here reads a clock or waits, and all state is plain data.
"""

from __future__ import annotations

import math

from msgspec import Struct

from jibble_async.limits.adaptive.deliveries import Cycle, Windows

__all__ = ["Episode", "RateEstimator"]

REFUSED_SHARE = 0.007
"""The share of requests that may be refused: the promise is 1 %, and what a window's end adds to
each refusal (two or three that are under way) comes on top."""
SLOW_START = 1.12
"""Growth with each accepted request: the rate doubles in six of them, so 4/s becomes 50/s in 23."""
SMALLEST_STEP, LARGEST_STEP = 0.012, 0.30
"""The part by which a refusal lowers the rate. On average half the smallest step is lost; the
largest is what slow start may have overshot by while an answer travels."""
LARGEST_LONG_STEP = 0.10
"""The same for long windows: they answer late, and what was sent before comes back as an echo."""
TRUSTED_STEP = 0.05
"""Above this step the rate is far off, and refusals are allowed more often, in proportion."""
PATIENCE = 1.5
"""A refusal is overdue after this many times the accepted requests that were expected before it."""
WIDENING = 5.0
"""While a refusal is overdue, the step grows e-fold in a fifth of the requests expected."""
HASTE = 3.0
"""Each early refusal after the first makes the step as many times as large: from the smallest to
the largest in three. Doubling takes a second longer to follow a fall from 10/s to 4/s."""
EARLY, FEWEST_RAISES = 0.1, 6
"""A refusal is early if it comes after less than this part of the accepted requests expected, or
after fewer than 6 that raised the rate: a large step expects next to none, so that the refusals of
a quota that fell would pass for timely ones."""
LONG_WINDOW = 20
"""A window is long if it stays shut for the time of this many requests."""
FEWEST_MEASURED = 10
"""Fewer accepted requests than this measure no rate: their number is off by a tenth and more. And a
server that refuses the first request for a minute is not one that takes a request a minute."""
LEAST_DELIVERED = 0.8
"""A measurement lowers the rate to this part of what the last windows delivered at least. In a
cycle that is shorter than its window requests are refused for what was sent before it, as when a
quota falls: that would measure next to nothing, and take hours to climb back from."""
SPENT, SPENT_STEP, SPENT_REFUSALS = 0.3, 0.04, 3.0
"""A long window that was shut for 0.3 of its cycle was used up far too early. Then its delivery
rate is all of the quota, good to 4 %, and back-off meets about three refusals in an episode."""
PAUSE = 0.1
"""The part of a gap by which the request after a refusal goes later. It takes even pacing out of
step with a window that begins with its first request: there it would be refused at each end."""
MEMORY = 4
"""Refusals per episode are averaged over about this many episodes."""
LATENESS = 0.02
"""Seconds that are made up for when a request goes late: a timer's tick (15.6 ms on Windows) and a
callback or two. More would be a burst after idling."""
BURST = 5
"""Requests that may go at once: a command's, or a page's of a web application."""
SHORTEST_WINDOW = 1.0
"""No window is believed to be shorter, in seconds: a burst must fit into one. The one header that
is documented tells of a window of a second (documented: limits)."""
LOST = 30.0
"""Seconds after which the answer to a probe isn't waited for any longer."""


class Episode(Struct):
    """Refusals in a row."""

    since: float
    refused: int = 1
    probing: bool = False
    """Whether requests go one at a time."""
    shut_until: float = 0.0
    """The last moment at which the window is known to have been used up."""


class RateEstimator(Struct):
    """When the next request may go, learnt from the answers to those before.

    Times are seconds of one clock that never goes back, or below 0.

    Attributes:
        rate: Requests per second as now believed.
        learning: True until the first refusal: the quota was never reached.
        step: The part by which the next refusal lowers the rate.
        next_at: When the next request may go, unless a probe or a burst is under way.
        probe_at: When the probe was sent whose answer is waited for.
        judged_from: Answers to what was sent before tell of a rate that has changed since.
        raises: Accepted requests that raised the rate since the last episode.
        early: Early episodes in a row.
        usual_refusals: Refusals in an episode, on average.
        longest_shut: The longest that an episode took: a window is about as long.
        cycle: What was accepted since the last episode that was not early.
        windows: What the last two windows accepted.
        episode: The refusals that go on at present.
        burst: Requests that may go at once after idling, at most.
        ahead: How many of these may still go before it is their time.
        requests: Requests that went.
        answers: Requests that were accepted.
    """

    rate: float
    learning: bool = True
    step: float = LARGEST_STEP
    next_at: float = -math.inf
    probe_at: float | None = None
    judged_from: float = 0.0
    raises: int = 0
    early: int = 0
    usual_refusals: float = 1.0
    longest_shut: float = 0.0
    cycle: Cycle | None = None
    windows: Windows | None = None
    episode: Episode | None = None
    burst: int = BURST
    ahead: int = 0
    requests: int = 0
    answers: int = 0

    @classmethod
    def told(cls, limit: int, per: float, now: float, *, slides: bool) -> RateEstimator:
        """An estimator that begins at a rate that was told, and need not climb to it.

        Args:
            limit: Requests that were told to be accepted in a window.
            per: Length of the window in seconds.
            now: The time.
            slides: Whether that is the quota, only that its window slides. Otherwise refusals
                have shown that there is another, of which nothing is told.
        """
        sure = slides and limit > LONG_WINDOW
        return cls(
            rate=limit / per,
            learning=False,
            step=TRUSTED_STEP if sure else LARGEST_STEP / 2,
            next_at=now,
            judged_from=now,
            longest_shut=per if slides else 0.0,
            cycle=Cycle(now),
        )

    @property
    def near(self) -> bool:
        """Whether the rate is known to be near the quota; otherwise it is no more than a guess."""
        return not self.learning and self.step <= TRUSTED_STEP

    @property
    def awaits_answer(self) -> bool:
        """Whether an answer that may come at any time lets the next request go."""
        return self.probe_at is not None or self.ahead > 0

    def due(self) -> float:
        """When the next request may go."""
        if self.probe_at is not None:
            return self.probe_at + LOST
        # One by one to begin with: a quota of one request a second refuses one of them, not four.
        answered = self.requests <= max(self.answers, 2 * (self.answers - BURST))
        return -math.inf if self.ahead > 0 and answered else self.next_at

    def sent(self, now: float) -> None:
        """Count a request that goes now."""
        if self.cycle is None:
            self.cycle = Cycle(now)
        late = now - self.next_at
        # A burst that was not used is over when its requests would have had their time.
        if late >= 0:
            size = self._burst_size() if late >= LATENESS else 0
            self.ahead = size if late * self.rate >= size else 0
        # A rate that is a guess needs no pause after the burst to make up for it.
        guessed = self.learning and self.ahead > 0
        self.next_at = (now if guessed or late >= LATENESS else self.next_at) + 1 / self.rate
        self.ahead = max(0, self.ahead - 1)
        self.requests += 1
        if self.episode is not None and self.episode.probing:
            self.probe_at = now

    def unanswered(self, sent_at: float, *, sent: bool) -> None:
        """Take note of a request that will not be answered.

        Args:
            sent_at: When it was sent.
            sent: False if the server surely didn't see it, so that another may go instead.
        """
        if not sent:
            self.requests -= 1
        if self.probe_at == sent_at:
            self.probe_at = None
        elif not sent:
            self.next_at -= 1 / self.rate

    def move(self, by: float) -> None:
        """Let all times be later by some seconds; what was under way is not waited for."""
        self.next_at += by
        self.judged_from += by
        self.probe_at = None
        self.requests = min(self.requests, self.answers)
        if self.cycle is not None:
            self.cycle.since += by
        if self.windows is not None:
            self.windows.move(by)
        if self.episode is not None:
            self.episode.since += by
            self.episode.shut_until += by

    def accepted(self, sent_at: float, now: float, *, held: bool, room: bool = False) -> None:
        """Learn from a request that was accepted.

        Args:
            sent_at: When it was sent.
            now: When its answer came.
            held: Whether it had waited for its slot. A rate that nobody uses proves nothing.
            room: Whether the answer told of room for as many again, so that a refusal is overdue.
        """
        cycle = self.cycle = self.cycle or Cycle(sent_at)
        cycle.accepted += 1
        self.answers += 1
        if self.windows is None:
            self.windows = Windows(Cycle(sent_at), Cycle(sent_at))
        # While nothing is known of windows, or one is shut, none begins.
        unknown = self.learning or self.episode is not None
        self.windows.count(now, math.inf if unknown else self.longest_shut)
        if sent_at < self.judged_from:
            return
        if self.episode is not None:
            self._recover(cycle, self.episode, sent_at, now)
        if held:
            self._raise(now, room=room)

    def refused(
        self, sent_at: float, now: float, wait: float | None = None, *, held: bool = True
    ) -> None:
        """Learn from a request that was refused for going too fast.

        Args:
            sent_at: When it was sent.
            now: When its answer came.
            wait: Seconds for which the server wants to see nothing, if it said so.
            held: Whether it had waited for its slot.
        """
        self.ahead = 0
        if not held and not self.learning:
            # So many at once are too many, or somebody else uses the quota.
            self.burst = max(1, self.burst // 2)
        if self.episode is not None:
            self.episode.refused += 1
        # One decision for all that was under way together, as TCP halves once a round trip.
        if sent_at < self.judged_from:
            return
        self.judged_from = now
        self.probe_at = None
        episode = self.episode
        if episode is None:
            episode = self.episode = Episode(now)
            self._lower(now)
            self.next_at = max(now, self.next_at) + PAUSE / self.rate
        else:
            # Refused again at a lower rate: the window is shut, and all but one request wait.
            # Pauses of half the time that went by make each probe 1.5 times as late as the last.
            episode.probing = True
            self.next_at = now + (now - episode.since) / 2
        episode.shut_until = sent_at
        if wait is not None:
            episode.probing = True
            episode.shut_until = self.next_at = now + wait

    def _burst_size(self) -> int:
        if self.learning:
            return self.burst
        if self.episode is not None:
            return 1
        most = self.rate * max(SHORTEST_WINDOW, self.longest_shut)
        return max(1, min(self.burst, int(most)))

    def _expected(self) -> float:
        """Accepted requests to the next refusal."""
        share = REFUSED_SHARE * max(1.0, self.step / TRUSTED_STEP)
        return self.usual_refusals / share

    def _raise(self, now: float, *, room: bool) -> None:
        if self.learning:
            self.rate *= SLOW_START
            return
        self.raises += 1
        expected = self._expected()
        # A long window can't refuse before it is full, however long that takes.
        cycle = self.cycle
        full = cycle is None or now - cycle.since > self.longest_shut
        if full and (room or self.raises > PATIENCE * expected):
            largest = LARGEST_LONG_STEP if self._long() else LARGEST_STEP
            self.step = max(self.step, min(largest, self.step * (1 + WIDENING / expected)))
        # As many as are expected raise the rate by what the refusal will lower it.
        self.rate *= 1 + self.step / expected

    def _lower(self, now: float) -> None:
        if self.learning:
            self.learning = False
        elif self.raises >= max(FEWEST_RAISES, EARLY * self._expected()):
            self.early = 0
            self.step = max(SMALLEST_STEP, self.step / 2)
        else:
            self._lower_early(now)
            return
        self.rate *= 1 - self.step

    def _lower_early(self, now: float) -> None:
        # Early once may be chance: an answer that was late. Twice, and the rate is too high by more
        # than a step; what gets through meanwhile tells how far to go, the step how far at once.
        self.early += 1
        lowest = self.rate * (1 - self.step)
        if self.early > 1 and not self._long():
            self.step = min(LARGEST_STEP, self.step * HASTE)
        delivered = math.inf if self.cycle is None else self.cycle.delivery_rate(now)
        self.rate = max(lowest, min(delivered, self.rate * (1 - SMALLEST_STEP)))

    def _recover(self, cycle: Cycle, episode: Episode, sent_at: float, now: float) -> None:
        first = not self.longest_shut
        shut = now - episode.since
        self.longest_shut = max(self.longest_shut, shut)
        if episode.probing:
            self.probe_at = None
            # Whoever waited for the answer was not idle.
            self.next_at = max(self.next_at, now)
            self._measure(cycle, episode, sent_at, now, first=first)
        if self.early > 1:
            # They came of a quota that fell, and say nothing of how its windows end.
            self.usual_refusals = 1.0
        elif not first:
            self.usual_refusals += (episode.refused - self.usual_refusals) / MEMORY
        self.episode = None
        self.raises = 0
        # Early episodes are parts of one cycle, as each is too short to measure anything.
        if not self.early:
            self.cycle = Cycle(now)

    def _measure(
        self, cycle: Cycle, episode: Episode, sent_at: float, now: float, *, first: bool
    ) -> None:
        # The window opened at some time between the last probe that failed and this one.
        opened_at = now - max(0.0, sent_at - episode.shut_until) / 2
        measured = cycle.delivery_rate(opened_at)
        if self._long() and cycle.accepted >= FEWEST_MEASURED:
            if not first and self.windows is not None:
                measured = max(measured, LEAST_DELIVERED * self.windows.delivery_rate(now))
            off = abs(1 - measured / self.rate)
            if now - episode.since > SPENT * (opened_at - cycle.since):
                off = min(SPENT_STEP, off)
                if first:
                    self.usual_refusals = SPENT_REFUSALS
            self.step = min(self.step, max(SMALLEST_STEP, off))
        else:
            measured = max(measured, self.rate * (1 - self.step))
        self.rate = min(self.rate, measured)

    def _long(self) -> bool:
        return self.longest_shut * self.rate > LONG_WINDOW
