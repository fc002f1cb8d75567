"""Working days, which the old API does not know: found from moments and time zones.

- An Out counts for the day of the In before it, if that is at most 12 hours ago.
- An In before noon counts for the day before, if it goes on with work from before midnight: each
  entry since then follows an In within 6 hours (a change of work) or an Out within 2 hours (the end
  of a break, of which the old API knows nothing else).
- Everything else counts for its own local date.

So a day is decided by what lies at most a day and a half back, wherever a walk begins.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import TypeAlias
from zoneinfo import ZoneInfo, available_timezones

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
# By which the end of summer time makes the last of the days longer.
_CHANGE = timedelta(hours=1)
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

    @property
    def for_everybody(self) -> bool:
        """Whether there is a zone for whoever comes."""
        return "" in self._zones

    def missing(self, person_ids: Iterable[str]) -> list[str]:
        """Those for whom there is no zone."""
        return [each for each in person_ids if not self._zones.keys() & {each, ""}]

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
        last = [
            _midnight(until, 1, zone) + 2 * _LONGEST + _CHANGE
            for zone in zones
            if until is not None
        ]
        return min(first, default=None), max(last, default=None)

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


class _Latest(msgspec.Struct, frozen=True):
    """The latest entry of a person.

    Attributes:
        moment: When it was.
        today: Its local date.
        day: What it counts for.
        page: Where its page begins.
        begin: Where the page begins from which on the day can be found again.
        works: Whether it is an In.
    """

    moment: datetime
    today: date
    day: date
    page: int
    begin: int
    works: bool

    def ended_at(self, moment: datetime) -> bool:
        """Whether an Out at this moment ends work that goes on."""
        return self.works and moment - self.moment <= _LONGEST

    def continued_at(self, moment: datetime) -> bool:
        """Whether an In at this moment goes on with the work."""
        return moment - self.moment <= (_LONGEST_TASK if self.works else _LONGEST_PAUSE)


class DaySieve:
    """What completes the entries of a walk, and lets those of some days through.

    Args:
        days: The time zones in which people work.
        since: The first day.
        until: The last day, included.
        in_order: Whether entries come in the order of time. In any other, work can't be followed,
            and each entry counts for its local date.
    """

    def __init__(
        self, days: WorkingDays, since: date | None, until: date | None, *, in_order: bool
    ) -> None:
        self._days = days
        self._since = date.min if since is None else since
        self._until = date.max if until is None else until
        self._everything = since is None and until is None
        self._in_order = in_order
        self._latest: dict[str | None, _Latest] = {}

    @property
    def begin(self) -> int | None:
        """Where the first page begins on which later entries may depend."""
        return min((latest.begin for latest in self._latest.values()), default=None)

    def __call__(self, items: list[TimeEntry], offset: int) -> list[TimeEntry]:
        """The entries of the days, with their day and local time.

        Raises:
            ConfigurationError: No zone is known for a person.
        """
        kept: list[TimeEntry] = []
        now: datetime | None = None
        for entry in items:
            moment = entry.time
            if moment is None:
                if self._everything:
                    kept.append(entry)
                continue
            now = moment
            local = self._days.local(entry, moment)
            day = self._day(entry, moment, local, offset) if self._in_order else local.date()
            if self._since <= day <= self._until:
                kept.append(
                    replace(entry, local_time=local, offset=local.utcoffset(), belongs_to_date=day)
                )
        if now is not None:
            self._forget(now)
        return kept

    def _day(self, entry: TimeEntry, moment: datetime, local: datetime, page: int) -> date:
        today, day, begin = local.date(), local.date(), page
        before = self._latest.get(entry.person_id)
        works = entry.type == EntryType.IN
        if before is not None and not works and before.ended_at(moment):
            day, begin = before.day, before.begin
        elif before is not None and works and local.hour < 12 and before.continued_at(moment):
            if before.today < today:
                day, begin = before.today, before.page
            elif before.day < today:
                day, begin = before.day, before.begin
        self._latest[entry.person_id] = _Latest(moment, today, day, page, begin, works)
        return day

    def _forget(self, now: datetime) -> None:
        self._latest = {
            person_id: latest
            for person_id, latest in self._latest.items()
            if latest.ended_at(now) or latest.continued_at(now)
        }


def _zone(zone: Zone) -> tzinfo:
    if isinstance(zone, tzinfo):
        return zone
    try:
        return ZoneInfo(zone)
    except (KeyError, ValueError, TypeError, OSError):
        advice = "give a name such as 'Europe/Berlin'"
        if not available_timezones():
            advice = "there is no time zone data on this machine: install the package tzdata"
        raise ConfigurationError(f"timezone= has no zone {zone!r}: {advice}") from None


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
