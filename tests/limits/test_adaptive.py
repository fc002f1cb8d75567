"""Which quotas the adaptive limiter finds, uses and follows, against a simulated server."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.limits.adaptive import CHANGES, settled_after, shares
from benchmarks.limits.simulator import LATENCIES, Kind, Server, simulate
from jibble_async.limits.adaptive.limiter import AdaptiveLimiter
from jibble_async.limits.slots import Outcome
from tests.support.virtual_time import run

WINDOWS: tuple[Kind, ...] = ("aligned", "anchored", "sliding")

STEADY = ("loopback", "20-300 ms, drifting")


@pytest.mark.parametrize("latency", STEADY)
@pytest.mark.parametrize("kind", WINDOWS)
@pytest.mark.parametrize(
    ("quota", "used", "refused"),
    [((3, 1.0), 95, 2), ((10, 1.0), 97, 1), ((500, 300.0), 95, 1.6)],
)
def test_finds_a_quota_that_nobody_tells(
    quota: tuple[int, float], used: float, refused: float, kind: Kind, latency: str
) -> None:
    share, rejected = shares(AdaptiveLimiter, quota, kind, latency, seed=7)
    assert share >= used
    assert rejected <= refused


@pytest.mark.parametrize("kind", WINDOWS)
def test_random_travel_times_cost_a_part_of_the_quota(kind: Kind) -> None:
    share, rejected = shares(AdaptiveLimiter, (10, 1.0), kind, "20-300 ms, random", seed=7)
    assert share >= 85
    assert rejected <= 2


@pytest.mark.parametrize("latency", STEADY)
@pytest.mark.parametrize("quota", [(3, 1.0), (10, 1.0), (500, 300.0)])
def test_uses_all_of_a_quota_that_headers_tell(quota: tuple[int, float], latency: str) -> None:
    share, rejected = shares(AdaptiveLimiter, quota, "aligned", latency, seed=7, headers=True)
    assert share >= 99.5
    assert rejected <= 0.1


@pytest.mark.parametrize("kind", WINDOWS)
@pytest.mark.parametrize("latency", [STEADY[1], "20-300 ms, random"])
@pytest.mark.parametrize(("change", "within"), [(CHANGES[0], 20), (CHANGES[1], 120)])
def test_follows_a_change_of_quota(
    change: tuple[int, int], within: float, latency: str, kind: Kind
) -> None:
    assert settled_after(change, kind, latency, seed=7) <= within


@pytest.mark.parametrize("seed", [2, 8])
def test_a_long_window_that_is_halved_is_used_again(seed: int) -> None:
    server = Server(500, 300.0, "sliding")
    changed = 1800 + 11 * seed
    result = simulate(
        AdaptiveLimiter,
        server,
        LATENCIES[STEADY[1]],
        seed=seed,
        until=changed + 2400,
        change=(changed, 250),
    )
    used, refused = result.shares(changed + 600, changed + 2400, 250 / 300)
    assert used >= 85
    assert refused <= 1.5


@pytest.mark.parametrize("kind", ["aligned", "anchored"])
@pytest.mark.parametrize("change", CHANGES)
def test_follows_a_told_change_at_once(change: tuple[int, int], kind: Kind) -> None:
    assert settled_after(change, kind, STEADY[1], seed=7, headers=True) <= 3


def test_headers_of_a_sliding_window_are_no_worse_than_none() -> None:
    share, rejected = shares(AdaptiveLimiter, (10, 1.0), "sliding", STEADY[1], 7, headers=True)
    assert share >= 97
    assert rejected <= 1


@pytest.mark.parametrize(
    "lie",
    [
        {"X-Rate-Limit-Reset": "9999-12-31T23:59:59Z"},
        {"X-Rate-Limit-Reset": "9999-12-31T23:59:59Z", "Date": "Mon, 05 Jan 2026 00:01:40 GMT"},
        {"X-Rate-Limit-Limit": "999999999d", "X-Rate-Limit-Remaining": "1"},
    ],
)
def test_one_wrong_answer_about_a_window_is_not_waited_for(lie: dict[str, str]) -> None:
    class Lying(Server):
        lied = False

        def ask(self, now: float) -> tuple[bool, dict[str, str] | None]:
            admitted, headers = super().ask(now)
            if headers is not None and now > 100 and not self.lied:
                self.lied = True
                headers |= lie
            return admitted, headers

    server = Lying(10, 1.0, "aligned", headers=True)
    result = simulate(AdaptiveLimiter, server, LATENCIES[STEADY[0]], seed=7, until=200)
    assert server.lied
    used, _ = result.shares(101, 200, 10)
    assert used >= 95


def test_a_window_that_ends_next_week_is_asked_about_each_hour() -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        limiter = AdaptiveLimiter()
        quota = {"Limit": "7d", "Remaining": "0", "Reset": "2026-01-12T00:00:00Z"}
        headers = {f"X-Rate-Limit-{name}": value for name, value in quota.items()}
        (await limiter.acquire()).release(Outcome.ANSWERED, headers)
        assert limiter.quota is not None
        began = loop.time()
        await limiter.acquire()
        return loop.time() - began

    assert run(main()) == pytest.approx(3600)


def test_finds_a_second_limit_that_the_headers_hide() -> None:
    class TwoLimits(Server):
        def ask(self, now: float) -> tuple[bool, dict[str, str] | None]:
            admitted, headers = super().ask(now)
            if admitted and not hidden.ask(now)[0]:
                self.log[-1] = (now, False)
                admitted = False
            return admitted, headers

    hidden = Server(5, 1.0, "sliding")
    server = TwoLimits(6000, 600.0, "aligned", headers=True)
    result = simulate(AdaptiveLimiter, server, LATENCIES[STEADY[0]], seed=7, until=200)
    used, refused = result.shares(100, 200, 5)
    assert used >= 90
    assert refused <= 5


def test_long_retry_after_stops_everybody_and_a_short_one_does_not() -> None:
    async def refused_with(retry_after: str) -> float:
        loop = asyncio.get_running_loop()
        limiter = AdaptiveLimiter(initial=10)
        slot = await limiter.acquire()
        slot.release(Outcome.THROTTLED, {"Retry-After": retry_after})
        began = loop.time()
        await limiter.acquire()
        assert limiter.rejections == 1
        return loop.time() - began

    assert run(refused_with("30")) == pytest.approx(30, abs=0.01)
    assert run(refused_with("1000000000")) == pytest.approx(3600, abs=0.01)
    assert run(refused_with("1")) < 0.5
