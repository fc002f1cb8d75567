"""Which entries are held back, why, and what can be done about it.

What people did is moved as it is: an In without an Out is no reason. A reason is what the new
account can't hold, what nobody has decided yet, or what would count hours twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from jibble_legacy.migration.moments import EARLIEST
from jibble_legacy.migration.states import KINDS, Decision, Reason

__all__ = ["EXPLANATIONS", "Case", "Explanation", "Held", "Whose", "held_back", "kind_of"]

_SAID = {"in": "In", "out": "Out"}


class Explanation(NamedTuple):
    """A reason in words: what it means, and the way out."""

    meaning: str
    way_out: str


EXPLANATIONS: Mapping[Reason, Explanation] = {
    Reason.PERSON_UNDECIDED: Explanation(
        "Nobody has decided who this person is in the new account.",
        "Fill in the person's line in people.csv, or new_person here.",
    ),
    Reason.ZONE_MISSING: Explanation(
        "The person's time zone is not known, so the working day can't be told.",
        "Fill in time_zone in people.csv.",
    ),
    Reason.ALREADY_TRACKED: Explanation(
        "The person's time is already tracked in the new account: these hours might count twice.",
        "Fill in until in people.csv, or decide move here.",
    ),
    Reason.ACTIVITY_UNDECIDED: Explanation(
        "The new account has no activity of this name.",
        "Create it there or fill in activities.csv; decide move here to move it without.",
    ),
    Reason.DUPLICATE: Explanation(
        "An entry of the same person, moment and kind is there already.",
        "Decide skip, or give a new_moment if both are true.",
    ),
    Reason.UNKNOWN_ACTION: Explanation(
        "It is neither an In nor an Out.", "Decide in or out, or skip."
    ),
    Reason.NO_PERSON: Explanation("It names no person.", "Give a new_person, or decide skip."),
    Reason.NO_MOMENT: Explanation("It has no moment.", "Give a new_moment, or decide skip."),
    Reason.FUTURE: Explanation(
        "It lies in the future, which the new account refuses.",
        "Give a new_moment, or decide skip; plan again once its moment has come.",
    ),
    Reason.BEFORE_2010: Explanation(
        "It lies before 2010, when there was no Jibble: its moment is probably wrong.",
        "Give a new_moment, decide move if it is right, or skip.",
    ),
    Reason.UNREADABLE: Explanation(
        "The old account's row can't be read.",
        "Give a new_moment and decide in or out, or decide skip.",
    ),
    Reason.OUT_WITHOUT_IN: Explanation(
        "It is an Out after an Out, and the probe showed that the new account refuses it.",
        "Decide in or skip, or give a new_moment.",
    ),
    Reason.LOCKED_PERIOD: Explanation(
        "The new account refused it: its pay period is approved.",
        "Open the pay period in Jibble and decide move, or skip.",
    ),
    Reason.REFUSED: Explanation(
        "The new account refused it.",
        "Mend what it says and decide move, or give a new_moment; or decide skip.",
    ),
    Reason.UNKNOWN: Explanation(
        "Whether it was written can't be told.", "End it with `jibble migrate resolve`."
    ),
    Reason.SKIPPED: Explanation(
        "It is left out, as was decided.", "Empty the decision to take it back."
    ),
}
"""Each reason in words, for the files and the page."""


class Whose(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the person of an entry.

    Attributes:
        decision: What becomes of the person.
        has_zone: Whether the time zone is known.
        held_from: From which moment on entries are held back, in ms; None if none are.
        why: What has to be decided, or since when the person is tracked over there.
    """

    decision: Decision
    has_zone: bool = False
    held_from: int | None = None
    why: str = ""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as it would be moved, with what people said of it.

    Attributes:
        ms: The moment, or the one that people gave.
        kind: `In`, `Out`, or empty.
        flaw: Why the row can't be read, unless people gave what can't be.
        decision: What people decided.
        has_activity: Whether its activity is decided.
    """

    ms: int | None
    kind: str
    flaw: str | None = None
    decision: str = ""
    has_activity: bool = True


class Held(NamedTuple):
    """Why an entry is held back, and what there is to say of just this one."""

    reason: Reason
    detail: str | None = None


def kind_of(action: int | None, decision: str) -> str:
    """`In` or `Out`, as people decided or as the old account says; empty if neither.

    Args:
        action: The old account's number.
        decision: What people decided.
    """
    return _SAID.get(decision) or KINDS.get(action or 0, "")


def held_back(case: Case, whose: Whose | None, now: int) -> Held | None:
    """Why an entry is held back by itself; None if it isn't.

    That it is there twice, and what follows what, depends on others: that is decided after this.

    Args:
        case: The entry.
        whose: The person; None if there is none.
        now: The present moment, in ms.
    """
    if case.decision == "skip":
        return Held(Reason.SKIPPED)
    if whose is not None and whose.decision is Decision.SKIP:
        return Held(Reason.SKIPPED, "the person is left out")
    if (flawed := _flawed(case, now)) is not None:
        return flawed
    if whose is None:
        return Held(Reason.NO_PERSON)
    if whose.decision is Decision.UNDECIDED:
        return Held(Reason.PERSON_UNDECIDED, whose.why or None)
    if not whose.has_zone:
        return Held(Reason.ZONE_MISSING)
    insisted = case.decision == "move"
    assert case.ms is not None
    if whose.held_from is not None and case.ms >= whose.held_from and not insisted:
        return Held(Reason.ALREADY_TRACKED, whose.why or None)
    if not case.has_activity and not insisted:
        return Held(Reason.ACTIVITY_UNDECIDED)
    return None


def _flawed(case: Case, now: int) -> Held | None:
    """What is wrong with the entry itself."""
    if case.flaw is not None:
        return Held(Reason.UNREADABLE, case.flaw)
    if not case.kind:
        return Held(Reason.UNKNOWN_ACTION)
    if case.ms is None:
        return Held(Reason.NO_MOMENT)
    if case.ms > now:
        return Held(Reason.FUTURE)
    if case.ms < EARLIEST and (case.decision != "move" or case.ms < 0):
        return Held(Reason.BEFORE_2010)
    return None
