"""What an export tells while it goes on, and in the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from jibble_async.api.session import Session
from jibble_async.export.proof.verdicts import Outcome
from jibble_async.export.sinks import Format

__all__ = ["ExportProgress", "ExportReport", "Meter"]


@dataclass(frozen=True, slots=True)
class ExportProgress:
    """How far an export is."""

    rows: int
    """Rows written so far, those of runs before included."""
    total: int | None
    """Rows that there are by the server's counts; before it counted all windows, those that nobody
    has asked for yet are taken to be as large as the others. None if it does not count."""
    windows: int
    """Windows that are read to their end."""
    of: int
    """Windows that there are."""
    requests: int
    """Requests that the client sent since this run began."""
    retries: int
    """Those of them that repeated one that had failed."""
    throttled_seconds: float
    """Time that its calls spent waiting for the quota, in sum."""
    quota: float | None
    """Requests per second that the server is believed to accept, if that is known."""
    seconds: float
    """Time since this run began."""
    seconds_left: float | None
    """Time that the rest will take at this speed, if that can be told."""


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export did."""

    path: Path
    """The file, or the folder."""
    format: Format
    """What is in it."""
    outcome: Outcome
    """What is known of it: whether a row may be missing."""
    reason: str
    """Why it is no more than that; empty if it is proved."""
    counted: int | None
    """Rows that the server counted in the end, if it did."""
    rows: int
    """Rows in it."""
    parts: int
    """Files that a folder holds; 1 for a file."""
    pages: int
    """Pages that they came on, those of runs before included."""
    reread_pages: int
    """Pages that were fetched more than once: they came when a run was killed, or before a window
    had to begin again."""
    resumed_rows: int
    """Rows that runs before had left."""
    swept: int
    """Rows that had changed since the export began, and were put in their place."""
    dropped: int
    """Rows that were deleted for good meanwhile, and are left out."""
    requests: int
    """Requests that the client sent in this run, those for tokens included."""
    retries: int
    """Those of them that repeated one that had failed."""
    throttled_seconds: float
    """Time that its calls spent waiting for the quota, in sum."""
    seconds: float
    """Time that this run took."""
    duplicates: int
    """Rows that came twice and were written once, as they were at first: entries of the old API
    that were moved to a later time while it was read, for one."""
    moved: int
    """How often rows moved and the export of the old API's time entries went on from the last one
    by its moment. What was deleted or back-dated meanwhile may be in the file."""
    bytes: int
    """Size of the file, or of all files of a folder."""
    sha256: str
    """The file's hash, or that of a folder's manifest, in hexadecimal digits."""
    unknown_fields: dict[str, int] = field(default_factory=dict[str, int])
    """Fields that the format has no place for, and in how many rows they came."""
    removed: tuple[Path, ...] = ()
    """What killed exports of this name had left, and this one removed."""


class Meter:
    """What a client did since an export began.

    Args:
        session: The client's.
        service: The service that is asked for rows.
    """

    def __init__(self, session: Session, service: str) -> None:
        self._now = session.stats
        self._service = service
        self._before = msgspec.structs.replace(session.stats)
        self._monotonic = session.caller.config.clock.monotonic
        self._started = self._monotonic()

    def __call__(self, name: str) -> Any:
        """By how much one of the client's sums grew."""
        return getattr(self._now, name) - getattr(self._before, name)

    @property
    def seconds(self) -> float:
        """Time since then."""
        return self._monotonic() - self._started

    @property
    def quota(self) -> float | None:
        """Requests per second that the server is believed to accept, if that is known."""
        return self._now.rates.get(self._service)
