"""A command line, and what the failures of its command mean for whoever started the program."""

from __future__ import annotations

import contextlib
import functools
import inspect
import logging
import sys
import traceback
from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from jibble_async.cli.exit_codes import ExitCode, exit_code_of
from jibble_async.cli.output import NotAllDoneError, complain, hushed, say_error, show_lines
from jibble_async.cli.signals import Interruption
from jibble_async.cli.streams import forget, tell
from jibble_async.errors import JibbleError, OutputError
from jibble_async.version import __version__

if TYPE_CHECKING:
    from cyclopts import CycloptsError

__all__ = ["run"]

_CTRL_C = 130
_PACKAGES = frozenset({"cyclopts", "platformdirs", "rich"})
_LOG = logging.getLogger("jibble")


def run(arguments: Sequence[str], interruption: Interruption) -> int:
    """The exit code of the command that these arguments name.

    Args:
        arguments: What follows the program's name.
        interruption: What a signal does.

    Raises:
        KeyboardInterrupt: A signal came.
    """
    if list(arguments) == ["--version"]:
        # What scripts ask first is not worth to load what reads command lines.
        return _outcome(lambda: show_lines([__version__]), interruption)
    try:
        return _run(arguments, interruption)
    except ImportError as error:
        if not _is_of_extra(error):
            raise
        complain('the command line needs: pip install "jibble-async[cli]"')
        return ExitCode.SETUP


def _run(arguments: Sequence[str], interruption: Interruption) -> int:
    from cyclopts import CycloptsError, UnusedCliTokensError

    from jibble_async.cli.commands import COMMANDS
    from jibble_async.cli.connection import options_of
    from jibble_async.cli.log_file import logged

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
            call = functools.partial(command, *bound.args, **bound.kwargs)
            exit_code = _outcome(call, interruption, ends_by_ctrl_c=_is_sandbox(command))
            _LOG.info("exit code %d", exit_code)
    except OutputError as error:
        # The log's file, before anything is done.
        say_error(error)
        exit_code = exit_code_of(error)
    if options.notify is not None:
        from jibble_async.cli.notify import ping

        # Whatever comes of it, even Ctrl-C, is no matter of the command's.
        with contextlib.suppress(KeyboardInterrupt):
            interruption.run(ping(options.notify, exit_code))
    return exit_code


def _is_of_extra(error: Exception) -> bool:
    """Whether a package is missing that every command needs; they are loaded one by one."""
    # Of what a command imports, cyclopts raises an error of its own because of it.
    names = [each.name for each in (error, error.__cause__) if isinstance(each, ImportError)]
    return any((name or "").partition(".")[0] in _PACKAGES for name in names)


def _is_sandbox(command: Callable[..., Any]) -> bool:
    # Ctrl-C is how it is meant to end. To import it for every command would take a while.
    return command.__module__ == "jibble_async.cli.sandbox"


def _outcome(
    command: Callable[[], Any], interruption: Interruption, *, ends_by_ctrl_c: bool = False
) -> int:
    """What a command ends with, once it has said why."""
    try:
        result = command()
        if inspect.iscoroutine(result):
            interruption.run(result)
    except KeyboardInterrupt:
        if not ends_by_ctrl_c or interruption.exit_code != _CTRL_C:
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
        if _is_of_extra(error):
            raise
        tell(traceback.format_exc())
        complain("this is a mistake of the program, not yours: please report what stands above")
        return exit_code_of(error)
    return ExitCode.DONE


def _complaint(error: CycloptsError) -> str:
    """What is wrong with the arguments, and for a day how it is written."""
    from cyclopts import CoercionError

    if isinstance(error, CoercionError) and error.target_type is date:
        return f"{str(error).rstrip('.')}: write it as 2026-10-05"
    return str(error)


def _help_for(error: CycloptsError) -> str:
    return f" (see {' '.join(('jibble', *(error.command_chain or ())))} --help)"
