"""Entries and hours of a person and month, by one code on both sides."""

from __future__ import annotations

from jibble_legacy.migration.checking.totals import (
    Gap,
    MonthTotal,
    PersonTotals,
    Punched,
    gaps,
    month_of,
    person_totals,
)

from tests.migration.made_up import at

HOUR = 3_600_000


def punch(text: str, type: str = "In", day: str | None = None) -> Punched:
    return Punched(f"{text}{type}", at(text), type, text[:10] if day is None else day)


SHIFT = [punch("2026-03-02T08:00"), punch("2026-03-02T16:30:00.500", "Out")]


def test_hours_lie_between_in_and_out_to_the_millisecond() -> None:
    totals = person_totals(SHIFT)
    assert totals.months == {"2026-03": MonthTotal(2, 8 * HOUR + HOUR // 2 + 500)}
    assert (totals.entries, totals.worked) == (2, 30_600_500)
    assert (totals.no_end, totals.no_beginning) == (0, 0)


def test_the_order_does_not_matter() -> None:
    assert person_totals(reversed(SHIFT)) == person_totals(SHIFT)


def test_a_night_over_the_months_end_counts_for_its_working_day() -> None:
    night = [punch("2026-03-31T22:00"), punch("2026-04-01T06:00", "Out", "2026-03-31")]
    assert person_totals(night).months == {"2026-03": MonthTotal(2, 8 * HOUR)}


def test_a_stretch_over_two_working_days_belongs_to_the_first_and_its_out_to_the_second() -> None:
    night = [punch("2026-03-31T22:00"), punch("2026-04-01T06:00", "Out")]
    assert person_totals(night).months == {
        "2026-03": MonthTotal(1, 8 * HOUR),
        "2026-04": MonthTotal(1, 0),
    }


def test_more_than_twelve_hours_between_two_days_are_no_work() -> None:
    forgotten = [punch("2026-03-30T17:59:59"), punch("2026-03-31T06:00", "Out")]
    totals = person_totals(forgotten)
    assert (totals.worked, totals.no_end, totals.no_beginning) == (0, 1, 1)


def test_an_in_alone_and_an_out_alone_are_counted_as_odd() -> None:
    odd = [punch("2026-03-02T07:00", "Out"), *SHIFT[:1], punch("2026-03-04T08:00")]
    totals = person_totals(odd)
    assert (totals.entries, totals.no_end, totals.no_beginning) == (3, 2, 1)


def test_months_that_are_alike_are_no_gaps() -> None:
    assert gaps(person_totals(SHIFT), person_totals(SHIFT)) == []


def test_a_month_that_one_side_lacks_is_a_gap_and_so_is_a_millisecond() -> None:
    old = PersonTotals(months={"2026-02": MonthTotal(1, 0), "2026-03": MonthTotal(2, 5)})
    new = PersonTotals(months={"2026-03": MonthTotal(2, 4)})
    assert gaps(old, new) == [
        Gap("2026-02", MonthTotal(1, 0), MonthTotal()),
        Gap("2026-03", MonthTotal(2, 5), MonthTotal(2, 4)),
    ]


def test_nobody_has_nothing() -> None:
    assert person_totals([]) == PersonTotals(months={})


def test_the_month_of_a_day() -> None:
    assert month_of("2026-07-31") == "2026-07"
