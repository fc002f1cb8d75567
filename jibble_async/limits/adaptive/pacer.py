"""When the next request may go, by what the server tells or else by what was found: pure state.

A `Pacer` is all that an adaptive limiter knows. It reads no clock, waits for nothing, and is plain
data, so that it can be in the memory of one process (`AdaptiveLimiter`), or be loaded, decided upon
and stored in one step where several share it (`SharedAdaptive`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from msgspec import Struct, field
from msgspec.msgpack import Decoder, encode

from jibble_async.limits.adaptive.quota import ToldQuota
from jibble_async.limits.adaptive.rate import LARGEST_STEP, RateEstimator
from jibble_async.limits.headers import Reading, read_date, read_limits, read_retry_after
from jibble_async.limits.slots import Outcome

__all__ = ["Heard", "Pacer", "Permit", "Soonest"]

# A shorter wait is the business of the refused call alone: if all obeyed it, a window of one
# second would stay unused for up to a fifth.
_STOPS_ALL = 2.0
# After this one request asks again, whatever was announced: a wait that is wrong must not outlast
# its cause by years.
_ASKS_AGAIN = 3600.0
# What was learnt longer ago than this, in seconds, is where to begin, and no more: plans and quotas
# change from week to week, not from day to day.
_STALE = 7 * 86400.0
# The step by which a rate that may be another by now is left.
_UNSURE = LARGEST_STEP / 2


class Permit(Struct, frozen=True):
    """What must be known of a request when its answer comes.

    Attributes:
        sent_at: When it was let go.
        held: Whether it had waited for its time.
        window: The number of the window of a told quota that it was foreseen for; 0 for none.
        serial: Its serial number.
    """

    sent_at: float
    held: bool
    window: int
    serial: int


class Heard(Struct, frozen=True):
    """What became of a request.

    Attributes:
        permit: The request.
        outcome: What became of it.
        at: When that was known.
        reading: What the answer's headers say of a quota, if they do.
        date: The server's clock in whole seconds, if told.
        wait: Seconds for which a refusal asks everybody to wait, if it does.
    """

    permit: Permit
    outcome: Outcome
    at: float
    reading: Reading | None = None
    date: float | None = None
    wait: float | None = None

    @classmethod
    def of(
        cls,
        permit: Permit,
        outcome: Outcome,
        at: float,
        headers: Mapping[str, str] | None,
        wall_clock: Callable[[], float],
    ) -> Heard:
        """What an answer tells by its headers.

        Args:
            permit: The request.
            outcome: What became of it.
            at: When that was known.
            headers: The headers of the answer, if there was one.
            wall_clock: Seconds since 1970, against which a date is taken where there is no `Date`.
        """
        # In the usual case nothing is told.
        if not headers or outcome is Outcome.NOT_SENT or outcome is Outcome.ABANDONED:
            return cls(permit, outcome, at)
        wait = None
        if outcome is Outcome.THROTTLED:
            wait = read_retry_after(headers, wall_clock())
            if wait is not None:
                wait = min(wait, _ASKS_AGAIN) if wait > _STOPS_ALL else None
        return cls(permit, outcome, at, read_limits(headers), read_date(headers), wait)


class Soonest(NamedTuple):
    """When requests may go at the earliest, by what is known and not by a guess."""

    at: float
    """When the next one may."""
    gap: float
    """Seconds between those after it."""

    def of(self, place: int) -> float:
        """When the call at a place in the queue may go."""
        return self.at + place * self.gap


class Pacer(Struct):
    """All that is known of a quota that nobody published.

    Times are seconds of one clock that never goes back, or below 0.

    Attributes:
        estimator: What was found by trying.
        quota: What the server tells.
        told: Whether that is relied on.
        asked_at: When the last request went.
        stopped_until: Until when the server asked everybody to wait.
        workers: By how many the quota is used that don't know of each other.
    """

    estimator: RateEstimator
    quota: ToldQuota = field(default_factory=ToldQuota)
    told: bool = False
    asked_at: float = -math.inf
    stopped_until: float = -math.inf
    workers: int = 1

    @property
    def rate(self) -> float:
        """Requests per second that the server is believed to accept."""
        return self.quota.limit / self.quota.per if self.told else self.estimator.rate

    @property
    def told_quota(self) -> tuple[int, float] | None:
        """Requests, and the seconds they are for, as the server tells; None if it doesn't."""
        return (self.quota.limit, self.quota.per) if self.told else None

    def due(self) -> float:
        """When the next request may go."""
        if self.told:
            due = min(self.quota.due(self.workers), self.asked_at + _ASKS_AGAIN)
        else:
            due = self.estimator.due()
        return max(due, self.stopped_until)

    def soonest(self, now: float) -> Soonest:
        """When the next requests may go at the earliest."""
        estimator = self.estimator
        if not self.told and estimator.awaits_answer:
            # The answer may come at any time, and open the window.
            return Soonest(max(now, self.stopped_until), 0.0)
        known = self.told or estimator.near
        return Soonest(max(now, self.due()), 1 / self.rate if known else 0.0)

    def let_go(self, now: float, *, held: bool) -> Permit:
        """Count a request that goes now.

        Args:
            now: The time.
            held: Whether it had to wait.
        """
        if not self.told:
            # What waited for an answer, in a burst, was not held back by the rate.
            held = held and not self.estimator.ahead
            self.estimator.sent(now)
        self.asked_at = now
        window, serial = self.quota.sent(now)
        return Permit(now, held, window, serial)

    def learn(self, heard: Heard) -> None:
        """Learn from what became of a request."""
        permit = heard.permit
        if heard.outcome is Outcome.ANSWERED or heard.outcome is Outcome.THROTTLED:
            self._answered(heard, refused=heard.outcome is Outcome.THROTTLED)
        else:
            sent = heard.outcome is not Outcome.NOT_SENT
            if not self.told:
                self.estimator.unanswered(permit.sent_at, sent=sent)
            elif not sent:
                self.quota.unsent(permit.window)
        quota = self.quota
        if self.told is not quota.known:
            if self.told:
                slides = not quota.hidden
                self.estimator = RateEstimator.told(quota.limit, quota.per, heard.at, slides=slides)
                self.estimator.rate /= self.workers
            self.told = not self.told

    def resume(self, now: float, then: float, age: float = 0.0) -> None:
        """Go on by another clock, after what was under way has ended.

        Args:
            now: The time by the new clock.
            then: The last time by the old one.
            age: Seconds that have passed since then.
        """
        by = now - then - age
        self.estimator.move(by)
        self.quota.clock.lead -= by
        self.asked_at += by
        self.stopped_until += by
        if age > _STALE:
            self.estimator = RateEstimator(
                self.rate, learning=self.estimator.learning and not self.told, step=_UNSURE
            )
            self.quota, self.told = ToldQuota(), False

    def part(self, workers: int) -> Pacer:
        """What one of several goes by while they don't hear of each other."""
        part: Pacer = _DECODER.decode(encode(self))
        part.workers = workers
        part.estimator.rate /= workers
        part.estimator.probe_at = None
        return part

    def _answered(self, heard: Heard, *, refused: bool) -> None:
        permit, now, reading = heard.permit, heard.at, heard.reading
        if reading is not None and self.quota.timed(permit.sent_at, now, reading, heard.date):
            self.quota.told(permit.window, permit.serial, reading, refused=refused)
        if not refused:
            if not self.told:
                rate, hidden = self.estimator.rate, self.quota.hidden
                room = reading is not None and reading.remaining > reading.per * rate
                self.estimator.accepted(
                    permit.sent_at, now, held=permit.held, room=room and not hidden
                )
            return
        if not self.told:
            self.estimator.refused(permit.sent_at, now, heard.wait, held=permit.held)
        elif reading is None:
            self.quota.refused(permit.window)
        if heard.wait is not None:
            self.stopped_until = max(self.stopped_until, now + heard.wait)


_DECODER = Decoder(Pacer)
