"""Where exports and reports go."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jibble_async.api.base_client import session_of
from jibble_async.cli import main
from jibble_async.export import Exporter, ExportReport
from tests.cli.conftest import ROOT

PEOPLE = ("export", "people", "--sandbox")


def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "jibble_async.cli", *arguments],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'legacy'}"},
        stderr=subprocess.PIPE,
        check=False,
        **options,
    )


def test_rows_have_standard_output_for_themselves() -> None:
    done = run(*PEOPLE, "--out", "-", "--format", "jsonl", "--json", stdout=subprocess.PIPE)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    report = json.loads(done.stderr)
    assert (done.returncode, report["rows"]) == (0, len(rows))
    assert report["bytes"] == len(done.stdout)
    assert report["path"] == "-"


def test_standard_output_is_appended_to_where_the_shell_says_so(tmp_path: Path) -> None:
    everything = tmp_path / "all.jsonl"
    everything.write_text("earlier\n")
    with everything.open("ab") as stdout:
        done = run(*PEOPLE, "--out", "/dev/stdout", "--format", "jsonl", stdout=stdout)
    assert done.returncode == 0
    first, *rows = everything.read_text().splitlines()
    assert first == "earlier"
    assert f"rows      {len(rows)}\noutcome   proved" in done.stderr.decode()
    assert all(json.loads(row)["id"] for row in rows)


def test_a_program_of_the_shell_gets_the_rows(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    with open(reader, "rb") as rows:
        done = run(
            *PEOPLE, "--out", f"/dev/fd/{writer}", "--format", "csv",
            stdout=subprocess.PIPE, pass_fds=(writer,),
        )  # fmt: skip
        os.close(writer)
        written = rows.read()
    assert b"rows      " in done.stdout
    assert written.startswith(b"\xef\xbb\xbfid,")


@pytest.mark.usefixtures("small")
def test_standard_output_does_not_say_which_format(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*PEOPLE, "--out", "-"]) == 2
    assert "or name the format" in capsys.readouterr().err


@pytest.mark.usefixtures("small")
def test_what_excel_needs_can_be_left_out(tmp_path: Path) -> None:
    head = b"id,"
    mark = b"\xef\xbb\xbf"
    for options, expected in (
        ((), mark + head),
        (("--no-utf8-mark",), head),
        (("--no-spreadsheet-safe",), head),
        (("--no-spreadsheet-safe", "--utf8-mark"), mark + head),
    ):
        assert main([*PEOPLE, "--out", "people.csv", *options]) == 0
        assert (tmp_path / "people.csv").read_bytes().startswith(expected)


@pytest.mark.parametrize(("options", "seconds"), [((), 900.0), (("--give-up-after", "7.5"), 7.5)])
@pytest.mark.usefixtures("small")
def test_how_long_an_outage_may_last(
    monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], seconds: float
) -> None:
    run, seen = Exporter.run, list[float | None]()

    async def noting(self: Exporter) -> ExportReport:
        client = self._job.client  # pyright: ignore[reportPrivateUsage]
        seen.append(session_of(client).options.retry.patience)
        return await run(self)

    monkeypatch.setattr(Exporter, "run", noting)
    assert main([*PEOPLE, "--out", "people.csv", *options]) == 0
    assert seen == [seconds]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", ["week.csv", "week.html"])
def test_a_report_is_private_too(tmp_path: Path, name: str) -> None:
    days = ("--since", "2026-07-06", "--until", "2026-07-12")
    assert main(["report", "tracked-time", "--sandbox", *days, "--out", name]) == 0
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    is_table = name.endswith(".csv")
    assert (tmp_path / name).read_bytes().startswith(b"\xef\xbb\xbf") is is_table
