"""What people decide in files: which columns there are, and what a line may say.

`plan` writes the files and reads them again. The left columns are for people, the right ones tell
them what they decide about. What was once said is kept in the ledger: a line that is missing later
keeps its decision, one that was emptied takes it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from jibble_legacy.migration.files.spreadsheets import Flaws, Line, day_of, moment_of, read_table
from jibble_legacy.migration.planning.zones import is_zone
from jibble_legacy.migration.states import Decision

__all__ = [
    "ACTIVITIES",
    "ALL",
    "CLIENTS",
    "NONE",
    "PEOPLE",
    "REJECTS",
    "THERE",
    "Columns",
    "PersonSaid",
    "RejectSaid",
    "ThingSaid",
    "read_people",
    "read_rejects",
    "read_things",
]

ALL = "all"
"""As `until`: every old entry is moved, whatever is over there."""
THERE = "there"
"""As `time_zone`: the zone that the new account has for the person."""
NONE = "-"
"""As `new_name`: entries are moved without."""

S = TypeVar("S", bound="_Said")


class Columns(msgspec.Struct, frozen=True):
    """A file and its headings.

    Attributes:
        file: Its name.
        asked: What people fill in.
        told: What they are told.
    """

    file: str
    asked: tuple[str, ...]
    told: tuple[str, ...]

    def read(self, folder: Path, flaws: Flaws) -> Iterator[Line]:
        """The lines that name something; those that don't are noted."""
        for line in read_table(folder / self.file, self.asked, self.told, flaws):
            if line.old_id:
                yield line
            elif line.says_something:
                flaws.add(self.file, line.number, "names nothing: put its old_id back")


PEOPLE = Columns(
    "people.csv",
    ("decision", "new_person", "new_name", "time_zone", "from", "until"),
    (
        "outcome", "question", "candidates", "old_name", "old_email", "team", "entries",
        "first_entry", "last_entry", "used_activities", "last_note", "hint", "zone_there", "old_id",
    ),
)  # fmt: skip
_THING = ("outcome", "question", "old_name", "team", "entries", "old_id")
ACTIVITIES = Columns("activities.csv", ("new_name",), _THING)
CLIENTS = Columns("clients.csv", ("new_name",), _THING)
REJECTS = Columns(
    "rejects.csv",
    ("decision", "new_moment", "new_person"),
    (
        "reason", "explanation", "what_to_do", "detail", "old_name", "moment", "action",
        "activity", "client", "note", "old_id",
    ),
)  # fmt: skip


class _Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    line: int = 0
    more: Mapping[str, str] = {}


class PersonSaid(_Said, frozen=True, kw_only=True, omit_defaults=True):
    """What people said of a person.

    Attributes:
        line: Where in the file; 0 if the file does not have it any more.
        decision: What becomes of the person; empty if only the rest was said.
        new_person: An e-mail address, a GUID, or `id:` and the old id of somebody who becomes the
            same person.
        new_name: What somebody is called who is created.
        zones: Since which day (empty for ever) which zone, in their order.
        until: The last day whose entries are moved, `all`, or nothing.
    """

    decision: Decision = Decision.UNDECIDED
    new_person: str = ""
    new_name: str = ""
    zones: tuple[tuple[str, str], ...] = ()
    until: str = ""


class ThingSaid(_Said, frozen=True, kw_only=True, omit_defaults=True):
    """What people said of an activity or a client: a name or GUID over there, or `-` for none."""

    new_name: str = ""


class RejectSaid(_Said, frozen=True, kw_only=True, omit_defaults=True):
    """What people said of an entry that was held back.

    Attributes:
        decision: `move` it as it is, move it as an `in` or an `out`, or `skip` it for good.
        new_moment: The moment; without an offset, on the person's clock.
        new_person: As in `people.csv`.
    """

    decision: str = ""
    new_moment: str = ""
    new_person: str = ""


def read_people(
    folder: Path, names: Mapping[str, str], flaws: Flaws
) -> dict[str, PersonSaid | None]:
    """What `people.csv` says by old id; None where a line was emptied.

    Args:
        folder: Where the file is.
        names: What the people of the old account are called, by old id.
        flaws: Where it is noted what can't be used.
    """
    people: dict[str, list[Line]] = {}
    for line in _known(PEOPLE, folder, names, flaws):
        people.setdefault(line.old_id, []).append(line)
    return {
        old_id: said if any(line.says_something for line in lines) else None
        for old_id, lines in people.items()
        if (said := _person(lines, flaws)) is not None
    }


def read_things(
    columns: Columns, folder: Path, names: Mapping[str, str], flaws: Flaws
) -> dict[str, ThingSaid | None]:
    """What `activities.csv` or `clients.csv` says by old id; None where a line was emptied.

    Args:
        columns: Which of them.
        folder: Where the file is.
        names: What the things are called, by old id.
        flaws: Where it is noted what can't be used.
    """
    said: dict[str, ThingSaid | None] = {}
    for line in _once(columns, _known(columns, folder, names, flaws), flaws):
        answer = ThingSaid(line=line.number, more=line.more, new_name=line.cells["new_name"])
        said[line.old_id] = answer if line.says_something else None
    return said


