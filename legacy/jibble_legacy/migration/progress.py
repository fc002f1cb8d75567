"""What a step tells while it runs, and how long it may still take. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

__all__ = ["OnProgress", "Progress", "ends_at", "seconds_for", "silent"]


class Progress(msgspec.Struct, frozen=True):
    """How far a step is.

    Attributes:
        step: Which, such as `extract`.
        what: What it is at, such as `timeentries`.
        done: How many of them are done.
        total: How many there are, as far as that is known.
        ends: When the step will be done, as far as that is known.
        note: A further word for people.
    """

    step: str
    what: str
    done: int
    total: int | None = None
    ends: datetime | None = None
    note: str = ""


OnProgress = Callable[[Progress], None]
"""Called on the loop, after what it tells of is on the disk."""


def silent(_: Progress) -> None:
    """Tells nobody."""


def seconds_for(requests: int, quota: tuple[int, float, int] | None) -> float:
    """How long requests take where only a rolling quota holds them back.

    Args:
        requests: How many are to be sent.
        quota: How many are taken in a period, its seconds, and how many count now.
    """
    if quota is None:
        return 0.0
    limit, per, used = quota
    # The last of a full window goes out when the first of it no longer counts.
    return max(0, (requests + used - 1) // limit) * per


def ends_at(now: datetime, requests: int, quota: tuple[int, float, int] | None) -> datetime:
    """When requests will be done; see `seconds_for`."""
    return now + timedelta(seconds=seconds_for(requests, quota))
