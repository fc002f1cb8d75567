"""Files for what has no place in the new account: nothing of the old one is dropped in silence.

Each line has the old id and the new one. Rows of people, teams and the like are kept whole.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from jibble_async.errors import MigrationError
from jibble_legacy.migration.files.atomic import Text, replacing
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.reading.old_rows import read_entry
from jibble_legacy.migration.reading.storage import page_rows
from jibble_legacy.migration.report.numbers import Homeless
from jibble_legacy.migration.states import Kind

__all__ = ["write_side"]

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
# What of an entry moves, or is in the files that say what did not.
_MOVED = {"id", "date", "action", "notes", "person", "activity", "client"}
_STAMPS = ("created_at", "updated_at")
_CURRENT = """
SELECT e.page, e.pos, w.target, e.activity IS NOT NULL AND w.activity IS NULL,
    e.client IS NOT NULL AND w.project IS NULL
FROM entry AS e LEFT JOIN write AS w ON w.entry = e.n WHERE e.id = ?
"""
_SHOWN = 6
_EMPTY = (b"null", b"{}", b"[]", b'""')
_ENTRIES = {
    "meta": ("How the entry was made (web, phone, version)", "entries-meta.jsonl"),
    "customData": ("Custom data", "entries-custom-data.jsonl"),
    "": ("Other fields of entries", "entries-other.jsonl"),
    "without": (
        "Activity and client of entries that moved without",
        "entries-without.jsonl",
    ),
}
_THINGS = {
    Kind.PERSON: ("People as they were, first and last name apart", "people.jsonl"),
    Kind.TEAM: ("Team settings and subscription", "teams.jsonl"),
    Kind.ACTIVITY: ("Activities as they were, with their colours", "activities.jsonl"),
    Kind.CLIENT: ("Clients as they were", "clients.jsonl"),
    Kind.POWER_UP: ("Power-ups", "power-ups.jsonl"),
}


def write_side(ledger: Ledger, folder: Path) -> list[Homeless]:
    """Write the files, and give what is in them.

    Args:
        ledger: The migration's.
        folder: Where the folder `side` is made.

    Raises:
        ConfigurationError: A file can't be written.
    """
    side = folder / "side"
    side.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _Files(side) as files:
        stamps = _write_entries(ledger, files)
        _write_things(ledger, files)
    found = [
        _line(what, name, files.fields.get(name, {}), files.counts[name])
        for what, name in (*_ENTRIES.values(), *_THINGS.values())
        if files.counts.get(name)
    ]
    if stamps:
        what = "When the entry was first written and last changed"
        found.append(_line(what, "entries-stamps.csv", dict.fromkeys(_STAMPS), stamps))
    return found


class _Files:
    """The files that are written, begun when something comes for them; whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, Text] = {}
        self._stack = ExitStack()
        self.counts: dict[str, int] = {}
        self.fields: dict[str, dict[str, None]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def file(self, name: str) -> Text:
        """The file of a name, to be written to."""
        if name not in self._open:
            self._open[name] = self._stack.enter_context(replacing(self._folder / name))
        return self._open[name]

    def line(
        self, name: str, old_id: str, new_id: str | None, values: Mapping[str, msgspec.Raw]
    ) -> None:
        """Add a line of JSON."""
        line = {"old_id": old_id, "new_id": new_id, **values}
        self.file(name).write(msgspec.json.encode(line).decode() + "\n")
        self.counts[name] = self.counts.get(name, 0) + 1
        self.fields.setdefault(name, {}).update(dict.fromkeys(values))


def _write_entries(ledger: Ledger, files: _Files) -> int:
    """The further fields of entries; how many stamps there are is given."""
    stamps = csv.writer(files.file("entries-stamps.csv"))
    stamps.writerow(("old_id", "new_id", *_STAMPS))
    count = 0
    for old_id, new_id, row, left in _current(ledger):
        rest = {
            name: value
            for name, value in row.items()
            if name not in _MOVED and bytes(value) not in _EMPTY
        }
        written = [rest.pop(name, msgspec.Raw(b'""')) for name in _STAMPS]
        stamps.writerow((old_id, new_id, *(bytes(each).decode().strip('"') for each in written)))
        count += 1
        for name in ("meta", "customData"):
            if name in rest:
                files.line(_ENTRIES[name][1], old_id, new_id, {name: rest.pop(name)})
        if rest:
            files.line(_ENTRIES[""][1], old_id, new_id, rest)
        behind = {name: row[name] for name in left if name in row}
        if behind and new_id is not None:
            files.line(_ENTRIES["without"][1], old_id, new_id, behind)
    return count


def _current(
    ledger: Ledger,
) -> Iterator[tuple[str, str | None, dict[str, msgspec.Raw], list[str]]]:
    """Each entry as it was read last, with its new id, and what of it has no place there."""
    pages = ledger.read("SELECT number FROM page WHERE kind = ? ORDER BY number", Kind.ENTRY)
    for (number,) in pages:
        try:
            rows = page_rows(ledger, number)
        except MigrationError:
            # The page says so, in red.
            continue
        for pos, raw in enumerate(rows):
            old = read_entry(raw)
            known = ledger.read(_CURRENT, old.id)
            if not known or known[0][:2] != (number, pos):
                continue
            _, _, target, no_activity, no_project = known[0]
            left = [
                name for name, is_so in (("activity", no_activity), ("client", no_project)) if is_so
            ]
            try:
                row = _OBJECT.decode(raw)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                continue
            yield old.id, target, row, left


def _write_things(ledger: Ledger, files: _Files) -> None:
    query = (
        "SELECT s.id, s.row, coalesce(r.target, t.target) FROM source AS s "
        "LEFT JOIN thing AS t ON t.n = s.n LEFT JOIN thing AS r ON r.n = t.root "
        "WHERE s.kind = ? AND s.row IS NOT NULL ORDER BY s.n"
    )
    for kind, (_, name) in _THINGS.items():
        for old_id, row, target in ledger.read(query, kind):
            files.line(name, old_id, target, {"row": msgspec.Raw(row)})
            files.fields[name].update(dict.fromkeys(_OBJECT.decode(row)))


def _line(what: str, name: str, fields: Mapping[str, Any], values: int) -> Homeless:
    # Of rows that are kept whole, what is in every kind of row need not be said.
    shown = [each for each in fields if each not in ("row", "id", "name")]
    more = [] if len(shown) <= _SHOWN else ["\N{HORIZONTAL ELLIPSIS}"]
    told = ", ".join([*shown[:_SHOWN], *more])
    return Homeless(what=what, fields=told, values=values, file=f"side/{name}")
