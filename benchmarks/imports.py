"""Time that `import jibble_async` takes above its dependencies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile

from benchmarks.measuring import Spread, quick, ratios, table

RUNS = 25
SHOWN = 12

_PROBE = """
import json, time
started = time.process_time()
import aiohttp, aiolimiter, msgspec, tenacity
between = time.process_time()
import jibble_async
print(json.dumps([between - started, time.process_time() - between]))
"""


def _probe(bytecode: str, *options: str) -> subprocess.CompletedProcess[str]:
    # Bytecode is kept, as where the package is installed, whatever the environment says.
    env = os.environ | {"PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": ""}
    command = [sys.executable, *options, "-c", _PROBE]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=env)


def _taken(bytecode: str) -> tuple[float, float]:
    """CPU seconds of a fresh interpreter: for the dependencies, and for the package on top."""
    dependencies, package = json.loads(_probe(bytecode).stdout)
    return dependencies, package


def _slowest(bytecode: str) -> list[list[str]]:
    """The modules that take longest by themselves, of those that the dependencies don't load."""
    lines = _probe(bytecode, "-X", "importtime").stderr.splitlines()
    timed = [line.removeprefix("import time:").split("|") for line in lines]
    names = [parts[-1].strip() for parts in timed]
    on_top = timed[names.index("tenacity") + 1 :]
    on_top.sort(key=lambda parts: -int(parts[0]))
    return [[f"`{parts[-1].strip()}`", f"{int(parts[0]) / 1e3:.1f}"] for parts in on_top[:SHOWN]]


def _run(runs: int) -> None:
    with tempfile.TemporaryDirectory() as bytecode:
        _taken(bytecode)
        taken = [_taken(bytecode) for _ in range(runs)]
        slowest = _slowest(bytecode)
    dependencies = [seconds for seconds, _ in taken]
    package = [seconds for _, seconds in taken]
    rows = [
        ["aiohttp, aiolimiter, msgspec, tenacity", *Spread.of(dependencies).text(1, 1e3), "1.000"],
        [
            "`jibble_async` above them",
            *Spread.of(package).text(1, 1e3),
            ratios(package, dependencies).text(3)[0],
        ],
    ]
    table(f"{runs} fresh interpreters.", ["import of", "ms of CPU", "95%", "ratio"], rows)
    table("The slowest, from one run that was traced.", ["module", "ms by itself"], slowest)


if __name__ == "__main__":
    _run(7 if quick("What the import costs.") else RUNS)
