"""Help that fits a terminal of 80 columns and 24 lines."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator

import pytest
from cyclopts import App

from jibble_async.cli import commands, main
from jibble_async.cli.commands import COMMANDS

LONG = {
    "report tracked-time": 28,
    "export": 48,
    "sync": 34,
    "payroll": 40,
    "login": 28,
    "migrate apply": 28,
}
"""Lines of the help that no screen has room for."""


def commands_of(app: App, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield above
    for name in app:
        if not name.startswith("-"):
            yield from commands_of(app[name], (*above, name))


@pytest.mark.parametrize("command", [*commands_of(COMMANDS)], ids=" ".join)
def test_help_fits_a_screen(capsys: pytest.CaptureFixture[str], command: tuple[str, ...]) -> None:
    assert main([*command, "--help"]) == 0
    out, err = capsys.readouterr()
    lines = [line.rstrip() for line in out.rstrip("\n").split("\n")]
    assert max(map(len, lines)) <= 80
    assert len(lines) <= LONG.get(" ".join(command), 24)
    assert "--empty" not in out
    assert err == ""


def test_every_command_is_in_a_section(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    out = capsys.readouterr().out
    heads = [line for line in out.splitlines() if line.endswith(":")]
    assert heads == ["Every day:", "Much at once:", "Whose account:", "Besides:"]


def test_an_option_that_is_on_can_be_seen_to_be_turned_off(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["export", "--help"]) == 0
    assert "--[no-]spreadsheet-" in capsys.readouterr().out


def test_a_command_is_told_of_in_the_words_of_its_docstring() -> None:
    """They stand in both places, so that the list of commands loads none of them."""
    documented = {}
    for name, (home, told) in {
        name: command for group in commands._COMMANDS.values() for name, command in group.items()
    }.items():
        module, _, attribute = home.partition(":")
        command = getattr(importlib.import_module(f"jibble_async.cli.{module}"), attribute)
        # An app has no words of its own.
        if not isinstance(command, App):
            documented[name] = inspect.getdoc(command).partition("\n\nArgs:")[0].split()
            assert documented[name] == told.split()
    assert {"list", "sync", "login", "sandbox"} <= set(documented)
