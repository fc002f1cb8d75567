"""Several sets at once, what is said of them, and what an exit code tells."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from jibble_async import ServerError
from jibble_async.cli import main
from jibble_async.export import Exporter, ExportReport, Outcome, read_manifest
from jibble_async.export import running as running_module
from jibble_async.export.proof.verdicts import Verdict

pytestmark = pytest.mark.usefixtures("small")
WEEK = ("--since", "2026-07-06", "--until", "2026-07-12")


def test_several_sets_get_a_folder_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["people", "time-entries", "people", "--out", "copy/", "--report", "r.json", "-v"]
    assert main(["export", *arguments, "--sandbox", "--format", "jsonl.gz"]) == 0
    out, err = capsys.readouterr()
    assert sorted(os.listdir(tmp_path / "copy")) == ["people", "time_entries"]
    reports = json.loads((tmp_path / "r.json").read_text())
    assert [Path(each["path"]).name for each in reports] == ["people", "time_entries"]
    for each in reports:
        manifest = read_manifest(Path(each["path"]))
        assert manifest is not None
        assert (manifest.rows, manifest.outcome) == (each["rows"], "proved")
        assert all(part.name.endswith(".jsonl.gz") for part in manifest.parts)
    assert out.count("outcome") == 2
    assert "people: 1 of 1 windows" in err


@pytest.mark.parametrize("verbose", ["-v", "-vv"])
def test_each_window_is_told_once(capsys: pytest.CaptureFixture[str], verbose: str) -> None:
    assert main(["export", "people", "--out", "people.jsonl", "--sandbox", verbose]) == 0
    assert capsys.readouterr().err.count("1 of 1 window") == 1


def test_all_sets_that_the_days_allow(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "all", "--out", "copy", "--sandbox", "--legacy"]) == 2
    assert "several sets need a folder: write copy/" in capsys.readouterr().err
    assert main(["export", "all", "--out", "copy/", "--sandbox", "--legacy", "--json"]) == 0
    out, err = capsys.readouterr()
    assert {Path(each["path"]).name for each in json.loads(out)} == {
        "activities", "clients", "organizations", "people", "time_entries",
    }  # fmt: skip
    assert err == ""
    assert main(["export", "all", "--out", "now/", "--sandbox"]) == 0
    assert "timesheets left out: timesheets are of a span of days" in capsys.readouterr().err
    assert "timesheets" not in os.listdir(tmp_path / "now")


def test_a_set_that_fails_holds_up_no_other_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Exporter.run

    async def failing(self: Exporter) -> ExportReport:
        if self._job.extent.set == "groups":  # pyright: ignore[reportPrivateUsage]
            error = ServerError("the server is in trouble", status=503)
            error.add_note("what was read is kept")
            raise error
        return await run(self)

    monkeypatch.setattr(Exporter, "run", failing)
    sets = ["export", "groups", "people", "--out", "copy/", "--sandbox"]
    assert main([*sets, "--report", "copy/r.json"]) == 75
    out, err = capsys.readouterr()
    assert "proved" in out
    done, failed = json.loads((tmp_path / "copy/r.json").read_text())
    assert (done["set"], done["outcome"]) == ("people", "proved")
    assert failed == {"set": "groups", "error": "the server is in trouble"}
    assert err == "jibble: groups: the server is in trouble; what was read is kept\n"
    assert main(["export", "groups", "--out", "groups.csv", "--sandbox"]) == 75
    assert capsys.readouterr().err == ("jibble: the server is in trouble; what was read is kept\n")


def test_what_is_not_proved_is_told_by_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def doubt(*_: Any, **__: Any) -> Verdict:
        return Verdict(outcome=Outcome.NOT_PROVED, reason="the server counts others", mark="")

    monkeypatch.setattr(running_module, "settle", doubt)
    assert main(["export", "people", "--out", "people.csv", "--sandbox"]) == 1
    assert "outcome   not proved\nbecause   the server counts others\n" in capsys.readouterr().out
    assert (tmp_path / "people.csv").exists()


def test_columns_and_names(tmp_path: Path) -> None:
    chosen = ("--columns", "id,personId", "--with-names", "--format", "csv", "--no-utf8-mark")
    arguments = ["export", "time-entries", *WEEK, "--out", "x.txt", "--sandbox", *chosen]
    assert main(arguments) == 0
    head, *rows = (tmp_path / "x.txt").read_text().splitlines()
    assert head.split(",")[:3] == ["id", "personId", "personName"]
    assert all(row.split(",")[2] for row in rows)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "p.json", "--format", "jsonl", "--report", "p.json"], "none of the output"),
        (["--out", "copy/", "--report", "copy/manifest.json"], "none of the output"),
        (["--out", "p.csv", "--report", "/dev/stderr"], "none of the output"),
        (["--out", "p.csv", "--report", "missing/r.json"], "there is no folder"),
        (["--out", "p.csv", "--since-last", "p.csv"], "a file of its own"),
        (["--out", "p.csv", "--since-last", "missing/state"], "there is no folder"),
        (["--out", "p.csv", "--since-last", "state", "--resume"], "--resume is for whole sets"),
        (["--out", "p.csv", "--since-last", "state", "--with-names"], "--with-names is for"),
        (["--out", "p.csv", "--since-last", "state", "--report", "r.json"], "--report is for"),
    ],
)
def test_what_can_not_be_kept_is_told_before_anything_is_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    code = 73 if message == "there is no folder" else 2
    assert main(["export", "people", *arguments, "--sandbox"]) == code
    assert message in capsys.readouterr().err
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == []


def test_a_folder_for_several_sets_that_can_not_be_made_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "mkdir", refused)
    assert main(["export", "people", "groups", "--out", "copy/", "--sandbox"]) == 73
    assert "copy can't be made: Read-only file system" in capsys.readouterr().err
