"""A real process, real sockets, a real disk and a real SIGKILL: the simulated ones are honest."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from random import Random

import pytest

from jibble_async.sandbox import Fault, History, Received, Sandbox
from tests.migration.invariants import assert_whole
from tests.migration.world import Accounts
from tests.support.chaos import TIMES

ROOT = Path(__file__).parents[2]
KILLS = 20 if TIMES > 1 else 3


@pytest.mark.real_time
@pytest.mark.chaos
@pytest.mark.timeout(1800)
async def test_processes_that_are_killed(tmp_path: Path) -> None:
    random = Random("killed")
    killed = 0
    async with Sandbox(9, history=History(60 + 15 * KILLS)) as box:
        accounts = Accounts(tmp_path / "moved", box, limit=10_000)
        code = -1
        while code != 0:
            at = random.randint(1, 60) if killed < KILLS else None
            code = await life(box, accounts.folder, at)
            killed += code == -signal.SIGKILL
            assert code in {0, -signal.SIGKILL}
        assert killed == KILLS
        assert_whole(accounts)


async def life(box: Sandbox, folder: Path, kill_at: int | None) -> int:
    """The exit code of a program that is killed when a request of it arrives, or has its answer."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.migration.killed",
        str(folder),
        env={**os.environ, **box.environment(), "PYTHONPATH": f"{ROOT}:{ROOT / 'legacy'}"},
    )
    seen = 0

    def script(_: Received) -> Fault | None:
        nonlocal seen
        seen += 1
        if seen == kill_at:
            process.kill()
        return None

    box.faults.script = script
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
