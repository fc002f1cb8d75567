from __future__ import annotations

import os
from pathlib import Path

import pytest

from jibble_async.cli import connection
from jibble_async.sandbox import Sandbox


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials from outside, and a folder of its own."""
    for name in list(os.environ):
        if name.startswith("JIBBLE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the sandbox of `--sandbox` a small one."""
    monkeypatch.setattr(connection, "make_sandbox", lambda **period: Sandbox(people=6, **period))
