"""A ledger that was extracted, row by row as a test wants it, and a new account beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jibble_legacy.migration.ledger.ledger import Ledger, put
from jibble_legacy.migration.moments import milliseconds
from jibble_legacy.migration.planning.plan_report import PlanReport
from jibble_legacy.migration.reading.storage import keep_page
from jibble_legacy.migration.source import OldPage
from jibble_legacy.migration.states import Kind

from jibble_async.entities import Platform
from jibble_async.sandbox import Sandbox
from jibble_async.sandbox.history.past import History
from tests.migration.planning import opened, planned, rows
from tests.support.memory_wire import BEGIN, MemoryWire, clock_from

OWNER = "person1@example.com"
HERE = "person12@example.com"
REMOVED = "person17@example.com"
"""Three who are in the new account, one of them no longer."""


class Account:
    """What a ledger holds after an extraction.

    Args:
        folder: Where the ledger and the files are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.box = Sandbox(
            people=20, until=BEGIN.date(), clock=clock_from(), history=History(40, oddities=False)
        )
        with self.open() as ledger:
            self._do(
                ledger, "INSERT INTO run (number, kind, began, ended) VALUES (1, 'full', 0, 1)"
            )
            body = b'[{"id": "a row"}]'
            page = OldPage(Kind.ENTRY, "", body, [msgspec.Raw(body)], BEGIN, BEGIN)
            keep_page(ledger, 1, page)
            self._meta(ledger, "source", {"base": "old", "teams": ["t"]})

    @contextmanager
    def open(self) -> Iterator[Any]:
        """A connection to the ledger, which is nobody's meanwhile."""
        ledger = opened(self.folder / "ledger")
        connection = ledger._connection  # pyright: ignore[reportPrivateUsage]
        try:
            yield connection
        finally:
            ledger.abandon(KeyboardInterrupt())

    def do(self, statement: str, *values: Any) -> None:
        with self.open() as connection:
            connection.execute(statement, values)

    def person(self, old_id: str, email: str | None = None, **more: Any) -> str:
        """Somebody whom a list shows."""
        row = {"id": old_id, "firstName": "Name", "lastName": old_id, "email": email, **more}
        return self._source("teammembers", old_id, row)

    def gone(self, old_id: str) -> str:
        """Somebody whom entries name and no list shows."""
        return self._source("teammembers", old_id, None)

    def thing(self, kind: str, old_id: str, name: str) -> str:
        return self._source(kind, old_id, {"id": old_id, "name": name})

    def entry(
        self, old_id: str, person: str | None, when: str | None, action: int = 1, **more: Any
    ) -> None:
        """An entry, as the old account has it now; known already, it was changed."""
        ms = None if when is None else milliseconds(moment(when))
        row = {"person": person, "ms": ms, "action": action, **more}
        digest = hashlib.sha256(json.dumps(row).encode()).digest()[:16]
        with self.open() as connection:
            known = {
                name: self._number(connection, kind, row.get(name))
                for name, kind in (
                    ("person", "teammembers"),
                    ("activity", "activities"),
                    ("client", "clients"),
                )
            }
            connection.execute(
                "INSERT INTO entry (id, person, ms, action, activity, client, note, hash, page,"
                " pos, flaw) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, 0, ?) ON CONFLICT (id)"
                " DO UPDATE SET (person, ms, action, activity, client, note, hash, flaw) = ("
                " excluded.person,"
                " excluded.ms, excluded.action, excluded.activity, excluded.client, excluded.note,"
                " excluded.hash, excluded.flaw)",
                (old_id, known["person"], ms, action, known["activity"], known["client"],
                 more.get("note"), digest, more.get("flaw")),
            )  # fmt: skip

    def shift(self, person: str, day: str, *, name: str = "") -> None:
        """An In at 8 and an Out at 17 o'clock, UTC."""
        self.entry(f"{name}{person}-{day}-in", person, f"{day} 08:00", 1)
        self.entry(f"{name}{person}-{day}-out", person, f"{day} 17:00", 2)

    def sent(self, state: str = "confirmed", where: str = "1", target: bool = True) -> None:
        """What was planned, as if `apply` had sent it."""
        with self.open() as connection:
            connection.execute(
                f"UPDATE write SET state = ?, attempts = 1, target = CASE WHEN ? THEN"
                f" 'new-' || entry END WHERE {where}",
                (state, target),
            )

    def writes(self) -> dict[str, tuple[Any, ...]]:
        """The writes, by old id: lane (old id), person, kind, state."""
        found = rows(
            self.folder,
            "SELECT entry.id, source.id, write.person, write.type, write.state FROM write"
            " JOIN entry ON entry.n = write.entry JOIN source ON source.n = write.lane",
        )
        return {row[0]: tuple(row[1:]) for row in found}

    def held(self) -> dict[str, str]:
        """The reasons, by old id."""
        found = rows(
            self.folder,
            "SELECT entry.id, reason FROM quarantine JOIN entry ON entry.n = quarantine.entry",
        )
        return {row[0]: row[1] for row in found}

    async def plan(self, patch: pytest.MonkeyPatch, **options: Any) -> PlanReport:
        return await planned(self.box, self.folder, patch, **options)

    def there(self, email: str) -> str:
        """The id of somebody in the new account."""
        return next(row["id"] for row in self.box.dataset.rows("People") if row["email"] == email)

    def _source(self, kind: str, old_id: str, row: dict[str, Any] | None) -> str:
        raw = None if row is None else json.dumps(row).encode()
        self.do(
            "INSERT INTO source (kind, id, row, run) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (kind, id) DO UPDATE SET (row, run) = (excluded.row, excluded.run)",
            kind,
            old_id,
            raw,
            None if row is None else 1,
        )
        return old_id

    @staticmethod
    def _number(connection: Any, kind: str, old_id: str | None) -> int | None:
        found = connection.execute(
            "SELECT n FROM source WHERE kind = ? AND id = ?", (kind, old_id)
        ).fetchone()
        return None if found is None else found[0]

    @staticmethod
    def _do(connection: Any, statement: str) -> None:
        connection.execute(statement)

    @staticmethod
    def _meta(connection: Any, key: str, value: Any) -> None:
        put(connection, key, value)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def looked(folder: Path) -> Ledger:
    return Ledger.look(folder / "ledger")


async def punched(
    account: Account,
    patch: pytest.MonkeyPatch,
    email: str,
    when: Iterable[str],
    kind: str = "In",
    **platform: Any,
) -> list[str]:
    """Entries in the new account: their ids."""
    client = MemoryWire(account.box).client(patch)
    made: list[str] = []
    for text in when:
        at = moment(text)
        punch = client.time_entries.prepare(
            account.there(email), kind, at, at.date(), offset=timedelta(0),
            platform=Platform(**platform) if platform else None,
        )  # fmt: skip
        made.append((await client.time_entries.send(punch)).id)
    await client.aclose()
    return made
