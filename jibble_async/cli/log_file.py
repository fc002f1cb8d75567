"""`--log-file`: what goes on, and what is said on stderr, kept in a file."""

from __future__ import annotations

import contextlib
import functools
import io
import logging
import os
from collections.abc import Generator
from logging.handlers import WatchedFileHandler
from pathlib import Path

from jibble_async.cli.connection import RunOptions
from jibble_async.errors import OutputError

__all__ = ["PrivateLogFile", "logged"]

# The program's own, and those of the library.
_LOGGERS = ("jibble", "jibble_async", "jibble_legacy")
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
        try:
            super().__init__(path, encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise OutputError(f"can't log to {path}: {error.strerror}") from None

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
    """Keep a log of what is done within it, if that is asked for.

    Args:
        options: What the command line says.

    Raises:
        OutputError: The file can't be written.
    """
    if options.log_file is None:
        yield
        return
    handler = PrivateLogFile(options.log_file)
    handler.setFormatter(logging.Formatter(_FORMAT, _TIME))
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
            logger.removeHandler(handler)
        handler.close()
