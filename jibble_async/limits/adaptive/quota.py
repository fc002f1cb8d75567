"""A quota that the server tells of in headers: how much is left, until when, by whose clock.

Nothing here reads a clock or waits, and all state is plain data: times come in as seconds of the
caller's own clock, and the server's clock is estimated from the windows that requests turn out to
be counted in, as NTP does from time stamps: an answer shows that the server's clock stood within
an interval when the request arrived, and the intervals of many answers have little in common.
"""

from __future__ import annotations

import math

from msgspec import Struct, field

from jibble_async.limits.headers import Reading

__all__ = ["ToldQuota", "Window"]

SAME_INSTANT = 0.0005
"""Instants closer than this, in seconds, are one: some servers round to a millisecond."""
TIMER_ERROR = 0.003
"""Seconds that a timer, a busy loop and a server's queue may add to a request's travel time. A
window that isn't aligned is opened by the first request after the last one ended: one that comes
early is counted in the old one, and refused."""
DEVIATIONS = 4
"""Mean deviations of the travel time to stay away from the ends of a window, as TCP's time-out
(RFC 6298) stays away from the round trip."""
TRIP_GAIN, DEVIATION_GAIN = 1 / 4, 1 / 16
"""How fast the usual travel time and its deviation are learnt. The time must follow a connection
that slows down; the deviation must outlast a quiet minute."""
CLOCK_GAIN = 0.5
"""The part of a clock error that is corrected at once, where travel times explain it."""
ODD = 2
"""Answers in a row whose window ends more than two periods from when it may: one is wrong, and is
not believed; two come from a clock that was set, with which all begins anew."""
ALIGNED = 8
"""Ends of windows in a row that were whole windows apart, until the next is foreseen to be so."""
SLIDING_DOUBT, DISTRUSTED, MOST_DOUBT = 2, 6, 30
"""A window that seems to slide, or a refusal, adds 2 doubts, one that ends as told takes 1 away. At
6 the headers aren't relied on, until no doubt is left, which takes 30 good ones at most."""


class Window(Struct):
    """A window of the server's quota, foreseen or told of.

    Attributes:
        number: Tells it from others; from 1.
        after: When the one before it ended, by the server's clock.
        ends: When it ends.
        left: How many more requests may be sent into it.
        base: Serial number of the last request before it.
        heard: Serial number of the newest request in it that was answered; 0 if none was.
    """

    number: int
    after: float
    ends: float
    left: int
    base: int
    heard: int = 0


class ServerClock(Struct):
    """The server's clock as seen through answers.

    Attributes:
        lead: Seconds by which it is ahead of ours; NaN before the first answer.
        trip: The usual round trip in seconds.
        deviation: How much a request's way there deviates from half of that, on average.
        least: What `lead` is at least, by all answers so far.
        most: What it is at most.
    """

    lead: float = math.nan
    trip: float = 0.0
    deviation: float = 0.0
    least: float = -math.inf
    most: float = math.inf

    @property
    def doubt(self) -> float:
        """Seconds by which `lead` may be wrong, as answers still leave room for more."""
        width = self.most - self.least
        return width / 2 if 4 * TIMER_ERROR < width < math.inf else 0.0

    def arrival(self, sent_at: float) -> float:
        """When a request that is sent at `sent_at` arrives, by the server's clock."""
        return sent_at + self.lead + self.trip / 2

    def departure(self, arrives_at: float) -> float:
        """When to send a request that arrives at `arrives_at`."""
        return arrives_at - self.lead - self.trip / 2

    def heard(self, sent_at: float, now: float, reading: Reading, date: float | None) -> None:
        """Learn from an answer; see `ToldQuota.timed`."""
        trip = now - sent_at
        counted_at = sent_at + trip / 2
        # It was counted in the window that it tells of, and answered in the second of `Date`.
        least = reading.resets_at - reading.per - counted_at
        most = reading.resets_at - counted_at
        if date is not None:
            least, most = max(least, date - now), min(most, date + 1 - sent_at)
        if math.isnan(self.lead):
            self.least, self.most = least, most
            self.lead = (least + most) / 2
            self.trip = trip
            return
        deviation = abs(trip - self.trip) / 2
        usual = DEVIATIONS * self.deviation + TIMER_ERROR
        if self.doubt and deviation <= max(usual, self.trip / 2):
            self.least, self.most = max(self.least, least), min(self.most, most)
            self.lead = (self.least + self.most) / 2
        self.trip += (trip - self.trip) * TRIP_GAIN
        self.deviation += (deviation - self.deviation) * DEVIATION_GAIN
        # An answer that took unusually long doesn't say on which way.
        if deviation > usual:
            return
        error = max(least - self.lead, 0.0) + min(most - self.lead, 0.0)
        # A clock that was set is followed at once, one that seems to jitter slowly.
        self.lead += error if abs(error) > usual else error * CLOCK_GAIN


