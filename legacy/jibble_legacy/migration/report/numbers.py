"""All that the signed page says, as one value: the page, its JSON and its tables are made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

__all__ = [
    "Auditor",
    "Found",
    "HeldBack",
    "Homeless",
    "Month",
    "Numbers",
    "Oddity",
    "PersonLine",
    "Proof",
    "ReadBack",
    "Sample",
    "Sums",
    "TellingGap",
]


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """Where the entries of the old account are; each of them is in one of the others.

    Attributes:
        old: What the old account holds.
        arrived: Written, and found when it was read back.
        held_back: Not written, each for a reason.
        refused: Sent, and not taken.
        unknown: Sent, and nobody knows what became of it; or there in a way that can't be read.
        missing: Confirmed when it was written, and not there any more.
        waiting: To be written, or written anew, by the next `apply`.
        unread: Written since the new account was last read back.
    """

    old: int
    arrived: int = 0
    held_back: int = 0
    refused: int = 0
    unknown: int = 0
    missing: int = 0
    waiting: int = 0
    unread: int = 0

    @property
    def unaccounted(self) -> int:
        """Entries that are nowhere; never anything but 0 unless the program is wrong."""
        elsewhere = self.held_back + self.refused + self.unknown + self.missing + self.waiting
        return self.old - self.arrived - self.unread - elsewhere


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What reading back found of the entries that arrived, and beside them.

    Attributes:
        equal: Equal in every field.
        changed: Changed or archived over there after they were written.
        as_probed: Different in what the probe had shown that the server doesn't keep.
        differs: Different, and nothing explains it.
        doubled: Entries that are there once too often.
        ended: Of those that were there twice, how many were archived by `--repair`.
        only_there: Entries of these people that this migration has not made, since it began.
        before: Entries of these people that were there before it.
        trivial: Differences that mean nothing, such as more digits, in words.
    """

    equal: int = 0
    changed: int = 0
    as_probed: int = 0
    differs: int = 0
    doubled: int = 0
    ended: int = 0
    only_there: int = 0
    before: int = 0
    trivial: Mapping[str, int] = {}


class TellingGap(msgspec.Struct, frozen=True, kw_only=True):
    """A person's month in which both sides don't add up to the same, times in milliseconds."""

    person: str
    month: str
    old_entries: int
    new_entries: int
    old_worked: int
    new_worked: int
    is_explained: bool


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """How many entries a month has, such as `2026-07`."""

    month: str
    old: int
    new: int


class HeldBack(msgspec.Struct, frozen=True, kw_only=True):
    """Entries that did not move, by reason.

    Attributes:
        code: The reason, as files have it.
        is_open: Whether somebody has to decide something before it is known what becomes of them.
    """

    code: str
    reason: str
    way_out: str
    entries: int
    people: int = 0
    is_open: bool = False


class PersonLine(msgspec.Struct, frozen=True, kw_only=True):
    """A person of the old account.

    Attributes:
        old_id: Their id there.
        found: How they were found in the new account, in words; empty if nobody decided.
        new_id: Their id there.
        same_as: The old id of the line before with which they are one human.
        by_day: The share of their Ins between 5 and 16 o'clock, if that is less than half: it may
            be the wrong zone.
        first: The day of their first entry, in UTC, such as `2016-03-01`.
        worked: Time at work in what arrived, in milliseconds; None on a line of `same_as`.
        is_open: Whether a decision is needed.
    """

    old_id: str
    name: str
    email: str = ""
    found: str = ""
    new_id: str = ""
    same_as: str = ""
    zone: str = ""
    by_day: float | None = None
    first: str = ""
    last: str = ""
    old: int = 0
    new: int = 0
    worked: int | None = None
    is_open: bool = False


class Oddity(msgspec.Struct, frozen=True, kw_only=True):
    """Entries that were moved as they were, though something is odd with them."""

    what: str
    means: str
    entries: int


class Homeless(msgspec.Struct, frozen=True, kw_only=True):
    """What has no place in the new account.

    Attributes:
        fields: Its names in the old account.
        values: How many there are.
        file: Where it is kept.
    """

    what: str
    fields: str
    values: int
    file: str


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """A file or a rule by which the migration went, and its SHA-256."""

    name: str
    sha256: str


class ReadBack(msgspec.Struct, frozen=True, kw_only=True):
    """What was read again for the page.

    Attributes:
        target_rows: Entries of the new account.
        source: What was read of the old one, in words.
        source_changed: Rows that changed there since the last extraction, or are gone.
        pages_checked: Pages of the ledger whose hash was computed again.
    """

    target_rows: int = 0
    target_requests: int = 0
    source: str = ""
    source_changed: int = 0
    pages_checked: int = 0


class Auditor(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody needs who trusts nobody; moments in milliseconds since 1970 UTC."""

    chain: str
    answers: int
    requests: int
    read_from: int | None
    read_until: int | None
    busiest_hour: int
    plan: str
    plan_at: int | None
    tool: str
    proofs: Sequence[Proof] = ()
    probe: Sequence[str] = ()
    not_shown: Sequence[str] = ()


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of both sides.

    Attributes:
        page: The number of the page that the old row came on.
        row: Its place there, from 1.
        ms: Its moment in the old account, in milliseconds since 1970 UTC.
        local: The moment in the new account on the person's clock, as the server says it.
        verdict: What comparing them gave, in words; or why it did not move.
    """

    old_id: str
    page: int
    row: int
    person: str
    ms: int | None = None
    action: str = ""
    note: str = ""
    new_id: str = ""
    local: str = ""
    day: str = ""
    type: str = ""
    verdict: str = ""
    is_right: bool = True


class Numbers(msgspec.Struct, frozen=True, kw_only=True):
    """A migration, as it is at a moment; moments in milliseconds since 1970 UTC, days in UTC.

    Attributes:
        old_name: The old account.
        old_host: Where it is.
        old_until: The moment up to which the old account was read.
        read_back: When the new account was read back; None if it was not, and then nothing is said
            to have arrived.
        worked_old: Time at work in what arrived, by the old account, in milliseconds.
        worked_new: The same by the new account.
        outside: Entries dated before 2010 or in the future, which `months` leaves out.
        drawn_by: What the samples were drawn by.
        flaws: What is wrong with the proof itself, such as a page whose hash is another.
    """

    old_name: str
    old_host: str
    new_name: str
    old_until: int | None
    written_from: int | None
    written_until: int | None
    read_back: int | None
    sums: Sums
    found: Found
    worked_old: int
    worked_new: int
    gaps: Sequence[TellingGap] = ()
    months: Sequence[Month] = ()
    outside: int = 0
    held_back: Sequence[HeldBack] = ()
    people: Sequence[PersonLine] = ()
    oddities: Sequence[Oddity] = ()
    homeless: Sequence[Homeless] = ()
    again: ReadBack = ReadBack()
    auditor: Auditor
    samples: Sequence[Sample] = ()
    drawn_by: str = ""
    flaws: Sequence[str] = ()
