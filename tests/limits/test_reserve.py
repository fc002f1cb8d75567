from __future__ import annotations

from itertools import pairwise

import hypothesis.strategies as st
import pytest
from hypothesis import assume, given

from jibble_async.limits.windows.reserve import Clicks, Reserve, RoundTrips

LIMITS = st.integers(1, 60)
SHARES = st.floats(0, 0.99)
# How long an interactive call may wait, in slots.
SOON = st.sampled_from((1.0, 1.4, 3.0))


def window(limit: int, share: float = 0.1, per: float = 10.0) -> Reserve:
    return Reserve("window", limit, per, share)


@given(LIMITS, SHARES, st.integers(0, 100), SOON)
def test_with_all_slots_free_a_bulk_call_never_waits(
    limit: int, share: float, interactive: int, soon: float
) -> None:
    reserve = window(limit, share)
    assert reserve.bulk_from(limit - 1, [], 5.0, interactive, soon * reserve.slot) <= 5.0 + 1e-9


@given(LIMITS, SHARES, SOON, st.data())
def test_expected_calls_find_a_slot_soon(
    limit: int, share: float, slots: float, data: st.DataObject
) -> None:
    per, now = 10.0, 0.0
    interactive = data.draw(st.integers(0, limit - 1))
    free = data.draw(st.integers(1, limit))
    counted = limit - free
    dues = sorted(data.draw(st.lists(st.floats(0, per), min_size=counted, max_size=counted)))
    reserve = window(limit, share, per)
    soon = slots * reserve.slot
    if reserve.bulk_from(free - 1, dues, now, interactive, soon) > now:
        return
    # Regular calls from any moment on, as many a period as in the last one.
    gap = per / max(1, interactive)
    for start in (0.0, 0.3 * gap, 0.99 * gap):
        due = iter([now] * (free - 1) + dues)
        for number in range(interactive):
            if (wanted_at := start + number * gap) < per:
                assert next(due, per) <= wanted_at + soon + 1e-6


@given(LIMITS, st.integers(0, 60), st.data())
def test_more_free_slots_never_mean_a_longer_wait(
    limit: int, interactive: int, data: st.DataObject
) -> None:
    dues = sorted(data.draw(st.lists(st.floats(0, 12), max_size=limit)))
    free = data.draw(st.integers(1, limit))
    reserve = window(limit)
    waits = [
        reserve.bulk_from(number - 1, dues, 0.0, interactive, reserve.slot)
        for number in (free, free + 1)
    ]
    assert waits[1] <= waits[0]


def test_a_slot_is_held_back_until_the_next_one_is_near() -> None:
    reserve = window(10, per=100)
    assert reserve.bulk_from(0, [60.0, 61.0], 0.0, 0, soon=10) == pytest.approx(50)
    assert reserve.bulk_from(0, [60.0, 61.0], 0.0, 0, soon=15) == pytest.approx(45)
    assert reserve.bulk_from(0, [8.0, 110.0], 0.0, 0, soon=10) == 0


def test_the_number_of_calls_to_come_spreads_by_its_root() -> None:
    reserve = window(100, 0, per=100)
    assert reserve.bulk_from(4, [], 0.0, 4, soon=1) == pytest.approx(99 - 4 * 100 / 6)


@given(LIMITS, st.lists(st.floats(0, 60), max_size=100))
def test_slots_may_come_due_as_far_apart_as_answers_let_them(
    limit: int, seconds: list[float]
) -> None:
    reserve, trips = window(limit), RoundTrips()
    for round_trip in seconds:
        trips.add(round_trip)
    assert reserve.spacing(trips) >= reserve.slot
    assert reserve.spacing(trips) >= (10.0 + trips.mean) / limit


def test_uneven_round_trips_matter_to_small_windows_only() -> None:
    even, uneven = RoundTrips(), RoundTrips()
    for number in range(64):
        even.add(0.2)
        uneven.add(0.1 if number % 2 else 0.3)

    def more(limit: int) -> float:
        reserve = window(limit, per=limit / 10)
        return (reserve.spacing(uneven) - reserve.spacing(even)) / reserve.slot

    assert more(5) > 2
    assert more(50) < 0.2


