from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from jibble_async.limits.reserve import Reserve

LIMITS = st.integers(1, 60)
SHARES = st.floats(0, 0.99)


@given(LIMITS, SHARES, st.integers(0, 100))
def test_with_all_slots_free_a_bulk_call_never_waits(
    limit: int, share: float, interactive: int
) -> None:
    reserve = Reserve("window", limit, 10.0, share)
    assert reserve.bulk_from(limit, [], 5.0, interactive) <= 5.0 + 1e-9


@given(LIMITS, SHARES, st.data())
def test_expected_calls_find_a_slot_in_the_time_of_one(
    limit: int, share: float, data: st.DataObject
) -> None:
    per, now = 10.0, 0.0
    interactive = data.draw(st.integers(0, limit - 1))
    free = data.draw(st.integers(1, limit))
    counted = limit - free
    dues = sorted(data.draw(st.lists(st.floats(0, per), min_size=counted, max_size=counted)))
    reserve = Reserve("window", limit, per, share)
    begin = reserve.bulk_from(free, dues, now, interactive)
    if begin > now:
        return
    # Regular calls from any moment on, as many a period as in the last one.
    gap = per / max(1, interactive)
    for start in (0.0, 0.3 * gap, 0.99 * gap):
        due = iter([now] * (free - 1) + dues)
        for number in range(interactive):
            if (wanted_at := start + number * gap) < per:
                assert next(due, per) <= wanted_at + per / limit + 1e-6


@given(LIMITS, st.integers(0, 60), st.data())
def test_more_free_slots_never_mean_a_longer_wait(
    limit: int, interactive: int, data: st.DataObject
) -> None:
    dues = sorted(data.draw(st.lists(st.floats(0, 12), max_size=limit)))
    free = data.draw(st.integers(1, limit))
    reserve = Reserve("window", limit, 10.0, 0.1)
    fewer = reserve.bulk_from(free, dues, 0.0, interactive)
    assert reserve.bulk_from(free + 1, dues, 0.0, interactive) <= fewer


def test_a_slot_is_held_back_until_the_next_one_is_near() -> None:
    reserve = Reserve("window", 10, 100.0, 0.1)
    assert reserve.bulk_from(1, [60.0, 61.0], 0.0, 0) == pytest.approx(50)
    assert reserve.bulk_from(1, [8.0, 110.0], 0.0, 0) == 0


def test_the_number_of_calls_to_come_spreads_by_its_root() -> None:
    reserve = Reserve("window", 100, 100.0, 0)
    assert reserve.bulk_from(5, [], 0.0, 4) == pytest.approx(99 - 4 * 100 / 6)
