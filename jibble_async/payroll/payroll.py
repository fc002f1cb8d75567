"""A payroll: everything that a period's wages are made of, from rows that were read before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal, TypeAlias

import msgspec

from jibble_async.entities import (
    Calendar,
    CalendarDay,
    Group,
    Location,
    PayPeriodDefinition,
    Person,
    Schedule,
    TimeOff,
    Timesheet,
    TrackedTime,
)
from jibble_async.errors import ConfigurationError
from jibble_async.payroll.absences import Absences
from jibble_async.payroll.checking import Check, checked
from jibble_async.payroll.clockings import Clockings
from jibble_async.payroll.hours import NOTHING, Hours
from jibble_async.payroll.lateness import Deviation, deviations
from jibble_async.payroll.lines import Payee, PayrollDay, PayrollLine, PayrollSheet, payee_of
from jibble_async.payroll.oddities import Menders, Oddity, of_days, of_leftovers, of_time_off
from jibble_async.payroll.periods import pay_periods
from jibble_async.payroll.rates import Amount, Rates, amount_of, factors_of
from jibble_async.payroll.shifts import Planner

__all__ = ["By", "Payroll", "Workplace", "payroll"]

By: TypeAlias = Literal["whole", "month", "pay-period"]
"""What a line is for: all days, each month, or each of the organisation's pay periods."""


class Workplace(msgspec.Struct, frozen=True, kw_only=True):
    """What a payroll knows of the organisation beside hours; each part may be left out.

    Attributes:
        people: Everybody, removed people included.
        groups: Their groups.
        locations: Where they work.
        schedules: When they are expected to.
        calendars: The calendars of holidays.
        calendar_days: The holidays.
        pay_periods: How people are paid.
    """

    people: Sequence[Person] = ()
    groups: Sequence[Group] = ()
    locations: Sequence[Location] = ()
    schedules: Sequence[Schedule] = ()
    calendars: Sequence[Calendar] = ()
    calendar_days: Sequence[CalendarDay] = ()
    pay_periods: Sequence[PayPeriodDefinition] = ()


class Payroll(msgspec.Struct, frozen=True, kw_only=True):
    """What people are paid for, and what stands in the way of it.

    Attributes:
        since: The first day.
        until: The last day, included.
        payees: Whom it is about, by id, in the order of the lines.
        lines: What each is paid for, by name and period.
        days: Their days on which something was.
        oddities: What has to be mended before somebody signs.
        deviations: Who was late, left early or did not come.
        grace: How late was no matter.
        amounts: What the lines come to; None without rates.
        unknown_rates: The rows of the rates that are of nobody, as they are written.
        check: The hours beside those of the report; None without one.
        hours_at: The hours at work at each location, by its name.
    """

    since: date
    until: date
    payees: Mapping[str, Payee]
    lines: Sequence[PayrollLine]
    days: Sequence[PayrollDay]
    oddities: Sequence[Oddity]
    deviations: Sequence[Deviation]
    grace: timedelta
    amounts: Sequence[Amount] | None
    unknown_rates: Sequence[str]
    check: Check | None
    hours_at: Mapping[str, timedelta]

    @property
    def hours(self) -> Hours:
        """The hours of all lines."""
        return Hours.sum(line.hours for line in self.lines)

    @property
    def sums(self) -> dict[str, Decimal]:
        """What all amounts come to, by currency."""
        found: dict[str, Decimal] = {}
        for amount in self.amounts or ():
            found[amount.currency] = found.get(amount.currency, Decimal(0)) + amount.total
        return dict(sorted(found.items()))

    def by_group(self) -> dict[str, tuple[int, Hours]]:
        """How many people each group has, and their hours, by its name; no group is empty."""
        people: dict[str, set[str]] = {}
        found: dict[str, list[Hours]] = {}
        for line in self.lines:
            group = self.payees[line.person_id].group or ""
            people.setdefault(group, set()).add(line.person_id)
            found.setdefault(group, []).append(line.hours)
        return {
            name: (len(people[name]), Hours.sum(hours)) for name, hours in sorted(found.items())
        }


