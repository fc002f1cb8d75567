from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from jibble_async.cli import connection
from jibble_async.sandbox import Sandbox

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def nobody(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No credentials from outside, and folders of its own."""
    for name in list(os.environ):
        if name.startswith("JIBBLE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the sandbox of `--sandbox` a small one."""
    summer = {"since": date(2026, 7, 1), "until": date(2026, 9, 30)}
    monkeypatch.setattr(
        connection, "make_sandbox", lambda **period: Sandbox(people=6, **{**summer, **period})
    )


@pytest.fixture
def process() -> Iterator[Any]:
    """Starts `jibble` in a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "jibble_async.cli", *arguments],
                env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'legacy'}", **environment},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return started[-1]

    yield start
    for each in started:
        each.kill()
        each.communicate()


@pytest.fixture(autouse=True, scope="session")
def signals_as_in_a_terminal() -> Iterator[None]:
    """`nohup` and a shell's `&` have programs ignore these, and what they start, too."""
    before = {
        number: signal.signal(number, handler)
        for number, handler in (
            (signal.SIGINT, signal.default_int_handler),
            (signal.SIGHUP, signal.SIG_DFL),
        )
    }
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
