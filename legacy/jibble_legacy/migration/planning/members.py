"""People of the old account, and what becomes of each of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from jibble_legacy.migration.states import ACTIONS, CREATED, Decision

__all__ = ["Choice", "Claim", "Member", "Punch", "interleaved"]

_LONGEST_MS = 12 * 3_600_000
_IN = ACTIONS["In"]


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A person whom the old account lists, or whom entries name.

    Attributes:
        n: The number in the ledger.
        user: The human's id: the same for each team that the human is in.
        listed: Whether a list shows the person; entries name those who left all the same.
        entries: How many entries name the person.
    """

    n: int
    id: str
    user: str | None = None
    name: str = ""
    email: str | None = None
    team: str = ""
    listed: bool = True
    entries: int = 0


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What this ledger has begun to do with a person, and so can't decide again."""

    decision: Decision
    root: int
    target: str | None = None
    name: str | None = None
    email: str | None = None


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a person of the old account.

    Attributes:
        n: Who, by number in the ledger.
        root: As whom the entries are written, by number: all who become one person have one.
        target: The person over there; None until somebody is created.
        name: What the new person is called, if it is to be created.
        email: The new person's address, if it is to be created and nobody else has it.
        how: By which rule, for people to read.
        question: What has to be decided; empty if nothing.
        candidates: Who it might be, for people to judge.
        warning: What was said and can't be done any more.
        joins: While it is decided: as whom it is to be written, by number.
    """

    n: int
    decision: Decision
    root: int
    target: str | None = None
    name: str | None = None
    email: str | None = None
    how: str = ""
    question: str = ""
    candidates: tuple[str, ...] = ()
    warning: str = ""
    joins: int | None = None

    @property
    def moves(self) -> bool:
        """Whether the person's entries are moved."""
        return self.decision in {Decision.MATCH, *CREATED}

    @property
    def creates(self) -> bool:
        """Whether somebody is created for this row, rather than for another of the same person."""
        return self.decision in CREATED and self.root == self.n


class Punch(NamedTuple):
    """An entry of one of the member rows of a human."""

    ms: int
    member: int
    action: int | None


def interleaved(punches: Iterable[Punch]) -> int:
    """How many punches of a human lie within a stretch of work in another team.

    Args:
        punches: Of all member rows of the human, in the order of time.
    """
    begun: dict[int, tuple[int, int]] = {}
    crossed = 0
    for count, punch in enumerate(punches):
        before = begun.pop(punch.member, None)
        # A forgotten Out is not a stretch that goes on until somebody is back years later.
        if before is not None and punch.ms - before[0] <= _LONGEST_MS:
            crossed += count - before[1] - 1
        if punch.action == _IN:
            begun[punch.member] = (punch.ms, count)
    return crossed
