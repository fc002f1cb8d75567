"""Whom and what the old account has, as the ledger keeps the rows that came."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec

from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.planning.members import Member
from jibble_legacy.migration.planning.things import OldThing
from jibble_legacy.migration.reading.old_rows import reference
from jibble_legacy.migration.states import Kind

__all__ = ["Names", "members_of", "person_in", "things_of"]


def members_of(connection: sqlite3.Connection) -> list[Member]:
    """Everybody whom the old account lists or entries name."""
    teams = {row[0]: _text(_object(row[1]), "name") for row in _rows(connection, Kind.TEAM)}
    counts = dict(
        connection.execute(
            "SELECT person, count(*) FROM entry WHERE person IS NOT NULL GROUP BY person"
        )
    )
    members: list[Member] = []
    for old_id, raw, n, run in _rows(connection, Kind.PERSON):
        row, (name, email) = _object(raw), person_in(raw)
        members.append(
            Member(
                n=n,
                id=old_id,
                user=reference(row.get("user")),
                name=name,
                email=email or None,
                team=teams.get(reference(row.get("team")) or "", ""),
                listed=run is not None,
                entries=counts.get(n, 0),
            )
        )
    return members


def person_in(raw: bytes | None) -> tuple[str, str]:
    """The name and the address in a person's row, empty where it has none."""
    row = _object(raw)
    names = (_text(row, "firstName"), _text(row, "lastName"))
    return " ".join(name for name in names if name), _text(row, "email")


def things_of(connection: sqlite3.Connection, kind: Kind) -> list[OldThing]:
    """The activities or the clients of the old account.

    Args:
        connection: The ledger's.
        kind: Which of them.
    """
    teams = {row[0]: _text(_object(row[1]), "name") for row in _rows(connection, Kind.TEAM)}
    counted = (
        "SELECT activity, count(*) FROM entry GROUP BY activity"
        if kind is Kind.ACTIVITY
        else "SELECT client, count(*) FROM entry GROUP BY client"
    )
    counts = dict(connection.execute(counted))
    return [
        OldThing(
            n=n,
            id=old_id,
            name=None if raw is None else _text(_object(raw), "name"),
            team=teams.get(reference(_object(raw).get("team")) or "", ""),
            entries=counts.get(n, 0),
        )
        for old_id, raw, n, _ in _rows(connection, kind)
    ]


def _rows(
    connection: sqlite3.Connection, kind: Kind
) -> Iterable[tuple[str, bytes | None, int, int | None]]:
    return connection.execute(
        "SELECT id, row, n, run FROM source WHERE kind = ? ORDER BY n", (kind,)
    )


def _object(raw: bytes | None) -> dict[str, Any]:
    if raw is None:
        return {}
    try:
        row = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return cast("dict[str, Any]", row) if isinstance(row, dict) else {}


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return value.strip() if isinstance(value, str) else ""


class Names:
    """What people and things of the old account are called, by number, for people to read.

    Args:
        ledger: The migration's.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._names: dict[int, str] = {}
        for n, old_id, raw in ledger.read("SELECT n, id, row FROM source"):
            name = person_in(raw)[0] or _text(_object(raw), "name")
            self._names[n] = name or f"id:{old_id}"

    def of(self, n: int | None) -> str:
        """The name, or the old id where there is none."""
        return "" if n is None else self._names.get(n, "")
