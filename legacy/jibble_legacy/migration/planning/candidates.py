"""The entries of a lane in the order of time: what may be written, what was sent, what is there."""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from jibble_legacy.migration.planning.quarantine import kind_of
from jibble_legacy.migration.states import WRITTEN

__all__ = ["Candidate", "Candidates"]

_NO_MOMENT = -(2**53)


class Candidate(NamedTuple):
    """An entry in a lane.

    Attributes:
        n: Its number; 0 if it is only in the new account.
        id: Its old id.
        member: Whose it is, by number.
        ms: Its moment, or the one that people gave.
        kind: `In`, `Out`, or empty; of what is there, anything.
        activity: By number, as is the client.
        hash: Of the old account's row.
        flaw: Why the row can't be read.
        decision: What people decided.
        state: How far it was sent; empty if it is to be decided.
        was: The hash, moment and kind with which it was sent.
    """

    n: int
    id: str
    member: int | None
    ms: int | None
    kind: str
    activity: int | None
    client: int | None
    hash: bytes
    flaw: str | None
    decision: str
    state: str
    was: tuple[Any, ...]


class Candidates:
    """Reads the entries of lanes.

    Args:
        connection: The ledger's, within a transaction; `mend` is filled.
        resolution: What the new account keeps of a moment: 1 ms, or 1000.
    """

    def __init__(self, connection: sqlite3.Connection, resolution: int) -> None:
        self._connection = connection
        self._resolution = resolution

    def lane(self, root: int, members: Sequence[int], target: str | None) -> Iterator[Candidate]:
        """All of a lane. Of equal ones, what is there stands before what may be written.

        Args:
            root: As whom they are written, by number.
            members: Whose they are.
            target: The person over there.
        """
        streams = [self._sent(root), self._foreign(target), self.pending(root, members)]
        return heapq.merge(*streams, key=self._order)

    def pending(self, root: int | None, members: Sequence[int]) -> Iterator[Candidate]:
        """Those that are to be decided.

        Args:
            root: As whom they are written, by number; None for those that are nobody's.
            members: Whose they are.
        """
        values: dict[str, Any] = {"resolution": self._resolution}
        if root is not None:
            members_text = msgspec.json.encode(list(members)).decode()
            values |= {"lane": root, "members": members_text}
        statement = _NOBODYS if root is None else _PENDING
        for (
            n,
            old_id,
            member,
            ms,
            action,
            activity,
            client,
            digest,
            flaw,
            said,
        ) in self._connection.execute(statement, values):
            decision = said or ""
            kind = kind_of(action, decision)
            yield Candidate(
                n, old_id, member, ms, kind, activity, client, digest, flaw, decision, "", ()
            )

    def _sent(self, root: int) -> Iterator[Candidate]:
        """What was sent before. What was edited since stands where it belongs now."""
        for (
            n,
            old_id,
            member,
            ms,
            action,
            activity,
            client,
            digest,
            said,
            *was,
            state,
        ) in self._connection.execute(_SENT, {"lane": root, "resolution": self._resolution}):
            before = tuple(was)
            kind = kind_of(action, said or "")
            if state not in WRITTEN or before[0] == digest or not kind or ms is None:
                ms, kind = before[1], before[2]
            yield Candidate(
                n, old_id, member, ms, kind, activity, client, digest, None, "", state, before
            )

    def _foreign(self, target: str | None) -> Iterator[Candidate]:
        """What others put there."""
        for ms, kind in self._connection.execute(
            "SELECT ms, type FROM snapshot WHERE person = ? AND active ORDER BY ms, type = 'In'",
            (target,),
        ):
            yield Candidate(0, "", None, ms, kind, None, None, b"", None, "", "there", ())

    def _order(self, row: Candidate) -> tuple[int, int, int, bool, int]:
        ms = row.ms if row.ms is not None else _NO_MOMENT
        return (ms // self._resolution, not row.state, ms, row.kind == "In", row.n)


_PENDING = """
SELECT * FROM (
    SELECT e.n, e.id, coalesce(m.person, e.person), coalesce(m.ms, e.ms) AS moment, e.action,
        e.activity, e.client, e.hash, e.flaw, m.decision
    FROM entry e LEFT JOIN mend m ON m.entry = e.n
    WHERE e.person IN (SELECT value FROM json_each(:members))
        AND (m.lane IS NULL OR m.lane = :lane)
        AND NOT EXISTS (SELECT 1 FROM write WHERE entry = e.n)
    UNION ALL
    SELECT e.n, e.id, m.person, coalesce(m.ms, e.ms), e.action, e.activity, e.client, e.hash,
        e.flaw, m.decision
    FROM mend m JOIN entry e ON e.n = m.entry
    WHERE m.lane = :lane
        AND (e.person IS NULL OR e.person NOT IN (SELECT value FROM json_each(:members)))
        AND NOT EXISTS (SELECT 1 FROM write WHERE entry = e.n)
) ORDER BY moment / :resolution, moment, action = 1, n
"""
_NOBODYS = """
SELECT e.n, e.id, NULL, coalesce(m.ms, e.ms) AS moment, e.action, e.activity, e.client, e.hash,
    e.flaw, m.decision
FROM entry e LEFT JOIN mend m ON m.entry = e.n
WHERE e.person IS NULL AND m.lane IS NULL AND NOT EXISTS (SELECT 1 FROM write WHERE entry = e.n)
ORDER BY moment / :resolution, n
"""
_SENT = """
SELECT e.n, e.id, e.person, coalesce(m.ms, e.ms), e.action, e.activity, e.client, e.hash,
    m.decision, w.hash, w.ms, w.type, w.state
FROM write w JOIN entry e ON e.n = w.entry LEFT JOIN mend m ON m.entry = e.n
WHERE w.lane = :lane AND NOT (w.state = 'planned' AND w.attempts = 0)
    AND w.state <> 'skipped'
ORDER BY CASE WHEN w.state IN ('confirmed', 'verified') AND w.hash <> e.hash
    AND e.ms IS NOT NULL THEN coalesce(m.ms, e.ms) ELSE w.ms END, w.type = 'In', e.n
"""
