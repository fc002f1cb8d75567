"""The numbers of the page, from the ledger and what the last verification counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import asdict, replace

from jibble_async.errors import MigrationError
from jibble_legacy.migration.checking.comparing import Verdict, Why
from jibble_legacy.migration.checking.tally import Tally
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.moments import EARLIEST
from jibble_legacy.migration.planning.quarantine import EXPLANATIONS
from jibble_legacy.migration.report.auditing import auditor
from jibble_legacy.migration.report.numbers import (
    Found,
    HeldBack,
    Month,
    Numbers,
    Oddity,
    ReadBack,
    Sums,
    TellingGap,
)
from jibble_legacy.migration.report.people import names_of, people_lines
from jibble_legacy.migration.states import WRITTEN, Kind, Reason, State

__all__ = ["gathered", "last_tally"]

_WAITING = (State.PLANNED, State.STALE, State.UNDOING, State.UNDONE)
_UNKNOWN = (State.SENT, State.DOUBTFUL, State.UNKNOWN)
_OPEN = (Reason.PERSON_UNDECIDED, Reason.ZONE_MISSING, Reason.ACTIVITY_UNDECIDED)
_LEFT_OUT = """
SELECT count(*) FROM entry
WHERE n NOT IN (SELECT entry FROM write) AND n NOT IN (SELECT entry FROM quarantine)
"""
_REFUSED = """
SELECT w.reason, count(*), count(DISTINCT e.person) FROM write AS w JOIN entry AS e ON e.n = w.entry
WHERE w.state = ? GROUP BY w.reason ORDER BY 2 DESC LIMIT 5
"""
_DELETED = """
SELECT count(*) FROM write AS w JOIN entry AS e ON e.n = w.entry
WHERE (e.activity IS NOT NULL AND w.activity IS NULL)
OR (e.client IS NOT NULL AND w.project IS NULL AND w.state IN ('confirmed', 'verified'))
"""


def last_tally(ledger: Ledger) -> tuple[int | None, Tally]:
    """When the new account was last read back whole, and what was counted."""
    found = ledger.read(
        "SELECT ended, detail FROM verification WHERE ended IS NOT NULL ORDER BY n DESC LIMIT 1"
    )
    if not found:
        return None, Tally()
    ended, detail = found[0]
    return ended, msgspec.json.decode(detail, type=Tally)


def gathered(ledger: Ledger) -> Numbers:
    """All that the page says, as the ledger has it now.

    Args:
        ledger: The migration's.

    Raises:
        MigrationError: Nothing was extracted.
    """
    if not ledger.value("SELECT 1 FROM page"):
        raise MigrationError("nothing was read from the old account: run extract first")
    read_back, tally = last_tally(ledger)
    states = Counter[str](dict(ledger.read("SELECT state, count(*) FROM write GROUP BY state")))
    names = names_of(ledger)
    until = ledger.value("SELECT max(began) FROM run WHERE ended IS NOT NULL")
    written = ledger.read(
        "SELECT min(since), max(since) FROM write WHERE state IN (?, ?)", *WRITTEN
    )[0]
    source, target = ledger.get("source", {}), ledger.get("target", {})
    months, outside = _months(ledger, tally, until)
    held = list(_held_back(ledger, states))
    return Numbers(
        old_name=_teams(ledger),
        old_host=_host(source.get("base", "")),
        new_name=target.get("name") or f"the organisation {target.get('organization', '')}",
        old_until=until,
        written_from=written[0],
        written_until=written[1],
        read_back=read_back,
        sums=_sums(ledger, tally, states),
        found=_found(ledger, tally),
        worked_old=sum(each.worked_old for each in tally.people.values()),
        worked_new=sum(each.worked_new for each in tally.people.values()),
        gaps=list(_gaps(ledger, tally, names)),
        months=months,
        outside=outside,
        held_back=held,
        people=people_lines(ledger, tally, names),
        oddities=_oddities(ledger, tally),
        again=_again(ledger, tally),
        auditor=auditor(ledger, tally),
        samples=[replace(each, person=names.get(each.person, "")) for each in tally.samples],
        drawn_by="the hash of the source" + (f" and the word {tally.seed}" if tally.seed else ""),
        flaws=_flaws(tally),
    )


def _sums(ledger: Ledger, tally: Tally, states: Counter[str]) -> Sums:
    verdicts = Counter[str](tally.verdicts)
    entries = ledger.value("SELECT count(*) FROM entry")
    missing, unreadable = verdicts[Verdict.MISSING], verdicts[Verdict.UNREADABLE]
    written = sum(states[state] for state in WRITTEN)
    read = sum(tally.arrived.values()) + missing + unreadable
    return Sums(
        old=entries,
        arrived=sum(tally.arrived.values()),
        held_back=entries - states.total() + states[State.SKIPPED],
        refused=states[State.REFUSED],
        unknown=sum(states[state] for state in _UNKNOWN) + unreadable,
        missing=missing,
        waiting=sum(states[state] for state in _WAITING),
        unread=max(written - read, 0),
    )


def _found(ledger: Ledger, tally: Tally) -> Found:
    verdicts, whys = Counter[str](tally.verdicts), Counter[str](tally.whys)
    explained = verdicts[Verdict.EXPLAINED]
    return Found(
        equal=verdicts[Verdict.EQUAL],
        changed=tally.changed,
        as_probed=explained - tally.changed,
        differs=verdicts[Verdict.DIFFERS],
        doubled=tally.doubled,
        ended=ledger.value("SELECT count(*) FROM extra WHERE state = ?", State.UNDONE),
        only_there=tally.only_there,
        before=tally.before,
        trivial={why: whys[why] for why in Why if why.means_nothing and whys[why]},
    )


def _flaws(tally: Tally) -> list[str]:
    flaws = list(tally.flaws)
    if tally.late:
        flaws.append(f"{tally.late:,} entries are there that the ledger doesn't know: apply again")
    if tally.probes:
        flaws.append(f"{tally.probes:,} entries of the probe are left: probe again")
    return flaws


def _host(base: str) -> str:
    return urlsplit(base).hostname or base


def _teams(ledger: Ledger) -> str:
    rows = ledger.read("SELECT row FROM source WHERE kind = ? AND row IS NOT NULL", Kind.TEAM)
    names = [msgspec.json.decode(row, type=_Named).name for (row,) in rows]
    return " & ".join(name for name in names if name) or "the old account"


class _Named(msgspec.Struct, gc=False):
    name: str | None = None


def _months(ledger: Ledger, tally: Tally, until: int | None) -> tuple[list[Month], int]:
    last = 2**62 if until is None else until + 86_400_000
    old = dict(
        ledger.read(
            "SELECT strftime('%Y-%m', ms / 1000, 'unixepoch'), count(*) FROM entry "
            "WHERE ms BETWEEN ? AND ? GROUP BY 1",
            EARLIEST,
            last,
        )
    )
    outside = ledger.value("SELECT count(*) FROM entry") - sum(old.values())
    names = sorted({*old, *tally.months})
    months = [
        Month(month=name, old=old.get(name, 0), new=tally.months.get(name, 0)) for name in names
    ]
    return [each for each in months if each.old or each.new], outside


def _held_back(ledger: Ledger, states: Counter[str]) -> Iterator[HeldBack]:
    query = (
        "SELECT q.reason, count(*), count(DISTINCT e.person) FROM quarantine AS q "
        "JOIN entry AS e ON e.n = q.entry GROUP BY q.reason"
    )
    for code, entries, people in ledger.read(query):
        yield _line(Reason(code), entries, people)
    left = ledger.value(_LEFT_OUT)
    if left + states[State.SKIPPED]:
        yield _line(Reason.SKIPPED, left + states[State.SKIPPED], 0)
    for words, entries, people in ledger.read(_REFUSED, State.REFUSED):
        yield _line(Reason.REFUSED, entries, people, words or "")
    if states[State.UNKNOWN]:
        yield _line(Reason.UNKNOWN, states[State.UNKNOWN], 0)


def _line(reason: Reason, entries: int, people: int, words: str = "") -> HeldBack:
    meaning, way_out = EXPLANATIONS[reason]
    if words:
        meaning = f"{meaning} {words}"
    return HeldBack(
        code=reason,
        reason=meaning,
        way_out=way_out,
        entries=entries,
        people=people,
        is_open=reason in _OPEN,
    )


def _gaps(ledger: Ledger, tally: Tally, names: dict[str, str]) -> Iterator[TellingGap]:
    roots = dict(
        ledger.read(
            "SELECT target, min(n) FROM thing WHERE kind = ? AND target IS NOT NULL GROUP BY 1",
            Kind.PERSON,
        )
    )
    for target, person in tally.people.items():
        for gap in person.gaps:
            yield TellingGap(person=names.get(str(roots.get(target, "")), target), **asdict(gap))


def _oddities(ledger: Ledger, tally: Tally) -> Sequence[Oddity]:
    return [
        Oddity(
            what="In that nothing ended within the day or 12 hours (somebody forgot the Out)",
            means="counts no time on either side by our rules; Jibble's own timesheets may differ",
            entries=tally.no_end,
        ),
        Oddity(
            what="Out without an In before it",
            means="counts no time on either side",
            entries=tally.no_beginning,
        ),
        Oddity(
            what="Entries whose activity or client has no place over there, or was deleted",
            means="moved without it; the old id is in the side file",
            entries=ledger.value(_DELETED),
        ),
    ]


def _again(ledger: Ledger, tally: Tally) -> ReadBack:
    again = tally.reread
    return ReadBack(
        target_rows=tally.rows,
        target_requests=tally.requests,
        source="not read again" if again is None else again.words,
        source_changed=0 if again is None else again.differences,
        pages_checked=ledger.value("SELECT count(*) FROM page"),
    )
