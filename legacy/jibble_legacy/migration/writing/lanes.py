"""What becomes of a write by what befalls it, and what a look-up proves. Decisions only.

A lane is the writes of one person over there, in the order of time: the next is sent once the last
is settled, so whatever happens everybody is complete up to a moment.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable

import msgspec

from jibble_async.entities import EntryStatus, TimeEntry
from jibble_async.errors import (
    AmbiguousWriteError,
    APIError,
    AuthenticationError,
    ConflictError,
    FeatureRestrictedError,
    JibbleError,
    RateLimitedError,
    ThrottledOrForbiddenError,
    TransportError,
)
from jibble_legacy.migration.moments import EPOCH, milliseconds
from jibble_legacy.migration.states import State

__all__ = [
    "ATTEMPTS",
    "LANES",
    "MOST_TRIES",
    "SETTLE",
    "Event",
    "Finding",
    "Sought",
    "after",
    "event_after",
    "event_of",
    "found_among",
    "nonce_of",
    "pause_after",
    "settles_in",
]

SETTLE = 600.0
"""Seconds after which what was given up can't arrive any more: more than gateways wait."""
LANES = 8
"""People who are written side by side."""
ATTEMPTS = 5
"""How often one write is sent before a person has to look at it."""
MOST_TRIES = 6
"""How often in a row a write is turned away until the step stops."""
_BARE_TRIES = 3
_LONGEST_PAUSE = 60.0
_REQUEST_UNWANTED = frozenset({408, 425})


class Event(enum.Enum):
    """What befalls a write."""

    INTENDED = "intended"
    """It is on the disk that it will be sent."""
    KEPT = "kept"
    """The server answered with it."""
    TURNED_AWAY = "turned away"
    """The server surely did not look at it: too fast, no connection, no valid token, no plan."""
    REFUSED = "refused"
    """The server looked at it and said no."""
    LOST = "lost"
    """The server may have done it: no answer, a wrong one, or that its id is known already."""
    FOUND = "found"
    """A look-up shows it."""
    ABSENT = "absent"
    """A look-up that came late enough does not show it."""
    UNCLEAR = "unclear"
    """Looking it up can't tell, now or later."""
    CHANGED = "changed"
    """The old row is another one than it was written from."""
    UNDONE_BEGUN = "undoing"
    """It is on the disk that it will be archived."""
    ARCHIVED = "archived"
    """The server put it away."""


_AFTER: dict[tuple[State, Event], State] = {
    (State.PLANNED, Event.INTENDED): State.SENT,
    (State.SENT, Event.KEPT): State.CONFIRMED,
    (State.SENT, Event.TURNED_AWAY): State.PLANNED,
    (State.SENT, Event.REFUSED): State.REFUSED,
    (State.SENT, Event.LOST): State.DOUBTFUL,
    # The look-up before the first write of a lane: an intent that a power cut took.
    (State.PLANNED, Event.FOUND): State.CONFIRMED,
    (State.PLANNED, Event.ABSENT): State.PLANNED,
    (State.PLANNED, Event.UNCLEAR): State.UNKNOWN,
    (State.DOUBTFUL, Event.FOUND): State.CONFIRMED,
    (State.DOUBTFUL, Event.ABSENT): State.PLANNED,
    (State.DOUBTFUL, Event.UNCLEAR): State.UNKNOWN,
    # The server says that it knows the id, and look-ups find nothing that has it.
    (State.DOUBTFUL, Event.REFUSED): State.REFUSED,
    (State.CONFIRMED, Event.CHANGED): State.STALE,
    (State.VERIFIED, Event.CHANGED): State.STALE,
    (State.STALE, Event.KEPT): State.CONFIRMED,
    (State.STALE, Event.ARCHIVED): State.PLANNED,
    (State.CONFIRMED, Event.UNDONE_BEGUN): State.UNDOING,
    (State.VERIFIED, Event.UNDONE_BEGUN): State.UNDOING,
    (State.STALE, Event.UNDONE_BEGUN): State.UNDOING,
    (State.UNDOING, Event.ARCHIVED): State.UNDONE,
    (State.UNDOING, Event.REFUSED): State.CONFIRMED,
}


def after(state: State, event: Event) -> State:
    """How far a write is after something befell it.

    Args:
        state: How far it was.
        event: What befell it.

    Raises:
        ValueError: That can't befall it: the program is wrong.
    """
    try:
        return _AFTER[state, event]
    except KeyError:
        raise ValueError(f"a write that is {state} can't be {event.value}") from None


