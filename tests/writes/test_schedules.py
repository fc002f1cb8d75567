from __future__ import annotations

from benchmarks import trouble
from benchmarks.writes import run


async def test_a_thousand_seeded_schedules_leave_what_was_meant() -> None:
    tally = await run(1000, seed=1)
    assert tally.wrong == []
    outcomes = tally.outcomes()
    assert sum(outcomes.values()) == 1000
    assert outcomes["done"] > 400
    assert outcomes["unknown"] > 100
    assert tally.counts["closed after commit", "done"] > 0
    assert tally.counts["closed before commit", "done"] == 0


async def test_writes_in_trouble_are_neither_doubled_nor_lied_about() -> None:
    found = await trouble.run(100, seed=1)
    assert found.wrong == []
    assert found.counts.total() == 100
