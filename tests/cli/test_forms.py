"""The forms that results are printed in."""

from __future__ import annotations

import csv
import io
import json
import sys
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from jibble_async.cli import main
from jibble_async.cli.forms import Form, as_csv, fitted
from jibble_async.cli.output import complain, hushed, say, show_bars, show_facts, show_rows

ROWS: list[dict[str, Any]] = [
    {
        "id": "1",
        "name": "Zoë\tFischer\x1b[2J",
        "hours": timedelta(hours=168, minutes=30),
        "more": [],
    },
    {"id": "2", "name": "=cmd|' /C calc'!A0", "hours": None, "more": [1]},
]
COLUMNS = {"Name": "name", "Hours": "hours"}


def printed(capsys: pytest.CaptureFixture[str], form: Form | None) -> str:
    show_rows(ROWS, COLUMNS, form, numbers=("Hours",))
    return capsys.readouterr().out


def test_a_pipe_gets_everything_between_tabs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    assert printed(capsys, None) == ("Name\tHours\nZoë Fischer [2J\t168:30\n=cmd|' /C calc'!A0\t\n")


def test_a_terminal_gets_a_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    table = printed(capsys, None)
    assert "\t" not in table
    assert printed(capsys, "table") == table
    monkeypatch.setenv("COLUMNS", "16")
    assert "…" in printed(capsys, None)


def test_colours_are_left_out_where_they_are_not_wanted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Rich's own switch for terminals that it can't make out.
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    for unwanted in (False, True):
        if unwanted:
            monkeypatch.setenv("NO_COLOR", "1")
        show_bars(("Member", "Hours"), [("Ann", timedelta(hours=8), False)])
        out = capsys.readouterr().out
        assert "Ann" in out
        assert ("\x1b[36" in out) is not unwanted


@pytest.mark.parametrize("width", [60, 20])
def test_an_id_is_never_cut(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    guid = "5d3b37e7-64a8-411a-9a1e-056c149a13fc"
    show_rows([{"name": "x" * 80, "id": guid}], {"Name": "name", "Id": "id"}, "table")
    assert guid in capsys.readouterr().out


def test_programs_get_values(capsys: pytest.CaptureFixture[str]) -> None:
    whole = json.loads(printed(capsys, "json"))
    assert whole[0]["hours"] == 168.5 * 3600
    assert [json.loads(line) for line in printed(capsys, "jsonl").splitlines()] == whole
    assert printed(capsys, "id") == "1\n2\n"


def test_csv_is_what_was_meant_and_runs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    head, first, second = csv.reader(io.StringIO(printed(capsys, "csv")))
    assert head == ["id", "name", "hours"]
    assert first == ["1", "Zoë\tFischer\x1b[2J", "606600.0"]
    assert second == ["2", "'=cmd|' /C calc'!A0", ""]
    values = [{"a": date(2026, 7, 1), "b": time(9, 5), "c": True, "d": -1.5, "e": "-1"}]
    assert as_csv(values, "abcde").splitlines()[1] == "2026-07-01,09:05:00,True,-1.5,'-1"


def test_csv_without_rows_has_its_head(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows([], COLUMNS, "csv")
    assert capsys.readouterr().out == "id,name,hours\n"


@pytest.mark.parametrize(
    ("widths", "room", "whole", "fits"),
    [
        ([5, 5], 10, (), [5, 5]),
        ([9, 5], 10, (), [5, 5]),
        ([9, 3], 10, (), [7, 3]),
        ([9, 36], 40, (1,), [4, 36]),
        ([9, 36], 30, (1,), [1, 36]),
        ([36], 30, (0,), [36]),
    ],
)
def test_the_widest_give_way(
    widths: list[int], room: int, whole: tuple[int, ...], fits: list[int]
) -> None:
    assert fitted(widths, room, whole) == fits


@pytest.mark.parametrize(("form", "begins"), [("csv", b"\xef\xbb\xbfid,"), ("json", b"[")])
def test_a_file_begins_with_what_spreadsheets_need(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, form: Form, begins: bytes
) -> None:
    path = tmp_path / "people.csv"
    for _ in range(2):
        with path.open("a", encoding="utf-8", newline="") as file:
            monkeypatch.setattr("sys.stdout", file)
            show_rows(ROWS, COLUMNS, form)
    content = path.read_bytes()
    assert content.startswith(begins)
    # What is appended is not the beginning of a file.
    assert content.count(b"\xef\xbb\xbf") == (form == "csv")


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (None, "state     at work\nentry id  7\n"),
        ("table", "state     at work\nentry id  7\n"),
        ("json", '{\n  "state": "at work",\n  "note": null,\n  "entry_id": "7"\n}\n'),
        ("jsonl", '{"state": "at work", "note": null, "entry_id": "7"}\n'),
        ("csv", "state,note,entry_id\nat work,,7\n"),
        ("id", "7\n"),
    ],
)
def test_facts(capsys: pytest.CaptureFixture[str], form: Form | None, text: str) -> None:
    show_facts({"state": "at work", "note": None, "entry id": "7"}, form, id="entry id")
    assert capsys.readouterr().out == text


def test_what_has_no_id_prints_none(capsys: pytest.CaptureFixture[str]) -> None:
    show_facts({"state": "never clocked in"}, "id", id="entry id")
    assert capsys.readouterr().out == ""


def test_quiet_is_not_silent_about_errors(capsys: pytest.CaptureFixture[str]) -> None:
    with hushed(True):
        say("on the way")
        complain("it failed")
    say("afterwards")
    assert capsys.readouterr().err == "jibble: it failed\njibble: afterwards\n"


@pytest.mark.usefixtures("small")
def test_quiet_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["people", "--sandbox", "-q"]) == 0
    ids = capsys.readouterr().out.split()
    assert main(["people", "--sandbox", "-o", "json", "-q"]) == 0
    assert [each["id"] for each in json.loads(capsys.readouterr().out)] == ids
    assert main(["clock", "in", "--sandbox", "-q", "--project", "no such"]) == 2
    assert "no project fits 'no such'" in capsys.readouterr().err
