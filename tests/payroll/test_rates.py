"""Rates and amounts: nothing is lost, nothing is guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jibble_async import ConfigurationError
from jibble_async.payroll import Amount, Hours, Payee, PayrollLine, Workplace, payroll, read_rates
from jibble_async.payroll.rates import PAID, Rate, amount_of
from tests.payroll.rows import DAY, OVERTIME, day_of, person, schedule, sheet

HEAD = "person,rate,currency\n"


def amounts(text: str, *sheets: Any, **place: Any) -> list[Amount]:
    rates = read_rates(text, "rates.csv")
    made = payroll(DAY, DAY, sheets, rates=rates, place=Workplace(**place)).amounts
    assert made is not None
    return list(made)


def test_hours_times_rate_times_factor() -> None:
    days = day_of(worked=8, daily_overtime=1.5, rest_day_overtime=1, total=10.5, paid_off=4)
    (each,) = amounts(
        "Person;Rate;Currency;Daily overtime\nANN;20,50;eur;1,75\n",
        sheet("ann", days),
        people=[person("ann")],
        schedules=[schedule(overtime=OVERTIME)],
    )
    assert (each.currency, each.rate) == ("EUR", Decimal("20.50"))
    assert each.parts["regular"] == Decimal("164.00")
    # The table goes before the schedule.
    assert each.parts["daily_overtime"] == Decimal("53.81")
    assert each.parts["rest_day_overtime"] == Decimal("22.55")
    assert each.parts["paid_time_off"] == Decimal("82.00")
    assert each.total == Decimal("322.36")


def test_overtime_that_nobody_says_how_to_pay_is_refused() -> None:
    days = day_of(worked=8, daily_overtime=1, total=9)
    with pytest.raises(ConfigurationError, match="Ann has hours of the kind daily_overtime"):
        amounts(f"{HEAD}ann,20,EUR\n", sheet("ann", days))
    assert len(amounts(f"{HEAD}ann,20,EUR\n", sheet("ann", day_of(worked=8)))) == 1


@pytest.mark.parametrize("name", ["007", "ann@example.com", "Zoe\u0308  f", "ann", "*"])
def test_people_are_found_by_what_they_are_called(name: str) -> None:
    sheets = sheet("ann", day_of(worked=1), name="Zoë F", code="007")
    people = [person("ann", email="Ann@Example.com")]
    (each,) = amounts(f"{HEAD}{name},20,EUR\n", sheets, people=people)
    assert each.total == Decimal("20.00")


def test_everybody_else_has_a_rate_of_their_own_or_that_of_all() -> None:
    sheets = [sheet(name, day_of(worked=1)) for name in ("ann", "bob")]
    made = amounts(f"{HEAD}bob,30,EUR\n*,20,EUR\n", *sheets)
    assert [each.total for each in made] == [Decimal("20.00"), Decimal("30.00")]


def test_whoever_has_no_hours_needs_no_rate() -> None:
    assert amounts(f"{HEAD}bob,30,EUR\n", sheet("ann", day_of(worked=0))) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "needs one column 'person'"),
        ("person,rate\nann,20\n", "needs one column 'currency'"),
        ("person,rate,currency,rate\nann,20,EUR,1\n", "needs one column 'rate'"),
        ("person,rate,currency,bonus\nann,20,EUR,1\n", "has bonus: there are person"),
        (f"{HEAD}ann,20\n", "row 2: 2 cells under 3 columns"),
        (f"{HEAD}ann,20,EUR\nann,30,EUR\n", "has 'ann' twice"),
        (f"{HEAD}ann,20,EUR\nAnn Lee,30,EUR\n", "twice, by two names"),
        (f"{HEAD},20,EUR\n", "row 2: no person"),
        (f"{HEAD}ann,20,€\n", "'€' is no currency"),
        (f"{HEAD}bob,20,EUR\n", "no rate for Ann Lee: add rows"),
        *(
            (f'{HEAD}ann,"{number}",EUR\n', "no number that can be read in one way only")
            for number in (
                "",
                "x",
                "-5",
                "1e3",
                "nan",
                "inf",
                "1,250",
                "1.250",
                "1,250.00",
                "٣",
                "5 5",
                "9" * 13,
            )
        ),
        ('person,rate,currency\n"ann,20,EUR\n', "is no CSV"),
    ],
)
def test_what_can_not_be_used_is_told(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        amounts(text, sheet("ann", day_of(worked=1), name="Ann Lee"))


def test_a_name_of_two_is_no_name() -> None:
    sheets = [sheet(name, day_of(worked=1), name="Ann Lee") for name in ("a", "b")]
    with pytest.raises(ConfigurationError, match="'ann lee' are 2 people: write their codes"):
        amounts(f"{HEAD}Ann Lee,20,EUR\n", *sheets)


def test_a_name_of_two_is_no_name_though_one_has_no_hours() -> None:
    worked, idle = (sheet("a", day_of(worked=hours), name="Ann Lee") for hours in (1, 0))
    text = f"{HEAD}Ann Lee,20,EUR\n"
    with pytest.raises(ConfigurationError, match="'ann lee' are 2 people"):
        amounts(text, worked, people=[person("ann lee")])
    # It is no matter of somebody who has gone, nor where neither is paid.
    gone = person("ann lee", removed_at=datetime(2020, 1, 1, tzinfo=UTC))
    (each,) = amounts(text, worked, people=[gone])
    assert each.total == Decimal("20.00")
    assert amounts(text, idle, people=[person("ann lee")]) == []


def test_rates_of_nobody_are_told() -> None:
    gone = person("bob", code="E-1", removed_at=datetime(2020, 1, 1, tzinfo=UTC))
    rates = read_rates(f"{HEAD}ANN,20,EUR\ne-1,20,EUR\nE-01 ,20,EUR\n*,9,EUR\n", "rates.csv")
    made = payroll(
        DAY, DAY, [sheet("ann", day_of(worked=1))], rates=rates, place=Workplace(people=[gone])
    )
    assert made.unknown_rates == ["E-01"]
    assert payroll(DAY, DAY, []).unknown_rates == ()


def test_many_without_a_rate_are_not_all_listed() -> None:
    sheets = [sheet(f"p{place}", day_of(worked=1)) for place in range(9)]
    with pytest.raises(ConfigurationError, match="P0, P1, P2 and 6 more"):
        amounts(HEAD, *sheets)


def line(length: timedelta) -> PayrollLine:
    return PayrollLine(
        person_id="ann",
        since=DAY,
        until=DAY,
        days=1,
        worked=length,
        breaks=timedelta(0),
        hours=Hours(regular=length, paid_time_off=length),
    )


def amount(length: timedelta, rate: str, currency: str = "EUR") -> Amount:
    paid = Rate(rate=Decimal(rate), currency=currency, factors={})
    ones = {"regular": Decimal(1), "paid_time_off": Decimal(1)}
    return amount_of(line(length), Payee(id="ann", name="Ann"), paid, ones)


@pytest.mark.parametrize(
    ("rate", "currency", "expected"),
    [
        # A minute of 0.30 an hour is half a cent.
        ("0.30", "EUR", "0.01"),
        ("0.29", "EUR", "0.00"),
        ("0.90", "EUR", "0.02"),
        ("30", "JPY", "1"),
        ("0.30", "KWD", "0.005"),
    ],
)
def test_half_a_unit_is_rounded_up_to_the_unit_of_the_currency(
    rate: str, currency: str, expected: str
) -> None:
    made = amount(timedelta(minutes=1), rate, currency)
    assert str(made.parts["regular"]) == expected


@given(
    st.timedeltas(timedelta(0), timedelta(days=31)),
    st.decimals(0, 10**6, places=4),
    st.sampled_from(["EUR", "JPY", "KWD"]),
)
def test_amounts_are_the_nearest_and_totals_are_their_sums(
    length: timedelta, rate: Decimal, currency: str
) -> None:
    made = amount(length, str(rate), currency)
    exact = Fraction(rate) * Fraction(length // timedelta(microseconds=1), 3_600_000_000)
    unit = {"EUR": Fraction(1, 100), "JPY": Fraction(1), "KWD": Fraction(1, 1000)}[currency]
    assert abs(Fraction(made.parts["regular"]) - exact) <= unit / 2
    assert made.total == sum(made.parts.values()) == 2 * made.parts["regular"]
    assert set(made.parts) == set(PAID)
