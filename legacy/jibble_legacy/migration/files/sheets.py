"""The files that a plan writes for people: what they decide, and what helps them to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from jibble_legacy.migration.files.mapping_files import (
    ACTIVITIES,
    CLIENTS,
    PEOPLE,
    Columns,
    PersonSaid,
    ThingSaid,
    decoded,
)
from jibble_legacy.migration.files.spreadsheets import id_cell, write_table
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.moments import moment_at
from jibble_legacy.migration.planning.deciding import Decided
from jibble_legacy.migration.planning.members import Choice, Member
from jibble_legacy.migration.planning.things import OldThing, ThingChoice
from jibble_legacy.migration.states import Decision

__all__ = ["write_sheets"]

_SHOWN_NOTE = 80
_SHOWN_ACTIVITIES = 3
_HINT = (
    "write match and an e-mail address or GUID as new_person, or create, or create-and-remove for "
    "somebody who left (with a new_name), or skip"
)


def write_sheets(
    ledger: Ledger,
    folder: Path,
    decided: Decided,
    activities: list[OldThing],
    clients: list[OldThing],
) -> tuple[Path, ...]:
    """Write `people.csv`, `activities.csv` and `clients.csv`, and say where they are.

    Args:
        ledger: The migration's.
        folder: Where to.
        decided: What the plan decided.
        activities: The activities of the old account.
        clients: Its clients.

    Raises:
        ConfigurationError: A file can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sheets = (
        (PEOPLE, _people(ledger, decided, {each.n: each.name or "" for each in activities})),
        (ACTIVITIES, _things(ledger, ACTIVITIES, activities, decided.activities)),
        (CLIENTS, _things(ledger, CLIENTS, clients, decided.clients)),
    )
    for columns, rows in sheets:
        kept = list(rows)
        more = dict.fromkeys(title for row in kept for title in row)
        known = (*columns.asked, *columns.told)
        own = tuple(title for title in more if title not in known)
        write_table(folder / columns.file, (*known, *own), kept)
    return tuple(folder / columns.file for columns, _ in sheets)


def _people(
    ledger: Ledger, decided: Decided, names: Mapping[int, str]
) -> Iterator[dict[str, object]]:
    said = dict(_answers(ledger, PEOPLE.file))
    for member in sorted(decided.members, key=lambda each: (each.team, each.name, each.id)):
        answer = decoded(PersonSaid, said[member.id]) if member.id in said else None
        if not member.entries and answer is None:
            continue
        told = _told(ledger, member, decided, names)
        if answer is None:
            yield told
            continue
        (begin, zone), *moves = answer.zones or (("", ""),)
        yield {
            "decision": answer.decision,
            "new_person": answer.new_person,
            "new_name": answer.new_name,
            "time_zone": zone,
            "from": begin,
            "until": answer.until,
            **told,
            **answer.more,
        }
        for begin, zone in moves:
            yield {"time_zone": zone, "from": begin, "old_id": id_cell(member.id)}


def _told(
    ledger: Ledger, member: Member, decided: Decided, names: Mapping[int, str]
) -> dict[str, object]:
    choice = decided.people[member.n]
    first, last = ledger.read("SELECT min(ms), max(ms) FROM entry WHERE person = ?", member.n)[0]
    used = ledger.read(
        "SELECT activity FROM entry WHERE person = ? AND activity IS NOT NULL"
        " GROUP BY activity ORDER BY count(*) DESC LIMIT ?",
        member.n,
        _SHOWN_ACTIVITIES,
    )
    note = ledger.value(
        "SELECT note FROM entry WHERE person = ? AND note <> '' ORDER BY ms DESC LIMIT 1", member.n
    )
    return {
        "outcome": _outcome(choice),
        "question": " · ".join(part for part in (choice.question, choice.warning) if part),
        "candidates": " · ".join(choice.candidates),
        "old_name": member.name,
        "old_email": member.email,
        "team": member.team,
        "entries": member.entries,
        "first_entry": _day(first),
        "last_entry": _day(last),
        "used_activities": ", ".join(names.get(row[0]) or "(deleted)" for row in used),
        "last_note": " ".join(note.split())[:_SHOWN_NOTE] if note else None,
        "hint": _HINT if choice.question else _zone_hint(choice, decided),
        "zone_there": decided.zones_there.get(member.n),
        "old_id": id_cell(member.id),
    }


def _outcome(choice: Choice | ThingChoice) -> str:
    return choice.how or ("to be decided" if choice.decision is Decision.UNDECIDED else "")


def _zone_hint(choice: Choice, decided: Decided) -> str:
    if not choice.moves or choice.root in decided.zones:
        return ""
    there = decided.zones_there.get(choice.n)
    return "write a time_zone" + (f", or there for {there}" if there else "")


def _things(
    ledger: Ledger, columns: Columns, things: list[OldThing], choices: Mapping[int, ThingChoice]
) -> Iterator[dict[str, object]]:
    said = dict(_answers(ledger, columns.file))
    for thing in sorted(things, key=lambda each: ((each.name or "").casefold(), each.id)):
        answer = decoded(ThingSaid, said[thing.id]) if thing.id in said else ThingSaid()
        if not thing.entries and not answer.new_name:
            continue
        choice = choices[thing.n]
        yield {
            "new_name": answer.new_name,
            "outcome": _outcome(choice),
            "question": choice.question,
            "old_name": thing.name,
            "team": thing.team,
            "entries": thing.entries,
            "old_id": id_cell(thing.id),
            **answer.more,
        }


def _answers(ledger: Ledger, file: str) -> list[tuple[str, str]]:
    return [
        (row[0], row[1]) for row in ledger.read("SELECT id, said FROM answer WHERE file = ?", file)
    ]


def _day(ms: int | None) -> str | None:
    try:
        return None if ms is None else moment_at(ms).date().isoformat()
    except OverflowError:
        return None