def read_rejects(folder: Path, flaws: Flaws) -> Iterator[tuple[str, int, RejectSaid | None]]:
    """What `rejects.csv` says, line by line: old id, line, and None where a line is empty.

    Args:
        folder: Where the file is.
        flaws: Where it is noted what can't be used.
    """
    for line in REJECTS.read(folder, flaws):
        cells, problem = line.cells, ""
        decision, moment = cells["decision"].lower(), cells["new_moment"]
        if decision not in {"", "move", "in", "out", "skip"}:
            problem = f"has the decision {decision!r}: write move, in, out or skip, or nothing"
        elif moment and moment_of(moment) is None:
            problem = f"has the moment {moment!r}: write it as 2026-07-31 08:00"
        elif decision == "skip" and (moment or cells["new_person"]):
            problem = "skips the entry and mends it: empty one of the two"
        if problem:
            flaws.add(REJECTS.file, line.number, problem)
        elif not line.says_something:
            yield line.old_id, line.number, None
        else:
            values = {**cells, "decision": decision}
            yield line.old_id, line.number, RejectSaid(line=line.number, more=line.more, **values)


def encoded(said: Any) -> str:
    """What was said, as the ledger keeps it."""
    return msgspec.json.encode(msgspec.structs.replace(said, line=0)).decode()


def decoded(kind: type[S], text: str) -> S:
    """What the ledger kept."""
    return msgspec.json.decode(text, type=kind)


def _known(
    columns: Columns, folder: Path, names: Mapping[str, str], flaws: Flaws
) -> Iterator[Line]:
    for line in columns.read(folder, flaws):
        if line.old_id in names:
            yield line
        else:
            flaws.add(
                columns.file,
                line.number,
                f"names id:{line.old_id}, which the old account does not have: put the old_id back "
                "as it was, capitals included, or delete the line",
            )


def _once(columns: Columns, lines: Iterable[Line], flaws: Flaws) -> Iterator[Line]:
    seen: dict[str, int] = {}
    for line in lines:
        if (before := seen.setdefault(line.old_id, line.number)) == line.number:
            yield line
        else:
            flaws.add(columns.file, line.number, f"says again what line {before} is about")


def _person(lines: list[Line], flaws: Flaws) -> PersonSaid | None:
    """What the lines of one person say together; None if they can't be used."""
    main = next((line for line in lines if _decides(line)), lines[0])
    problem = _problem(main)
    zones: list[tuple[str, str]] = []
    for line in lines:
        cells = line.cells
        if line is not main and _decides(line):
            problem = problem or (line, f"decides again what line {main.number} decides")
        begin = day_of(cells["from"])
        if cells["time_zone"]:
            zones.append((begin.isoformat() if begin else "", cells["time_zone"]))
        problem = problem or _zone_problem(line)
    zones.sort()
    if len({begin for begin, _ in zones}) < len(zones):
        problem = problem or (main, "has two time zones at once: say `from` which day the next is")
    elif zones and zones[0][0]:
        problem = problem or (main, "has no time zone for the time before its first `from`")
    if problem is not None:
        flaws.add(PEOPLE.file, problem[0].number, problem[1])
        return None
    cells = main.cells
    until = day_of(cells["until"])
    return PersonSaid(
        line=main.number,
        more={title: cell for line in lines for title, cell in line.more.items()},
        decision=Decision(cells["decision"].lower()),
        new_person=cells["new_person"],
        new_name=cells["new_name"],
        zones=tuple(zones),
        until=until.isoformat() if until else cells["until"].lower(),
    )


def _decides(line: Line) -> bool:
    return any(line.cells[name] for name in ("decision", "new_person", "new_name", "until"))


def _problem(line: Line) -> tuple[Line, str] | None:
    cells = line.cells
    decision, until = cells["decision"].lower(), cells["until"]
    if decision not in set(Decision):
        words = ", ".join(word for word in Decision if word)
        return line, f"has the decision {decision!r}: write one of {words}, or nothing"
    if decision == Decision.MATCH and not cells["new_person"]:
        return line, "matches nobody: write an e-mail address or a GUID as new_person"
    if not decision and cells["new_person"]:
        return line, "names a new_person and decides nothing: write match or create"
    if until and until.lower() != ALL and day_of(until) is None:
        return line, f"has {until!r} as until: write the last day as 2026-07-31, or all"
    return None


def _zone_problem(line: Line) -> tuple[Line, str] | None:
    zone, begin = line.cells["time_zone"], line.cells["from"]
    if begin and day_of(begin) is None:
        return line, f"has {begin!r} as from: write the first day as 2026-07-31"
    if begin and not zone:
        return line, "says from when, but not which time_zone: write one such as Europe/Berlin"
    if zone and zone != THERE and not is_zone(zone):
        return line, f"has the time zone {zone!r}: write one such as Europe/Berlin, or there"
    return None
