"""Variables for shells, and what is typed for somebody by one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jibble_async.cli import main
from jibble_async.cli.shells import Shell, assignment, shell_of
from tests.cli.conftest import ROOT
from tests.support.programs import program

VALUE = 'it\'s a "$HOME" `x` \\ é \u2019'


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("sh", "export A='it'\"'\"'s'"),
        ("fish", r"set -gx A 'it\'s'"),
        ("powershell", "$env:A = 'it''s'"),
        ("cmd", 'set "A=it\'s"'),
    ],
)
def test_lines(shell: Shell, line: str) -> None:
    assert assignment(shell, "A", "it's") == line


def test_what_closes_a_quote_stays_within() -> None:
    assert assignment("fish", "A", "\\'") == r"set -gx A '\\\''"
    assert assignment("powershell", "A", "a\u2019b") == "$env:A = 'a\u2019\u2019b'"


@pytest.mark.parametrize("name", ["sh", "bash", "zsh", "fish"])
def test_a_shell_reads_its_line(name: str) -> None:
    shell = program(name)
    line = assignment("fish" if name == "fish" else "sh", "A", VALUE)
    done = subprocess.run(
        [shell, "-c", f"{line}\nprintenv A"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{VALUE}\n"


@pytest.mark.parametrize(
    ("env", "system", "shell"),
    [
        ({"SHELL": "/usr/bin/fish"}, "posix", "fish"),
        ({"SHELL": "/bin/zsh"}, "posix", "sh"),
        ({}, "posix", "sh"),
        ({"PROMPT": "$P$G"}, "nt", "cmd"),
        ({}, "nt", "powershell"),
        ({"SHELL": "/usr/bin/bash", "PROMPT": "$P$G"}, "nt", "sh"),
    ],
)
def test_the_shell_of_a_terminal(env: dict[str, str], system: str, shell: Shell) -> None:
    assert shell_of(env, system) == shell


TYPED = {
    "jibble pe": "people",
    "jibble timeoff list --st": "--status",
    "jibble timeoff list --status pe": "pending",
    "jibble people -o js": "jsonl json",
    "jibble list pol": "policies",
    "jibble export time-": "",
    "jibble export time_e": "time_entries",
    "jibble report tracked-time --group-by a": "activity",
}

_BASH = r"""
. ~/.bashrc
while read -r line; do
  read -ra COMP_WORDS <<< "$line"
  COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 )) COMP_LINE=$line COMPREPLY=()
  _jibble
  echo "${COMPREPLY[*]}"
done
"""


def installed(shell: str, monkeypatch: pytest.MonkeyPatch, home: Path) -> str:
    found = program(shell)
    monkeypatch.setenv("HOME", str(home))
    for name in ("ZDOTDIR", "ZSH", "ZSH_CUSTOM"):
        monkeypatch.delenv(name, raising=False)
    assert main(["--install-completion", "--shell", shell]) == 0
    return found


@pytest.mark.real_time
def test_bash_completes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bash = installed("bash", monkeypatch, tmp_path)
    lines = "".join(f"{line}\n" for line in TYPED)
    done = subprocess.run([bash, "-c", _BASH], input=lines, capture_output=True, text=True)
    assert (done.stdout.splitlines(), done.stderr) == ([*TYPED.values()], "")


@pytest.mark.real_time
def test_zsh_knows_who_completes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # As it is set up by most: before the line that is added, which must come first all the same.
    (tmp_path / ".zshrc").write_text("autoload -Uz compinit && compinit -u\n")
    zsh = installed("zsh", monkeypatch, tmp_path)
    check = 'echo "${_comps[jibble]}"; autoload +X _cyclopts_jibble; zsh -n ~/.zsh/completions/*'
    done = subprocess.run([zsh, "-ic", check], capture_output=True, text=True)
    assert done.stdout == "_cyclopts_jibble\n"


@pytest.mark.real_time
def test_pipes_get_utf8_whatever_the_locale() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-m", "jibble_async.cli", "list", "groups", "--sandbox"],
        env={
            **os.environ,
            "PYTHONPATH": f"{ROOT}:{ROOT / 'legacy'}",
            "LC_ALL": "C",
            "PYTHONCOERCECLOCALE": "0",
        },
        capture_output=True,
        check=True,
    )
    assert "Küche & Kantine".encode() in done.stdout
