"""Hours by kind, lines by period, and that all of it adds up."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest

from jibble_async import (
    ConfigurationError,
    Group,
    PayPeriodDefinition,
    PayrollHours,
    PayrollPart,
    Timesheet,
    TrackedSubject,
    TrackedTime,
)
from jibble_async.payroll import Hours, Workplace, months, pay_periods, payroll, tables
from jibble_async.payroll.hours import KINDS, hours_of
from tests.payroll.rows import DAY, day_of, hours, person, sheet

AUGUST = date(2026, 8, 1), date(2026, 8, 31)


def part(number: float) -> PayrollPart:
    return PayrollPart(time=hours(number))


def test_kinds_add_up_to_the_total_of_the_server() -> None:
    paid = PayrollHours(total=hours(10), regular=part(8), daily_overtime=part(1.5))
    made = hours_of(paid, None)
    assert (made.regular, made.daily_overtime, made.other) == (hours(8), hours(1.5), hours(0.5))
    assert made.worked == hours(10)


def test_regular_hours_that_are_not_said_are_the_rest() -> None:
    assert hours_of(PayrollHours(total=hours(10), daily_overtime=part(2)), None) == Hours(
        regular=hours(8), daily_overtime=hours(2)
    )
    assert hours_of(PayrollHours(total=hours(1), daily_overtime=part(2)), None).worked == hours(1)
    assert hours_of(PayrollHours(regular=part(3)), None) == Hours(regular=hours(3))
    assert hours_of(None, None) == Hours()


def test_every_kind_is_summed_and_only_unpaid_time_off_is_not_paid() -> None:
    each = {kind: timedelta(minutes=10**place) for place, kind in enumerate(KINDS)}
    one = Hours(**each)
    assert one + one == Hours.sum([one, one])
    assert {getattr(one + one, kind) for kind in KINDS} == {2 * length for length in each.values()}
    assert one.total == sum(each.values(), timedelta(0)) - one.unpaid_time_off
    assert one.overtime == one.worked - one.regular - one.other


@pytest.mark.parametrize(
    ("definition", "begins"),
    [
        ({"cycle": "Monthly", "start_at_day_number_first": 1}, [1]),
        ({"cycle": "Monthly", "start_at_day_number_first": 16}, [1, 16]),
        # The second day counts only where there are two a month.
        ({"cycle": "Monthly", "start_at_day_number_second": 16}, [1]),
        (
            {
                "cycle": "TwiceInMonth",
                "start_at_day_number_first": 5,
                "start_at_day_number_second": 20,
            },
            [1, 5, 20],
        ),
        ({"cycle": "Weekly", "start_at_day_of_week": "Monday"}, [1, 3, 10, 17, 24, 31]),
        ({"cycle": "Weekly", "start_at_day_of_week": "Sunday"}, [1, 2, 9, 16, 23, 30]),
        ({"cycle": "OnceInTwoWeeks", "start_from_date": date(2026, 1, 5)}, [1, 3, 17, 31]),
        ({"cycle": "OnceInTwoWeeks", "start_from_date": date(2027, 1, 4)}, [1, 3, 17, 31]),
        # What is not said, or not known, makes months.
        ({"cycle": "OnceInTwoWeeks", "start_at_day_of_week": "Monday"}, [1]),
        ({"cycle": "Yearly"}, [1]),
        ({}, [1]),
    ],
)
def test_pay_periods(definition: dict[str, Any], begins: list[int]) -> None:
    pieces = pay_periods(*AUGUST, PayPeriodDefinition(id="p", **definition))
    assert [first.day for first, _ in pieces] == begins
    assert pieces[0][0] == AUGUST[0]
    assert pieces[-1][1] == AUGUST[1]
    for (_, before), (after, _) in pairwise(pieces):
        assert after - before == timedelta(days=1)


def test_a_day_that_a_month_does_not_have_is_its_last() -> None:
    last = PayPeriodDefinition(id="p", cycle="Monthly", start_at_day_number_first=31)
    pieces = pay_periods(date(2026, 2, 1), date(2026, 4, 30), last)
    assert [first for first, _ in pieces][1:] == [
        date(2026, 2, 28),
        date(2026, 3, 31),
        date(2026, 4, 30),
    ]


def test_months_may_be_parts() -> None:
    pieces = months(date(2026, 7, 30), date(2026, 9, 2))
    assert [(first.isoformat(), last.isoformat()) for first, last in pieces] == [
        ("2026-07-30", "2026-07-31"),
        ("2026-08-01", "2026-08-31"),
        ("2026-09-01", "2026-09-02"),
    ]


def test_whoever_has_a_pay_period_of_their_own_is_paid_by_it() -> None:
    weekly = PayPeriodDefinition(id="w", cycle="Weekly", start_at_day_of_week="Monday")
    twice = PayPeriodDefinition(
        id="t", cycle="TwiceInMonth", start_at_day_number_second=16, default=True
    )
    place = Workplace(
        people=[
            person("ann", pay_period_definition_id="w"),
            person("bob", group_id="g"),
            person("cy"),
        ],
        groups=[Group(id="g", pay_period_definition_id="w")],
        pay_periods=[weekly, twice],
    )
    sheets = [sheet(name) for name in ("ann", "bob", "cy", "dee")]
    made = payroll(*AUGUST, sheets, place=place, by="pay-period")
    number = {each: sum(line.person_id == each for line in made.lines) for each in made.payees}
    assert number == {"ann": 6, "bob": 6, "cy": 2, "dee": 2}
    assert len(payroll(*AUGUST, sheets, place=place, by="whole").lines) == 4
    assert len(payroll(DAY, AUGUST[1], sheets, place=place).lines) == 8


def test_days_lines_and_groups_add_up_whatever_the_cut() -> None:
    days = [
        day_of(
            DAY + timedelta(days=place), worked=7.123 + place, daily_overtime=0.5, total=8 + place
        )
        for place in range(40)
    ]
    sheets = [
        sheet("ann", *days, group_name="A"),
        sheet("bob", *days[::2], group_name="B"),
        sheet("cy", *days[::3], group_name="A"),
    ]
    until = DAY + timedelta(days=30)
    for by in ("whole", "month", "pay-period"):
        made = payroll(DAY, until, sheets, by=by)
        whole = Hours.sum(day.hours for day in made.days)
        assert made.hours == whole
        assert Hours.sum(each for _, each in made.by_group().values()) == whole
        assert [people for people, _ in made.by_group().values()] == [2, 1]
        assert max(day.day for day in made.days) == until
        for table in tables(made):
            if table.name in {"sign", "days", "groups"}:
                names = [column.name for column in table.columns]
                for kind in ("regular", "daily_overtime", "other", "total"):
                    at = names.index(kind)
                    assert table.total is not None
                    rows = list(table.rows())
                    assert sum((row[at] for row in rows), timedelta(0)) == table.total[at]
                    assert len(rows) == table.size


def test_lines_are_in_the_order_of_names() -> None:
    sheets = [sheet("1", name="émile"), sheet("2", name="Zoë"), sheet("3", name="ann")]
    made = payroll(DAY, DAY, sheets)
    assert [made.payees[line.person_id].name for line in made.lines] == ["ann", "Zoë", "émile"]


def test_sheets_that_can_not_be_of_one_person_each_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="ann has two timesheets"):
        payroll(DAY, DAY, [sheet("ann"), sheet("ann")])
    with pytest.raises(ConfigurationError, match="says no person_id"):
        payroll(DAY, DAY, [Timesheet()])
    with pytest.raises(ConfigurationError, match="exchange them"):
        payroll(DAY, DAY - timedelta(days=1), [])


def row(ident: str, number: float) -> TrackedTime:
    return TrackedTime(
        id=ident, tracked_time=hours(number), subject=TrackedSubject(id=ident, name=f"<{ident}>")
    )


def test_the_report_is_compared_person_by_person() -> None:
    sheets = [sheet("ann", day_of(worked=8)), sheet("bob", day_of(worked=6))]
    check = payroll(DAY, DAY, sheets, report=[row("ann", 8), row("bob", 6)]).check
    assert check is not None
    assert (check.sheet, check.report, check.with_breaks) == (hours(14), hours(14), False)
    assert list(check.differences) == []

    check = payroll(DAY, DAY, sheets, report=[row("ann", 8), row("cy", 2)]).check
    assert check is not None
    assert [(each.name, each.sheet, each.more) for each in check.differences] == [
        ("Bob", hours(6), hours(-6)),
        ("<cy>", hours(0), hours(2)),
    ]


def test_a_report_that_counts_breaks_is_compared_with_breaks() -> None:
    check = payroll(DAY, DAY, [sheet("ann", day_of(worked=8))], report=[row("ann", 8.5)]).check
    assert check is not None
    assert check.with_breaks
    assert (list(check.differences), check.sheet) == ([], hours(8.5))


def test_a_second_is_rounding() -> None:
    second = 1 / 3600
    for more, number in ((second, 0), (2 * second, 1)):
        check = payroll(DAY, DAY, [sheet("ann", day_of(worked=8))], report=[row("ann", 8 + more)])
        assert check.check is not None
        assert len(check.check.differences) == number
