"""Time that importing the client takes above its dependencies, and commands until they end."""

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
from jibble_async import JibbleClient
print(json.dumps([between - started, time.process_time() - between]))
"""


_COMMANDS = ["--version", "--help", "people --help", "people --sandbox", "export --help"]


def _environment(bytecode: str) -> dict[str, str]:
    # Bytecode is kept, as where the package is installed, whatever the environment says.
    return os.environ | {"PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": ""}


def _probe(bytecode: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *options, "-c", _PROBE]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, env=_environment(bytecode)
    )


def _taken(bytecode: str) -> tuple[float, float]:
    """CPU seconds of a fresh interpreter: for the dependencies, and for the package on top."""
    dependencies, package = json.loads(_probe(bytecode).stdout)
    return dependencies, package


def _command(bytecode: str, command: str) -> float:
    """CPU seconds of a command, from the start of its interpreter to its end."""
    before = os.times()
    subprocess.run(
        [sys.executable, "-m", "jibble_async.cli", *command.split()],
        check=True,
        stdout=subprocess.DEVNULL,
        env=_environment(bytecode),
    )
    after = os.times()
    return sum(after[2:4]) - sum(before[2:4])


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
        ended = {command: [_command(bytecode, command)] for command in _COMMANDS}
        for _ in range(runs):
            for command, seconds in ended.items():
                seconds.append(_command(bytecode, command))
    dependencies = [seconds for seconds, _ in taken]
    package = [seconds for _, seconds in taken]
    rows = [
        ["aiohttp, aiolimiter, msgspec, tenacity", *Spread.of(dependencies).text(1, 1e3), "1.000"],
        [
            "`JibbleClient` above them",
            *Spread.of(package).text(1, 1e3),
            ratios(package, dependencies).text(3)[0],
        ],
    ]
    table(f"{runs} fresh interpreters.", ["import of", "ms of CPU", "95%", "ratio"], rows)
    commands = [
        [f"`jibble {command}`", *Spread.of(seconds[1:]).text(1, 1e3)]
        for command, seconds in ended.items()
    ]
    table("Commands, from start to end.", ["command", "ms of CPU", "95%"], commands)
    table("The slowest, from one run that was traced.", ["module", "ms by itself"], slowest)


if __name__ == "__main__":
    _run(7 if quick("What the import costs.") else RUNS)
