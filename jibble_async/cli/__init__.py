"""The command line, `jibble`: thin commands over the library; needs the extra `cli`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code of one command: 0 done, 1 an error, 2 bad usage, 130 interrupted.

    Args:
        arguments: What follows `jibble`; by default what this program was started with.
    """
    try:
        from jibble_async.cli.app import run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"cyclopts", "rich"}:
            raise
        sys.stderr.write('jibble: the command line needs: pip install "jibble-async[cli]"\n')
        return 2
    except KeyboardInterrupt:
        # Loading takes long enough on a busy machine for somebody to think better of it.
        sys.stderr.write("jibble: interrupted\n")
        return 130
    return run(sys.argv[1:] if arguments is None else arguments)
