from __future__ import annotations

import pytest

from benchmarks import trouble
from benchmarks.writes import run
from tests.support.chaos import TIMES


@pytest.mark.chaos
async def test_seeded_schedules_leave_what_was_meant() -> None:
    number = 300 * TIMES
    tally = await run(number, seed=1)
    assert tally.wrong == []
    outcomes = tally.outcomes()
    assert sum(outcomes.values()) == number
    assert outcomes["done"] > 0.4 * number
    assert outcomes["unknown"] > 0.1 * number
    assert tally.counts["closed after commit", "done"] > 0
    assert tally.counts["closed before commit", "done"] == 0


@pytest.mark.chaos
async def test_writes_in_trouble_are_neither_doubled_nor_lied_about() -> None:
    number = 100 * TIMES
    found = await trouble.run(number, seed=1)
    assert found.wrong == []
    assert found.counts.total() == number
