"""Whose clock says what: the time zones of one person, who may have moved."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from jibble_async.entities import TimeEntry
from jibble_legacy.days import WorkingDays
from jibble_legacy.migration.moments import milliseconds

__all__ = ["Clock", "is_zone", "midnight"]


class Clock(WorkingDays):
    """One person's clock.

    Args:
        zones: Since when (ms since 1970) which zone, in the order of time; the first for ever.
    """

    def __init__(self, zones: Sequence[tuple[int, str]]) -> None:
        super().__init__({name: name for _, name in zones})
        self._begins = [begin for begin, _ in zones]
        self._names = [name for _, name in zones]
        self._places = {name: WorkingDays(name) for name in self._names}

    def local(self, entry: TimeEntry, moment: datetime) -> datetime:
        """A moment, on the person's clock."""
        return self._places[self.zone_at(moment)].local(entry, moment)

    def zone_at(self, moment: datetime) -> str:
        """The zone that the person lives in at a moment."""
        if len(self._names) == 1:
            return self._names[0]
        return self._names[max(bisect.bisect_right(self._begins, milliseconds(moment)) - 1, 0)]

    def moment(self, local: datetime) -> int:
        """The moment, in ms, at which the person's clock shows a time.

        Args:
            local: The time; one that knows its offset is meant so.
        """
        if local.tzinfo is not None:
            return milliseconds(local)
        guess = local.replace(tzinfo=ZoneInfo(self._names[0]))
        return milliseconds(local.replace(tzinfo=ZoneInfo(self.zone_at(guess))))

    def midnight(self, day: date) -> int:
        """The moment, in ms, at which a day begins on the person's clock."""
        return self.moment(datetime.combine(day, time()))

    def day(self, moment: datetime) -> date:
        """The day that the person's calendar shows at a moment."""
        return moment.astimezone(ZoneInfo(self.zone_at(moment))).date()


def is_zone(name: str) -> bool:
    """Whether there is a time zone of a name, such as `Europe/Berlin`."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def midnight(day: str, zone: ZoneInfo) -> int:
    """The moment, in ms, at which a day begins.

    Args:
        day: Such as `2026-07-31`.
        zone: Where.
    """
    return milliseconds(datetime.combine(date.fromisoformat(day), time(), zone))
