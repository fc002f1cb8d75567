"""Time off by person and day: what excuses somebody, and what nobody has decided yet."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import msgspec

from jibble_async.entities import TimeOff, TimeOffStatus

__all__ = ["Absences", "DayOff", "span_of"]


class DayOff(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What of a person's day is granted as time off.

    Attributes:
        whole: Whether it is the whole day.
        begins: When the hours begin, where hours are granted.
        ends: When they end.
        is_half: Whether it is a part of the day, and which one is not said.
    """

    whole: bool = False
    begins: datetime | None = None
    ends: datetime | None = None
    is_half: bool = False


class Absences:
    """Requests for time off, found by person and day.

    Args:
        requests: The requests, whatever became of them.

    Attributes:
        pending: Those that nobody has decided, by their first day.
    """

    def __init__(self, requests: Iterable[TimeOff]) -> None:
        self._granted: dict[str, list[tuple[date, date, DayOff]]] = {}
        self.pending: list[TimeOff] = []
        self._pending_days: dict[str, list[tuple[date, date]]] = {}
        for request in requests:
            span = span_of(request)
            if span is None or request.person_id is None:
                continue
            if request.status == TimeOffStatus.APPROVED:
                granted = (*span, _day_off(request, span))
                self._granted.setdefault(request.person_id, []).append(granted)
            elif request.status == TimeOffStatus.PENDING:
                self.pending.append(request)
                self._pending_days.setdefault(request.person_id, []).append(span)
        self.pending.sort(key=lambda request: (str(span_of(request)), request.id))

    def granted(self, person_id: str, day: date) -> list[DayOff]:
        """What of a day a person has off."""
        spans = self._granted.get(person_id, ())
        return [off for first, last, off in spans if first <= day <= last]

    def is_pending(self, person_id: str, day: date) -> bool:
        """Whether a request for the day waits for a decision."""
        spans = self._pending_days.get(person_id, ())
        return any(first <= day <= last for first, last in spans)


def span_of(request: TimeOff) -> tuple[date, date] | None:
    """The first and the last day of a request; None if it says neither.

    One of the two dates may be missing where it is a single day (observed: time-off).

    Args:
        request: The request.
    """
    first, last = request.start_date, request.end_date
    begins, ends = request.start_time, request.end_time
    first = first or last or (begins and begins.date())
    last = last or (ends.date() if ends and request.start_date is None else first)
    if first is None or last is None:
        return None
    return (first, max(first, last))


def _day_off(request: TimeOff, span: tuple[date, date]) -> DayOff:
    if request.start_time is not None and request.end_time is not None:
        return DayOff(begins=request.start_time, ends=request.end_time)
    days = (span[1] - span[0]).days + 1
    # A half day is told by its duration alone, whatever its kind (observed: time-off).
    if request.duration is not None and request.duration < 1 and days == 1:
        return DayOff(is_half=True)
    return DayOff(whole=True)
