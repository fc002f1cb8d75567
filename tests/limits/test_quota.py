"""The quota told in headers alone: each test falls when a rule it rests on is another."""

from __future__ import annotations

import math

import pytest

from jibble_async.limits.adaptive.quota import ServerClock, ToldQuota
from jibble_async.limits.headers import Reading


def told(remaining: int = 9, ends: float = 10.0, per: float = 10.0, at: float = 0.0) -> ToldQuota:
    """A quota after the first answer of a window that begins at 0 by both clocks."""
    quota = ToldQuota()
    window, serial = quota.sent(at)
    reading = Reading(remaining, ends, per)
    quota.timed(at, at, reading, None)
    quota.clock.lead = quota.clock.least = quota.clock.most = 0.0
    quota.arrival = at
    quota.told(window, serial, reading)
    return quota


def test_what_is_left_is_spread_and_half_a_gap_stays_free() -> None:
    quota = told()
    assert (quota.limit, quota.per, quota.known) == (10, 10.0, True)
    assert quota.due() == pytest.approx(10 / 9.5)


def test_a_spent_window_is_waited_out_for_a_timers_error() -> None:
    assert told(remaining=0).due() == pytest.approx(10.003, abs=0.001)


@pytest.mark.parametrize(("aligned", "due"), [(7, 10.003), (8, 10.5)])
def test_a_window_that_is_surely_there_is_entered_after_half_a_gap(
    aligned: int, due: float
) -> None:
    quota = told(remaining=0)
    quota.limit = 10
    quota.aligned = aligned
    assert quota.due() == pytest.approx(due, abs=0.001)


def test_four_deviations_of_the_travel_time_are_kept_off_both_ends() -> None:
    quota = told(remaining=0)
    quota.clock.deviation = 0.1
    assert quota.due() == pytest.approx(10.4)
    quota.clock.deviation = 5.0
    assert quota.due() == pytest.approx(12.5)


def test_aligned_windows_are_foreseen() -> None:
    quota = told()
    quota.aligned = 8
    quota.sent(34.0)
    window = quota.window
    assert (window.after, window.ends, window.left) == (10.0, 40.0, 9)


def test_a_request_that_came_early_takes_nothing_from_the_next_window() -> None:
    quota = told()
    window, serial = quota.sent(10.001)
    quota.told(window, serial, Reading(0, 10.0, 10.0))
    assert quota.window.left == quota.limit


def test_what_is_under_way_is_not_left() -> None:
    quota = told()
    first, second = quota.sent(1.0), quota.sent(2.0)
    quota.told(*first, Reading(5, 10.0, 10.0))
    assert quota.window.left == 4
    quota.told(*second, Reading(5, 10.0, 10.0))
    assert quota.window.left == 4


def test_a_quota_that_was_raised_is_seen_at_once() -> None:
    quota = told()
    quota.told(*quota.sent(1.0), Reading(98, 10.0, 10.0))
    assert (quota.limit, quota.window.left) == (100, 98)


def test_a_limit_is_learnt_anew_only_without_a_doubt() -> None:
    quota = told()
    quota.doubt = 1
    quota.told(*quota.sent(1.0), Reading(98, 10.0, 10.0))
    assert (quota.limit, quota.window.left) == (10, 98)


def test_a_limit_that_is_not_known_is_learnt_in_spite_of_a_doubt() -> None:
    quota = ToldQuota()
    quota.clock.lead = quota.clock.least = quota.clock.most = 0.0
    quota.told(*quota.sent(0.0), Reading(0, 10.0, 10.0), refused=True)
    assert (quota.limit, quota.doubt) == (0, 2)
    quota.told(*quota.sent(10.1), Reading(9, 20.0, 10.0))
    assert quota.limit == 10


