"""A quota that the server tells of in headers: how much is left, until when, by whose clock.

Nothing here reads a clock or waits: times come in as seconds of the caller's own clock, and the
server's clock is estimated from the windows that requests turn out to be counted in.
"""

from __future__ import annotations

import math

from jibble_async.limits.headers import Reading

__all__ = ["Allowance", "Window"]

_SAME = 0.0005
"""Two instants closer than this, in seconds, are one."""
_OPENED = 0.003
"""How long after the end of a window that isn't aligned the next one is opened."""
_NOISE = 4
"""How many mean deviations of the travel time to stay away from the ends of a window."""
_GAIN = 0.5
"""The part of a usual error of the estimated clock that is corrected at once."""
_ALIGNED = 8
_DISTRUST, _MOST_DOUBT = 6, 30


class Window:
    """A window of the server's quota, foreseen or told of.

    Attributes:
        after: When the one before it ended, by the server's clock.
        ends: When it ends.
        left: How many more requests may be sent into it.
        base: Serial number of the last request before it.
        heard: Serial number of the newest request in it that was answered; 0 if none was.
    """

    __slots__ = ("after", "base", "ends", "heard", "left")

    def __init__(self, *, after: float, ends: float, left: int, base: int) -> None:
        self.after: float = after
        self.ends: float = ends
        self.left: int = left
        self.base: int = base
        self.heard: int = 0


