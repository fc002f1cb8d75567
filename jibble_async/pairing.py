"""Stretches of work: clockings in, out and on break, paired.

An entry is a moment; hours lie between two of them. Pairing goes by these rules, for each person:

- What counts is each entry once, in its latest version, unless it is archived.
- A stretch of work begins with an In; the next entry of its working day ends it, whatever that is:
  an Out, a break, or another In, which begins a further stretch (a change of activity or project).
- A break begins with a StartBreak at work, and ends likewise.
- Entries of two working days are paired only where an Out or a break follows close enough (see
  `longest`): a shift over midnight whose second half counts for the next day. An In on another day
  begins anew, so that a forgotten Out costs the hours before it and never makes a night of them.
- What these rules don't pair is listed with the reason. Nothing is added, moved or dropped.

Source: that `In` ends a break, and that In follows In where work changes, was observed. How the
server counts a forgotten Out is unknown, so its own sums (timesheets) may differ from these.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from jibble_async.entities import EntryStatus, EntryType, TimeEntry, ValueObject
from jibble_async.entities.rows import Rows
from jibble_async.html_tables import html_table

__all__ = ["Leftover", "LeftoverReason", "Stretch", "WorkSessions", "work_sessions"]

K = TypeVar("K")

_NOTHING = timedelta(0)
_LONGEST = timedelta(hours=12)
# At one moment, what ends a stretch comes before what begins the next.
_RANK = {EntryType.OUT: 0, EntryType.START_BREAK: 1, EntryType.IN: 2}


class Stretch(ValueObject):
    """A time between two entries of a person, at work or on a break."""

    person_id: str
    """Whose it is."""
    day: date
    """The working day that it counts for: that of the entry which began it."""
    start: datetime
    """The moment of that entry, in UTC."""
    end: datetime
    """The moment of the one that ended it, in UTC."""
    activity_id: str | None
    """What was worked on, as the entry which began it says."""
    project_id: str | None
    """What the work was for."""
    location_id: str | None
    """Where."""
    opened_by: TimeEntry
    """The entry that began it."""
    closed_by: TimeEntry
    """The entry that ended it; it may have begun the next."""

    def __repr__(self) -> str:
        # Without its two entries, of which a month has thousands.
        return f"<Stretch of {self.person_id}: {self.start:%Y-%m-%d %H:%M} UTC, {self.duration}>"

    @property
    def duration(self) -> timedelta:
        """How long it took."""
        return self.end - self.start


class LeftoverReason(enum.StrEnum):
    """Why an entry is in no stretch, or began none."""

    NO_END = "no end"
    """An In or a break that nothing ended: a forgotten Out, or somebody who is still at work."""
    NO_BEGINNING = "no beginning"
    """An Out or a break while the person was not at work: a forgotten In."""
    ARCHIVED = "archived"
    """It was deleted or corrected."""
    REPEATED = "repeated"
    """Another copy or a newer version of the same entry was used."""
    INCOMPLETE = "incomplete"
    """Its type, time, person or working day is missing: not selected, perhaps. Or its time has no
    zone, and so is no moment."""
    UNKNOWN_TYPE = "unknown type"
    """A type that the vocabulary does not have."""


class Leftover(msgspec.Struct, frozen=True, gc=False):
    """An entry that could not be paired. One without an end may have ended another stretch."""

    entry: TimeEntry
    """The entry."""
    reason: LeftoverReason
    """Why it is left over."""

    def __repr__(self) -> str:
        return f"<Leftover: {self.reason}, entry {self.entry.id}>"


class WorkSessions(msgspec.Struct, frozen=True, kw_only=True):
    """Time entries, paired. Every entry is in a stretch, or in `leftovers`, or both."""

    work: Sequence[Stretch]
    """Stretches of work, by person and time."""
    breaks: Sequence[Stretch]
    """Breaks, by person and time."""
    leftovers: Sequence[Leftover]
    """What could not be paired, by person and time."""

    def __repr__(self) -> str:
        minutes = self.worked // timedelta(minutes=1)
        return (
            f"<WorkSessions: {minutes // 60}:{minutes % 60:02} h in {len(self.work)} stretches, "
            f"{len(self.breaks)} breaks, {len(self.leftovers)} leftovers>"
        )

    # What rich prints, which would show every entry of every stretch.
    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [
            ("worked", self.worked),
            ("work", len(self.work)),
            ("breaks", len(self.breaks)),
            ("leftovers", len(self.leftovers)),
        ]

    def _repr_html_(self) -> str:
        """What a notebook shows: some stretches."""
        rows = (
            (each.day, each.person_id, each.start, each.end, each.duration, each.project_id)
            for each in self.work
        )
        names = ("day", "person_id", "start", "end", "duration", "project_id")
        return html_table(names, rows, caption=repr(self)[1:-1], count=len(self.work))

    @property
    def worked(self) -> timedelta:
        """The time at work, of everybody, without breaks."""
        return sum((stretch.duration for stretch in self.work), _NOTHING)

    def worked_by(self, key: Callable[[Stretch], K]) -> dict[K, timedelta]:
        """The time at work by anything that a stretch has, in the order of its first stretch.

        Args:
            key: What to add up by.

        Example:
            >>> sessions.worked_by(lambda stretch: (stretch.person_id, stretch.day))
        """
        sums: dict[K, timedelta] = {}
        for stretch in self.work:
            name = key(stretch)
            sums[name] = sums.get(name, _NOTHING) + stretch.duration
        return sums

    def by_person(self) -> dict[str, timedelta]:
        """The time at work of each person, by id."""
        return self.worked_by(lambda stretch: stretch.person_id)

    def by_day(self) -> dict[date, timedelta]:
        """The time at work on each working day, in their order; days without work are not there."""
        return dict(sorted(self.worked_by(lambda stretch: stretch.day).items()))

    def by_project(self) -> dict[str | None, timedelta]:
        """The time at work on each project, by id; None is work on no project."""
        return self.worked_by(lambda stretch: stretch.project_id)

    def by_activity(self) -> dict[str | None, timedelta]:
        """The time at work on each activity, by id; None is work without one."""
        return self.worked_by(lambda stretch: stretch.activity_id)


def work_sessions(entries: Iterable[TimeEntry], *, longest: timedelta = _LONGEST) -> WorkSessions:
    """The stretches of work and the breaks that time entries mark, and what could not be paired.

    The order of the entries does not matter. Ask for whole working days (`since=`, `until=`) with
    `type`, `status`, `time`, `person_id` and `belongs_to_date`; what is not there is reported as
    incomplete, except that an entry without a status counts.

    Args:
        entries: Entries of any number of people.
        longest: The most that may lie between two entries of different working days for them to
            be paired.

    Example:
        >>> july = jibble.time_entries.list(since=date(2026, 7, 1), until=date(2026, 7, 31))
        >>> sessions = work_sessions(await july.collect())
        >>> for person_id, hours in sessions.by_person().items():
        ...     print(person_id, hours)
        >>> for leftover in sessions.leftovers:
        ...     print(leftover.reason, leftover.entry.local_time)
    """
    leftovers: list[Leftover] = []
    people: dict[str, list[_Punch]] = {}
    for entry in _latest_versions(entries, leftovers):
        punch = _usable(entry)
        if isinstance(punch, Leftover):
            leftovers.append(punch)
        else:
            people.setdefault(punch.person_id, []).append(punch)
    work: list[Stretch] = []
    breaks: list[Stretch] = []
    for _, punches in sorted(people.items()):
        punches.sort(key=lambda punch: (punch.time, _RANK[punch.type], punch.entry.id))
        for stretch in _stretches(punches, longest, leftovers):
            (work if stretch.opened_by.type == EntryType.IN else breaks).append(stretch)
    leftovers.sort(key=_place)
    return WorkSessions(
        work=Rows(work, entity=Stretch),
        breaks=Rows(breaks, entity=Stretch),
        leftovers=Rows(leftovers, entity=Leftover),
    )


class _Punch(msgspec.Struct, frozen=True, gc=False):
    """An entry that can be paired: what of it may be None in general is there."""

    entry: TimeEntry
    type: EntryType
    time: datetime
    person_id: str
    day: date


def _latest_versions(
    entries: Iterable[TimeEntry], leftovers: list[Leftover]
) -> Iterable[TimeEntry]:
    """Each entry once; older versions and further copies go to the leftovers."""
    kept: dict[str, TimeEntry] = {}
    for entry in entries:
        other = kept.get(entry.id)
        if other is None:
            kept[entry.id] = entry
        else:
            older, kept[entry.id] = sorted((other, entry), key=_version)
            leftovers.append(Leftover(older, LeftoverReason.REPEATED))
    return kept.values()


def _version(entry: TimeEntry) -> tuple[float, bool, str]:
    changed = _moment(entry.updated_at)
    # Versions of the same moment have no order of their own: what was deleted must not count, and
    # among the rest any order serves that is always the same.
    archived = entry.status == EntryStatus.ARCHIVED
    return (-1.0 if changed is None else changed.timestamp(), archived, repr(entry))


def _usable(entry: TimeEntry) -> _Punch | Leftover:
    if entry.status == EntryStatus.ARCHIVED:
        return Leftover(entry, LeftoverReason.ARCHIVED)
    time = _moment(entry.time)
    if (
        entry.type is None
        or time is None
        or entry.person_id is None
        or entry.belongs_to_date is None
    ):
        return Leftover(entry, LeftoverReason.INCOMPLETE)
    if entry.type not in _RANK:
        return Leftover(entry, LeftoverReason.UNKNOWN_TYPE)
    return _Punch(entry, entry.type, time, entry.person_id, entry.belongs_to_date)


def _moment(time: datetime | None) -> datetime | None:
    """A time in UTC; None if it is no moment: without a zone, or past what a datetime can be."""
    if time is None or time.utcoffset() is None:
        return None
    # Two moments of one ZoneInfo are subtracted by their clocks, which summer time moves.
    try:
        return time.astimezone(UTC)
    except OverflowError:
        return None


def _stretches(
    punches: Iterable[_Punch], longest: timedelta, leftovers: list[Leftover]
) -> Iterable[Stretch]:
    """The stretches of one person's entries, which come in order."""
    begun: _Punch | None = None
    for punch in punches:
        if begun is not None and _ends(begun, punch, longest):
            yield _between(begun, punch)
        else:
            if begun is not None:
                leftovers.append(Leftover(begun.entry, LeftoverReason.NO_END))
            if punch.type != EntryType.IN:
                leftovers.append(Leftover(punch.entry, LeftoverReason.NO_BEGINNING))
                begun = None
                continue
        begun = None if punch.type == EntryType.OUT else punch
    if begun is not None:
        leftovers.append(Leftover(begun.entry, LeftoverReason.NO_END))


def _ends(begun: _Punch, punch: _Punch, longest: timedelta) -> bool:
    if begun.day == punch.day:
        return True
    return punch.type not in (EntryType.IN, begun.type) and punch.time - begun.time <= longest


def _between(begun: _Punch, ended: _Punch) -> Stretch:
    entry = begun.entry
    return Stretch(
        person_id=begun.person_id,
        day=begun.day,
        start=begun.time,
        end=ended.time,
        activity_id=entry.activity_id,
        project_id=entry.project_id,
        location_id=entry.location_id,
        opened_by=entry,
        closed_by=ended.entry,
    )


def _place(leftover: Leftover) -> tuple[str, float, str, str, str]:
    entry, moment = leftover.entry, _moment(leftover.entry.time)
    time = -1.0 if moment is None else moment.timestamp()
    return (entry.person_id or "", time, entry.id, leftover.reason, repr(entry))
