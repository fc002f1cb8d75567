"""The log of the clients of both APIs: its records, and the handlers that show them.

What clients log are events, so what holds for these holds here: no id, no value of a query, no
header, no body. Limiters log for themselves when the store that they share is away.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import traceback
from collections.abc import Generator, Mapping
from typing import Any, TextIO

import msgspec

from jibble_async.core.log_lines import level_of, text_of
from jibble_async.errors import ConfigurationError
from jibble_async.events import Event

__all__ = [
    "LOGGERS",
    "STDERR",
    "Formatter",
    "attach",
    "attached",
    "detach",
    "from_env",
    "harmless",
    "log",
    "to_stderr",
]

LOGGERS = ("jibble_async", "jibble_legacy")
"""The names of the loggers: for each API's clients one."""

_LEVELS = ("debug", "info", "warning", "error")
_attached: dict[logging.Handler, int] = {}
# The levels that the program had set when the first handler came.
_own: dict[str, int] = {}

for _name in LOGGERS:
    logging.getLogger(_name).addHandler(logging.NullHandler())


class Formatter(logging.Formatter):
    """Lines with the time, the level and the logger."""

    default_msec_format: str | None = "%s.%03d"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s")


def log(logger: logging.Logger, event: Event) -> None:
    """Log an event, if it is worth a line and the logger wants its level.

    The record has all that the event has, as `jibble_operation` and so on, for handlers that write
    more than lines.

    Args:
        logger: Where.
        event: What.
    """
    level = level_of(event)
    if level and logger.isEnabledFor(level):
        fields = {f"jibble_{name}": value for name, value in msgspec.structs.asdict(event).items()}
        extra = {"jibble_event": type(event).__name__, **fields}
        with harmless():
            logger.log(level, text_of(event), extra=extra)


@contextlib.contextmanager
def harmless() -> Generator[None]:
    """Have what the program's own handlers and filters raise end no call.

    It is shown where logging shows what it catches itself, and by the same switch.
    """
    try:
        yield
    except Exception:
        if logging.raiseExceptions:
            with contextlib.suppress(Exception):
                traceback.print_exc()


def attach(handler: logging.Handler, level: int | str) -> None:
    """Have a handler hear of what the clients of both APIs log.

    Args:
        handler: The handler; it gets our `Formatter` unless it has one. If it is attached already,
            its level changes.
        level: From which level on: `debug`, `info`, `warning`, `error`, or a number of logging's.

    Raises:
        ConfigurationError: There is no such level.
    """
    number = _number(level)
    handler.setLevel(number)
    if handler.formatter is None:
        handler.setFormatter(Formatter())
    if not _attached:
        _own.update((name, logging.getLogger(name).level) for name in LOGGERS)
    _attached[handler] = number
    for logger in map(logging.getLogger, LOGGERS):
        logger.addHandler(handler)
        _set_level(logger)


def detach(handler: logging.Handler) -> None:
    """Take a handler away that was attached.

    Args:
        handler: The handler.
    """
    if _attached.pop(handler, None) is None:
        return
    for logger in map(logging.getLogger, LOGGERS):
        logger.removeHandler(handler)
        _set_level(logger)


@contextlib.contextmanager
def attached(handler: logging.Handler, level: int | str) -> Generator[None]:
    """Have a handler hear from a level on, and before and after as it did.

    Args:
        handler: As for `attach`.
        level: As for `attach`; a finer one that it had stays.

    Raises:
        ConfigurationError: There is no such level.
    """
    before = _attached.get(handler)
    attach(handler, level)
    try:
        if before is not None:
            attach(handler, min(before, _attached[handler]))
        yield
    finally:
        if before is None:
            detach(handler)
        else:
            attach(handler, before)


def to_stderr(level: int | str) -> None:
    """Show on stderr what is logged; called again it changes the level.

    Args:
        level: As for `attach`.

    Raises:
        ConfigurationError: There is no such level.
    """
    attach(STDERR, level)


def from_env(env: Mapping[str, str]) -> None:
    """Do what `JIBBLE_LOG` says, if it is set: `debug`, `info`, `warning` or `error`.

    Args:
        env: Usually `os.environ`.
    """
    level = env.get("JIBBLE_LOG", "").strip()
    if not level:
        return
    try:
        to_stderr(level)
    except ConfigurationError as error:
        # An import that fails would be too much for a misspelt word.
        to_stderr(logging.WARNING)
        logging.getLogger(LOGGERS[0]).warning("JIBBLE_LOG: %s; warnings are shown", error)


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what stderr is at the moment."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


STDERR = _Stderr()
"""The one handler that shows the log on stderr, whoever asks for it."""


def _set_level(logger: logging.Logger) -> None:
    """Let through what any of our handlers wants, and what the program's own setting does."""
    own = _own[logger.name]
    wanted = [*_attached.values(), *([own] if own else [])]
    logger.setLevel(min(wanted) if _attached else own)


def _number(level: Any) -> int:
    if isinstance(level, int):
        return level
    if not isinstance(level, str) or level.lower() not in _LEVELS:
        shown = repr(level)[:60]
        raise ConfigurationError(f"there is no level {shown}: there are {', '.join(_LEVELS)}")
    return logging.getLevelNamesMapping()[level.upper()]


from_env(os.environ)
