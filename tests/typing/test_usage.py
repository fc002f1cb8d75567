"""`usage.py` has errors where it says so, and nowhere else, for both type checkers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.patience import PATIENCE

pytestmark = pytest.mark.type_checkers

ROOT = Path(__file__).parents[2]
USAGE = Path(__file__).with_name("usage.py")
EXPECTED = {
    number
    for number, line in enumerate(USAGE.read_text().splitlines(), 1)
    if line.endswith("# error")
}


def run(*command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command, str(USAGE)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def test_mypy() -> None:
    output = run("mypy", "--strict", "--no-error-summary", "--hide-error-context")
    found = {
        int(line): text for line, text in re.findall(r"usage\.py:([0-9]+): error: (.*)", output)
    }
    assert _differences(found) == {}


def test_pyright() -> None:
    output = run("basedpyright", "--pythonpath", sys.executable, "--outputjson")
    found = {
        item["range"]["start"]["line"] + 1: item["message"]
        for item in json.loads(output)["generalDiagnostics"]
        # An expression that is a statement of its own is what most of these lines are.
        if item.get("rule") not in {"reportUnusedExpression", "reportUnusedCallResult"}
    }
    assert _differences(found) == {}


def _differences(found: dict[int, str]) -> dict[int, str]:
    missing = dict.fromkeys(EXPECTED - found.keys(), "no error")
    return missing | {line: text for line, text in found.items() if line not in EXPECTED}
