"""The lines of people: who they were, who they are, and what of them moved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from jibble_legacy.migration.checking.tally import Tally
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.moments import EARLIEST, moment_at
from jibble_legacy.migration.planning.roster import person_in
from jibble_legacy.migration.report.numbers import PersonLine
from jibble_legacy.migration.states import CREATED, Decision, Kind

__all__ = ["names_of", "people_lines"]

_PEOPLE = """
SELECT s.n, s.id, s.row, t.decision, t.root, t.target, t.detail, c.entries, c.first, c.last
FROM source AS s
JOIN (SELECT person, count(*) AS entries,
    min(CASE WHEN ms >= ? THEN ms END) AS first, max(CASE WHEN ms < ? THEN ms END) AS last
    FROM entry GROUP BY person) AS c ON c.person = s.n
LEFT JOIN thing AS t ON t.n = s.n
WHERE s.kind = ?
"""
_BY_DAY = """
SELECT lane, avg((ms / 1000 + offset) / 3600 % 24 BETWEEN 5 AND 15) FROM write
WHERE type = 'In' GROUP BY lane
"""
_FOUND = {
    Decision.MATCH: "matched",
    Decision.CREATE: "created",
    Decision.CREATE_AND_REMOVE: "created, and removed again",
    Decision.SKIP: "left out, as was decided",
}


class _Detail(msgspec.Struct, gc=False):
    how: str = ""


def names_of(ledger: Ledger) -> dict[str, str]:
    """What people of the old account are called, by their number, written as text."""
    query = "SELECT n, id, row FROM source WHERE kind = ?"
    return {
        str(n): person_in(row)[0] or f"somebody who left ({old_id})"
        for n, old_id, row in ledger.read(query, Kind.PERSON)
    }


def people_lines(ledger: Ledger, tally: Tally, names: Mapping[str, str]) -> list[PersonLine]:
    """A line for each person whom entries name, those first about whom something is to be decided.

    Args:
        ledger: The migration's.
        tally: What reading back counted.
        names: What people are called.
    """
    last = ledger.value("SELECT max(ended) FROM run") or 2**62
    zones: dict[int, list[str]] = {}
    for person, zone in ledger.read("SELECT person, name FROM zone ORDER BY person, begins"):
        zones.setdefault(person, []).append(zone)
    by_day: dict[int, float] = dict(ledger.read(_BY_DAY))
    worked = {guid.lower(): person.worked_new for guid, person in tally.people.items()}
    lines: dict[str, list[PersonLine]] = {}
    for row in ledger.read(_PEOPLE, EARLIEST, last, Kind.PERSON):
        n, old_id, raw, decision, root, target, detail, entries, begin, end = row
        share = by_day.get(n)
        line = PersonLine(
            old_id=old_id,
            name=names[str(n)],
            email=person_in(raw)[1],
            found=_found(decision, target, detail),
            new_id=target or "",
            zone=", then ".join(zones.get(n) or zones.get(root) or []),
            by_day=share if share is not None and share < 0.5 else None,
            first=_day(begin),
            last=_day(end),
            old=entries,
            new=tally.arrived.get(n, 0),
            is_open=decision in (None, Decision.UNDECIDED),
        )
        lines.setdefault((target or f"old {n}").lower(), []).append(line)
    groups = [_together(group, worked.get(target)) for target, group in lines.items()]
    groups.sort(key=_order)
    return [line for group in groups for line in group]


def _together(group: list[PersonLine], worked: int | None) -> list[PersonLine]:
    """The lines of one person over there: the first has the hours of all."""
    group.sort(key=lambda line: (line.first, line.old_id))
    first = msgspec.structs.replace(group[0], worked=worked)
    others = [msgspec.structs.replace(line, same_as=first.old_id) for line in group[1:]]
    return [first, *others]


def _order(group: Iterable[PersonLine]) -> tuple[bool, bool, str]:
    lines = list(group)
    return (
        not any(line.is_open for line in lines),
        all(line.old == line.new for line in lines),
        lines[0].name.casefold(),
    )


def _found(decision: str | None, target: str | None, detail: str | None) -> str:
    if not decision:
        return ""
    how = msgspec.json.decode(detail, type=_Detail).how if detail else ""
    words = _FOUND[Decision(decision)]
    if decision in CREATED and target is None:
        words = "to be created"
    return how if decision == Decision.MATCH and how else words


def _day(ms: int | None) -> str:
    return "" if ms is None else moment_at(ms).date().isoformat()
