"""What is told of an export: its beginning, how far it is, and its end."""

from __future__ import annotations

from jibble_async.api.raw import RawSet
from jibble_async.api.session import Session
from jibble_async.core.emitter import error_name
from jibble_async.events import ExportAdvanced, ExportFinished, ExportStarted, WindowRead

__all__ = ["ExportTelling"]

_EVERY = 300.0
"""Seconds between two tellings of how far it is: a diary of eight hours has a hundred lines."""


class ExportTelling:
    """Tells of one run of an export.

    Args:
        session: The client's.
        rows: What is exported.
    """

    def __init__(self, session: Session, rows: RawSet) -> None:
        operation = rows.pages.operation
        self._emitter = session.emitter
        self._now = session.caller.config.clock.monotonic
        self._labels = operation.called("export").name, operation.service
        self._started = self._told_at = self._now()
        self._done = 0

    def started(self, done: int, windows: int, resumed_rows: int) -> None:
        """Tell that it begins to read.

        Args:
            done: Windows that are read already.
            windows: Windows in all.
            resumed_rows: Rows that are there already.
        """
        self._done = done
        self._emitter.tell(ExportStarted(*self._labels, windows, resumed_rows))

    def advanced(self, done: int, windows: int, rows: int, total: int | None) -> None:
        """Tell how far it is, if a window was read, or enough time has passed.

        Args:
            done: Windows that are read.
            windows: Windows in all.
            rows: Rows so far.
            total: About how many there will be, if that is known.
        """
        now = self._now()
        if done > self._done:
            self._done = done
            self._emitter.tell(WindowRead(*self._labels, done, windows, rows, total))
        if now - self._told_at >= _EVERY:
            self._told_at = now
            since = now - self._started
            self._emitter.tell(ExportAdvanced(*self._labels, done, windows, rows, total, since))

    def finished(self, rows: int, error: BaseException | None = None) -> None:
        """Tell that it ended, with an error or without.

        Args:
            rows: Rows that it has.
            error: What it ended with.
        """
        kind = None if error is None else error_name(error)
        self._emitter.tell(ExportFinished(*self._labels, rows, self._now() - self._started, kind))
