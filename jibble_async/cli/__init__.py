"""The command line, `jibble`: thin commands over the library; needs the extra `cli`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from jibble_async.cli.signals import Interruption
from jibble_async.cli.streams import prepare, tell

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code of one command; see `ExitCode`, and 128 and the number of a signal.

    That is 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP.

    Args:
        arguments: What follows `jibble`; by default what this program was started with.
    """
    prepare()
    interruption = Interruption()
    try:
        # Loading takes long enough on a busy machine for somebody to think better of it.
        with interruption:
            from jibble_async.cli.app import run

            return run(sys.argv[1:] if arguments is None else arguments, interruption)
    except KeyboardInterrupt as interrupt:
        notes: list[str] = getattr(interrupt, "__notes__", [])
        tell(f"jibble: {'; '.join(['interrupted', *notes])}\n")
        return interruption.exit_code
