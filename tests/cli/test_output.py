"""Where exports and reports go."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import IO

import pytest

from jibble_async.api.base_client import session_of
from jibble_async.cli import main
from jibble_async.export import Exporter, ExportReport
from tests.cli.conftest import ROOT

PEOPLE = ("export", "people", "--sandbox")


def test_rows_have_standard_output_for_themselves() -> None:
    done = subprocess.run(
        [
            sys.executable, "-m", "jibble_async.cli", *PEOPLE, "--out", "-", "--format", "jsonl",
            "--json",
        ],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'legacy'}"},
        capture_output=True,
        check=False,
    )  # fmt: skip
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    report = json.loads(done.stderr)
    assert (done.returncode, report["rows"]) == (0, len(rows))
    assert report["bytes"] == len(done.stdout)
    assert report["path"] == "-"


@contextlib.contextmanager
def standard_output(file: IO[bytes]) -> Generator[None]:
    """Within it descriptor 1 is a file, as behind the `>>` of a shell."""
    before = os.dup(1)
    os.dup2(file.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(before, 1)
        os.close(before)


@pytest.mark.usefixtures("small")
def test_standard_output_is_appended_to_where_the_shell_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    everything = tmp_path / "all.jsonl"
    everything.write_text("earlier\n")
    with everything.open("ab") as file, standard_output(file):
        assert main([*PEOPLE, "--out", "/dev/stdout", "--format", "jsonl"]) == 0
    first, *rows = everything.read_text().splitlines()
    assert first == "earlier"
    assert f"rows      {len(rows)}\noutcome   proved" in capsys.readouterr().err
    assert all(json.loads(row)["id"] for row in rows)


@pytest.mark.usefixtures("small")
def test_a_program_of_the_shell_gets_the_rows(capsys: pytest.CaptureFixture[str]) -> None:
    reader, writer = os.pipe()
    with open(reader, "rb") as rows:
        assert main([*PEOPLE, "--out", f"/dev/fd/{writer}", "--format", "csv"]) == 0
        os.close(writer)
        written = rows.read()
    assert "rows      " in capsys.readouterr().out
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
