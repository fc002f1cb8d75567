"""The page of the desk: its commands are run, its files are read by whom they are for."""

from __future__ import annotations

import asyncio
import configparser
import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from jibble_async import Unlimited
from jibble_async import client as client_module
from jibble_async.cli import main, paces
from jibble_async.cli.exit_codes import ExitCode
from jibble_async.cli.profiles import Profiles
from jibble_async.sandbox import Sandbox
from tests.docs.blocks import ROOT
from tests.support.patience import PATIENCE
from tests.support.programs import program

PAGE = (ROOT / "docs/desk.md").read_text()


def blocks(language: str) -> list[str]:
    found = re.findall(rf"(?ms)^```{language}\n(.*?)^```", PAGE)
    assert found
    return found


def run(line: str) -> int:
    """The exit code of a line, with what a shell makes of `<`, `>` and variables."""
    words = [os.path.expandvars(word) for word in shlex.split(line)]
    with contextlib.ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        for sign, mode, name in (("<", "r", "stdin"), (">", "w", "stdout")):
            if sign in words:
                at = words.index(sign)
                file = stack.enter_context(Path(words[at + 1]).open(mode))
                patch.setattr(sys, name, file)
                del words[at : at + 2]
        assert words.pop(0) == "jibble"
        return main(words)


@pytest.mark.real_time
async def test_the_commands_run_in_their_order(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in [name for name in os.environ if name.startswith("JIBBLE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    # Nothing is paced, which would take real time.
    monkeypatch.setattr(paces, "paces", lambda _: {})
    monkeypatch.setattr(client_module, "AdaptiveLimiter", Unlimited)
    monkeypatch.chdir(tmp_path)
    async with Sandbox(people=6) as box:
        for name, text in box.environment().items():
            if name.endswith("_URL") and "LEGACY" not in name:
                monkeypatch.setenv(name, text)
        monkeypatch.setenv("KEY_ID", box.client_id)
        (tmp_path / "acme.secret").write_text(f"{box.client_secret}\n")
        lines = [line for block in blocks("sh") for line in block.splitlines()]
        codes = {line: await asyncio.to_thread(run, line) for line in lines}
    # Nobody has archived an entry there, so there is nothing to see.
    assert {line: code for line, code in codes.items() if code} == {}
    assert len(codes) > 15


def test_the_file_of_profiles_is_one() -> None:
    (text,) = blocks("toml")
    assert msgspec.convert(tomllib.loads(text), Profiles).default == "acme"


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for text in blocks("ini"):
        (tmp_path / text.splitlines()[0].removeprefix("# ")).write_text(text)
    done = subprocess.run(
        [
            program("systemd-analyze", "systemd"),
            "verify",
            "--man=no",
            *map(str, sorted(tmp_path.iterdir())),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )
    ours = [line for line in done.stderr.splitlines() if "jibble" in line]
    assert (done.returncode, ours) == (0, []), done.stderr


def test_only_what_a_retry_may_help_is_retried() -> None:
    unit = configparser.ConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(next(text for text in blocks("ini") if "[Service]" in text))
    left = {int(code) for code in unit["Service"]["RestartPreventExitStatus"].split()}
    again = {ExitCode.DONE, ExitCode.SERVICE_AWAY, ExitCode.IO_ERROR, ExitCode.TRY_LATER}
    assert left == set(ExitCode) - again


def test_the_action_is_yaml_whose_secrets_are_variables() -> None:
    (text,) = blocks("yaml")
    action: dict[Any, Any] = yaml.safe_load(text)
    (job,) = action["jobs"].values()
    assert {"JIBBLE_CLIENT_ID", "JIBBLE_CLIENT_SECRET"} <= set(job["env"])
    runs = [step["run"] for step in job["steps"] if "run" in step]
    assert not any("secrets." in each for each in runs)
    assert any(each.startswith("jibble ") for each in runs)


@pytest.mark.skipif(shutil.which("sh") is None, reason="there is no shell here")
def test_the_line_of_the_crontab_tries_again_while_the_service_is_away(tmp_path: Path) -> None:
    (line,) = [line for line in blocks("cron")[0].splitlines() if line[0].isdigit()]
    for codes, tries in (([75, 69, 0], 3), ([0], 1), ([77], 1), ([75, 75, 75], 3)):
        (tmp_path / "codes").write_text("".join(f"{code}\n" for code in codes))
        # A cron's shell, with a jibble that ends as it is told and a sleep that takes no time.
        stand_ins = (
            "sleep() { :; }; n=0; "
            "jibble() { n=$((n+1)); echo . >> tries; return $(sed -n ${n}p codes); }; "
        )
        (tmp_path / "tries").unlink(missing_ok=True)
        done = subprocess.run(
            ["sh", "-c", stand_ins + line.split(maxsplit=5)[5]], cwd=tmp_path, check=False
        )
        told = (done.returncode, (tmp_path / "tries").read_text().count("."))
        assert told == (codes[-1], tries)
