"""The tables of the ledger.

Moments are milliseconds since 1970 in UTC, clocks seconds; ids are as the servers wrote them. What
the old account holds is numbered (`source.n`, `entry.n`), by which everything else names it: a
million ids, each in five tables, would be most of the file.
"""

from __future__ import annotations

import sqlite3

__all__ = ["APPLICATION_ID", "VERSION", "create"]

APPLICATION_ID = 0x6A626D67
"""`jbmg`, by which the file is told from any other database."""
VERSION = 1

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE event (n INTEGER PRIMARY KEY, at INTEGER NOT NULL, what TEXT NOT NULL, detail TEXT);

-- What came from the old account, as it came. Append only; `chain` is SHA-256 of the chain value
-- before it and of this page's own.
CREATE TABLE run (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, began INTEGER NOT NULL, ended INTEGER,
    server_began INTEGER, since INTEGER, position TEXT
);
CREATE TABLE page (
    number INTEGER PRIMARY KEY, run INTEGER NOT NULL, kind TEXT NOT NULL, request TEXT NOT NULL,
    received INTEGER NOT NULL, rows INTEGER NOT NULL, sha256 BLOB NOT NULL, chain BLOB NOT NULL,
    body BLOB NOT NULL
);

-- Teams, people, activities, clients and power-ups, each row as it was sent; `row` is null while
-- only an entry names it, `gone` is when the old account said that it has none of that id, and
-- `run` is the last one whose lists showed it.
CREATE TABLE source (
    n INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, page INTEGER, pos INTEGER,
    hash BLOB, row BLOB, gone INTEGER, run INTEGER, UNIQUE (kind, id)
);
-- `person`, `activity` and `client` are `source.n`. A row that can't be read says why in `flaw`.
CREATE TABLE entry (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, person INTEGER, ms INTEGER, action INTEGER,
    activity INTEGER, client INTEGER, note TEXT, updated INTEGER, hash BLOB NOT NULL,
    page INTEGER NOT NULL, pos INTEGER NOT NULL, flaw TEXT
);
CREATE INDEX entry_person ON entry (person, ms);

-- What is decided. `answer` is what people said in the files, by file and old id.
CREATE TABLE answer (
    file TEXT NOT NULL, id TEXT NOT NULL, said TEXT NOT NULL, PRIMARY KEY (file, id)
) WITHOUT ROWID;
-- `root` is the person as whom a human of several member rows is written, itself if there is one
-- row. `removal` is the state of removing somebody who left, once the entries are written.
CREATE TABLE thing (
    n INTEGER PRIMARY KEY, kind TEXT NOT NULL, decision TEXT NOT NULL DEFAULT '', root INTEGER,
    target TEXT, name TEXT, email TEXT, code TEXT, until INTEGER, reason TEXT, state TEXT,
    since INTEGER, attempts INTEGER NOT NULL DEFAULT 0, removal TEXT, detail TEXT
);
CREATE INDEX thing_target ON thing (target);
CREATE TABLE zone (
    person INTEGER NOT NULL, begins INTEGER NOT NULL, name TEXT NOT NULL,
    PRIMARY KEY (person, begins)
) WITHOUT ROWID;
CREATE TABLE plan (n INTEGER PRIMARY KEY, at INTEGER NOT NULL, hash TEXT NOT NULL, detail TEXT);

-- What was over there before us, by the ids of over there; taken once for each person. Archived
-- entries are there, too: none of them is ours.
CREATE TABLE snapshot (
    person TEXT NOT NULL, ms INTEGER NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL,
    active INTEGER NOT NULL, PRIMARY KEY (person, ms, type, id)
) WITHOUT ROWID;
CREATE TABLE snapshot_taken (
    person TEXT PRIMARY KEY, at INTEGER NOT NULL, detail TEXT
) WITHOUT ROWID;

-- One row for each entry that is to be written. `lane` is `source.n` of the person as whom it is
-- written; `hash` that of the old row it was made from; `since` when its state began, which for one
-- in doubt is when it was given up; `stamp` what the server's clock said when it confirmed. The
-- next of a lane is found by the index, whatever was written before it.
CREATE TABLE write (
    entry INTEGER PRIMARY KEY, lane INTEGER NOT NULL, ms INTEGER NOT NULL, type TEXT NOT NULL,
    day TEXT NOT NULL, offset INTEGER NOT NULL, person TEXT, activity TEXT, project TEXT,
    state TEXT NOT NULL, since INTEGER, generation INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, target TEXT UNIQUE, stamp INTEGER, hash BLOB NOT NULL,
    reason TEXT
);
CREATE INDEX write_next ON write (lane, state, ms, entry);
CREATE TABLE quarantine (
    entry INTEGER PRIMARY KEY, reason TEXT NOT NULL, detail TEXT
);

-- What an entry was before it was archived and written anew, or rolled back.
CREATE TABLE past (
    target TEXT PRIMARY KEY, entry INTEGER NOT NULL, generation INTEGER NOT NULL,
    at INTEGER NOT NULL, why TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX past_entry ON past (entry);
-- Entries over there beside the one that answers: `marked` ones carry our mark, `twin` ones only
-- look like it.
CREATE TABLE extra (
    target TEXT PRIMARY KEY, entry INTEGER NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,
    since INTEGER, reason TEXT
) WITHOUT ROWID;

CREATE TABLE probe (
    n INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, state TEXT NOT NULL,
    person TEXT, ms INTEGER, target TEXT, detail TEXT
);
CREATE TABLE exchange (
    n INTEGER PRIMARY KEY, probe INTEGER NOT NULL, at INTEGER NOT NULL, what TEXT NOT NULL,
    request TEXT, answer TEXT
);
CREATE TABLE verification (n INTEGER PRIMARY KEY, at INTEGER NOT NULL, ended INTEGER, detail TEXT);
CREATE TABLE difference (
    n INTEGER PRIMARY KEY, verification INTEGER NOT NULL, entry INTEGER, target TEXT,
    verdict TEXT NOT NULL, field TEXT, was TEXT, here TEXT, why TEXT
);
"""


def create(connection: sqlite3.Connection) -> None:
    """Make the tables of an empty ledger, within the transaction that is under way."""
    # Not `executescript`, which commits what is under way.
    for statement in _statements():
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _statements() -> list[str]:
    text = "\n".join(line for line in _TABLES.splitlines() if not line.startswith("--"))
    return [statement for statement in text.split(";") if statement.strip()]
