"""How pages and rows of the old account are kept: pages as they came and for good, rows beside."""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from collections.abc import Sequence

import msgspec

from jibble_async.errors import MigrationError
from jibble_legacy.migration.ledger.ledger import Ledger, put
from jibble_legacy.migration.moments import milliseconds
from jibble_legacy.migration.reading.old_rows import OldEntry, OldRow
from jibble_legacy.migration.source import OldPage
from jibble_legacy.migration.states import Kind

__all__ = [
    "Changes",
    "changed_since",
    "check_pages",
    "keep_entries",
    "keep_page",
    "keep_rows",
    "page_body",
    "page_rows",
]

_ROWS = msgspec.json.Decoder(list[msgspec.Raw])
_OVERLAP = 3_600_000
"""Milliseconds that are read again: clocks of servers differ, and a write may take a while."""
_UPSERT_ENTRY = """
INSERT INTO entry (id, person, ms, action, activity, client, note, updated, hash, page, pos, flaw)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET (person, ms, action, activity, client, note, updated, hash, page,
pos, flaw) = (excluded.person, excluded.ms, excluded.action, excluded.activity, excluded.client,
excluded.note, excluded.updated, excluded.hash, excluded.page, excluded.pos, excluded.flaw)
"""
_UPSERT_ROW = """
INSERT INTO source (kind, id, page, pos, hash, row, run) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (kind, id) DO UPDATE SET (page, pos, hash, row, run, gone) =
(excluded.page, excluded.pos, excluded.hash, excluded.row, excluded.run, NULL)
"""


class Changes(msgspec.Struct, frozen=True):
    """What became of the entries of a page.

    Attributes:
        new: Those that were not known.
        changed: Those that were known otherwise.
    """

    new: int = 0
    changed: int = 0


def keep_page(connection: sqlite3.Connection, run: int, page: OldPage) -> int:
    """Add a page to the chain, and give its number.

    Args:
        connection: The ledger's, in a transaction.
        run: The extraction that it belongs to.
        page: As it came.
    """
    asked = "SELECT chain FROM page ORDER BY number DESC LIMIT 1"
    last = connection.execute(asked).fetchone()
    digest = hashlib.sha256(page.body).digest()
    chain = _chained(b"" if last is None else last[0], digest)
    cursor = connection.execute(
        "INSERT INTO page (run, kind, request, received, rows, sha256, chain, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            run,
            page.kind,
            page.request,
            milliseconds(page.received),
            len(page.rows),
            digest,
            chain,
            zlib.compress(page.body, 9),
        ),
    )
    put(connection, "chain", chain.hex())
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def keep_entries(connection: sqlite3.Connection, page: int, rows: Sequence[OldEntry]) -> Changes:
    """Keep time entries; those that are known otherwise are replaced.

    Args:
        connection: The ledger's, in a transaction.
        page: The number of the page that they came in.
        rows: In the order of the page.
    """
    new = changed = 0
    numbers = _Numbers(connection)
    find = "SELECT hash FROM entry WHERE id = ?"
    for pos, row in enumerate(rows):
        found = connection.execute(find, (row.id,)).fetchone()
        if found is not None and found[0] == row.hash:
            continue
        new += found is None
        changed += found is not None
        connection.execute(
            _UPSERT_ENTRY,
            (
                row.id,
                numbers.of(Kind.PERSON, row.person),
                row.ms,
                row.action,
                numbers.of(Kind.ACTIVITY, row.activity),
                numbers.of(Kind.CLIENT, row.client),
                row.note,
                row.updated,
                row.hash,
                page,
                pos,
                row.flaw,
            ),
        )
    return Changes(new, changed)


def keep_rows(
    connection: sqlite3.Connection, run: int, kind: Kind, page: int, rows: Sequence[OldRow]
) -> None:
    """Keep teams, people and the like; those that are known otherwise are replaced.

    Args:
        connection: The ledger's, in a transaction.
        run: The extraction that they belong to.
        kind: What they are.
        page: The number of the page that they came in.
        rows: In the order of the page.
    """
    connection.executemany(
        _UPSERT_ROW,
        [(kind, row.id, page, pos, row.hash, row.raw, run) for pos, row in enumerate(rows)],
    )


def changed_since(ledger: Ledger) -> int:
    """From which moment on, in ms, rows may have changed since the old account was read last."""
    began: int = ledger.value("SELECT max(server_began) FROM run WHERE ended IS NOT NULL")
    return began - _OVERLAP


def page_rows(ledger: Ledger, number: int) -> list[msgspec.Raw]:
    """The rows of a page of a list as they came; raises as `page_body`."""
    return _ROWS.decode(page_body(ledger, number))


def page_body(ledger: Ledger, number: int) -> bytes:
    """The bytes of a page as they came.

    Args:
        ledger: Where it is kept.
        number: Its number.

    Raises:
        MigrationError: There is no such page, or it is not what it was.
    """
    found = ledger.read("SELECT sha256, body FROM page WHERE number = ?", number)
    if not found:
        raise MigrationError(f"{ledger.path} has no page {number}")
    return _whole_body(ledger, number, *found[0])


def check_pages(ledger: Ledger) -> str:
    """Recompute the hashes and the chain of all pages, and give its last value.

    Args:
        ledger: Where they are kept.

    Raises:
        MigrationError: A page is not what it was, or one was taken out, put in or moved.
    """
    chain = b""
    query = "SELECT number, sha256, body, chain FROM page ORDER BY number"
    for number, digest, body, kept in ledger.scan(query, at_a_time=10):
        _whole_body(ledger, number, digest, body)
        chain = _chained(chain, digest)
        if chain != kept:
            raise MigrationError(
                f"{ledger.path}: the chain breaks at page {number}: a page before it was taken "
                "out, put in or moved since it was read"
            )
    if chain.hex() != ledger.get("chain", ""):
        raise MigrationError(f"{ledger.path}: pages were taken out at the end since they were read")
    return chain.hex()


class _Numbers:
    """The numbers that the ledger has for ids, looked up once a page."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[tuple[Kind, str], int] = {}

    def of(self, kind: Kind, key: str | None) -> int | None:
        if key is None:
            return None
        known = self._known.get((kind, key))
        if known is not None:
            return known
        execute = self._connection.execute
        execute("INSERT OR IGNORE INTO source (kind, id) VALUES (?, ?)", (kind, key))
        find = "SELECT n FROM source WHERE kind = ? AND id = ?"
        number: int = execute(find, (kind, key)).fetchone()[0]
        self._known[kind, key] = number
        return number


def _chained(before: bytes, digest: bytes) -> bytes:
    return hashlib.sha256(before + digest).digest()


def _whole_body(ledger: Ledger, number: int, digest: bytes, packed: bytes) -> bytes:
    try:
        body = zlib.decompress(packed)
    except zlib.error:
        body = b""
    if hashlib.sha256(body).digest() != digest:
        raise MigrationError(f"{ledger.path}: page {number} is not what was read")
    return body
