"""Commands of the first page and of that of the command line: they run, and by names alone."""

from __future__ import annotations

import re
import shlex
from datetime import date
from pathlib import Path

import pytest

from jibble_async.cli import connection, main
from jibble_async.sandbox import Sandbox
from tests.docs.blocks import ROOT

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-")
LINES = [
    line
    for page in ("README.md", "docs/command-line.md")
    for line in (ROOT / page).read_text().splitlines()
    if line.startswith("jibble ") and line.endswith(" --sandbox")
]


@pytest.mark.parametrize("line", LINES)
def test_it_runs(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    line: str,
) -> None:
    days = (date(2026, 7, 1), date(2026, 7, 5))
    monkeypatch.setattr(connection, "make_sandbox", lambda **_: Sandbox(30, *days))
    monkeypatch.chdir(tmp_path)
    assert not _GUID.search(line)
    # Of the old API an export is complete, but proves nothing.
    assert main(shlex.split(line)[1:]) == 0
    out, err = capsys.readouterr()
    assert out
    # Timesheets are of a span of days, which `export all` is not asked for.
    assert all(" left out: timesheets are of " in said for said in err.splitlines())


def test_there_are_enough_of_them() -> None:
    assert len(LINES) >= 15
