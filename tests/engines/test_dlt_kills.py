"""A program that loads by dlt is killed, and run again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from jibble_async.sandbox import Fault
from tests.engines.dlt_pipelines import Company, company
from tests.meta.sources import ROOT
from tests.support.chaos import seeds
from tests.support.patience import PATIENCE

__all__ = ["company"]

pytestmark = pytest.mark.real_time

STEPS = ("load", "extract", "normalize")


@seeds(3, few=1)
# dlt's own way to say that packages wait.
@pytest.mark.filterwarnings("ignore:The 'warn' method is deprecated:DeprecationWarning")
def test_a_load_that_was_killed_is_made_good(seed: int, company: Company) -> None:
    """While it reads a set, behind what it extracted, and behind what it normalised."""
    step = STEPS[seed % len(STEPS)]
    environment = {**os.environ, **company.box.environment(), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.engines.dlt_program", str(company.folder), step]
    with subprocess.Popen(command, cwd=company.folder, env=environment) as process:
        if step == "load":
            kill = Fault(
                "mutate",
                path="TimeEntries",
                nth=5,
                change=lambda _: os.kill(process.pid, signal.SIGKILL),
            )
            company.box.faults.add(kill)
        assert process.wait(PATIENCE) == -signal.SIGKILL
    company.box.faults.clear()
    left = company.folder / "pipelines/nightly/jibble/jibble/time_entries"
    assert left.exists() == (step == "load")
    for _ in range(3):
        company.change()
    # The first run after that loads what waits, if something does.
    for _ in range(1 if step == "load" else 2):
        company.load("time_entries")
    company.require_equal("time_entries")
    assert not left.exists()