class ToldQuota(Struct):
    """When the next request may go so that what is left is spread over what is left of the window.

    Attributes:
        limit: Requests in a window, as last seen; 0 until told.
        per: Length of a window in seconds; 0 until told.
        hidden: Whether requests were refused by a limit of which nothing is told.
        window: The window that requests are sent into at present.
        clock: The server's clock.
        count: Requests so far; the serial number of the last.
        newest_end: The latest end of a window that was told, by the server's clock.
        arrival: The latest arrival that was foreseen, by the server's clock.
        aligned: Ends of windows in a row that were whole windows apart.
        doubt: How much speaks against relying on the headers.
        distrusted: Whether they are not relied on.
        odd: Answers in a row that told of windows far from now.
    """

    limit: int = 0
    per: float = 0.0
    hidden: bool = False
    window: Window = field(default_factory=lambda: Window(1, -math.inf, -math.inf, 0, 0))
    clock: ServerClock = field(default_factory=ServerClock)
    count: int = 0
    newest_end: float = -math.inf
    arrival: float = -math.inf
    aligned: int = 0
    doubt: int = 0
    distrusted: bool = False
    odd: int = 0

    @property
    def known(self) -> bool:
        """Whether the headers tell of windows that end at one instant, and can be relied on."""
        return self.limit > 0 and not self.distrusted

    def due(self, workers: int = 1) -> float:
        """When the next request may go, by the caller's clock; meaningful only while `known`.

        Args:
            workers: How many send into the window that don't hear of each other.
        """
        window = self.window
        margin = min(DEVIATIONS * self.clock.deviation, self.per / 4)
        # Half a gap into a window that surely is there; else when the first to come opens it.
        least = self.per / self.limit / 2 if self.aligned >= ALIGNED else TIMER_ERROR
        arrival = window.ends + max(margin, least)
        if doubt := min(self.clock.doubt, self.per / 2):
            # It has surely begun only later. The last request into the one before goes when that
            # may or may not have ended, which halves the doubt.
            arrival += doubt
            if window.left == 1:
                return self.clock.departure(window.ends - TIMER_ERROR)
        if window.left >= 1:
            # Half a gap stays free at the end, for those that take longer than usual.
            gap = (window.ends - margin - self.arrival) / (window.left + 0.5)
            arrival = min(arrival, self.arrival + max(gap, 0.0) * workers)
        return self.clock.departure(arrival)

    def sent(self, now: float) -> tuple[int, int]:
        """Count a request that goes now.

        Returns:
            The number of the window it is foreseen for, 0 if none is, and its serial number.
        """
        self.count += 1
        if not self.limit:
            return 0, self.count
        self.arrival = max(self.clock.arrival(now), self.arrival)
        if self.distrusted:
            return 0, self.count
        window = self.window
        if self.arrival >= window.ends:
            ends = self.arrival + self.per
            if self.aligned >= ALIGNED:
                passed = (self.arrival - window.ends) // self.per + 1
                ends = window.ends + passed * self.per
            window = self._begin(window.ends, ends, self.limit, self.count - 1)
        window.left -= 1
        return window.number, self.count

    def told(self, window: int, serial: int, reading: Reading, *, refused: bool = False) -> None:
        """Learn what is left from the headers of an answer.

        Args:
            window: The number of the window that the request was foreseen for.
            serial: The request's serial number.
            reading: What the headers say.
            refused: Whether the request was refused, and so not counted by the server.
        """
        self._classify(reading)
        self.per = reading.per
        current = self.window
        if refused:
            self._doubt(SLIDING_DOUBT)
            self.hidden |= reading.remaining > 0
        foreseen = window == current.number
        if foreseen and reading.resets_at <= current.after + SAME_INSTANT:
            # It came early, and was counted in the window before.
            current.left += 1
            return
        if reading.resets_at < self.newest_end - SAME_INSTANT:
            return
        self.newest_end = reading.resets_at
        # The server had not yet seen what was sent since.
        left = reading.remaining - (self.count - serial)
        if foreseen and not current.heard:
            current.ends = reading.resets_at
        elif reading.resets_at > current.ends + SAME_INSTANT:
            current = self._begin(current.ends, reading.resets_at, left, serial - 1)
            foreseen = True
        elif reading.resets_at < current.ends - SAME_INSTANT:
            return
        if not foreseen or refused:
            current.left = min(current.left, left)
        elif serial > current.heard:
            # Answers that overtook each other make single readings too high or too low; only a
            # quota that was raised makes them far too high.
            if current.heard and left < current.left + self.limit / 4:
                left = min(left, current.left)
            current.heard = serial
            current.left = left
            if not self.doubt or not self.limit:
                self.limit = max(1, reading.remaining + serial - current.base)

    def refused(self, window: int) -> None:
        """Learn from a refusal whose headers don't tell of the window."""
        if not window:
            return
        self._doubt(SLIDING_DOUBT)
        current = self.window
        if window != current.number:
            return
        # With much left it was another limit, of which nothing is told.
        if current.left > max(1, self.limit // 10):
            self.hidden = True
        else:
            current.left = min(current.left, 0)

    def unsent(self, window: int) -> None:
        """Take back what `sent` counted, for a request that the server surely didn't see."""
        if window and window == self.window.number:
            self.window.left += 1

    def timed(self, sent_at: float, now: float, reading: Reading, date: float | None) -> bool:
        """Learn from an answer what the server's clock shows; False if it can't be right.

        Args:
            sent_at: When the request was sent.
            now: When its answer came.
            reading: What the headers say.
            date: The server's clock in whole seconds, if told.
        """
        clock = self.clock
        ends, leeway = reading.resets_at, 2 * reading.per
        if ends > clock.arrival(now) + leeway or ends < clock.arrival(sent_at) - leeway:
            self.odd += 1
            if self.odd < ODD:
                return False
            self.clock = clock = ServerClock()
            self._begin(-math.inf, -math.inf, 0, 0)
            self.newest_end, self.aligned = -math.inf, 0
        self.odd = 0
        first = math.isnan(clock.lead)
        clock.heard(sent_at, now, reading, date)
        if first:
            self.arrival = clock.arrival(now)
        return True

    def _begin(self, after: float, ends: float, left: int, base: int) -> Window:
        self.window = Window(self.window.number + 1, after, ends, left, base)
        return self.window

    def _classify(self, reading: Reading) -> None:
        """Find out of what kind the server's windows are from how far their ends are apart."""
        jump = abs(reading.resets_at - self.newest_end)
        if jump < SAME_INSTANT or jump == math.inf:
            return
        if jump < reading.per - SAME_INSTANT:
            # A window that slides: its end moves with every request.
            self._doubt(SLIDING_DOUBT)
        else:
            apart = abs(jump - round(jump / reading.per) * reading.per)
            self.aligned = self.aligned + 1 if apart < SAME_INSTANT else 0
            self._doubt(-1)

    def _doubt(self, more: int) -> None:
        self.doubt = min(max(self.doubt + more, 0), MOST_DOUBT)
        # Hysteresis: what is distrusted is trusted again only when no doubt is left.
        self.distrusted = self.doubt >= (1 if self.distrusted else DISTRUSTED)
