from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jibble_async.sandbox import Quota
from jibble_async.sandbox.quotas import QuotaMeter
from tests.sandbox.calling import Caller, VirtualClock


def test_nothing_is_limited_without_a_quota(clock: VirtualClock) -> None:
    assert QuotaMeter(None).take("me", "workspace", clock()) == (None, {})


def test_a_fixed_window_tells_what_is_left_and_when_it_ends(clock: VirtualClock) -> None:
    meter = QuotaMeter(Quota(limit=3, per=1.0))
    clock.forward(0.25)
    told = [meter.take("me", "workspace", clock()) for _ in range(4)]
    assert [refusal is None for refusal, _ in told] == [True, True, True, False]
    assert [headers["X-Rate-Limit-Remaining"] for _, headers in told] == ["2", "1", "0", "0"]
    assert told[0][1]["X-Rate-Limit-Limit"] == "1s"
    assert told[0][1]["X-Rate-Limit-Reset"] == "2026-07-13T09:00:01.0000000Z"
    refusal = told[3][0]
    assert refusal is not None
    assert (refusal.status, refusal.headers["Retry-After"]) == (429, "1")
    clock.forward(0.75)
    assert meter.take("me", "workspace", clock())[0] is None


def test_a_sliding_window_frees_slots_one_by_one(clock: VirtualClock) -> None:
    meter = QuotaMeter(Quota(limit=2, per=10, kind="sliding"))
    admitted = []
    for _ in range(12):
        admitted.append(meter.take("me", "workspace", clock())[0] is None)
        clock.forward(3)
    assert admitted == [True, True, False, False] * 3


@given(
    st.lists(st.integers(0, 3000), max_size=60),
    st.integers(1, 5),
    st.sampled_from([1, 2]),
)
def test_a_sliding_window_never_admits_more(gaps: list[int], limit: int, per: int) -> None:
    meter, clock = QuotaMeter(Quota(limit=limit, per=per, kind="sliding")), VirtualClock()
    admitted = []
    for gap in gaps:
        clock.forward(gap / 1000)
        if meter.take("me", "workspace", clock())[0] is None:
            admitted.append(clock())
    for first, beyond in zip(admitted, admitted[limit:], strict=False):
        assert beyond - first >= timedelta(seconds=per)


def test_quotas_are_kept_for_each_credential_and_service(clock: VirtualClock) -> None:
    meter = QuotaMeter(Quota(limit=1, per=60))
    asked = [
        ("me", "workspace"),
        ("me", "time-tracking"),
        ("you", "workspace"),
        ("me", "workspace"),
    ]
    refusals = [meter.take(who, service, clock())[0] for who, service in asked]
    assert [refusal is None for refusal in refusals] == [True, True, True, False]


@pytest.mark.parametrize(
    ("per", "text"),
    [(1, "1s"), (0.5, "0.5s"), (60, "1m"), (3600, "1h"), (86400, "1d"), (90, "90s")],
)
def test_the_window_is_named(clock: VirtualClock, per: float, text: str) -> None:
    _, headers = QuotaMeter(Quota(limit=1, per=per)).take("me", "workspace", clock())
    assert headers["X-Rate-Limit-Limit"] == text


async def test_the_server_refuses_and_spares_tokens(caller: Caller, clock: VirtualClock) -> None:
    caller.box.quota = Quota(limit=2, per=10)
    replies = [await caller.send("GET", "workspace", "/v1/Groups") for _ in range(3)]
    assert [status for status, _, _ in replies] == [200, 200, 429]
    assert replies[2][1].startswith("API calls quota exceeded")
    assert replies[2][2]["Content-Type"].startswith("text/plain")
    assert replies[2][2]["X-Rate-Limit-Remaining"] == "0"
    assert replies[2][2]["Date"] == "Mon, 13 Jul 2026 09:00:00 GMT"
    assert (await caller.track("/v1/People"))[0] == 200
    await caller.authorise()
    clock.forward(10)
    assert (await caller.work("/v1/Groups"))[0] == 200


async def test_a_silent_quota(caller: Caller) -> None:
    caller.box.quota = Quota(limit=0, per=10, headers=False, retry_after=False, kind="fixed")
    status, _, headers = await caller.send("GET", "workspace", "/v1/Groups")
    assert status == 429
    assert not {"Retry-After", "X-Rate-Limit-Limit"} & headers.keys()
    caller.box.quota = Quota(limit=0, per=10, empty_403=True)
    assert (await caller.send("GET", "workspace", "/v1/Groups"))[:2] == (403, "")
