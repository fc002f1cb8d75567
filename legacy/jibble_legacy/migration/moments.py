"""Moments as the ledger has them: whole milliseconds since 1970 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["EARLIEST", "EPOCH", "milliseconds", "moment_at"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST = 1_262_304_000_000
"""The beginning of 2010, before which there was no Jibble: an older moment is probably wrong."""


def milliseconds(moment: datetime) -> int:
    """A moment as the ledger has it, cut to the millisecond.

    Args:
        moment: One that knows its offset.
    """
    delta = moment - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1000 + delta.microseconds // 1000


def moment_at(ms: int) -> datetime:
    """The moment, in UTC, that the ledger has as so many milliseconds.

    Raises:
        OverflowError: No calendar has it.
    """
    return EPOCH + timedelta(milliseconds=ms)
