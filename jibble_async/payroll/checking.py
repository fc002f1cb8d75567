"""Whether the hours of timesheets are those of the tracked-time report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

import msgspec

from jibble_async.entities import TrackedTime
from jibble_async.payroll.hours import NOTHING
from jibble_async.payroll.lines import PayrollLine

__all__ = ["Check", "Difference", "checked"]

# Sums may be rounded one by one.
_ROUNDING = timedelta(seconds=1)


class Difference(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Somebody whose hours are others in the report.

    Attributes:
        sheet: The hours by the timesheets.
        report: The hours by the report.
    """

    person_id: str
    name: str
    sheet: timedelta
    report: timedelta

    @property
    def more(self) -> timedelta:
        """What the report has more."""
        return self.report - self.sheet


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """The two sums beside each other.

    Attributes:
        sheet: All hours by the timesheets.
        report: All hours by the report.
        with_breaks: Whether breaks are in both: what the report counts of them is not documented,
            so it is taken to count what makes fewer people differ.
        differences: Whose hours differ by more than a second, the most first.
    """

    sheet: timedelta
    report: timedelta
    with_breaks: bool
    differences: Sequence[Difference]


def checked(
    lines: Iterable[PayrollLine], rows: Iterable[TrackedTime], names: Mapping[str, str]
) -> Check:
    """What of the hours agrees.

    Args:
        lines: The payroll's lines.
        rows: The tracked-time report of the same days, by member.
        names: What people are called, by id.
    """
    told: dict[str, timedelta] = {}
    called = dict(names)
    for row in rows:
        if row.id is not None:
            told[row.id] = told.get(row.id, NOTHING) + (row.tracked_time or NOTHING)
            if row.subject is not None and row.subject.name:
                called.setdefault(row.id, row.subject.name)
    worked: dict[str, timedelta] = {}
    present: dict[str, timedelta] = {}
    for line in lines:
        who = line.person_id
        worked[who] = worked.get(who, NOTHING) + line.worked
        present[who] = present.get(who, NOTHING) + line.worked + line.breaks
    without, with_breaks = _compared(worked, told, called), _compared(present, told, called)
    breaks = len(with_breaks) < len(without)
    return Check(
        sheet=sum((present if breaks else worked).values(), NOTHING),
        report=sum(told.values(), NOTHING),
        with_breaks=breaks,
        differences=with_breaks if breaks else without,
    )


def _compared(
    sheets: Mapping[str, timedelta], told: Mapping[str, timedelta], names: Mapping[str, str]
) -> list[Difference]:
    found = [
        Difference(
            person_id=each,
            name=names.get(each, each),
            sheet=sheets.get(each, NOTHING),
            report=told.get(each, NOTHING),
        )
        for each in {**sheets, **told}
    ]
    differing = [each for each in found if abs(each.more) > _ROUNDING]
    return sorted(differing, key=lambda each: (-abs(each.more), each.name, each.person_id))
