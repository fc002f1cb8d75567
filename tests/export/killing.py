"""Processes that are killed at a moment that is drawn."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from pathlib import Path
from typing import Any

from jibble_async.sandbox import Fault, Sandbox

ROOT = Path(__file__).parents[2]


async def one_life(
    box: Sandbox, path: str, chance: random.Random, module: str, *arguments: str
) -> Any:
    """What a process tells in the end; None if it was killed before.

    Args:
        box: The sandbox that it asks.
        path: A part of the paths of the requests that are counted.
        chance: Draws the moment.
        module: What it runs.
        *arguments: What that is given.
    """
    environment = {
        **os.environ,
        **box.environment(),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "legacy")]),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments,
        env=environment, cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    loop = asyncio.get_running_loop()
    requests = chance.choice([chance.randint(1, 40), chance.randint(1, 110)])
    # At the request, or soon after it, when the disk works.
    delay = chance.choice([0.0, chance.random() * 0.05])

    def kill() -> None:
        if process.returncode is None:
            process.kill()

    box.faults.add(
        Fault("mutate", path=path, nth=requests, change=lambda _: loop.call_later(delay, kill))
    )
    told, _ = await process.communicate()
    box.faults.clear()
    assert process.returncode in {0, -9}
    return json.loads(told) if process.returncode == 0 else None
