"""`-v` and `--log-file`: what goes on, on stderr or, with all that is said, in a file."""

from __future__ import annotations

import contextlib
import functools
import io
import logging
import os
import sys
from collections.abc import Generator
from logging.handlers import WatchedFileHandler
from pathlib import Path

from jibble_async.cli.connection import RunOptions
from jibble_async.cli.output import complain
from jibble_async.core import logs
from jibble_async.errors import OutputError

__all__ = ["PrivateLogFile", "logged"]

_LOG = logging.getLogger("jibble")
_PRIVATE = 0o600


class PrivateLogFile(WatchedFileHandler):
    """A log that is appended to; new, nobody else may read it.

    One that was moved away meanwhile, as by logrotate, is begun anew.

    Args:
        path: The file.

    Raises:
        OutputError: It can't be written there.
    """

    def __init__(self, path: Path) -> None:
        self._has_failed = False
        try:
            super().__init__(path, encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise OutputError(f"can't log to {path}: {error.strerror}") from None

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; a disk that is full, or a folder that has gone, ends no command."""
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)

    def close(self) -> None:
        """Close the file; what can't be written to it at its end ends no command either."""
        try:
            super().close()
        except OSError:
            self._say_failed()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say once that the log can't be written."""
        self._say_failed()

    def _say_failed(self) -> None:
        if not self._has_failed:
            self._has_failed = True
            complain(f"can't log to {self.baseFilename}: {sys.exc_info()[1]}")

    def _open(self) -> io.TextIOWrapper:
        return open(
            self.baseFilename,
            "a",
            encoding=self.encoding,
            errors=self.errors,
            opener=functools.partial(os.open, mode=_PRIVATE),
        )


@contextlib.contextmanager
def logged(options: RunOptions) -> Generator[None]:
    """Show or keep a log of what is done within it, as far as that is asked for.

    Args:
        options: What the command line says.

    Raises:
        OutputError: The file can't be written.
    """
    level = logging.DEBUG if options.verbose > 1 else logging.INFO
    with contextlib.ExitStack() as stack:
        if options.verbose:
            # What the program itself says is there already.
            stack.enter_context(logs.attached(logs.STDERR, level))
        if options.log_file is not None:
            file = stack.enter_context(contextlib.closing(PrivateLogFile(options.log_file)))
            stack.enter_context(logs.attached(file, level))
            stack.enter_context(_hearing(file))
        try:
            yield
        except KeyboardInterrupt as interrupt:
            notes: list[str] = getattr(interrupt, "__notes__", [])
            _LOG.warning("; ".join(["interrupted", *notes]))
            raise


@contextlib.contextmanager
def _hearing(handler: logging.Handler) -> Generator[None]:
    """Have a handler hear what the program itself says."""
    before = _LOG.level
    _LOG.addHandler(handler)
    _LOG.setLevel(logging.INFO)
    try:
        yield
    finally:
        _LOG.setLevel(before)
        _LOG.removeHandler(handler)
