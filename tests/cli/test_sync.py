from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from jibble_async.cli import main
from jibble_async.export import read_manifest
from jibble_async.sandbox import Sandbox
from tests.support.served import served

pytest.importorskip("pyarrow", reason="the extra parquet is not installed")


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The sandbox that the environment names."""
    with served(people=5, since=date(2026, 7, 6), until=date(2026, 7, 8)) as box:
        for name, value in box.environment().items():
            monkeypatch.setenv(name, value)
        yield box


@pytest.mark.usefixtures("account")
def test_a_copy_comes_and_is_kept_in_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [
        "sync",
        "people",
        "projects",
        "--into",
        str(tmp_path / "copy"),
        "--json",
    ]
    for read in ("whole", "changes"):
        assert main(command) == 0
        out, err = capsys.readouterr()
        told = json.loads(out)
        assert (told["failed"], err) == ({}, "")
        assert {each["set"]: each["read"] for each in told["sets"]} == {
            "people": read,
            "projects": read,
        }
        for each in told["sets"]:
            found = read_manifest(tmp_path / "copy" / each["set"])
            assert found is not None
            assert (found.rows, found.outcome) == (each["rows"], each["outcome"])


@pytest.mark.usefixtures("small")
def test_a_table_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sync", "people", "--sandbox", "--into", str(tmp_path / "copy")]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["set", "read", "rows"]
    assert row.split()[:2] == ["people", "whole"]
    assert row.rstrip().endswith("proved")


@pytest.mark.usefixtures("account")
def test_a_set_that_can_not_be_put_in_step_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    into = str(tmp_path / "copy")
    assert main(["sync", "people", "--into", into]) == 0
    capsys.readouterr()
    command = ["sync", "people", "projects", "--into", into, "--include-archived"]
    assert main(command) == 1
    out, err = capsys.readouterr()
    assert "projects" in out
    assert "people: " in err
    assert "include_archived" in err


def test_what_can_not_be_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["sync", "people", "--sandbox", "--into", str(tmp_path / "file")]) == 2
    assert ".duckdb" in capsys.readouterr().err
    assert main(["sync", "nobody", "--sandbox", "--into", str(tmp_path)]) == 2
    assert main(["sync", "people", "--sandbox", "--into", str(tmp_path), "--reconcile", "x"]) == 2


@pytest.mark.usefixtures("account")
def test_an_export_since_the_last_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, state = tmp_path / "people.jsonl", tmp_path / "people.state"
    command = ["export", "people", "--out", str(out), "--since-last", str(state)]
    for what in ("the whole set", "what changed since the last time"):
        assert main(command) == 0
        assert f"what    {what}\n" in capsys.readouterr().out
    assert state.exists()
    assert main([*command, "--since", "2026-07-01"]) == 2
    assert "--since-last is for one set" in capsys.readouterr().err
