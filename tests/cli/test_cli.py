from __future__ import annotations

import asyncio
import csv
import errno
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jibble_async import __version__
from jibble_async.cli import connection, main
from jibble_async.cli.forms import clean
from jibble_async.sandbox import Sandbox
from tests.cli.conftest import ROOT
from tests.support.patience import PATIENCE

WEEK = ("--since", "2026-07-06", "--until", "2026-07-12")


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr; nothing is on stdout."""
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("jibble: ")
    assert err.count("\n") == 1
    return err


@pytest.mark.usefixtures("small")
def test_export_time_entries(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "time-entries", "--sandbox", *WEEK, "--out", "week.jsonl"]) == 0
    out, err = capsys.readouterr()
    rows = (tmp_path / "week.jsonl").read_bytes().splitlines()
    assert f"rows      {len(rows)}\noutcome   proved\n" in out
    assert max(map(len, out.replace(str(tmp_path), "").splitlines())) <= 80
    assert err == ""


@pytest.mark.usefixtures("small")
def test_a_terminal_gets_a_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Rich's own switch for terminals that it can't make out.
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    arguments = ["export", "time-entries", "--sandbox", *WEEK, "--out", "week.csv", "--json"]
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    rows = f"{json.loads(out)['rows']:,}"
    assert f"{rows}/{rows} rows, " in err
    assert " requests, 0 s for quota" in err


@pytest.mark.usefixtures("small")
def test_export_as_json_says_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--out", "people.txt", "--format", "csv", "--concurrency", "2", "--json"]
    assert main(["export", "people", "--sandbox", *arguments]) == 0
    out, err = capsys.readouterr()
    report = json.loads(out)
    with (tmp_path / "people.txt").open(newline="", encoding="utf-8-sig") as text:
        assert len(list(csv.DictReader(text))) == report["rows"]
    assert report["path"] == str(tmp_path / "people.txt")
    assert err == ""


@pytest.mark.usefixtures("small")
def test_whoami(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["whoami", "--sandbox"]) == 0
    assert "organisation     Sandbox Works Ltd\n" in capsys.readouterr().out
    assert main(["whoami", "--sandbox", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["organization"]["name"] == "Sandbox Works Ltd"
    assert answer["person"]["full_name"]


@pytest.mark.usefixtures("small")
def test_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["people", "--sandbox", "--json"]) == 0
    people = json.loads(capsys.readouterr().out)
    assert set(people[0]) == {"id", "full_name", "email", "code", "role", "status"}
    assert main(["people", "--sandbox"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["Name", "Email", "Code", "Role", "Status"]
    assert len(lines) == len(people) + 1
    assert max(map(len, lines)) <= 80
    assert main(["people", "--sandbox", "--json", "--include-removed"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 6


def test_names_cannot_steer_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def make(**_: Any) -> Sandbox:
        box = Sandbox(people=1)
        box.dataset.rows("People")[0]["fullName"] = "[red]Eve\x1b[2J\x9b1m\u202e\nAda"
        return box

    monkeypatch.setattr(connection, "make_sandbox", make)
    assert main(["people", "--sandbox"]) == 0
    out = capsys.readouterr().out
    assert "[red]Eve [2J 1m Ada" in out
    assert main(["people", "--sandbox", "--json"]) == 0
    out = capsys.readouterr().out
    assert out.isascii()
    assert "\x1b" not in out


def test_clean_keeps_what_is_text() -> None:
    assert clean("Zoë 客先 ☕\u200d") == "Zoë 客先 ☕\u200d"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nope"], "nope"),
        (["export", "nope"], "nope"),
        (["whoami", "--nope"], "--nope"),
        (["people", "lsit"], "can't make sense of lsit"),
        (["export", "time-entries"], "--out"),
        (
            ["export", "time-entries", "--out", "a.csv", "--since", "1.7.2026"],
            "into date: write it as 2026-10-05 (see jibble export --help)",
        ),
        (["clock", "in", "--at", "now"], "write it as 2026-10-05T09:00 (see jibble clock in"),
        (["clock", "out", "--at", "2026-10-05"], '"2026-10-05" is no moment'),
        (["clock", "in", "--auto-clock-out-at", "20261005"], '"20261005" is no moment'),
        (["export", "time-entries", "--out", "a.csv", "--format", "xml"], "--format"),
        (["export", "people", "--out", "a.csv", "--give-up-after", "-1"], "--give-up-after"),
        (["export", "people", "--out", "--json"], "--json is no file: write ./--json"),
        (["export", "people", "--out", "-a.csv"], "write ./-a.csv"),
        (["export", "people", "--out"], "--out"),
        (["export", "time-entries", "--out", "a.csv", "--concurrency", "many"], "--concurrency"),
        (["export", "people", "groups", "--out", "a.csv"], "several sets need a folder: write a.c"),
        (["export", "people", "--out", "a.csv", "--format", "csv.bz2"], "--format"),
        (["sandbox", "--port", "65536"], "--port"),
        (["sandbox", "--people", "0"], "--people"),
        (["sandbox", "--since", "2026-07-06", "--until", "2026-07-05"], "exchange them"),
    ],
)
def test_bad_usage(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], message: str
) -> None:
    assert main(arguments) == 2
    assert message in said(capsys)
    assert os.listdir(tmp_path) == []


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (["--since", "2026-07-09", "--until", "2026-07-08", "--out", "a.csv"], "exchange them", 2),
        (["--out", "missing/a.csv"], "there is no folder", 73),
        (["--out", "missing/copy/"], "there is no folder", 73),
        (["--out", "a.csv", "--columns", "id,nome"], "no column 'nome'", 2),
        (["--out", "a.txt"], "does not say which format", 2),
        (["--out", "a.csv", "--concurrency", "0"], "at least 1", 2),
    ],
)
def test_bad_configuration(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    arguments: list[str],
    message: str,
    code: int,
) -> None:
    assert main(["export", "time-entries", "--sandbox", *arguments]) == code
    assert message in said(capsys)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [(None, "no credentials"), ("JIBBLE_CLIENT_ID", "JIBBLE_CLIENT_SECRET")],
)
def test_missing_and_half_credentials(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str | None,
    message: str,
) -> None:
    if name is not None:
        monkeypatch.setenv(name, "canary")
    assert main(["whoami"]) == 78
    line = said(capsys)
    assert message in line
    assert "canary" not in line


@pytest.mark.real_time
async def test_refused_credentials(process: Any) -> None:
    async with Sandbox(people=1) as box:
        environment = {**box.environment(), "JIBBLE_CLIENT_SECRET": "canary"}
        whoami = process("whoami", **environment)
        out, err = await _ended(whoami)
    assert (whoami.returncode, out) == (77, "")
    assert err.startswith("jibble: the credentials were refused (invalid_client)")
    assert err.count("\n") == 1
    assert "canary" not in err


async def _ended(started: subprocess.Popen[str]) -> tuple[str, str]:
    return await asyncio.to_thread(started.communicate, timeout=PATIENCE)


@pytest.mark.usefixtures("small")
def test_a_full_disk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert main(["export", "time-entries", "--sandbox", *WEEK, "--out", "a.csv"]) == 74
    assert "No space left on device" in said(capsys)
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
@pytest.mark.parametrize("arguments", [["people", "--help"], ["sandbox", "--people", "2"]])
def test_a_result_that_cannot_be_written_is_one_line(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "jibble_async.cli", *arguments],
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'legacy'}"},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    line = f"jibble: the result can't be written: {os.strerror(errno.ENOSPC)}\n"
    assert (done.returncode, done.stderr) == (74, line)


@pytest.mark.parametrize("json_too", [False, True])
def test_a_sandbox_serves_until_ctrl_c(process: Any, json_too: bool) -> None:
    box = process("sandbox", "--people", "2", "--seed", "5", *(["--json"] if json_too else []))
    ready, _, _ = select.select([box.stderr], [], [], 60)
    assert ready
    assert "until you press Ctrl-C" in box.stderr.readline()
    asked = process("whoami", "--json", **_environment(box, json_too))
    out, err = asked.communicate(timeout=PATIENCE)
    assert (asked.returncode, err) == (0, "")
    assert json.loads(out)["organization"]["name"] == "Sandbox Works Ltd"
    box.send_signal(signal.SIGINT)
    assert box.wait(PATIENCE) == 0
    assert box.stderr.read() == ""


def _environment(box: subprocess.Popen[str], json_too: bool) -> dict[str, str]:
    assert box.stdout is not None
    if json_too:
        text = ""
        while not text.endswith("\n}\n"):
            text += box.stdout.readline()
        environment: dict[str, str] = json.loads(text)["environment"]
        return environment
    lines = [box.stdout.readline().strip().removeprefix("export ") for _ in range(6)]
    return dict(line.split("=", 1) for line in lines)


def test_a_port_in_use(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["sandbox", "--port", port]) == 2
    assert f"can't listen on port {port}" in said(capsys)


def test_help_fits(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        [],
        ["--help"],
        ["export", "--help"],
        ["report", "tracked-time", "--help"],
        ["timesheets", "--help"],
    ):
        assert main(arguments) == 0
        out, err = capsys.readouterr()
        assert max(map(len, out.splitlines())) <= 80
        assert "False" not in out
        assert "--empty" not in out
        assert err == ""


@pytest.mark.parametrize("package", ["cyclopts", "platformdirs"])
def test_without_its_packages_it_says_what_to_install(package: str) -> None:
    # In a process of its own: here the commands are loaded already.
    code = (
        f"import sys; sys.modules[{package!r}] = None; from jibble_async.cli import main; "
        "print(*(int(main([command])) for command in ('whoami', 'logout', '--version')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [__version__, "78", "78", "0"]
    line = 'jibble: the command line needs: pip install "jibble-async[cli]"\n'
    assert done.stderr == 2 * line


# `migrate` has codes of its own.
@pytest.mark.parametrize(("command", "code"), [(["whoami"], 78), (["migrate", "extract"], 2)])
def test_without_the_sandbox_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    command: list[str],
    code: int,
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in sys.modules if name.startswith("jibble_async.sandbox")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "lark", None)
    assert main([*command, "--sandbox"]) == code
    assert 'pip install "jibble-async[sandbox]"' in said(capsys)
    assert not list(tmp_path.iterdir())
    with pytest.raises(ModuleNotFoundError, match=r'pip install "jibble-async\[sandbox\]"'):
        importlib.import_module("jibble_async.sandbox")


def test_the_library_does_not_load_the_command_line() -> None:
    code = "import sys, jibble_async; print([m for m in sys.modules if 'cli' in m.split('.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