def test_an_answer_of_a_window_that_is_over_leaves_the_present_one() -> None:
    quota = told()
    late = quota.sent(9.0)
    quota.told(*quota.sent(10.5), Reading(9, 20.0, 10.0))
    left = quota.window.left
    quota.told(*late, Reading(8, 10.0, 10.0))
    assert (quota.newest_end, quota.window.ends, quota.window.left) == (20.0, 20.0, left)


@pytest.mark.parametrize(("ends", "aligned"), [(30.0, 6), (23.3, 0)])
def test_windows_are_aligned_while_whole_windows_lie_between(ends: float, aligned: int) -> None:
    quota = told()
    quota.aligned = 5
    quota.told(*quota.sent(ends - 9.0), Reading(9, ends, 10.0))
    assert quota.aligned == aligned


def test_sliding_windows_are_distrusted_until_no_doubt_is_left() -> None:
    quota = told()
    for jump in (1, 2, 3):
        assert quota.known
        quota.told(*quota.sent(float(jump)), Reading(8, 10.0 + jump, 10.0))
    assert not quota.known
    for good in range(1, 7):
        assert not quota.known
        quota.told(*quota.sent(13.0 + 10 * good), Reading(8, 13.0 + 10 * good, 10.0))
    assert quota.known


def test_doubts_do_not_pile_up_for_ever() -> None:
    quota = told()
    for jump in range(100):
        quota.told(*quota.sent(float(jump)), Reading(8, 11.0 + jump, 10.0))
    assert quota.doubt == 30


@pytest.mark.parametrize(("off", "doubt"), [(0.0004, 0), (0.002, 2)])
def test_ends_a_rounding_apart_are_one(off: float, doubt: int) -> None:
    quota = told()
    quota.told(*quota.sent(1.0), Reading(8, 10.0 + off, 10.0))
    assert quota.doubt == doubt


@pytest.mark.parametrize(("left", "hidden"), [(2, True), (1, False)])
def test_a_refusal_with_much_left_was_another_limits(left: int, hidden: bool) -> None:
    quota = told()
    window, _ = quota.sent(1.0)
    quota.window.left = left
    quota.refused(window)
    assert quota.hidden is hidden
    assert quota.window.left == (left if hidden else 0)


def test_a_refusal_that_tells_of_much_left_was_another_limits() -> None:
    for remaining in (0, 1):
        quota = told()
        quota.told(*quota.sent(1.0), Reading(remaining, 10.0, 10.0), refused=True)
        assert quota.hidden is bool(remaining)
        assert quota.doubt == 2


def test_a_refusal_of_a_window_that_is_over_takes_nothing_from_the_present_one() -> None:
    quota = told()
    old, _ = quota.sent(1.0)
    quota.sent(11.0)
    quota.window.left = 2
    quota.refused(old)
    assert (quota.window.left, quota.hidden, quota.doubt) == (2, False, 2)
    quota.unsent(old)
    assert quota.window.left == 2


def test_workers_that_do_not_hear_of_each_other_take_a_part_of_what_is_left() -> None:
    quota = told()
    assert quota.due(2) == pytest.approx(2 * quota.due())


def test_a_request_that_was_not_sent_is_taken_back() -> None:
    quota = told()
    window, _ = quota.sent(1.0)
    quota.unsent(window)
    assert quota.window.left == 9


def test_the_clock_is_bounded_by_the_window_and_the_date() -> None:
    clock = ServerClock()
    clock.heard(0.0, 0.2, Reading(1, 100.1, 10.0), None)
    assert clock.lead == pytest.approx(95)
    assert clock.arrival(1.0) == pytest.approx(96.1)
    assert clock.departure(clock.arrival(1.0)) == pytest.approx(1.0)
    dated = ServerClock()
    dated.heard(0.0, 0.2, Reading(1, 100.1, 10.0), 96)
    assert dated.lead == pytest.approx((95.8 + 97) / 2)