def payroll(
    since: date,
    until: date,
    sheets: Iterable[Timesheet | PayrollSheet],
    *,
    place: Workplace | None = None,
    time_off: Iterable[TimeOff] = (),
    clockings: Clockings | None = None,
    report: Iterable[TrackedTime] | None = None,
    rates: Rates | None = None,
    by: By = "month",
    grace: timedelta = NOTHING,
    now: datetime | None = None,
) -> Payroll:
    """The payroll of a span of days. Nothing is asked of a server: rows are given.

    Hours are those of the server's timesheets, to the microsecond; no rule of overtime is applied
    here. People of whom nothing is known but that they exist come along with no hours.

    Args:
        since: The first day.
        until: The last day, included.
        sheets: The timesheets of these days, with `person` expanded.
        place: What is known of the organisation.
        time_off: Requests that touch these days, with `policy` expanded.
        clockings: What the time entries say.
        report: The tracked-time report of these days by member, to check against.
        rates: What people are paid.
        by: What a line is for.
        grace: How late or early is no matter.
        now: The present moment; None for later than all of it.

    Raises:
        ConfigurationError: The days are the wrong way round, a timesheet says no person or two
            are of one, or rates don't fit.

    Example:
        >>> july = payroll(first, last, sheets, place=Workplace(people=people), time_off=requests)
        >>> for line in july.lines:
        ...     print(july.payees[line.person_id].name, line.hours.total)
    """
    if since > until:
        raise ConfigurationError(f"since={since} is after until={until}: exchange them")
    place, clockings = place or Workplace(), clockings or Clockings()
    absences = Absences(time_off)
    menders = Menders(place.people, place.groups)
    planner = Planner(
        place.people,
        place.groups,
        place.schedules,
        place.calendars,
        place.calendar_days,
        absences,
    )
    known = {person.id: person for person in place.people}
    groups = {group.id: group for group in place.groups}
    found: dict[str, Payee] = {}
    worked: dict[str, list[PayrollDay]] = {}
    for each in sheets:
        sheet = each if isinstance(each, PayrollSheet) else PayrollSheet.of(each)
        who = sheet.person_id
        if not who or who in found:
            raise ConfigurationError(
                f"{who} has two timesheets" if who else "a timesheet says no person_id"
            )
        found[who] = payee_of(sheet, known.get(who), groups)
        worked[who] = [day for day in sheet.days if since <= day.day <= until]
    payees = {each.id: each for each in sorted(found.values(), key=_by_name)}
    cut = _Cut(since, until, by, place)
    lines = [
        PayrollLine.of(each, *span, worked[each])
        for each in payees
        for span in cut.spans(known.get(each), groups)
    ]
    late = [
        each
        for payee in payees.values()
        for each in deviations(
            payee,
            since,
            until,
            {day.day: day for day in worked[payee.id]},
            planner,
            absences,
            grace=grace,
            now=now,
        )
    ]
    days = [day for each in payees for day in worked[each] if not day.is_empty]
    oddities = [
        *of_leftovers(clockings.leftovers, menders, now),
        *of_days(days, menders),
        *of_time_off(absences, since, until, menders),
    ]
    names = {each.id: each.name for each in payees.values()}
    names |= {each.id: each.full_name for each in known.values() if each.full_name}
    for odd in oddities:
        if odd.person_id not in payees:
            name = names.get(odd.person_id) or odd.person_id or "(nobody)"
            payees[odd.person_id] = Payee(id=odd.person_id, name=name)
    return Payroll(
        since=since,
        until=until,
        payees=payees,
        lines=lines,
        days=days,
        oddities=sorted(oddities, key=lambda each: _place_of(each, payees)),
        deviations=late,
        grace=grace,
        amounts=None if rates is None else _amounts(lines, payees, place.people, rates, planner),
        unknown_rates=()
        if rates is None
        else rates.unknown([*payees.values(), *map(_named, place.people)]),
        check=None if report is None else checked(lines, report, names),
        hours_at=_hours_at(clockings, place.locations),
    )


class _Cut:
    """Cuts the span for each person, once for each way of paying."""

    def __init__(self, since: date, until: date, by: By, place: Workplace) -> None:
        self._since, self._until, self._by = since, until, by
        self._definitions = {each.id: each for each in place.pay_periods}
        self._default = next((each.id for each in place.pay_periods if each.default), None)
        self._known: dict[str | None, list[tuple[date, date]]] = {}

    def spans(self, person: Person | None, groups: Mapping[str, Group]) -> list[tuple[date, date]]:
        """The spans of a person's lines."""
        if self._by == "whole":
            return [(self._since, self._until)]
        group = groups.get((person and person.group_id) or "")
        name = None
        if self._by == "pay-period":
            name = (
                (person and person.pay_period_definition_id)
                or (group and group.pay_period_definition_id)
                or self._default
            )
        if name not in self._known:
            definition = self._definitions.get(name or "")
            self._known[name] = pay_periods(self._since, self._until, definition)
        return self._known[name]


def _amounts(
    lines: Sequence[PayrollLine],
    payees: Mapping[str, Payee],
    people: Iterable[Person],
    rates: Rates,
    planner: Planner,
) -> list[Amount]:
    # A name of two is no name in a month either in which only one of them worked.
    others = [_named(each) for each in people if each.removed_at is None]
    paid = [line for line in lines if line.hours.total]
    who = {line.person_id: payees[line.person_id] for line in paid}
    found = rates.by_person(list(who.values()), others)
    factors = {each: factors_of(found[each], planner.schedule(each)) for each in who}
    return [
        amount_of(line, who[line.person_id], found[line.person_id], factors[line.person_id])
        for line in paid
    ]


def _named(person: Person) -> Payee:
    """Somebody by all that they are called."""
    name = person.full_name or person.id
    return Payee(id=person.id, name=name, code=person.code, email=person.email)


def _hours_at(clockings: Clockings, locations: Iterable[Location]) -> dict[str, timedelta]:
    names = {location.id: location.name or location.id for location in locations}
    sums: dict[str, timedelta] = {}
    for (_, location_id), length in clockings.hours_at.items():
        name = "" if location_id is None else names.get(location_id, location_id)
        sums[name] = sums.get(name, NOTHING) + length
    return dict(sorted(sums.items()))


def _by_name(payee: Payee) -> tuple[str, str]:
    return payee.name.casefold(), payee.id


def _place_of(oddity: Oddity, payees: Mapping[str, Payee]) -> tuple[str, str, str, str]:
    name = payees[oddity.person_id].name
    return (name.casefold(), oddity.person_id, str(oddity.day), oddity.kind)
