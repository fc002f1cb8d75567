"""A payroll as tables: what a workbook, a page, a CSV and a JSON document all show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from jibble_async.payroll.hours import KINDS, NOTHING, Hours
from jibble_async.payroll.lines import Payee
from jibble_async.payroll.payroll import Payroll
from jibble_async.payroll.rates import PAID, ROUNDING
from jibble_async.payroll.table import Column, ColumnKind, Table

__all__ = ["tables", "totals"]

_HOURS = [
    Column(kind, ColumnKind.HOURS, is_optional=kind in {"weekly_overtime", "other"})
    for kind in KINDS
]
_WHO = [Column("person"), Column("code"), Column("group")]
_SPAN = [Column("since", ColumnKind.DAY), Column("until", ColumnKind.DAY)]


def tables(payroll: Payroll) -> list[Table]:
    """The tables of a payroll, by name: `amounts` and `check` only if there are any.

    Args:
        payroll: The payroll.

    Example:
        >>> for table in tables(july):
        ...     print(table.title, table.size)
    """
    made = [_sign(payroll), _amounts(payroll), _days(payroll), _odd(payroll), _lateness(payroll)]
    return [table for table in (*made, *totals({"": payroll}), _check(payroll)) if table]


def totals(payrolls: Mapping[str, Payroll]) -> list[Table]:
    """What several payrolls come to: `groups` and `locations`.

    Args:
        payrolls: The payroll of each organisation, by a name for it.
    """
    return [_groups(payrolls), _locations(payrolls)]


def _groups(payrolls: Mapping[str, Payroll]) -> Table:
    made: list[list[Any]] = [
        [name, group or None, people, *_cells(hours), hours.total]
        for name, payroll in payrolls.items()
        for group, (people, hours) in payroll.by_group().items()
    ]
    whole = Hours.sum(payroll.hours for payroll in payrolls.values())
    people = sum(row[2] for row in made)
    return Table(
        name="groups",
        title="Groups",
        columns=[
            Column("organization", is_optional=True),
            Column("group"),
            Column("people", ColumnKind.NUMBER),
            *_HOURS,
            Column("total", ColumnKind.HOURS),
        ],
        rows=lambda: iter(made),
        size=len(made),
        total=["Total" if len(payrolls) > 1 else "", "Total", people, *_cells(whole), whole.total],
    )


def _locations(payrolls: Mapping[str, Payroll]) -> Table:
    made: list[list[Any]] = [
        [name, location or None, length]
        for name, payroll in payrolls.items()
        for location, length in payroll.hours_at.items()
    ]
    return Table(
        name="locations",
        title="Locations",
        columns=[
            Column("organization", is_optional=True),
            Column("location"),
            Column("clocked", ColumnKind.HOURS),
        ],
        rows=lambda: iter(made),
        size=len(made),
        total=[
            "Total" if len(payrolls) > 1 else "",
            "Total",
            sum((row[2] for row in made), NOTHING),
        ],
        notes=["Paired time entries, by where they were made; the first row is of no location."],
    )


def _sign(payroll: Payroll) -> Table:
    def rows() -> Iterator[list[Any]]:
        for line in payroll.lines:
            yield [
                *_who(payroll.payees[line.person_id]),
                line.since,
                line.until,
                line.days,
                *_cells(line.hours),
                line.hours.total,
            ]

    whole = payroll.hours
    days = sum(line.days for line in payroll.lines)
    total = ["Total", None, None, None, None, days, *_cells(whole), whole.total]
    return Table(
        name="sign",
        title="Hours to sign",
        columns=[
            *_WHO,
            *_SPAN,
            Column("days", ColumnKind.NUMBER),
            *_HOURS,
            Column("total", ColumnKind.HOURS),
        ],
        rows=rows,
        size=len(payroll.lines),
        total=total,
        notes=[
            "Total is work and paid time off; unpaid time off is not in it.",
            "Hours are exact to the second and shown to the minute: sums are of the exact ones.",
        ],
        is_signed=True,
    )


def _days(payroll: Payroll) -> Table:
    def rows() -> Iterator[list[Any]]:
        for day in payroll.days:
            yield [
                *_who(payroll.payees[day.person_id]),
                day.day,
                day.first_in,
                day.last_out,
                day.worked,
                day.breaks,
                *_cells(day.hours),
                day.hours.total,
                ", ".join(day.time_off) or None,
            ]

    whole = payroll.hours
    worked = sum((day.worked for day in payroll.days), NOTHING)
    breaks = sum((day.breaks for day in payroll.days), NOTHING)
    return Table(
        name="days",
        title="Days",
        columns=[
            *_WHO,
            Column("day", ColumnKind.DAY),
            Column("first_in", ColumnKind.CLOCK),
            Column("last_out", ColumnKind.CLOCK),
            Column("clocked", ColumnKind.HOURS),
            Column("breaks", ColumnKind.HOURS),
            *_HOURS,
            Column("total", ColumnKind.HOURS),
            Column("time_off", is_optional=True),
        ],
        rows=rows,
        size=len(payroll.days),
        total=["Total", *([None] * 5), worked, breaks, *_cells(whole), whole.total, None],
        notes=["Times are on the person's own clock."],
    )


def _odd(payroll: Payroll) -> Table:
    def rows() -> Iterator[list[Any]]:
        for odd in payroll.oddities:
            yield [
                *_who(payroll.payees[odd.person_id]),
                odd.day,
                odd.at,
                str(odd.kind),
                odd.what,
                ", ".join(odd.who) or None,
                odd.id,
            ]

    return Table(
        name="odd",
        title="To be mended",
        columns=[
            *_WHO,
            Column("day", ColumnKind.DAY),
            Column("at", ColumnKind.CLOCK),
            Column("what_is_odd"),
            Column("what_to_do"),
            Column("who"),
            Column("id"),
        ],
        rows=rows,
        size=len(payroll.oddities),
        notes=["Who can mend it: the person's manager, the group's, else the owner and admins."],
    )


def _lateness(payroll: Payroll) -> Table:
    def rows() -> Iterator[list[Any]]:
        for each in payroll.deviations:
            told = ["absent"] if each.is_absent else []
            told += ["time off is pending"] if each.is_pending else []
            yield [
                *_who(payroll.payees[each.person_id]),
                each.day,
                each.begins,
                each.ends,
                each.first_in,
                each.last_out,
                each.late,
                each.early,
                ", ".join(told) or None,
            ]

    found = payroll.deviations
    minutes = payroll.grace.total_seconds() / 60
    grace = f"Up to {minutes:g} minutes are no matter." if minutes else "Every minute counts."
    return Table(
        name="lateness",
        title="Late, early, absent",
        columns=[
            *_WHO,
            Column("day", ColumnKind.DAY),
            Column("planned_from", ColumnKind.CLOCK),
            Column("planned_to", ColumnKind.CLOCK),
            Column("first_in", ColumnKind.CLOCK),
            Column("last_out", ColumnKind.CLOCK),
            Column("late", ColumnKind.HOURS),
            Column("left_early", ColumnKind.HOURS),
            Column("note"),
        ],
        rows=rows,
        size=len(found),
        total=[
            "Total",
            *([None] * 7),
            sum((each.late for each in found if each.late), NOTHING),
            sum((each.early for each in found if each.early), NOTHING),
            f"{sum(each.is_absent for each in found)} absent",
        ],
        notes=[f"{grace} Holidays, rest days and granted time off are taken into account."],
    )


def _amounts(payroll: Payroll) -> Table | None:
    amounts = payroll.amounts
    if amounts is None:
        return None

    def rows() -> Iterator[list[Any]]:
        for each in amounts:
            parts = [each.parts[kind] for kind in PAID]
            who = payroll.payees[each.person_id]
            span = (each.since, each.until)
            yield [*_who(who), *span, each.currency, each.rate, *parts, each.total]

    totals = payroll.sums
    only = next(iter(totals)) if len(totals) == 1 else None
    sums = [sum((each.parts[kind] for each in amounts), Decimal(0)) for kind in PAID]
    told = ", ".join(f"{total:,} {name}" for name, total in totals.items())
    return Table(
        name="amounts",
        title="Amounts",
        columns=[
            *_WHO,
            *_SPAN,
            Column("currency"),
            Column("rate", ColumnKind.MONEY),
            *(
                Column(kind, ColumnKind.MONEY, is_optional=kind in {"weekly_overtime", "other"})
                for kind in PAID
            ),
            Column("total", ColumnKind.MONEY),
        ],
        rows=rows,
        size=len(amounts),
        # What is in several currencies adds up to nothing.
        total=None if only is None else ["Total", *([None] * 4), only, None, *sums, totals[only]],
        notes=[f"In all {told or 'nothing'}.", f"{ROUNDING[:1].upper()}{ROUNDING[1:]}."],
        is_signed=True,
    )


def _check(payroll: Payroll) -> Table | None:
    check = payroll.check
    if check is None:
        return None

    def rows() -> Iterator[list[Any]]:
        for each in check.differences:
            yield [each.name, each.sheet, each.report, each.more]

    breaks = "with breaks" if check.with_breaks else "without breaks"
    agreed = f"{len(check.differences)} people differ" if check.differences else "all agree"
    return Table(
        name="check",
        title="Check",
        columns=[
            Column("person"),
            Column("timesheets", ColumnKind.HOURS),
            Column("report", ColumnKind.HOURS),
            Column("report_has_more", ColumnKind.HOURS),
        ],
        rows=rows,
        size=len(check.differences),
        total=["All people", check.sheet, check.report, check.report - check.sheet],
        notes=[f"Clocked hours {breaks}, beside the tracked-time report: {agreed}."],
    )


def _who(payee: Payee) -> list[str | None]:
    return [payee.name, payee.code, payee.group]


def _cells(hours: Hours) -> list[Any]:
    return [getattr(hours, kind) for kind in KINDS]
