"""How shells are told of a variable of the environment."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

__all__ = ["Shell", "assignment", "shell_of"]

Shell: TypeAlias = Literal["sh", "fish", "powershell", "cmd"]
"""Whose lines are printed; bash and zsh read those of sh."""


def shell_of(env: Mapping[str, str], system: str = os.name) -> Shell:
    """The shell that somebody most likely types into.

    Args:
        env: Usually `os.environ`.
        system: As in `os.name`.
    """
    if system != "nt":
        return "fish" if env.get("SHELL", "").endswith("/fish") else "sh"
    # A prompt in a variable is cmd's; PowerShell has a function for it.
    return "sh" if "SHELL" in env else "cmd" if "PROMPT" in env else "powershell"


def assignment(shell: Shell, name: str, value: str) -> str:
    """A line that sets a variable, whatever is in its value.

    Args:
        shell: Which shell reads the line.
        name: What the variable is called.
        value: A text on one line; cmd has no way to write a `%` that it would not look behind.
    """
    return _LINES[shell](name, value)


def _fish(name: str, value: str) -> str:
    quoted = value.replace("\\", r"\\").replace("'", r"\'")
    return f"set -gx {name} '{quoted}'"


def _powershell(name: str, value: str) -> str:
    # It takes typographic quotes for its own, too.
    for quote in "'\u2018\u2019\u201a\u201b":
        value = value.replace(quote, quote * 2)
    return f"$env:{name} = '{value}'"


_LINES: Mapping[Shell, Callable[[str, str], str]] = {
    "sh": lambda name, value: f"export {name}={shlex.quote(value)}",
    "fish": _fish,
    "powershell": _powershell,
    "cmd": lambda name, value: f'set "{name}={value}"',
}
