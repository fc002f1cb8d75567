"""The rate estimator alone: each test falls when a constant it rests on is another."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from jibble_async.limits.adaptive.deliveries import Cycle, Windows
from jibble_async.limits.adaptive.rate import Episode, RateEstimator


class Bottleneck:
    """A server that accepts one request per `1 / quota` seconds, and answers at once."""

    def __init__(self, estimator: RateEstimator, quota: float) -> None:
        self.estimator = estimator
        self.quota = quota
        self.now = 1.0
        self.last = -math.inf
        self.rates: list[float] = []
        self.refused = 0

    def serve(self, requests: int) -> None:
        """Let as many requests go, each when it is due; figures are of these only."""
        self.rates.clear()
        self.refused = 0
        for _ in range(requests):
            self.now = max(self.now, self.estimator.due())
            self.rates.append(self.estimator.rate)
            self.estimator.sent(self.now)
            if self.now - self.last >= 1 / self.quota - 1e-9:
                self.last = self.now
                self.estimator.accepted(self.now, self.now, held=True)
            else:
                self.refused += 1
                self.estimator.refused(self.now, self.now)

    def requests_until(self, rate: float) -> int:
        """How many requests go until the estimator believes in `rate`."""
        for sent in range(20_000):
            if self.estimator.rate >= rate:
                return sent
            self.serve(1)
        return 20_000


def settled(quota: float) -> Bottleneck:
    server = Bottleneck(RateEstimator(4, burst=1), quota)
    server.serve(3000)
    return server


def test_slow_start_doubles_the_rate_in_six_requests() -> None:
    server = Bottleneck(RateEstimator(4, burst=1), 1000)
    assert server.requests_until(8) == 7
    assert server.requests_until(50) == 16


@pytest.mark.parametrize("quota", [0.5, 10, 200])
def test_the_same_share_is_refused_whatever_the_quota(quota: float) -> None:
    server = settled(quota)
    server.serve(20_000)
    assert 0.0065 <= server.refused / 20_000 <= 0.0075


def test_a_settled_rate_swings_by_one_per_cent_below_the_quota() -> None:
    server = settled(10)
    server.serve(2000)
    assert 0.986 <= min(server.rates) / 10 <= 0.990
    assert sum(server.rates) / 2000 >= 9.93


def test_a_quota_that_rises_is_found_by_wider_steps() -> None:
    server = settled(10)
    server.quota = 50
    assert 295 <= server.requests_until(45) <= 325
    server.serve(1500)
    assert server.refused <= 15


def test_a_quota_that_falls_is_found_by_steps_that_triple() -> None:
    server = settled(10)
    server.quota = 2
    server.serve(60)
    assert max(server.rates[40:]) <= 2.05
    assert min(server.rates) >= 1.4
    server.serve(3000)
    assert server.refused <= 25


def steady(rate: float = 10, **state: Any) -> RateEstimator:
    """An estimator that has seen its first refusal."""
    state = {"learning": False, "step": 0.04, "cycle": Cycle(0.0)} | state
    return RateEstimator(rate, **state)


@pytest.mark.parametrize(("raises", "early"), [(12, True), (17, False)])
def test_a_refusal_is_early_before_a_tenth_of_what_was_expected(raises: int, early: bool) -> None:
    estimator = steady(raises=raises, cycle=Cycle(0.0, 1000))
    estimator.refused(1.0, 1.0)
    assert bool(estimator.early) is early
    assert estimator.step == (0.04 if early else 0.02)


def test_early_refusals_lower_the_rate_to_what_got_through() -> None:
    estimator = steady(early=2, step=0.2, cycle=Cycle(0.0, 90))
    estimator.refused(10.0, 10.0)
    assert estimator.rate == 9
    estimator = steady(early=2, step=0.2, cycle=Cycle(0.0, 10))
    estimator.refused(10.0, 10.0)
    assert (estimator.rate, estimator.step) == (8, 0.3)
    estimator = steady(early=1, step=0.04)
    estimator.refused(10.0, 10.0)
    assert estimator.step == pytest.approx(0.12)


@pytest.mark.parametrize(("raises", "step"), [(5, 0.3), (6, 0.15)])
def test_a_refusal_is_early_before_six_whatever_was_expected(raises: int, step: float) -> None:
    estimator = steady(raises=raises, step=0.3, cycle=Cycle(0.0, 1000))
    estimator.refused(1.0, 1.0)
    assert (estimator.early, estimator.step) == (raises < 6, step)


def test_the_request_after_a_refusal_goes_a_tenth_of_a_gap_later() -> None:
    estimator = steady(raises=100)
    estimator.sent(1.0)
    estimator.refused(1.0, 1.05)
    assert estimator.rate == pytest.approx(9.8)
    assert estimator.due() == pytest.approx(1.1102, abs=0.002)


def test_probes_of_a_shut_window_back_off_exponentially() -> None:
    estimator = steady(raises=100)
    estimator.refused(1.0, 1.0)
    estimator.refused(3.0, 3.0)
    assert estimator.due() == 4.0
    estimator.sent(4.0)
    assert estimator.due() == 34.0
    estimator.refused(4.0, 4.0)
    assert estimator.due() == 5.5
    assert estimator.rate == pytest.approx(9.8)


def test_refusals_of_what_was_under_way_together_are_one() -> None:
    estimator = steady(raises=100)
    estimator.refused(1.0, 1.1)
    before = estimator.rate, estimator.due()
    estimator.refused(1.05, 1.15)
    assert (estimator.rate, estimator.due()) == before
    estimator.accepted(1.06, 1.16, held=True)
    assert estimator.episode is not None
    assert estimator.episode.refused == 2


def test_refusals_of_an_episode_are_averaged_over_four() -> None:
    episode = Episode(1.0, refused=5)
    estimator = steady(longest_shut=0.1, episode=episode)
    estimator.accepted(1.1, 1.1, held=False)
    assert estimator.usual_refusals == pytest.approx(2)


@pytest.mark.parametrize(("shut", "step", "refusals"), [(60, 0.196, 1.0), (120, 0.04, 3.0)])
def test_a_window_that_was_used_up_far_too_early_tells_the_quota(
    shut: float, step: float, refusals: float
) -> None:
    episode = Episode(300.0 - shut, refused=9, probing=True, shut_until=300.0)
    estimator = steady(500 / (300 - shut), step=0.3, cycle=Cycle(0.0, 499), episode=episode)
    estimator.accepted(300.0, 300.0, held=False)
    assert estimator.rate == pytest.approx(500 / 300)
    assert estimator.step == pytest.approx(step, abs=0.01)
    assert estimator.usual_refusals == refusals


def test_the_window_opened_between_two_probes() -> None:
    episode = Episode(150.0, probing=True, shut_until=250.0)
    estimator = steady(step=0.3, cycle=Cycle(0.0, 499), episode=episode)
    estimator.accepted(350.0, 350.0, held=False)
    assert estimator.rate == pytest.approx(500 / 300)


@pytest.mark.parametrize(
    ("shut", "accepted", "rate"), [(1.5, 39, 7), (2.6, 39, 4), (2.6, 6, 7), (2.6, 13, 1.4)]
)
def test_only_a_long_window_and_ten_requests_measure_a_rate(
    shut: float, accepted: int, rate: float
) -> None:
    episode = Episode(10.0 - shut, probing=True, shut_until=10.0)
    estimator = steady(step=0.3, cycle=Cycle(0.0, accepted), episode=episode)
    estimator.accepted(10.0, 10.0, held=False)
    assert estimator.rate == pytest.approx(rate)


def test_a_cycle_that_is_shorter_than_its_window_does_not_measure_next_to_nothing() -> None:
    # The quota fell: the window is shut by what was sent before this cycle.
    windows = Windows(Cycle(-400.0, 500), Cycle(-100.0, 165))
    episode = Episode(5.0, probing=True, shut_until=200.0)
    state = {"longest_shut": 300.0, "cycle": Cycle(0.0, 14), "windows": windows}
    estimator = steady(1.6, episode=episode, **state)
    estimator.accepted(200.0, 200.0, held=False)
    assert estimator.rate == pytest.approx(0.8 * 666 / 600)


def test_what_windows_accepted_is_known_of_one_to_two_of_them() -> None:
    windows = Windows(Cycle(0.0), Cycle(0.0))
    for second in range(1, 26):
        windows.count(second, 10.0)
    assert (windows.last, windows.present) == (Cycle(11.0, 11), Cycle(22.0, 3))
    assert windows.delivery_rate(25.0) == 1


@pytest.mark.parametrize(
    ("state", "since"),
    [({}, 20.0), ({"learning": True}, 0.0), ({"episode": Episode(15.0), "judged_from": 25.0}, 0.0)],
)
def test_no_window_begins_while_one_is_shut_or_none_is_known(
    state: dict[str, Any], since: float
) -> None:
    windows = Windows(Cycle(-10.0), Cycle(0.0))
    estimator = steady(longest_shut=10.0, windows=windows, **state)
    estimator.accepted(19.0, 20.0, held=False)
    assert windows.present.since == since


def test_refusals_of_a_quota_that_fell_are_not_expected_again() -> None:
    episode = Episode(1.0, refused=5)
    estimator = steady(longest_shut=0.1, early=2, usual_refusals=3.0, episode=episode)
    estimator.accepted(1.1, 1.1, held=False)
    assert estimator.usual_refusals == 1


def test_steps_of_a_long_window_stay_small() -> None:
    estimator = steady(longest_shut=10.0, cycle=Cycle(0.0))
    for request in range(2000):
        estimator.accepted(100.0 + request, 100.0 + request, held=True)
    assert estimator.step == 0.1


def test_a_window_that_is_not_full_yet_is_not_overdue() -> None:
    estimator = steady(longest_shut=10.0, cycle=Cycle(100.0))
    for request in range(2000):
        estimator.accepted(100.0 + request / 250, 100.0 + request / 250, held=True)
    assert estimator.step == 0.04


def test_late_timers_cost_nothing_and_idling_earns_no_burst() -> None:
    estimator = RateEstimator(50)
    tick, sent = 0.0156, 0
    for ticks in range(1, 642):
        while estimator.due() <= ticks * tick:
            estimator.sent(ticks * tick)
            sent += 1
    assert 499 <= sent <= 501
    late = estimator.due() + 0.03
    estimator.sent(late)
    assert estimator.due() == pytest.approx(late + 0.02)


def burst(estimator: RateEstimator, now: float, *, answered: bool = True) -> int:
    """How many requests may go at one time."""
    sent = 0
    while estimator.due() <= now and sent < 99:
        estimator.sent(now)
        if answered:
            estimator.accepted(now, now, held=False)
        sent += 1
    return sent


def test_five_may_go_at_once_when_nothing_is_known_and_again_after_idling() -> None:
    estimator = RateEstimator(4)
    assert burst(estimator, 1000.0) == 5
    # A guess needs no pause afterwards.
    assert estimator.due() == 1000.25
    assert burst(estimator, 1000.3) == 1
    assert burst(estimator, 1001.0) == 1
    assert burst(estimator, 1003.0) == 5


def test_a_burst_is_no_faster_than_its_answers() -> None:
    estimator = RateEstimator(4)
    for _ in range(5):
        assert burst(estimator, 1000.01, answered=False) == 1
        estimator.accepted(1000.01, 1000.01, held=False)
    assert burst(estimator, 1000.01, answered=False) == 0
    # Later it is known that the server takes several, and a slot that was lost stops nothing.
    lost = RateEstimator(4, requests=14, answers=10)
    assert burst(lost, 1000.01, answered=False) == 1
    lost = RateEstimator(4, requests=13, answers=12)
    assert burst(lost, 1000.01, answered=False) == 2


def test_a_refusal_ends_a_burst() -> None:
    estimator = RateEstimator(4, requests=99, answers=99)
    estimator.sent(1000.0)
    estimator.sent(1000.0)
    estimator.refused(1000.0, 1000.01, held=False)
    assert burst(estimator, 1000.2) == 0
    assert estimator.burst == 5


def test_whoever_waited_for_the_answer_to_a_probe_was_not_idle() -> None:
    probing = Episode(999.0, probing=True, shut_until=1000.0)
    state: dict[str, Any] = {"requests": 99, "answers": 99, "next_at": 1000.02}
    estimator = steady(50, episode=probing, probe_at=1000.0, **state)
    estimator.accepted(1000.0, 1000.3, held=True)
    assert burst(estimator, 1000.3) == 1


@pytest.mark.parametrize(
    ("rate", "shut", "size"), [(10, 0.0, 5), (3, 0.0, 3), (1, 0.0, 1), (0.04, 3600.0, 5)]
)
def test_a_burst_after_idling_fits_into_the_window_that_is_known(
    rate: float, shut: float, size: int
) -> None:
    estimator = steady(rate, longest_shut=shut, requests=99, answers=99, next_at=1000.0)
    idle = 1000 + size / rate
    assert burst(estimator, idle - 0.001) == 1
    estimator = steady(rate, longest_shut=shut, requests=99, answers=99, next_at=1000.0)
    assert burst(estimator, idle) == size
    # It was an advance: the next goes when it would have gone by even pacing.
    assert estimator.due() == pytest.approx(idle + size / rate)


def test_a_burst_that_is_not_used_lapses() -> None:
    estimator = steady(10, requests=99, answers=99)
    estimator.sent(1000.0)
    assert burst(estimator, 1000.2) == 1


def test_a_refused_burst_is_smaller_next_time_and_none_comes_while_a_window_is_shut() -> None:
    estimator = steady(10, raises=100, requests=99, answers=99)
    estimator.sent(1000.0)
    estimator.refused(1000.0, 1000.0, held=False)
    assert estimator.burst == 2
    assert burst(estimator, 1010.0, answered=False) == 1


def test_a_told_rate_needs_no_slow_start() -> None:
    sliding = RateEstimator.told(100, 10.0, 7.0, slides=True)
    other = RateEstimator.told(100, 10.0, 7.0, slides=False)
    few = RateEstimator.told(10, 1.0, 7.0, slides=True)
    assert (sliding.rate, sliding.step, sliding.longest_shut) == (10, 0.05, 10)
    assert (other.rate, other.step, other.longest_shut) == (10, 0.15, 0)
    assert few.step == 0.15
    assert sliding.due() == 7.0
    assert not sliding.learning


def test_its_state_is_plain_data() -> None:
    server = settled(10)
    kept = msgspec.json.encode(server.estimator)
    assert msgspec.json.decode(kept, type=RateEstimator) == server.estimator


def test_early_refusals_of_a_long_window_are_echoes() -> None:
    estimator = steady(early=2, longest_shut=10.0, cycle=Cycle(0.0, 90))
    estimator.refused(10.0, 10.0)
    assert estimator.step == 0.04


def test_early_episodes_are_parts_of_one_cycle() -> None:
    estimator = steady(cycle=Cycle(0.0, 90))
    estimator.refused(10.0, 10.0)
    estimator.accepted(10.2, 10.2, held=False)
    assert (estimator.early, estimator.cycle) == (1, Cycle(0.0, 91))


def test_what_was_not_sent_may_go_again_at_once() -> None:
    estimator = steady(burst=1)
    estimator.sent(1.0)
    estimator.unanswered(1.0, sent=True)
    assert estimator.due() == pytest.approx(1.1)
    estimator.unanswered(1.0, sent=False)
    assert estimator.due() == pytest.approx(1.0)


def test_a_measurement_never_raises_the_rate() -> None:
    episode = Episode(90.0, probing=True, shut_until=100.0)
    estimator = steady(2.5, cycle=Cycle(0.0, 499), episode=episode)
    estimator.accepted(100.0, 100.0, held=False)
    assert estimator.rate == 2.5


def test_while_the_server_wants_to_see_nothing_its_window_is_shut() -> None:
    estimator = steady(raises=100)
    estimator.refused(1.0, 1.1, wait=30.0)
    assert estimator.episode is not None
    assert (estimator.due(), estimator.episode.shut_until) == (31.1, 31.1)
