"""What time entries say beside the timesheets: what could not be paired, and hours by place."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Self

from jibble_async.entities import TimeEntry
from jibble_async.pairing import Leftover, WorkSessions, work_sessions
from jibble_async.payroll.hours import NOTHING

__all__ = ["Clockings"]


class Clockings:
    """What a payroll takes of time entries, gathered from any number of spans of days.

    Attributes:
        leftovers: What could not be paired, by person and time within each span.
        hours_at: The hours at work of each person at each location; None is no location.

    Example:
        >>> entries = await jibble.time_entries.list(since=first, until=last).collect()
        >>> Clockings.of(entries, first, last).leftovers
    """

    def __init__(self) -> None:
        self.leftovers: list[Leftover] = []
        self.hours_at: dict[tuple[str, str | None], timedelta] = {}

    @classmethod
    def of(cls, entries: Iterable[TimeEntry], since: date, until: date) -> Self:
        """What the entries of a span say.

        Args:
            entries: Those of the span, and of the day before and after it: a night may end on
                another working day than it began.
            since: The first day that counts.
            until: The last one, included.
        """
        found = cls()
        found.add(work_sessions(entries), since, until)
        return found

    def add(self, sessions: WorkSessions, since: date, until: date) -> None:
        """Take in paired entries, of which those count that belong to a span.

        Args:
            sessions: The entries; see `of`.
            since: The first day that counts.
            until: The last one, included.
        """
        for leftover in sessions.leftovers:
            day = leftover.entry.belongs_to_date
            if day is None or since <= day <= until:
                self.leftovers.append(leftover)
        for stretch in sessions.work:
            if since <= stretch.day <= until:
                key = (stretch.person_id, stretch.location_id)
                self.hours_at[key] = self.hours_at.get(key, NOTHING) + stretch.duration