def event_of(error: JibbleError) -> Event:
    """What befell a write that was sent once and ended with an error.

    A bare 403 counts as turned away, since it may be throttling; see `event_after`.

    Args:
        error: What sending it raised.

    Raises:
        JibbleError: The same, if it says nothing of this write, such as that the client is closed.
    """
    match error:
        # The server knows the id: from an attempt that was given up, or from somebody else's.
        case AmbiguousWriteError() | ConflictError():
            return Event.LOST
        # What the plan does not include it may include tomorrow: that says nothing of this write.
        case RateLimitedError() | AuthenticationError() | FeatureRestrictedError():
            return Event.LOST if error.maybe_processed else Event.TURNED_AWAY
        case APIError() if error.maybe_processed or error.status in _REQUEST_UNWANTED:
            return Event.LOST
        case APIError():
            return Event.REFUSED
        case TransportError():
            return Event.LOST if error.maybe_processed else Event.TURNED_AWAY
        case JibbleError() if error.maybe_processed:
            return Event.LOST
        case _:
            raise error


def event_after(error: JibbleError, tries: int) -> Event:
    """What befell a write that ended with an error, the so-manieth time in a row."""
    event = event_of(error)
    # Throttling passes; who is refused so for minutes lacks the right.
    is_bare = isinstance(error, ThrottledOrForbiddenError)
    if event is Event.TURNED_AWAY and is_bare and tries >= _BARE_TRIES:
        return Event.REFUSED
    return event


def pause_after(error: JibbleError, tries: int) -> float:
    """Seconds until what was turned away is tried again.

    Args:
        error: Why it was.
        tries: How often in a row.
    """
    asked = getattr(error, "retry_after", None) or 0.0
    return max(asked, min(_LONGEST_PAUSE, 2.0**tries))


class Sought(msgspec.Struct, frozen=True):
    """A write as it is looked for.

    Attributes:
        key: The id and the nonce that it is sent with.
        ms: Its moment.
        type: What it marks.
        attempts: How often it was sent.
        person: Whose it is, over there; empty for anybody's.
    """

    key: str
    ms: int
    type: str
    attempts: int = 1
    person: str = ""


class Finding(msgspec.Struct, frozen=True):
    """What a look-up shows of a write.

    Attributes:
        event: `FOUND`, `ABSENT` or `UNCLEAR`.
        target: The id over there of the entry that it made.
        extras: Further entries that carry its mark.
        by: What it was found by: `mark` or `twin`.
        candidates: What a person has to look at.
    """

    event: Event
    target: str | None = None
    extras: tuple[str, ...] = ()
    by: str = ""
    candidates: tuple[str, ...] = ()


def found_among(
    rows: Iterable[TimeEntry],
    sought: Sought,
    *,
    before: Collection[str],
    claimed: Collection[str],
    by_twin: bool,
    whole_seconds: bool = False,
) -> Finding:
    """What the entries of a person around a moment show of a write.

    A mark proves a write. Where the server keeps none, so does a twin: the same kind at the same
    millisecond, years back, that was not there before and answers for no other row. What is
    archived counts as not found.

    Args:
        rows: The entries, archived ones too.
        sought: The write.
        before: The ids of those that were there before the migration.
        claimed: The ids of those that answer for other rows.
        by_twin: Whether the server keeps neither the id nor the nonce.
        whole_seconds: Whether it keeps no more of a moment.
    """
    marked: list[TimeEntry] = []
    twins: list[TimeEntry] = []
    away: list[str] = []
    for row in rows:
        ours, row_id = sought.key in (row.id.lower(), nonce_of(row)), row.id.lower()
        if row.status == EntryStatus.ARCHIVED:
            away += [row_id] * ours
        elif ours:
            marked.append(row)
        elif by_twin and row_id not in before and row_id not in claimed:
            unit = 1000 if whole_seconds else 1
            # The server may not heed whose entries it was asked for.
            is_theirs = sought.person.lower() in {"", (row.person_id or "").lower()}
            if is_theirs and row.time is not None and row.type == sought.type:
                twins += [row] * (milliseconds(row.time) // unit == sought.ms // unit)
    if any(row.id.lower() in claimed or row.type != sought.type for row in marked):
        return Finding(Event.UNCLEAR, candidates=tuple(row.id.lower() for row in marked))
    found = sorted(marked or twins, key=lambda row: (row.created_at or EPOCH, row.id))
    if not found:
        return Finding(Event.ABSENT, candidates=tuple(away))
    first, *others = (row.id.lower() for row in found)
    return Finding(Event.FOUND, first, tuple(others), "mark" if marked else "twin")


def settles_in(since: int, now: int, settle: float) -> float:
    """Seconds until what was given up can't arrive any more; 0 if it can't.

    Args:
        since: When it was given up, in milliseconds.
        now: The present, in milliseconds.
        settle: How long a server may be at it, in seconds.
    """
    return max(0.0, settle - (now - since) / 1000)


def nonce_of(row: TimeEntry) -> str:
    """The nonce that an entry carries, in small letters; empty if there is none."""
    return ((row.platform.event_id if row.platform is not None else None) or "").lower()
