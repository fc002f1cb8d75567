"""The commands together, and what their failures mean for whoever started the program."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import sys
import traceback
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from cyclopts import App, CoercionError, CycloptsError, Group, UnusedCliTokensError

from jibble_async.cli.clock import clock
from jibble_async.cli.connection import options_of
from jibble_async.cli.doctor import doctor
from jibble_async.cli.exit_codes import ExitCode, exit_code_of
from jibble_async.cli.export import export
from jibble_async.cli.help_pages import HelpPage
from jibble_async.cli.listing import list_set
from jibble_async.cli.log_file import logged
from jibble_async.cli.login import login, logout
from jibble_async.cli.migrate import migrate
from jibble_async.cli.notify import ping
from jibble_async.cli.output import NotAllDoneError, complain, hushed, say_error
from jibble_async.cli.payroll import make_payroll
from jibble_async.cli.profiles_shown import profiles
from jibble_async.cli.report import report
from jibble_async.cli.sandbox import sandbox
from jibble_async.cli.signals import Interruption
from jibble_async.cli.streams import forget, tell
from jibble_async.cli.sync import sync
from jibble_async.cli.time_off import time_off
from jibble_async.cli.timesheets import timesheets
from jibble_async.cli.workspace import people, whoami
from jibble_async.errors import JibbleError, OutputError
from jibble_async.version import __version__

__all__ = ["run"]

_CTRL_C = 130
_LOG = logging.getLogger("jibble")

COMMANDS = App(
    name="jibble",
    help="",
    usage="jibble COMMAND ..., and of each: jibble COMMAND --help",
    version=__version__,
    help_formatter=HelpPage(),
)
_COMMANDS: dict[Group, dict[str, App | Callable[..., Any]]] = {
    Group("Every day", sort_key=1): {
        "people": people,
        "list": list_set,
        "clock": clock,
        "timeoff": time_off,
        "timesheets": timesheets,
        "report": report,
        "payroll": make_payroll,
    },
    Group("Much at once", sort_key=2): {"export": export, "sync": sync, "migrate": migrate},
    Group("Whose account", sort_key=3): {
        "login": login,
        "logout": logout,
        "profiles": profiles,
        "whoami": whoami,
        "doctor": doctor,
        "sandbox": sandbox,
    },
}
for _group, _commands in _COMMANDS.items():
    for _name, _command in _commands.items():
        COMMANDS.command(_command, name=None if isinstance(_command, App) else _name)
        COMMANDS[_name].group = _group
COMMANDS.register_install_completion_command(  # pyright: ignore[reportUnknownMemberType]
    help="Complete commands and options in this shell."
)
_group = Group("Besides", sort_key=4)
for _name in ("--help", "--version", "--install-completion"):
    COMMANDS[_name].group = _group
# The line above all names it.
COMMANDS["--help"].show = False


def run(arguments: Sequence[str], interruption: Interruption) -> int:
    """The exit code of the command that these arguments name.

    Args:
        arguments: What follows the program's name.
        interruption: What a signal does.

    Raises:
        KeyboardInterrupt: A signal came.
    """
    try:
        command, bound, _ = COMMANDS.parse_args(
            list(arguments), print_error=False, exit_on_error=False
        )
    except UnusedCliTokensError as error:
        complain(f"can't make sense of {' '.join(error.unused_tokens or ())}{_help_for(error)}")
        return ExitCode.USAGE
    except CycloptsError as error:
        complain(f"{_complaint(error)}{_help_for(error)}")
        return ExitCode.USAGE
    options = options_of(bound.arguments.values())
    try:
        with logged(options), hushed(options.quiet):
            exit_code = _outcome(command, bound, interruption)
            _LOG.info("exit code %d", exit_code)
    except OutputError as error:
        # The log's file, before anything is done.
        say_error(error)
        exit_code = exit_code_of(error)
    if options.notify is not None:
        # Whatever comes of it, even Ctrl-C, is no matter of the command's.
        with contextlib.suppress(KeyboardInterrupt):
            interruption.run(ping(options.notify, exit_code))
    return exit_code


def _outcome(
    command: Callable[..., Any], bound: inspect.BoundArguments, interruption: Interruption
) -> int:
    """What a command ends with, once it has said why."""
    try:
        result = command(*bound.args, **bound.kwargs)
        if asyncio.iscoroutine(result):
            interruption.run(result)
    except KeyboardInterrupt:
        # That is how a sandbox is meant to end.
        if command is not sandbox or interruption.exit_code != _CTRL_C:
            raise
    except NotAllDoneError as error:
        return error.exit_code
    except JibbleError as error:
        say_error(error)
        return exit_code_of(error)
    except (BrokenPipeError, SystemExit):
        # Whoever read stdout has gone. Of tables and help rich says so, which ends the program.
        forget(sys.stdout)
        return ExitCode.IO_ERROR
    except OSError as error:
        # A disk that is full, behind a redirection: what was asked for may be done all the same.
        forget(sys.stdout)
        complain(f"the result can't be written: {error.strerror or error}")
        return exit_code_of(error)
    except Exception as error:
        tell(traceback.format_exc())
        complain("this is a mistake of the program, not yours: please report what stands above")
        return exit_code_of(error)
    return ExitCode.DONE


def _complaint(error: CycloptsError) -> str:
    """What is wrong with the arguments, and for a day how it is written."""
    if isinstance(error, CoercionError) and error.target_type is date:
        return f"{str(error).rstrip('.')}: write it as 2026-10-05"
    return str(error)


def _help_for(error: CycloptsError) -> str:
    return f" (see {' '.join(('jibble', *(error.command_chain or ())))} --help)"
