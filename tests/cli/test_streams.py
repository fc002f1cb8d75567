"""Streams as a scheduler or a shell may leave them: closed, full, or with nobody behind them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from jibble_async.cli import main
from jibble_async.cli.output import complain
from jibble_async.cli.streams import prepare

full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")


def test_streams_that_were_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    prepare()
    with sys.stdin as stdin, sys.stdout as stdout, sys.stderr as stderr:
        assert not stdin.isatty()
        assert stdin.read() == ""
        assert stderr.write("said") == 4
        with pytest.raises(OSError, match="not writable"):
            stdout.write("a result")


def test_a_result_that_nobody_can_get_is_no_mistake_of_the_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", None)
        assert main(["list", "groups", "--sandbox"]) == 74
        sys.stdout.close()
    assert capsys.readouterr().err == "jibble: the result can't be written: not writable\n"


@full
def test_what_can_not_be_said_changes_no_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w", encoding="utf-8", buffering=1) as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        assert main(["whoami", "--sandbox", "-p", "acme"]) == 2
        complain("once more")
        # What could not be written does not fail at exit again.
        stderr.flush()


@pytest.mark.parametrize("arguments", [["--help"], ["list", "groups", "-o", "table", "--sandbox"]])
def test_a_reader_that_has_gone(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w", encoding="utf-8") as stdout, monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stdout)
        assert main(arguments) == 74
