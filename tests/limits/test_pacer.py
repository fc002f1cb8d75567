"""All that an adaptive limiter knows, as one value: each test falls when a rule is another."""

from __future__ import annotations

import pytest

from jibble_async.limits.adaptive.pacer import Heard, Pacer
from jibble_async.limits.adaptive.rate import RateEstimator
from jibble_async.limits.headers import Reading
from jibble_async.limits.slots import Outcome


def told(remaining: int) -> Pacer:
    """A pacer at 100, when an answer told of a window of ten seconds."""
    pacer = Pacer(RateEstimator(4))
    permit = pacer.let_go(100.0, held=False)
    reading = Reading(remaining, 1010.0, 10.0)
    pacer.learn(Heard(permit, Outcome.ANSWERED, 100.0, reading, 1000.0))
    assert pacer.told
    return pacer


def test_a_told_quota_goes_on_by_another_clock() -> None:
    pacer = told(remaining=5)
    due = pacer.due()
    pacer.resume(5.0, 100.0, age=0.5)
    assert pacer.due() == pytest.approx(due - 100 - 0.5 + 5)


def test_what_waits_for_an_answer_in_a_burst_is_not_held_back_by_the_rate() -> None:
    pacer = Pacer(RateEstimator(4))
    pacer.let_go(100.0, held=False)
    assert not pacer.let_go(100.1, held=True).held
    pacer.estimator.ahead = 0
    assert pacer.let_go(101.0, held=True).held


def test_an_answer_that_is_awaited_lets_nobody_be_refused() -> None:
    pacer = Pacer(RateEstimator(0.1))
    pacer.let_go(100.0, held=False)
    assert pacer.due() == 110
    assert pacer.soonest(100.0).of(7) == 100
    pacer.estimator.ahead = 0
    assert pacer.soonest(100.0).of(7) == 110


@pytest.mark.parametrize(
    ("remaining", "hidden", "wider"), [(41, False, True), (40, False, False), (99, True, False)]
)
def test_room_for_as_many_again_shows_that_a_refusal_is_overdue(
    remaining: int, hidden: bool, wider: bool
) -> None:
    pacer = told(remaining=5)
    pacer.told, pacer.quota.distrusted, pacer.quota.doubt = False, True, 30
    pacer.quota.hidden = hidden
    pacer.estimator = RateEstimator(4, learning=False, step=0.04)
    permit = pacer.let_go(200.0, held=True)
    pacer.learn(Heard(permit, Outcome.ANSWERED, 200.1, Reading(remaining, 1110.0, 10.0)))
    assert (pacer.estimator.step > 0.04) is wider


def test_while_a_window_is_not_full_room_shows_nothing() -> None:
    pacer = told(remaining=5)
    pacer.told, pacer.quota.distrusted, pacer.quota.doubt = False, True, 30
    pacer.estimator = RateEstimator(4, learning=False, step=0.04, longest_shut=300.0)
    permit = pacer.let_go(200.0, held=True)
    pacer.learn(Heard(permit, Outcome.ANSWERED, 200.1, Reading(99, 1110.0, 10.0)))
    assert pacer.estimator.step == 0.04
