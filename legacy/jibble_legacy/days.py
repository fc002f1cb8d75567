"""Working days, which the old API does not know: found from moments and time zones.

An entry counts for the day of its shift, and that is the local date of the shift's first In. An Out
is part of the shift up to 12 hours after the In before it. A further In is part of it up to 6 hours
after the In before it (a change of work), or 2 hours after the Out before it (the end of a break,
of which the old API knows nothing else), if that is within 12 hours of the first. Everything else
counts for its own local date.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import TypeAlias
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from jibble_async.entities import EntryType, TimeEntry
from jibble_async.errors import ConfigurationError

__all__ = ["DaySieve", "WorkingDays", "Zone"]

Zone: TypeAlias = str | tzinfo
"""A time zone, by its name (`Europe/Berlin`) or as an object."""

_LONGEST = timedelta(hours=12)
# Bounds that are good for years, and leave room for the hours around them.
_FIRST = datetime(2, 1, 1, tzinfo=UTC)
_LAST = datetime(9998, 12, 31, tzinfo=UTC)
_LONGEST_PAUSE = timedelta(hours=2)
# More would make a night's work of an Out forgotten in the evening and an In in the morning.
_LONGEST_TASK = timedelta(hours=6)


class WorkingDays:
    """The time zones in which people work.

    Args:
        timezone: One zone for everybody, or a zone for each person's id; the empty id stands for
            everybody else.

    Raises:
        ConfigurationError: There is no such zone, or none at all.
    """

    def __init__(self, timezone: Zone | Mapping[str, Zone]) -> None:
        if not isinstance(timezone, Mapping):
            timezone = {"": timezone}
        if not timezone:
            raise ConfigurationError("timezone= has no zone: give one for each person's id")
        self._zones = {person_id: _zone(zone) for person_id, zone in timezone.items()}

    def moments(
        self, since: date | None, until: date | None
    ) -> tuple[datetime | None, datetime | None]:
        """Between which moments every entry lies that can count for these days, and its In.

        Args:
            since: The first day.
            until: The last day, included.
        """
        zones = self._zones.values()
        first = [_midnight(since, 0, zone) - _LONGEST for zone in zones if since is not None]
        last = [_midnight(until, 1, zone) + 2 * _LONGEST for zone in zones if until is not None]
        return min(first, default=None), max(last, default=None)

    def sieve(self, since: date | None, until: date | None, *, in_order: bool) -> DaySieve:
        """What completes the entries of a walk, and lets those of some days through.

        Args:
            since: The first day.
            until: The last day, included.
            in_order: Whether entries come in the order of time. In any other, shifts can't be
                followed, and each entry counts for its local date.
        """
        return DaySieve(self, since, until, in_order=in_order)

    def local(self, entry: TimeEntry, moment: datetime) -> datetime:
        """A moment of an entry, on its person's clock.

        Raises:
            ConfigurationError: No zone is known for the person.
        """
        zone = self._zones.get(entry.person_id or "") or self._zones.get("")
        if zone is None:
            raise ConfigurationError(
                f"timezone= has no zone for the person {entry.person_id!r}: give one, "
                "or one for the empty id, which stands for everybody else"
            )
        local = moment.astimezone(zone)
        # Two moments of one ZoneInfo are subtracted by their clocks, which summer time moves.
        return local.astimezone(_fixed(local.utcoffset() or timedelta(0)))


class _Shift(msgspec.Struct):
    """The shift of a person that may go on.

    Attributes:
        day: What it counts for.
        began: Its first In.
        latest: Its latest entry.
        lasts: Whether that is an In.
        offset: Where the page with its first In begins.
    """

    day: date
    began: datetime
    latest: datetime
    lasts: bool
    offset: int

    def takes(self, type: EntryType | None, moment: datetime) -> bool:
        """Whether an entry of this type and moment is a part of it."""
        if type == EntryType.OUT:
            return self.lasts and moment - self.latest <= _LONGEST
        longest = _LONGEST_TASK if self.lasts else _LONGEST_PAUSE
        return moment - self.latest <= longest and moment - self.began <= _LONGEST


class DaySieve:
    """The sieve of one walk; see `jibble_async.core.pages.Sieve` and `WorkingDays.sieve`."""

    def __init__(
        self, days: WorkingDays, since: date | None, until: date | None, *, in_order: bool
    ) -> None:
        self._days = days
        self._since = date.min if since is None else since
        self._until = date.max if until is None else until
        self._everything = since is None and until is None
        self._in_order = in_order
        self._shifts: dict[str | None, _Shift] = {}

    @property
    def begin(self) -> int | None:
        """Where the first page begins that has a shift which may go on."""
        return min((shift.offset for shift in self._shifts.values()), default=None)

    def __call__(self, items: list[TimeEntry], offset: int) -> list[TimeEntry]:
        """The entries of the days, with their day and local time.

        Raises:
            ConfigurationError: No zone is known for a person.
        """
        kept: list[TimeEntry] = []
        latest: datetime | None = None
        for entry in items:
            moment = entry.time
            if moment is None:
                if self._everything:
                    kept.append(entry)
                continue
            latest = moment
            local = self._days.local(entry, moment)
            day = self._day(entry, moment, local.date(), offset)
            if self._since <= day <= self._until:
                kept.append(
                    replace(entry, local_time=local, offset=local.utcoffset(), belongs_to_date=day)
                )
        if latest is not None:
            self._forget(latest)
        return kept

    def _day(self, entry: TimeEntry, moment: datetime, today: date, offset: int) -> date:
        if not self._in_order:
            return today
        person_id = entry.person_id
        shift = self._shifts.get(person_id)
        works = entry.type == EntryType.IN
        if shift is not None and shift.takes(entry.type, moment):
            shift.latest, shift.lasts = moment, works
            return shift.day
        if works:
            self._shifts[person_id] = _Shift(today, moment, moment, True, offset)
        else:
            self._shifts.pop(person_id, None)
        return today

    def _forget(self, now: datetime) -> None:
        self._shifts = {
            person_id: shift
            for person_id, shift in self._shifts.items()
            if shift.takes(EntryType.OUT, now) or shift.takes(EntryType.IN, now)
        }


def _zone(zone: Zone) -> tzinfo:
    if isinstance(zone, tzinfo):
        return zone
    try:
        return ZoneInfo(zone)
    except (KeyError, ValueError, TypeError, OSError):
        raise ConfigurationError(
            f"timezone= has no zone {zone!r}: give a name such as 'Europe/Berlin'"
        ) from None


def _midnight(day: date, later: int, zone: tzinfo) -> datetime:
    """The moment at which a day begins, or the day some days later."""
    try:
        local = datetime.combine(day + timedelta(days=later), time(), zone)
        return min(max(local.astimezone(UTC), _FIRST), _LAST)
    except OverflowError:
        return _LAST if day > _FIRST.date() else _FIRST


@functools.cache
def _fixed(offset: timedelta) -> timezone:
    return timezone(offset)
