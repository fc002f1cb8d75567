"""One person's entries, as they were written against what is there, both ways. Pure.

What was written and is not there, what is there and was not written, what is there twice: each
entry of either side is in one of the counts. Several people of the old account may be one person
of the new one; only their entries together can be added up.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import msgspec

from jibble_legacy.migration.checking.comparing import (
    Copy,
    Difference,
    Found,
    Known,
    Sent,
    Verdict,
    Why,
    compare,
    judge,
)
from jibble_legacy.migration.checking.readback import ThereEntry
from jibble_legacy.migration.checking.totals import (
    PersonTotals,
    Punched,
    gaps,
    month_of,
    person_totals,
)
from jibble_legacy.migration.marks import OUR_VERSION, PROBE
from jibble_legacy.migration.moments import moment_at
from jibble_legacy.migration.states import ANSWERED, State

__all__ = [
    "Extra",
    "Findings",
    "Judged",
    "Person",
    "PersonGap",
    "Written",
    "findings",
]

_OPEN = frozenset({State.PLANNED, State.SENT, State.DOUBTFUL, State.UNKNOWN})
_DAY = 86_400_000


class Written(msgspec.Struct, frozen=True, gc=False):
    """An entry that was to be written.

    Attributes:
        entry: Its number in the ledger.
        old_id: Its id in the old account.
        source: The number of the person of the old account; 0 if the entry names none.
        target: The entry that answers for it.
        generation: How many rollbacks there were when it was planned.
        revisions: How often it was put away, in all generations.
    """

    entry: int
    old_id: str
    source: int
    sent: Sent
    state: State
    target: str | None
    generation: int = 0
    revisions: int = 0


class Person(msgspec.Struct, frozen=True):
    """What there is of a person on both sides.

    Attributes:
        written: All that was to be written.
        there: What is there in that time, by id.
        unreadable: Ids of rows that can't be read.
        elsewhere: Entries that were looked up by id as they were not among these; None for those
            that are nowhere.
        before: Ids of what was there before the migration.
        of_others: Ids of what answers for entries of other people.
    """

    written: Sequence[Written]
    there: Mapping[str, ThereEntry]
    unreadable: Collection[str] = ()
    elsewhere: Mapping[str, ThereEntry | None] = {}
    before: Collection[str] = ()
    of_others: Collection[str] = ()


class Judged(msgspec.Struct, frozen=True, gc=False):
    """An entry that is not simply equal."""

    entry: int | None
    target: str | None
    verdict: Verdict
    differences: Sequence[Difference] = ()


class Extra(msgspec.Struct, frozen=True, gc=False):
    """An entry that is there beside the one that answers for an old one.

    Attributes:
        is_marked: Whether it carries our key; if not, it only looks like ours.
    """

    entry: int
    copy: Copy
    is_marked: bool


class PersonGap(msgspec.Struct, frozen=True):
    """A month that doesn't add up to the same on both sides; times in milliseconds."""

    month: str
    old_entries: int
    new_entries: int
    old_worked: int
    new_worked: int
    is_explained: bool


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What reading a person back found.

    Attributes:
        verdicts: How many entries, by what became of them; only what answers for an old entry.
        whys: How many differences, by what explains them.
        changed: How many were changed or archived over there.
        judged: Those that somebody may want to look at.
        extras: What is there once too often.
        strays: Entries that carry a mark of ours, of which the ledger knows nothing.
        late: Numbers of entries that are there, and the ledger doesn't know yet.
        probes: Entries that a probe left.
        only_there: Active entries of others since the migration began.
        before: Active entries from before.
        arrived: How many entries arrived, by the number of the old person.
        months: The same by month of the moment, in UTC.
        old: What was written.
        new: What is there of it.
        gaps: Months in which these two differ.
    """

    verdicts: Counter[Verdict]
    whys: Counter[Why]
    changed: int
    judged: Sequence[Judged]
    extras: Sequence[Extra]
    strays: Sequence[str]
    late: Sequence[int]
    probes: int
    only_there: int
    before: int
    arrived: Counter[int]
    months: Counter[str]
    old: PersonTotals
    new: PersonTotals
    gaps: Sequence[PersonGap]


def findings(
    person: Person,
    known: Known,
    keys: Callable[[Written], Iterable[str]],
    *,
    by_twin: bool,
) -> Findings:
    """What became of a person's entries.

    Args:
        person: Both sides.
        known: What the probe showed.
        keys: Every key that an entry may have been sent with.
        by_twin: Whether the server keeps no mark, so that equal entries are one and the same.
    """
    return _Finder(person, known, keys, by_twin=by_twin).find()


class _Finder:
    """Goes through one person; what it gathers is given as `Findings`."""

    def __init__(
        self,
        person: Person,
        known: Known,
        keys: Callable[[Written], Iterable[str]],
        *,
        by_twin: bool,
    ) -> None:
        self._person = person
        self._known = known
        self._keys = keys
        self._by_twin = by_twin
        self._unit = 1000 if known.whole_seconds else 1
        self._verdicts: Counter[Verdict] = Counter()
        self._whys: Counter[Why] = Counter()
        self._changed = 0
        self._judged: list[Judged] = []
        self._old: list[Punched] = []
        self._new: list[Punched] = []
        self._arrived: Counter[int] = Counter()
        self._months: Counter[str] = Counter()
        # Entries whose difference is explained: hours may differ by them.
        self._excused: set[str] = set()

    def find(self) -> Findings:
        claimed = {
            written.target
            for written in self._person.written
            if written.target is not None and written.state in ANSWERED
        }
        for written in self._person.written:
            if written.target is not None and written.state in ANSWERED:
                self._answer(written, written.target)
        rest = [
            there
            for each, there in self._person.there.items()
            if each not in claimed and each not in self._person.of_others and there.found.active
        ]
        before = sum(there.found.id in self._person.before for there in rest)
        rest = [there for there in rest if there.found.id not in self._person.before]
        extras, strays, late, probes, only_there = self._unclaimed(rest)
        old, new = person_totals(self._old), person_totals(self._new)
        return Findings(
            verdicts=self._verdicts,
            whys=self._whys,
            changed=self._changed,
            judged=self._judged,
            extras=extras,
            strays=strays,
            late=late,
            probes=probes,
            only_there=only_there,
            before=before,
            arrived=self._arrived,
            months=self._months,
            old=old,
            new=new,
            gaps=self._gaps(old, new),
        )

    def _answer(self, written: Written, target: str) -> None:
        sent = written.sent
        moment = sent.ms // self._unit * self._unit
        self._old.append(Punched(target, moment, sent.type, sent.day))
        there = self._person.there.get(target) or self._person.elsewhere.get(target)
        if there is None:
            is_there = target in self._person.unreadable
            verdict = Verdict.UNREADABLE if is_there else Verdict.MISSING
            self._note(Judged(written.entry, target, verdict))
            return
        self._count(there.found)
        if written.state == State.STALE:
            # It is to be changed by the next `apply`; until then it may well differ.
            self._excused.add(target)
            return
        self._arrived[written.source] += 1
        if there.found.ms is not None:
            self._months[_month(there.found.ms)] += 1
        differences = compare(sent, there.found, self._known)
        self._whys.update(each.why for each in differences if each.why is not None)
        verdict = judge(differences)
        if verdict == Verdict.EXPLAINED:
            self._excused.add(target)
            self._changed += any(each.why in (Why.CHANGED, Why.ARCHIVED) for each in differences)
        if verdict == Verdict.EQUAL or all(each.why == Why.PROBE for each in differences):
            self._verdicts[verdict] += 1
        else:
            self._note(Judged(written.entry, target, verdict, differences))

    def _note(self, judged: Judged) -> None:
        self._verdicts[judged.verdict] += 1
        self._judged.append(judged)

    def _count(self, found: Found) -> None:
        if found.active and found.ms is not None and found.type and found.day:
            self._new.append(Punched(found.id, found.ms, found.type, found.day))

    def _unclaimed(
        self, rest: Sequence[ThereEntry]
    ) -> tuple[list[Extra], list[str], list[int], int, int]:
        extras: list[Extra] = []
        strays: list[str] = []
        late: list[int] = []
        probes = only_there = 0
        if not rest:
            return extras, strays, late, probes, only_there
        written = self._person.written
        by_key = {key: each for each in written for key in self._keys(each)}
        by_twin = {(each.sent.ms // self._unit, each.sent.type): each for each in written}
        by_id = {each.old_id: each for each in written}
        for there in rest:
            found = there.found
            of = by_key.get(there.mark) or by_key.get(found.id.lower())
            is_ours = there.program == OUR_VERSION
            if of is None and is_ours:
                of = by_id.get(there.device)
            marked = of is not None
            if of is None and found.ms is not None:
                of = by_twin.get((found.ms // self._unit, found.type or ""))
            if is_ours and there.device == PROBE:
                probes += 1
            elif of is None and is_ours:
                strays.append(found.id)
            elif of is None:
                only_there += 1
            elif of.state in _OPEN and (marked or self._by_twin):
                late.append(of.entry)
            else:
                copy = Copy(found.id, there.created, found.active)
                extras.append(Extra(of.entry, copy, marked or self._by_twin))
                self._count(found)
        return extras, strays, late, probes, only_there

    def _gaps(self, old: PersonTotals, new: PersonTotals) -> list[PersonGap]:
        found = gaps(old, new)
        if not found:
            return []
        excused = self._excused
        rest_old = person_totals(each for each in self._old if each.id not in excused)
        rest_new = person_totals(each for each in self._new if each.id not in excused)
        unexplained = {gap.month for gap in gaps(rest_old, rest_new)}
        return [
            PersonGap(
                gap.month,
                gap.old.entries,
                gap.new.entries,
                gap.old.worked,
                gap.new.worked,
                gap.month not in unexplained,
            )
            for gap in found
        ]


def _month(ms: int) -> str:
    return _month_of_day(ms // _DAY)


@functools.lru_cache(maxsize=10_000)
def _month_of_day(day: int) -> str:
    return month_of(moment_at(day * _DAY).isoformat())
