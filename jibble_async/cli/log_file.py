"""`-v` and `--log-file`: what goes on, on stderr or, with all that is said, in a file."""

from __future__ import annotations

import contextlib
import functools
import io
import logging
import os
import sys
from collections.abc import Generator, Sequence
from logging.handlers import WatchedFileHandler
from pathlib import Path

from jibble_async.cli.connection import RunOptions
from jibble_async.cli.output import complain
from jibble_async.errors import OutputError

__all__ = ["PrivateLogFile", "logged"]

_PROGRAM, _LIBRARY = "jibble", ("jibble_async", "jibble_legacy")
_PRIVATE = 0o600
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_TIME = "%Y-%m-%dT%H:%M:%S%z"


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

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say once that the log can't be written."""
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
            stack.enter_context(_heard(logging.StreamHandler(sys.stderr), _LIBRARY, level))
        if options.log_file is not None:
            file = PrivateLogFile(options.log_file)
            stack.enter_context(_heard(file, (_PROGRAM, *_LIBRARY), level))
        try:
            yield
        except KeyboardInterrupt as interrupt:
            notes: list[str] = getattr(interrupt, "__notes__", [])
            logging.getLogger(_PROGRAM).warning("; ".join(["interrupted", *notes]))
            raise


@contextlib.contextmanager
def _heard(handler: logging.Handler, names: Sequence[str], level: int) -> Generator[None]:
    """Have a handler hear what some loggers log."""
    handler.setFormatter(logging.Formatter(_FORMAT, _TIME))
    loggers = [logging.getLogger(name) for name in names]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(level)
    try:
        yield
    finally:
        for logger, old in zip(loggers, before, strict=True):
            logger.setLevel(old)
            logger.removeHandler(handler)
        handler.close()