@pytest.mark.parametrize(("error", "corrected"), [(0.002, 0.001), (1.0, 1.0)])
def test_a_small_clock_error_is_halved_and_a_large_one_followed(
    error: float, corrected: float
) -> None:
    clock = ServerClock(lead=0.0, trip=0.2)
    clock.heard(0.0, 0.2, Reading(1, 10.1 + error, 10.0), None)
    assert clock.lead == pytest.approx(corrected, rel=0.01)


def test_a_window_is_entered_when_it_has_surely_begun_and_left_by_a_look_at_the_clock() -> None:
    quota = told(remaining=2)
    quota.clock = ServerClock(lead=0.0, trip=0.0, least=-1.0, most=1.0)
    quota.window.left = 0
    assert quota.due() == pytest.approx(11.003)
    quota.window.left = 1
    assert quota.due() == pytest.approx(9.997)
    quota.clock.least = -20.0
    quota.window.left = 0
    assert quota.due() == pytest.approx(15.003)


def test_each_answer_narrows_what_the_clock_may_show_until_it_is_known() -> None:
    clock = ServerClock()
    clock.heard(0.0, 0.0, Reading(1, 10.0, 10.0), None)
    assert (clock.lead, clock.doubt) == (5, 5)
    # Still the same window: the clock is not that far ahead.
    clock.heard(4.0, 4.0, Reading(1, 10.0, 10.0), None)
    assert (clock.lead, clock.doubt) == (3, 3)
    # The next one has begun.
    clock.heard(8.0, 8.0, Reading(1, 20.0, 10.0), None)
    assert (clock.lead, clock.doubt) == (4, 2)
    clock.heard(8.0, 16.0, Reading(1, 30.0, 10.0), None)
    assert clock.doubt == 2
    clock.heard(16.0, 16.0, Reading(1, 20.01, 10.0), None)
    assert clock.doubt == pytest.approx(1.005)
    clock.heard(7.99, 7.99, Reading(1, 20.0, 10.0), None)
    assert clock.doubt == pytest.approx(1, abs=0.01)
    clock.heard(6.01, 6.01, Reading(1, 20.01, 10.0), None)
    assert clock.doubt == 0


def test_an_answer_that_took_unusually_long_shows_no_time() -> None:
    clock = ServerClock(lead=0.0, trip=0.2)
    clock.heard(0.0, 0.6, Reading(1, 20.0, 10.0), None)
    assert clock.lead == 0.0
    assert clock.trip == pytest.approx(0.3)
    assert clock.deviation == pytest.approx(0.0125)


def test_nothing_is_known_before_the_first_answer() -> None:
    quota = ToldQuota()
    assert not quota.known
    assert quota.sent(1.0) == (0, 1)
    assert math.isnan(quota.clock.lead)


@pytest.mark.parametrize("ends", [21.0, -21.0])
def test_a_window_far_from_now_is_believed_when_it_is_told_twice(ends: float) -> None:
    quota = told()
    quota.aligned = 8
    window = quota.window
    odd, usual = Reading(5, ends, 10.0), Reading(5, 10.0, 10.0)
    for _ in range(3):
        assert not quota.timed(0.0, 0.0, odd, None)
        assert quota.timed(0.0, 0.0, usual, None)
    assert (quota.clock.lead, quota.window) == (0.0, window)
    assert not quota.timed(0.0, 0.0, odd, None)
    assert quota.timed(0.0, 0.0, odd, None)
    assert quota.clock.lead == ends - 5
    assert (quota.newest_end, quota.aligned, quota.window.left) == (-math.inf, 0, 0)


@pytest.mark.parametrize("ends", [19.0, -19.0])
def test_a_window_may_end_two_periods_off(ends: float) -> None:
    assert told().timed(0.0, 0.0, Reading(5, ends, 10.0), None)


def test_an_answer_that_took_long_is_not_odd() -> None:
    assert told().timed(1.0, 100.0, Reading(5, 10.0, 10.0), None)
