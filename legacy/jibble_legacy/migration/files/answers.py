"""What people said, as the ledger keeps it: the files are read into it, and a plan reads it."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from jibble_legacy.migration.files.mapping_files import (
    ACTIVITIES,
    CLIENTS,
    PEOPLE,
    REJECTS,
    PersonSaid,
    RejectSaid,
    ThingSaid,
    decoded,
    encoded,
    read_people,
    read_rejects,
    read_things,
)
from jibble_legacy.migration.files.spreadsheets import Flaws, open_table
from jibble_legacy.migration.planning.roster import members_of, things_of
from jibble_legacy.migration.states import Kind

__all__ = ["Answers", "digest_of_answers", "digests_of_files", "read_answers"]

S = TypeVar("S", PersonSaid, ThingSaid)


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """What people said, by old id, whether or not a file still says so."""

    people: Mapping[str, PersonSaid]
    activities: Mapping[str, ThingSaid]
    clients: Mapping[str, ThingSaid]


def read_answers(connection: sqlite3.Connection, folder: Path, flaws: Flaws) -> Answers:
    """What people said, after the files were read into the ledger.

    Args:
        connection: The ledger's, within a transaction.
        folder: Where the files are; those that aren't there say nothing new.
        flaws: Where it is noted what can't be used.
    """
    names = {member.id: member.name for member in members_of(connection)}
    people = read_people(folder, names, flaws)
    activities, clients = (
        read_things(columns, folder, _names(connection, kind), flaws)
        for columns, kind in ((ACTIVITIES, Kind.ACTIVITY), (CLIENTS, Kind.CLIENT))
    )
    for columns, said in ((PEOPLE, people), (ACTIVITIES, activities), (CLIENTS, clients)):
        for old_id, answer in said.items():
            _keep(connection, columns.file, old_id, answer)
    _read_rejects(connection, folder, flaws)
    return Answers(
        people=_said(connection, PEOPLE.file, PersonSaid, people),
        activities=_said(connection, ACTIVITIES.file, ThingSaid, activities),
        clients=_said(connection, CLIENTS.file, ThingSaid, clients),
    )


def digest_of_answers(connection: sqlite3.Connection) -> bytes:
    """A hash of everything that people said."""
    digest = hashlib.sha256()
    for row in connection.execute("SELECT file, id, said FROM answer ORDER BY file, id"):
        digest.update(repr(row).encode())
    return digest.digest()


def digests_of_files(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file that is there, by its name.

    Args:
        folder: Where they are.
    """
    digests: dict[str, str] = {}
    for columns in (PEOPLE, ACTIVITIES, CLIENTS, REJECTS):
        if (file := open_table(folder / columns.file)) is not None:
            with file:
                digests[columns.file] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests


_LINES = "CREATE TEMP TABLE IF NOT EXISTS reject_line (id TEXT PRIMARY KEY, line INTEGER NOT NULL)"


def _read_rejects(connection: sqlite3.Connection, folder: Path, flaws: Flaws) -> None:
    """Keep what `rejects.csv` says, and the lines that say it in a temporary table.

    As many lines as entries are possible, so nothing of them is kept in memory.
    """
    connection.execute(_LINES)
    connection.execute("DELETE FROM reject_line")
    for old_id, line, answer in read_rejects(folder, flaws):
        if not connection.execute("SELECT 1 FROM entry WHERE id = ?", (old_id,)).fetchone():
            flaws.add(REJECTS.file, line, f"names id:{old_id}, which no old entry has: mend it")
        elif line != (before := _first_line(connection, old_id, line)):
            flaws.add(REJECTS.file, line, f"says again what line {before} is about")
        else:
            _keep(connection, REJECTS.file, old_id, answer)


def _first_line(connection: sqlite3.Connection, old_id: str, line: int) -> int:
    connection.execute("INSERT OR IGNORE INTO reject_line VALUES (?, ?)", (old_id, line))
    row = connection.execute("SELECT line FROM reject_line WHERE id = ?", (old_id,)).fetchone()
    return int(row[0])


def _keep(
    connection: sqlite3.Connection,
    file: str,
    old_id: str,
    answer: PersonSaid | ThingSaid | RejectSaid | None,
) -> None:
    if answer is None:
        connection.execute("DELETE FROM answer WHERE file = ? AND id = ?", (file, old_id))
    else:
        connection.execute(
            "INSERT OR REPLACE INTO answer VALUES (?, ?, ?)", (file, old_id, encoded(answer))
        )


def _said(
    connection: sqlite3.Connection, file: str, kind: type[S], read: Mapping[str, S | None]
) -> dict[str, S]:
    said: dict[str, S] = {}
    for old_id, text in connection.execute("SELECT id, said FROM answer WHERE file = ?", (file,)):
        answer = read.get(old_id)
        said[old_id] = replace(decoded(kind, text), line=0 if answer is None else answer.line)
    return said


def _names(connection: sqlite3.Connection, kind: Kind) -> dict[str, str]:
    return {thing.id: thing.name or "" for thing in things_of(connection, kind)}
