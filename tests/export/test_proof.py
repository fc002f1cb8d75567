"""Exports of sets that never rest, in memory: what claims to be proved is so, and faults are found.

The long forms are `python -m benchmarks.proof` and `make chaos`.
"""

from __future__ import annotations

from random import Random

import pytest

from benchmarks.proof import BROKEN, RATES, broken, published
from jibble_async.export.proof.verdicts import Outcome
from tests.support.changing_sandbox import ChangingSandbox
from tests.support.changing_set import Habits
from tests.support.chaos import TIMES, seeds
from tests.support.proving import Run, Setting, prove

# Of each broken way, a seed by which its fault shows; by others if the way of requests changes.
SHOWS = dict(zip(BROKEN, (1, 5, 12, 0, 0), strict=True))


def small(seed: int, rate: float, cap: int | None = None) -> Run:
    habits = Habits(rows=400, rate=rate, cap=cap)
    setting = Setting(habits, page_size=20, windows=4, flying=Random(seed).randint(1, 8))
    return prove("as published", setting, f"{seed} {rate} {cap}")


@pytest.mark.parametrize("rate", RATES)
def test_what_claims_to_be_proved_is_so(rate: float) -> None:
    runs = [small(seed, rate, cap) for seed, cap in enumerate((None, None, 7, None, None, 19))]
    assert not any(run.wrong for run in runs)
    assert all(run.outcome is not Outcome.NOT_PROVED for run in runs)
    # A set of which a twentieth changes while it is read may not rest for a moment.
    if rate < 0.3:
        assert [run.outcome for run in runs] == [Outcome.PROVED] * len(runs)


@pytest.mark.parametrize("name", BROKEN)
def test_the_faults_of_broken_ways_are_found(name: str) -> None:
    assert any(broken(name, f"1 {seed}").wrong for seed in (SHOWS[name], *range(60)))


@pytest.mark.parametrize("field", ["status", "belongsToDate"])
def test_a_server_that_ignores_a_part_of_a_filter_is_found_out(field: str) -> None:
    run = prove("as published", Setting(Habits(rows=300, ignored=field), page_size=20), field)
    assert run.outcome is Outcome.NOT_PROVED
    assert "which was not asked for" in run.reason


def test_a_server_that_does_not_count_gets_no_proof() -> None:
    setting = Setting(Habits(rows=200, counts=False), page_size=20)
    run = prove("as published", setting, "uncounted")
    assert run.outcome is Outcome.COMPLETE
    assert run.reason == "the server does not count these rows"


@pytest.mark.chaos
@pytest.mark.parametrize("rate", RATES)
def test_runs_drawn_at_each_rate(rate: float) -> None:
    runs = [published(rate, f"chaos {rate} {number}") for number in range(2 * TIMES)]
    assert not any(run.wrong for run in runs)
    # Among a few, one that is not proved would be many.
    if rate <= 0.3 and TIMES > 1:
        proved = sum(run.outcome is Outcome.PROVED for run in runs)
        assert proved >= 0.95 * len(runs)


@seeds(6)
def test_exports_of_a_sandbox_that_never_rests(seed: int) -> None:
    random = Random(seed)
    rate = random.choice(RATES)
    habits = Habits(rows=200, rate=rate, cap=random.choice((None, None, 13)))
    setting = Setting(habits, page_size=20, windows=4, flying=random.randint(1, 8))
    run = prove("as published", setting, f"sandbox {seed}", ChangingSandbox)
    assert not run.wrong
    assert run.outcome is not Outcome.NOT_PROVED
