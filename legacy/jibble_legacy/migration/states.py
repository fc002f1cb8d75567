"""The words that the ledger is kept in: states, kinds of things, reasons, verdicts."""

from __future__ import annotations

from enum import IntEnum, StrEnum

__all__ = [
    "ACTIONS",
    "ANSWERED",
    "CREATED",
    "KINDS",
    "MOVED",
    "WRITTEN",
    "Decision",
    "Exit",
    "Kind",
    "Reason",
    "State",
]


class State(StrEnum):
    """How far something is that is written to the new account: an entry, a person, a project.

    ::

        planned -intent committed-> sent -2xx-> confirmed -verify-> verified
        sent -answer lost, or the program ended-> doubtful -found-> confirmed
        doubtful -not found, long enough after-> planned (same key)
        doubtful -can't be told-> unknown -resolve-> confirmed, planned, skipped
        sent -refused-> refused
        confirmed, verified -the source row changed-> stale -edited-> confirmed
        confirmed, verified -rollback-> undoing -archived-> undone
    """

    PLANNED = "planned"
    SENT = "sent"
    DOUBTFUL = "doubtful"
    CONFIRMED = "confirmed"
    VERIFIED = "verified"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    STALE = "stale"
    UNDOING = "undoing"
    UNDONE = "undone"


WRITTEN = (State.CONFIRMED, State.VERIFIED)
"""What is there, and as the old account has it, as far as is known."""
ANSWERED = (*WRITTEN, State.STALE)
"""What an entry over there answers for."""
MOVED = "moved"
"""Why a stale write has to be archived and written anew: PATCH can't say another moment or kind."""

KINDS = {1: "In", 2: "Out"}
"""What an entry's `action` in the old account is in the new one."""
ACTIONS = {kind: action for action, kind in KINDS.items()}


class Kind(StrEnum):
    """What the old account holds, by the word of its paths."""

    TEAM = "teams"
    PERSON = "teammembers"
    ACTIVITY = "activities"
    CLIENT = "clients"
    POWER_UP = "powerups"
    ENTRY = "timeentries"


class Decision(StrEnum):
    """What becomes of a person, an activity or a client."""

    MATCH = "match"
    CREATE = "create"
    CREATE_AND_REMOVE = "create-and-remove"
    SKIP = "skip"
    UNDECIDED = ""


CREATED = (Decision.CREATE, Decision.CREATE_AND_REMOVE)
"""What is made over there."""


class Reason(StrEnum):
    """Why an entry is held back."""

    PERSON_UNDECIDED = "person-undecided"
    ZONE_MISSING = "zone-missing"
    ALREADY_TRACKED = "already-tracked"
    ACTIVITY_UNDECIDED = "activity-undecided"
    DUPLICATE = "duplicate"
    UNKNOWN_ACTION = "unknown-action"
    NO_PERSON = "no-person"
    NO_MOMENT = "no-moment"
    FUTURE = "future"
    BEFORE_2010 = "before-2010"
    UNREADABLE = "unreadable"
    OUT_WITHOUT_IN = "out-without-in"
    LOCKED_PERIOD = "locked-period"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    """Left out by somebody's decision."""


class Exit(IntEnum):
    """How a step ended, as a program says it."""

    CLEAN = 0
    LEFT = 1
    """Something was refused, or is unknown."""
    MISUSED = 2
    STOPPED = 3
    """It stopped by itself; nothing is lost."""
