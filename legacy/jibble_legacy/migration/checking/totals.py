"""Control totals: entries and hours of each person and month, by the same code on both sides.

Hours are those of `work_sessions`. What the server adds up by itself is not asked: how it counts a
forgotten Out is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta

import msgspec

from jibble_async.entities import EntryType, TimeEntry
from jibble_async.pairing import LeftoverReason, work_sessions
from jibble_legacy.migration.moments import moment_at

__all__ = ["Gap", "MonthTotal", "PersonTotals", "Punched", "gaps", "month_of", "person_totals"]

_MS = timedelta(milliseconds=1)


class Punched(msgspec.Struct, frozen=True, gc=False):
    """As much of an entry as hours come from.

    Attributes:
        id: Of the account that it is from.
        ms: The moment, in milliseconds since 1970 UTC.
        day: The working day that it counts for, such as `2026-07-31`.
    """

    id: str
    ms: int
    type: str
    day: str


class MonthTotal(msgspec.Struct, frozen=True, gc=False):
    """What a person did in a month.

    Attributes:
        entries: How many entries count for it.
        worked: Time at work, in milliseconds; a stretch belongs to the month of its working day.
    """

    entries: int = 0
    worked: int = 0


class PersonTotals(msgspec.Struct, frozen=True, kw_only=True):
    """What a person did, and what of it is odd.

    Attributes:
        months: By month, such as `2026-07`, in their order.
        no_end: Ins that nothing ended.
        no_beginning: Outs before which the person was not at work.
    """

    months: Mapping[str, MonthTotal]
    no_end: int = 0
    no_beginning: int = 0

    @property
    def entries(self) -> int:
        """Entries of all months."""
        return sum(total.entries for total in self.months.values())

    @property
    def worked(self) -> int:
        """Time at work in all months, in milliseconds."""
        return sum(total.worked for total in self.months.values())


class Gap(msgspec.Struct, frozen=True):
    """A month in which the two sides differ."""

    month: str
    old: MonthTotal
    new: MonthTotal


def month_of(day: str) -> str:
    """The month of a day, such as `2026-07`."""
    return day[:7]


def person_totals(entries: Iterable[Punched]) -> PersonTotals:
    """What one person did, by month.

    Args:
        entries: Those of one person in the new account, which may be several in the old one; in
            any order.
    """
    punches = list(entries)
    counts: dict[str, int] = {}
    for punch in punches:
        counts[month_of(punch.day)] = counts.get(month_of(punch.day), 0) + 1
    sessions = work_sessions(_entries(punches))
    worked = sessions.worked_by(lambda stretch: month_of(stretch.day.isoformat()))
    reasons = [leftover.reason for leftover in sessions.leftovers]
    return PersonTotals(
        months={
            month: MonthTotal(counts[month], worked.get(month, timedelta(0)) // _MS)
            for month in sorted(counts)
        },
        no_end=reasons.count(LeftoverReason.NO_END),
        no_beginning=reasons.count(LeftoverReason.NO_BEGINNING),
    )


def gaps(old: PersonTotals, new: PersonTotals) -> list[Gap]:
    """The months in which a person's totals differ."""
    nothing = MonthTotal()
    both = {
        month: (old.months.get(month, nothing), new.months.get(month, nothing))
        for month in sorted({*old.months, *new.months})
    }
    return [Gap(month, was, found) for month, (was, found) in both.items() if was != found]


def _entries(punches: Iterable[Punched]) -> Iterator[TimeEntry]:
    for punch in punches:
        yield TimeEntry(
            id=punch.id,
            type=EntryType(punch.type),
            time=moment_at(punch.ms),
            person_id="one",
            belongs_to_date=date.fromisoformat(punch.day),
        )
