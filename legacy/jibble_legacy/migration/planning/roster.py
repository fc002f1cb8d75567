"""Whom and what the old account has, as the ledger keeps the rows that came."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec

from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.planning.members import Member
from jibble_legacy.migration.planning.things import OldThing
from jibble_legacy.migration.states import Kind

__all__ = ["Names", "members_of", "things_of"]


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
        row = _object(raw)
        name = " ".join(part for part in (_text(row, "firstName"), _text(row, "lastName")) if part)
        members.append(
            Member(
                n=n,
                id=old_id,
                user=_reference(row, "user") or None,
                name=name,
                email=_text(row, "email") or None,
                team=teams.get(_reference(row, "team"), ""),
                listed=run is not None,
                entries=counts.get(n, 0),
            )
        )
    return members


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
            team=teams.get(_reference(_object(raw), "team"), ""),
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


def _reference(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if isinstance(value, dict):
        value = cast("dict[str, Any]", value).get("id")
    return value if isinstance(value, str) else ""


class Names:
    """What people and things of the old account are called, by number, for people to read.

    Args:
        ledger: The migration's.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._names: dict[int, str] = {}
        for n, old_id, raw in ledger.read("SELECT n, id, row FROM source"):
            row = _object(raw)
            names = (_text(row, "firstName"), _text(row, "lastName"), _text(row, "name"))
            self._names[n] = " ".join(part for part in names if part) or f"id:{old_id}"

    def of(self, n: int | None) -> str:
        """The name, or the old id where there is none."""
        return "" if n is None else self._names.get(n, "")
