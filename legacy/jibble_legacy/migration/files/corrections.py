"""What people said of single entries, as the plan uses it: kind, moment and person."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from jibble_legacy.migration.files.mapping_files import REJECTS, RejectSaid, decoded
from jibble_legacy.migration.files.spreadsheets import Flaws, moment_of
from jibble_legacy.migration.planning.deciding import Decided
from jibble_legacy.migration.planning.matching import There, is_guid
from jibble_legacy.migration.planning.zones import Clock

__all__ = ["load_mends"]

_TABLE = """
CREATE TEMP TABLE IF NOT EXISTS mend (
    entry INTEGER PRIMARY KEY, decision TEXT NOT NULL, ms INTEGER, lane INTEGER, person INTEGER
)
"""
_SAID = """
SELECT entry.n, entry.person, answer.id, answer.said, coalesce(reject_line.line, 0) FROM answer
JOIN entry ON entry.id = answer.id LEFT JOIN reject_line ON reject_line.id = answer.id
WHERE answer.file = ?
"""


def load_mends(
    connection: sqlite3.Connection,
    decided: Decided,
    there: There,
    clocks: Mapping[int, Clock],
    flaws: Flaws,
) -> None:
    """Fill the temporary table `mend` from what was said in `rejects.csv`.

    Args:
        connection: The ledger's, within a transaction, with the lines of the file in the temporary
            table `reject_line`.
        decided: What was decided of people.
        there: The new account.
        clocks: The clocks of those whose zone is known, by root.
        flaws: Where it is noted which line can't be followed.
    """
    connection.execute(_TABLE)
    connection.execute("DELETE FROM mend")
    people = _People(decided, there)
    for entry, person, old_id, text, line in connection.execute(_SAID, (REJECTS.file,)):
        answer = decoded(RejectSaid, text)
        n: int | None = person
        if answer.new_person:
            n = people.named(answer.new_person)
            if n is None:
                flaws.add(
                    REJECTS.file,
                    line,
                    f"gives id:{old_id} to {answer.new_person!r}, who is nobody whose entries are "
                    "moved: name somebody who is, or id: and an old id of people.csv",
                )
        root = None if n is None else decided.people[n].root
        ms = None
        if answer.new_moment and (moment := moment_of(answer.new_moment)) is not None:
            clock = clocks.get(root or 0, _UTC)
            ms = clock.moment(moment)
        connection.execute(
            "INSERT INTO mend VALUES (?, ?, ?, ?, ?)",
            (entry, answer.decision or "mended", ms, root, n),
        )


class _People:
    """Finds the person whom a line names."""

    def __init__(self, decided: Decided, there: There) -> None:
        self._there = there
        self._by_id = {member.id: member.n for member in decided.members}
        self._by_target = {
            choice.target.lower(): choice.root
            for choice in decided.people.values()
            if choice.moves and choice.target is not None
        }
        self._by_email = {
            choice.email.casefold(): choice.root
            for choice in decided.people.values()
            if choice.creates and choice.email
        }

    def named(self, text: str) -> int | None:
        if text.startswith("id:"):
            return self._by_id.get(text.removeprefix("id:"))
        if is_guid(text):
            return self._by_target.get(text.lower())
        holders = self._there.with_address([text])
        if len(holders) == 1:
            return self._by_target.get(holders[0].id.lower())
        return self._by_email.get(text.strip().casefold()) if not holders else None


_UTC = Clock([(0, "UTC")])