@given(st.lists(st.floats(0, 60), min_size=1, max_size=200))
def test_the_usual_round_trip_is_between_the_shortest_and_the_longest(
    seconds: list[float],
) -> None:
    trips = RoundTrips()
    for round_trip in seconds:
        trips.add(round_trip)
    assert min(seconds) - 1e-9 <= trips.mean <= max(seconds) + 1e-9
    assert 0 <= trips.spread <= max(seconds) - min(seconds) + 1e-9


def test_round_trips_follow_a_change() -> None:
    trips = RoundTrips()
    for round_trip in [0.1] * 1000 + [0.5] * 300:
        trips.add(round_trip)
    assert trips.mean == pytest.approx(0.5, abs=0.01)
    assert trips.spread == pytest.approx(0, abs=0.02)


def test_calls_come_one_by_one_while_no_two_take_the_time_of_one_slot() -> None:
    clicks = Clicks(10, 1.0)
    assert not clicks.one_by_one(0.0)
    clicks.add(0.0)
    clicks.add(0.11)
    assert clicks.one_by_one(0.2)
    clicks.add(0.2)
    assert not clicks.one_by_one(0.2)
    # That is remembered for longer than a call that came alone.
    clicks.add(55.0)
    assert not clicks.one_by_one(60.1)
    assert clicks.one_by_one(60.3)
    assert clicks.one_by_one(65.0)
    assert not clicks.one_by_one(65.1)


@given(st.lists(st.floats(0, 3), min_size=1, max_size=60), st.data())
def test_it_does_not_matter_when_the_calls_are_looked_at(
    gaps: list[float], data: st.DataObject
) -> None:
    looked, unseen = Clicks(20, 2.0), Clicks(20, 2.0)
    times = [sum(gaps[: number + 1]) for number in range(len(gaps))]
    assume(all(later > earlier for earlier, later in pairwise(times)))
    for time in times[-20:]:
        looked.add(time)
        unseen.add(time)
        if data.draw(st.booleans()):
            looked.since(time - 2.0, time)
    assert looked.one_by_one(times[-1]) == unseen.one_by_one(times[-1])
    within = [time for time in times[-20:] if time > times[-1] - 2.0]
    assert looked.since(times[-1] - 2.0, times[-1]) == len(within)
    assert unseen.since(times[-1] - 2.0, times[-1]) == len(within)


def test_a_call_that_was_not_sent_is_not_expected_again() -> None:
    clicks = Clicks(10, 1.0)
    clicks.take_back(0.0)
    clicks.add(0.0)
    clicks.add(0.3)
    clicks.take_back(0.0)
    assert clicks.since(-1.0, 0.3) == 1
    assert clicks.since(0.3, 0.3) == 0
    # But it shows how calls come.
    clicks.add(0.35)
    clicks.take_back(0.35)
    assert clicks.kept(0.35) == ([0.3], 0.35, 0.35)


def test_a_call_counts_for_a_period() -> None:
    clicks = Clicks(10, 1.0, times=[0.5, 1.0], last=1.0)
    assert [clicks.since(-1.0, now) for now in (1.0, 1.499, 1.5, 1.999, 2.0)] == [2, 2, 1, 1, 0]


def test_several_that_wait_are_a_crowd() -> None:
    clicks = Clicks(10, 1.0)
    clicks.add(0.0)
    clicks.wait(1, 1.0)
    assert clicks.one_by_one(2.0)
    clicks.wait(2, 2.0)
    assert not clicks.one_by_one(2.0)


def test_calls_that_nobody_looked_at_do_not_pile_up() -> None:
    clicks = Clicks(20, 1.0)
    for number in range(1000):
        clicks.add(number / 1000)
    assert clicks.since(-1.0, 0.999) == 20


@pytest.mark.parametrize(("share", "begin"), [(0.1, 40), (0.0, 0)])
def test_the_last_slot_is_kept_unless_nothing_is_to_be(share: float, begin: float) -> None:
    reserve = window(5, share, per=100)
    assert reserve.bulk_from(0, [60.0], 0.0, 0, soon=20) == begin
