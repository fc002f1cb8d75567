"""What is known of an export in the end, and what an export must be able to do for it."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

__all__ = ["Held", "Outcome", "SweptRow", "Verdict"]


class Outcome(enum.StrEnum):
    """What is known of an export."""

    PROVED = "proved"
    """Every row of the set as it was when it was counted, and no other."""
    COMPLETE = "complete by updatedAt, count not compared"
    """Every change is in it that set a new `updatedAt`; what was deleted for good may be, too."""
    NOT_PROVED = "not proved"
    """Rows may be missing, or there although they are gone; the reason says why."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an export, and from what.

    Attributes:
        outcome: What is known.
        reason: Why it is no more than that; empty where it is proved.
        mark: The moment from which on changes are not in it; for `changes`.
        rounds: How often changes were asked for.
        swept: Rows that changed meanwhile and were put in their place.
        dropped: Rows that were deleted for good meanwhile.
        counted: What the server counted in the end, if it did.
    """

    outcome: Outcome
    reason: str = ""
    mark: str
    rounds: int = 0
    swept: int = 0
    dropped: int = 0
    counted: int | None = None


class SweptRow(msgspec.Struct, frozen=True):
    """A row that changed."""

    id: str
    """Its id."""
    stamp: str
    """The moment of the change, as the server writes it; it may be before that of an earlier one,
    so what was read last counts."""
    in_scope: bool
    """Whether it is meant; otherwise it was archived, or belongs to other days by now."""
    raw: msgspec.Raw
    """The row as it is."""


class Held(Protocol):
    """The rows that an export has so far."""

    async def count(self) -> int:
        """How many there are; one that is there twice counts twice."""
        ...

    async def replace(self, rows: Sequence[SweptRow]) -> None:
        """Put rows in the place of every copy of them; only those in scope are there afterwards."""
        ...

    async def retain(self, present: Callable[[str], bool]) -> int:
        """Drop the rows that are not present, and say how many they were."""
        ...
