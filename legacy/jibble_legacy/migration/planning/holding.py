"""From when on somebody's time is tracked in the new account, so that no hour counts twice."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import date, timedelta

from jibble_legacy.migration.files.mapping_files import ALL, PersonSaid
from jibble_legacy.migration.moments import moment_at
from jibble_legacy.migration.planning.deciding import Decided
from jibble_legacy.migration.planning.zones import Clock

__all__ = ["held_from"]

_FIRST = "SELECT min(ms) FROM snapshot WHERE person = ? AND active"


def held_from(
    connection: sqlite3.Connection,
    decided: Decided,
    said: Mapping[str, PersonSaid],
    clocks: Mapping[int, Clock],
) -> dict[int, tuple[int, str]]:
    """From which moment (ms) on entries are held back, and why, by the number of a member row.

    That is the first entry of the person's own over there, until `people.csv` names the last day
    that is to be moved. Kept in `thing.until`, too.

    Args:
        connection: The ledger's, within a transaction.
        decided: What was decided of people.
        said: What people said of them, by old id.
        clocks: The clocks of those whose zone is known, by root.
    """
    held: dict[int, tuple[int, str]] = {}
    untils = {member.n: said[member.id].until for member in decided.members if member.id in said}
    for root, members in decided.lanes.items():
        target, clock = decided.people[root].target, clocks.get(root)
        if clock is None:
            continue
        first = connection.execute(_FIRST, (target,)).fetchone()[0]
        for n in members:
            until = untils.get(n) or untils.get(root) or ""
            if until == ALL:
                continue
            if until:
                after = date.fromisoformat(until) + timedelta(days=1)
                held[n] = (clock.midnight(after), f"after {until}, the last day that is moved")
            elif first is not None:
                day = clock.day(moment_at(first))
                held[n] = (first, f"tracked in the new account since {day.isoformat()}")
    connection.execute("UPDATE thing SET until = NULL")
    connection.executemany(
        "UPDATE thing SET until = ? WHERE n = ?", [(ms, n) for n, (ms, _) in held.items()]
    )
    return held
