"""What is odd in a payroll, and who can mend it."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta

import msgspec

from jibble_async.entities import EntryType, Group, GroupApprover, Person, PersonStatus, UnitManager
from jibble_async.pairing import Leftover, LeftoverReason
from jibble_async.payroll.absences import Absences, span_of
from jibble_async.payroll.lines import PayrollDay

__all__ = ["Menders", "Oddity", "OddityKind", "of_days", "of_leftovers", "of_time_off"]

# Somebody who clocked in that long ago has forgotten the Out.
_LONGEST = timedelta(hours=12)
_SECOND = timedelta(seconds=1)


class OddityKind(enum.StrEnum):
    """What is odd."""

    OPEN_SHIFT = "open shift"
    """An In or a break that nothing ended."""
    AT_WORK = "still at work"
    """The same, not long ago."""
    NOT_PAIRED = "not paired"
    """An Out or a break without an In before it."""
    UNREADABLE = "unreadable"
    """An entry without a type, time, person or day, or of a type that nobody knows."""
    NO_CLOCKING = "hours, no clocking"
    """A day with hours on which nobody clocked in."""
    PENDING = "pending time off"
    """Time off that nobody has decided."""
    OTHER_HOURS = "hours of no kind"
    """The server's total of a day is another one than its kinds add up to."""


class Oddity(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something that somebody has to mend, or at least to look at.

    Attributes:
        day: The working day.
        at: The moment on the person's clock, where there is one.
        what: What is odd, and what would mend it.
        who: The names of those who can, the first ones first.
        id: Of the entry or request.
    """

    kind: OddityKind
    person_id: str
    day: date | None
    at: datetime | None = None
    what: str
    who: tuple[str, ...] = ()
    id: str | None = None


class Menders:
    """Says who can mend what, by name.

    Entries are mended by whoever manages the person, else by whoever manages the group, else by
    the owner and the admins. Requests are decided by the group's first approvers, else by the same.

    Args:
        people: The people.
        groups: The groups.
    """

    def __init__(self, people: Iterable[Person], groups: Iterable[Group]) -> None:
        self._people = {person.id: person for person in people}
        self._groups = {group.id: group for group in groups}
        self._office = tuple(
            person.full_name or person.id
            for person in sorted(self._people.values(), key=_rank)
            if _rank(person)[0] < len(_OFFICE)
        )

    def managers(self, person_id: str) -> tuple[str, ...]:
        """Who can mend what a person clocked."""
        person = self._people.get(person_id)
        group = person and self._groups.get(person.group_id or "")
        for unit in (person, group):
            named = self._names((unit and unit.managers) or (), but=person_id)
            if named:
                return named
        return self._office

    def approvers(self, person_id: str) -> tuple[str, ...]:
        """Who decides a person's time off."""
        person = self._people.get(person_id)
        group = person and self._groups.get(person.group_id or "")
        named = self._names((group and group.first_approvers) or (), but=person_id)
        return named or self.managers(person_id)

    def _names(
        self, links: Iterable[UnitManager] | Iterable[GroupApprover], *, but: str
    ) -> tuple[str, ...]:
        ids = [
            link.manager_id if isinstance(link, UnitManager) else link.approver_id for link in links
        ]
        people = [self._people[each] for each in ids if each in self._people and each != but]
        return tuple(
            person.full_name or person.id
            for person in people
            if person.status != PersonStatus.REMOVED
        )


def of_leftovers(
    leftovers: Iterable[Leftover], menders: Menders, now: datetime | None = None
) -> Iterator[Oddity]:
    """What is odd about entries that could not be paired.

    Args:
        leftovers: The entries; archived and repeated ones are nothing odd.
        menders: Who mends it.
        now: The present moment; None for long after all of them.
    """
    for leftover in leftovers:
        told = _told(leftover, now)
        if told is not None:
            entry, person_id = leftover.entry, leftover.entry.person_id or ""
            yield Oddity(
                kind=told[0],
                person_id=person_id,
                day=entry.belongs_to_date,
                at=entry.local_time or entry.time,
                what=told[1],
                who=menders.managers(person_id),
                id=entry.id,
            )


def of_days(days: Iterable[PayrollDay], menders: Menders) -> Iterator[Oddity]:
    """What is odd about days of timesheets.

    Args:
        days: The days.
        menders: Who mends it.
    """
    for day in days:
        worked = max(day.worked, day.hours.worked)
        if worked and day.first_in is None and day.last_out is None:
            what = "hours that nobody clocked: entered by hand? Confirm them, or take them away"
            yield _of_day(day, OddityKind.NO_CLOCKING, what, menders)
        if abs(day.hours.other) >= _SECOND:
            what = "the kinds of hours add up to another total than the server's: ask its support"
            yield _of_day(day, OddityKind.OTHER_HOURS, what, menders)


def of_time_off(absences: Absences, since: date, until: date, menders: Menders) -> Iterator[Oddity]:
    """Requests that touch a span and that nobody has decided.

    Args:
        absences: The requests.
        since: The first day.
        until: The last day, included.
        menders: Who decides.
    """
    for request in absences.pending:
        span = span_of(request)
        if span is None or span[0] > until or span[1] < since or request.person_id is None:
            continue
        policy = (request.policy and request.policy.name) or "time off"
        days = f"{span[0]}" if span[0] == span[1] else f"{span[0]} to {span[1]}"
        yield Oddity(
            kind=OddityKind.PENDING,
            person_id=request.person_id,
            day=max(span[0], since),
            what=f"{policy}, {days}: approve it or reject it",
            who=menders.approvers(request.person_id),
            id=request.id,
        )


def _told(leftover: Leftover, now: datetime | None) -> tuple[OddityKind, str] | None:
    entry, reason = leftover.entry, leftover.reason
    name = "break" if entry.type == EntryType.START_BREAK else entry.type or "entry"
    match reason:
        case LeftoverReason.NO_END:
            recent = now is not None and entry.time is not None and now - entry.time < _LONGEST
            if recent:
                return OddityKind.AT_WORK, f"{name} without an Out so far: run this again later"
            return OddityKind.OPEN_SHIFT, f"{name} that nothing ended: add the Out"
        case LeftoverReason.NO_BEGINNING:
            return OddityKind.NOT_PAIRED, f"{name} without an In before it: add the In"
        case LeftoverReason.INCOMPLETE | LeftoverReason.UNKNOWN_TYPE:
            return OddityKind.UNREADABLE, f"{reason}: look at it in Jibble, and enter it anew"
        case _:
            return None


def _of_day(day: PayrollDay, kind: OddityKind, what: str, menders: Menders) -> Oddity:
    who = menders.managers(day.person_id)
    return Oddity(kind=kind, person_id=day.person_id, day=day.day, what=what, who=who)


_OFFICE: Mapping[str, int] = {"owner": 0, "admin": 1}


def _rank(person: Person) -> tuple[int, str]:
    gone = person.status == PersonStatus.REMOVED
    rank = len(_OFFICE) if gone else _OFFICE.get((person.role or "").lower(), len(_OFFICE))
    return rank, person.full_name or ""
