"""What was sent against what is there, field by field.

A difference is explained if it means nothing, if the probe had shown it, or if somebody changed the
entry over there after it was written. Everything else is a fault of the migration until somebody
proves otherwise. That an entry is missing, or there twice, is never explained.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import msgspec

from jibble_legacy.migration.moments import moment_at

__all__ = [
    "Copy",
    "Difference",
    "Field",
    "Found",
    "Known",
    "Sent",
    "Verdict",
    "Why",
    "compare",
    "judge",
    "surplus",
]


class Verdict(enum.StrEnum):
    """What became of an entry, by reading it back."""

    EQUAL = "equal"
    EXPLAINED = "explained"
    DIFFERS = "differs"
    MISSING = "missing"
    DOUBLED = "doubled"
    UNREADABLE = "could not be read"
    ONLY_THERE = "only there"
    """Neither written by this migration nor there before it: made by people since."""

    @property
    def right(self) -> bool:
        """Whether nobody has to look into it."""
        return self in (Verdict.EQUAL, Verdict.EXPLAINED, Verdict.ONLY_THERE)


class Field(enum.StrEnum):
    """What is compared, by its name in the new account."""

    TIME = "time"
    TYPE = "type"
    DAY = "belongsToDate"
    OFFSET = "offset"
    PERSON = "personId"
    ACTIVITY = "activityId"
    PROJECT = "projectId"
    NOTE = "note"
    STATUS = "status"


class Why(enum.StrEnum):
    """Why a difference is no fault."""

    EMPTY_NOTE = "an empty note for none"
    MORE_DIGITS = "more digits in the moment"
    PROBE = "as the probe had shown"
    CHANGED = "changed over there since"
    ARCHIVED = "archived over there"

    @property
    def means_nothing(self) -> bool:
        """Whether both values say the same."""
        return self in (Why.EMPTY_NOTE, Why.MORE_DIGITS)


class Sent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An entry as it was to be.

    Attributes:
        ms: The moment, in milliseconds since 1970 UTC.
        offset: What the person's clock was ahead of UTC, in seconds.
        written: The server's stamp of our last write to it, in milliseconds; None if it is not
            known, and then no difference is explained by a later change.
    """

    person: str
    ms: int
    type: str
    day: str
    offset: int
    activity: str | None = None
    project: str | None = None
    note: str | None = None
    written: int | None = None


class Found(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An entry as it is there.

    Attributes:
        ms: The moment, in whole milliseconds since 1970 UTC.
        digits: Whether the moment has more digits than milliseconds.
        offset: In seconds; None if the server doesn't say.
        active: Whether it counts.
        updated: When it was last changed, in milliseconds.
    """

    id: str
    person: str | None
    ms: int | None
    type: str | None
    day: str | None
    digits: bool = False
    offset: int | None = None
    activity: str | None = None
    project: str | None = None
    note: str | None = None
    active: bool = True
    updated: int | None = None


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the probe showed that the server doesn't keep.

    Attributes:
        whole_seconds: It cuts moments to whole seconds.
        own_day: It finds the working day by itself.
        own_offset: It finds the person's clock by itself.
    """

    whole_seconds: bool = False
    own_day: bool = False
    own_offset: bool = False


class Difference(msgspec.Struct, frozen=True, gc=False):
    """A field that is not as it was sent.

    Attributes:
        was: What was sent.
        found: What is there.
        why: Why that is no fault; None if nothing explains it.
    """

    field: Field
    was: str
    found: str
    why: Why | None = None


class Copy(msgspec.Struct, frozen=True, gc=False):
    """One of several entries that carry one key.

    Attributes:
        created: When the server made it, in milliseconds; None if it doesn't say.
    """

    id: str
    created: int | None
    active: bool


def compare(sent: Sent, found: Found, known: Known) -> list[Difference]:
    """The fields in which an entry is not as it was sent; none if it is equal."""
    since = sent.written is not None and found.updated is not None and found.updated > sent.written
    changed = Why.CHANGED if since else None
    differences: list[Difference] = []

    def note(field: Field, was: object, there: object, why: Why | None = changed) -> None:
        differences.append(Difference(field, _text(was), _text(there), why))

    if not found.active:
        note(Field.STATUS, "Active", "Archived", Why.ARCHIVED)
    if found.ms != sent.ms:
        cut = known.whole_seconds and found.ms == sent.ms // 1000 * 1000
        note(Field.TIME, _moment(sent.ms), _moment(found.ms), Why.PROBE if cut else changed)
    elif found.digits:
        note(Field.TIME, _moment(sent.ms), f"{_moment(found.ms)} and more digits", Why.MORE_DIGITS)
    if found.type != sent.type:
        note(Field.TYPE, sent.type, found.type)
    if found.day != sent.day:
        note(Field.DAY, sent.day, found.day, _own(known.own_day, sent, found) or changed)
    if found.offset not in (None, sent.offset):
        why = Why.PROBE if known.own_offset else changed
        note(Field.OFFSET, timedelta(seconds=sent.offset), _length(found.offset), why)
    if not _same_id(found.person, sent.person):
        note(Field.PERSON, sent.person, found.person)
    if not _same_id(found.activity, sent.activity):
        note(Field.ACTIVITY, sent.activity, found.activity)
    if not _same_id(found.project, sent.project):
        note(Field.PROJECT, sent.project, found.project)
    if found.note != sent.note:
        empty = not found.note and not sent.note
        note(Field.NOTE, sent.note, found.note, Why.EMPTY_NOTE if empty else changed)
    return differences


def judge(differences: Iterable[Difference]) -> Verdict:
    """What the differences of an entry amount to; what means nothing counts as equal."""
    whys = [difference.why for difference in differences]
    if None in whys:
        return Verdict.DIFFERS
    explained = any(why is not None and not why.means_nothing for why in whys)
    return Verdict.EXPLAINED if explained else Verdict.EQUAL


def surplus(copies: Iterable[Copy]) -> Sequence[Copy]:
    """Those of one key that are too many: all that count but the one that was made first."""
    active = [copy for copy in copies if copy.active]
    # What the server doesn't date comes last, so that what it dates is kept; the id decides between
    # those of one moment, so that a second run decides the same.
    return sorted(active, key=lambda copy: (copy.created is None, copy.created or 0, copy.id))[1:]


def _own(known: bool, sent: Sent, found: Found) -> Why | None:
    """The probe explains the server's own day only where it is the date on some clock."""
    if not known or found.day is None:
        return None
    utc = moment_at(sent.ms).date()
    return Why.PROBE if abs(date.fromisoformat(found.day) - utc) <= timedelta(days=1) else None


def _same_id(one: str | None, other: str | None) -> bool:
    # GUIDs mean the same in either case.
    return one == other or (one is not None and other is not None and one.lower() == other.lower())


def _moment(ms: int | None) -> str:
    if ms is None:
        return ""
    return moment_at(ms).isoformat(timespec="milliseconds")


def _length(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _text(value: object) -> str:
    return "" if value is None else str(value)
