"""`rejects.csv`: every entry that is held back or was refused, to be mended and planned again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from jibble_legacy.migration.files.mapping_files import REJECTS, RejectSaid, decoded
from jibble_legacy.migration.files.spreadsheets import id_cell, write_table
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.moments import moment_at
from jibble_legacy.migration.planning.quarantine import EXPLANATIONS
from jibble_legacy.migration.planning.roster import Names
from jibble_legacy.migration.states import Exit, Reason, State

__all__ = ["RejectsReport", "export_rejects"]


class RejectsReport(msgspec.Struct, frozen=True):
    """What was written.

    Attributes:
        exit: Clean if there is nothing.
        file: Where to.
        rows: How many entries there are.
    """

    exit: Exit
    file: str
    rows: int


_ROWS = """
SELECT entry.n, entry.id, entry.person, entry.ms, entry.action, entry.activity, entry.client,
    entry.note, quarantine.reason, quarantine.detail, answer.said
FROM quarantine JOIN entry ON entry.n = quarantine.entry
LEFT JOIN answer ON answer.file = 'rejects.csv' AND answer.id = entry.id
UNION ALL
SELECT entry.n, entry.id, entry.person, entry.ms, entry.action, entry.activity, entry.client,
    entry.note, write.state, write.reason, answer.said
FROM write JOIN entry ON entry.n = write.entry
LEFT JOIN answer ON answer.file = 'rejects.csv' AND answer.id = entry.id
WHERE write.state IN ('refused', 'unknown', 'skipped')
ORDER BY 1
"""
_OWN = """
SELECT DISTINCT key FROM answer, json_each(json_extract(answer.said, '$.more'))
WHERE answer.file = 'rejects.csv' AND json_extract(answer.said, '$.more') IS NOT NULL
"""


def export_rejects(ledger: Ledger, path: str | os.PathLike[str]) -> RejectsReport:
    """Write the entries that are held back, were refused, or are unknown.

    Args:
        ledger: The migration's.
        path: The file, or the folder where `rejects.csv` is put.

    Raises:
        ConfigurationError: The file can't be written.
    """
    file = Path(path)
    if file.is_dir():
        file = file / REJECTS.file
    own = [row[0] for row in ledger.read(_OWN)]
    rows = _Rows(ledger)
    write_table(file, (*REJECTS.asked, *REJECTS.told, *own), rows)
    return RejectsReport(Exit.LEFT if rows.count else Exit.CLEAN, str(file), rows.count)


class _Rows:
    def __init__(self, ledger: Ledger) -> None:
        self.count = 0
        self._ledger = ledger
        self._names = Names(ledger)

    def __iter__(self) -> Iterator[dict[str, object]]:
        for row in self._ledger.scan(_ROWS):
            self.count += 1
            yield self._row(*row)

    def _row(
        self,
        n: int,
        old_id: str,
        person: int | None,
        ms: int | None,
        action: int | None,
        activity: int | None,
        client: int | None,
        note: str | None,
        why: str,
        detail: str | None,
        said: str | None,
    ) -> dict[str, object]:
        del n
        reason = _reason(why, detail)
        meaning, way_out = EXPLANATIONS[reason]
        answer = RejectSaid() if said is None else decoded(RejectSaid, said)
        return {
            "decision": answer.decision,
            "new_moment": answer.new_moment,
            "new_person": answer.new_person,
            "reason": reason,
            "explanation": meaning,
            "what_to_do": way_out,
            "detail": detail,
            "old_name": self._names.of(person),
            "moment": None if ms is None else _shown(ms),
            "action": action,
            "activity": self._names.of(activity),
            "client": self._names.of(client),
            "note": note,
            "old_id": id_cell(old_id),
            **answer.more,
        }


def _reason(why: str, detail: str | None) -> Reason:
    if why == State.REFUSED and (detail or "").startswith(Reason.LOCKED_PERIOD):
        return Reason.LOCKED_PERIOD
    return Reason(why)


def _shown(ms: int) -> str:
    try:
        return moment_at(ms).isoformat(sep=" ", timespec="milliseconds")
    except OverflowError:
        return str(ms)