class Allowance:
    """When the next request may go so that what is left is spread over what is left of the window.

    Attributes:
        limit: Requests in a window, as last seen; 0 until told.
        per: Length of a window in seconds; 0 until told.
        hidden: Whether requests were refused by a limit of which nothing is told.
    """

    __slots__ = (
        "_arrival",
        "_count",
        "_distrusted",
        "_doubt",
        "_lead",
        "_noise",
        "_told",
        "_trip",
        "_whole",
        "_window",
        "hidden",
        "limit",
        "per",
    )

    def __init__(self) -> None:
        self.limit: int = 0
        self.per: float = 0.0
        self.hidden: bool = False
        self._window = Window(after=-math.inf, ends=-math.inf, left=0, base=0)
        self._count = 0
        # By the server's clock: the newest end of a window told of, the newest arrival foreseen.
        self._told = -math.inf
        self._arrival: float = -math.inf
        # The server's clock less ours, the usual round trip, and its deviation one way.
        self._lead = math.nan
        self._trip = 0.0
        self._noise = 0.0
        # Ends of windows in a row that were whole windows apart, as those of a server's clock are.
        self._whole = 0
        self._doubt = 0
        self._distrusted = False

    @property
    def known(self) -> bool:
        """Whether the headers tell of windows that end at one instant, and can be relied on."""
        return self.limit > 0 and not self._distrusted

    def due(self) -> float:
        """When the next request may go, by the caller's clock; meaningful only while `known`."""
        window = self._window
        margin = min(_NOISE * self._noise, self.per / 4)
        least = self.per / self.limit / 2 if self._whole >= _ALIGNED else _OPENED
        arrival = window.ends + max(margin, least)
        if window.left >= 1:
            # Half a gap stays free at the end, for those that take longer than usual.
            gap = (window.ends - margin - self._arrival) / (window.left + 0.5)
            arrival = min(arrival, self._arrival + max(gap, 0.0))
        return arrival - self._lead - self._trip / 2

    def sent(self, now: float) -> tuple[Window | None, int]:
        """Count a request that goes now: the window it is foreseen for, and its serial number."""
        self._count += 1
        if not self.limit:
            return None, self._count
        arrival = max(now + self._lead + self._trip / 2, self._arrival)
        if self._distrusted:
            self._arrival = arrival
            return None, self._count
        window = self._window
        if arrival >= window.ends:
            ends = arrival + self.per
            if self._whole >= _ALIGNED:
                ends = window.ends + ((arrival - window.ends) // self.per + 1) * self.per
            window = self._window = Window(
                after=window.ends, ends=ends, left=self.limit, base=self._count - 1
            )
        window.left -= 1
        self._arrival = arrival
        return window, self._count

    def told(
        self, window: Window | None, serial: int, reading: Reading, *, refused: bool = False
    ) -> None:
        """Learn what is left from the headers of an answer.

        Args:
            window: The window that the request was foreseen for.
            serial: The request's serial number.
            reading: What the headers say.
            refused: Whether the request was refused, and so not counted by the server.
        """
        self._classify(reading)
        self.per = reading.per
        current = self._window
        if refused:
            self._doubts(2)
            self.hidden |= reading.remaining > 0
        if window is current and reading.resets_at <= current.after + _SAME:
            # It came early, and was counted in the window before.
            current.left += 1
            return
        if reading.resets_at < self._told - _SAME:
            return
        self._told = reading.resets_at
        left = reading.remaining - (self._count - serial)
        if window is current and not current.heard:
            current.ends = reading.resets_at
        elif reading.resets_at > current.ends + _SAME:
            window = current = self._window = Window(
                after=current.ends, ends=reading.resets_at, left=left, base=serial - 1
            )
        elif reading.resets_at < current.ends - _SAME:
            return
        if window is not current or refused:
            current.left = min(current.left, left)
        elif serial > current.heard:
            # Answers that overtook each other make single readings too high or too low; only a
            # quota that was raised makes them far too high.
            if current.heard and left < current.left + self.limit / 4:
                left = min(left, current.left)
            current.heard = serial
            current.left = left
            if not self._doubt or not self.limit:
                self.limit = max(1, reading.remaining + serial - current.base)

    def refused(self, window: Window | None) -> None:
        """Learn from a refusal whose headers don't tell of the window."""
        if window is None:
            return
        self._doubts(2)
        # With much left it was another limit, of which nothing is told.
        if window.left > max(1, self.limit // 10):
            self.hidden = True
        else:
            window.left = min(window.left, 0)

    def unsent(self, window: Window | None) -> None:
        """Take back what `sent` counted, for a request that the server surely didn't see."""
        if window is not None:
            window.left += 1

    def timed(self, sent_at: float, now: float, reading: Reading, date: float | None) -> None:
        """Learn from an answer what the server's clock shows.

        Args:
            sent_at: When the request was sent.
            now: When its answer came.
            reading: What the headers say.
            date: The server's clock in whole seconds, if told.
        """
        trip = now - sent_at
        counted_at = sent_at + trip / 2
        least = reading.resets_at - reading.per - counted_at
        most = reading.resets_at - counted_at
        if date is not None:
            least, most = max(least, date - now), min(most, date + 1 - sent_at)
        if math.isnan(self._lead):
            self._lead = (least + most) / 2
            self._trip = trip
            self._arrival = now + self._lead + trip / 2
            return
        deviation = abs(trip - self._trip) / 2
        usual = 4 * self._noise + 0.002
        self._trip += (trip - self._trip) / 4
        self._noise += (deviation - self._noise) / 16
        if deviation > usual:
            return
        error = max(least - self._lead, 0.0) + min(most - self._lead, 0.0)
        self._lead += error if abs(error) > usual else error * _GAIN

    def _classify(self, reading: Reading) -> None:
        jump = abs(reading.resets_at - self._told)
        if jump < _SAME or jump == math.inf:
            return
        if jump < reading.per - _SAME:
            # A window that slides: its end moves with every request.
            self._doubts(2)
        else:
            whole = abs(jump - round(jump / reading.per) * reading.per) < _SAME
            self._whole = self._whole + 1 if whole else 0
            self._doubts(-1)

    def _doubts(self, more: int) -> None:
        self._doubt = min(max(self._doubt + more, 0), _MOST_DOUBT)
        self._distrusted = self._doubt >= (1 if self._distrusted else _DISTRUST)
