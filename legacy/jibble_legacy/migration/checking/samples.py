"""A few entries of both sides beside each other, drawn by a hash, for who wants to see some."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from jibble_async.errors import DecodeError, MigrationError
from jibble_legacy.migration.checking.comparing import Known, Sent, compare, judge
from jibble_legacy.migration.checking.readback import ThereEntry, one_row
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.reading.old_rows import read_entry
from jibble_legacy.migration.reading.storage import page_rows
from jibble_legacy.migration.report.numbers import Sample
from jibble_legacy.migration.states import KINDS

if TYPE_CHECKING:
    from jibble_async.client import JibbleClient

__all__ = ["drawn_numbers", "samples"]

_SELECT = """
SELECT e.id, e.page, e.pos, e.person, w.ms, w.type, w.day, w.offset, w.person, w.activity,
    w.project, w.target, w.stamp, q.reason, w.state
FROM entry AS e LEFT JOIN write AS w ON w.entry = e.n LEFT JOIN quarantine AS q ON q.entry = e.n
WHERE e.n = ?
"""
_NOTE = 80


def drawn_numbers(chain: str, seed: str, most: int, wanted: int) -> list[int]:
    """Numbers from 1 to `most`, drawn by a hash; in their order.

    Args:
        chain: The hash of all that was extracted.
        seed: A word of one's own; may be empty.
        most: The last number.
        wanted: How many to draw; fewer if there are fewer.
    """
    found: set[int] = set()
    lot = 0
    while len(found) < min(wanted, most):
        digest = hashlib.sha256(f"{chain} {seed} entry {lot}".encode()).digest()
        found.add(int.from_bytes(digest[:8]) % most + 1)
        lot += 1
    return sorted(found)


async def samples(
    ledger: Ledger, target: JibbleClient, known: Known, *, wanted: int, seed: str
) -> list[Sample]:
    """Entries as the old account's pages have them, and what answers for them.

    Args:
        ledger: Has the pages.
        target: The new account.
        known: What the probe showed.
        wanted: How many.
        seed: A word that they are drawn by, beside the hash of the pages.

    Raises:
        JibbleError: An entry could not be read.
    """
    most = ledger.value("SELECT max(n) FROM entry") or 0
    found: list[Sample] = []
    for n in drawn_numbers(ledger.get("chain", ""), seed, most, wanted):
        rows = ledger.read(_SELECT, n)
        if rows:
            found.append(await _sample(ledger, target, known, rows[0]))
    return found


async def _sample(
    ledger: Ledger, target: JibbleClient, known: Known, row: tuple[Any, ...]
) -> Sample:
    old_id, page, pos, person, *write, answer, stamp, reason, state = row
    try:
        rows = page_rows(ledger, page)
    except MigrationError as error:
        return Sample(
            old_id=old_id, page=page, row=pos + 1, person="", verdict=str(error), is_right=False
        )
    old = read_entry(rows[int(pos)])
    sample = Sample(
        old_id=old_id,
        page=page,
        row=pos + 1,
        person=str(person or ""),
        ms=old.ms,
        action=", ".join(filter(None, (str(old.action), KINDS.get(old.action or 0)))),
        note=_short(old.note or ""),
        new_id=answer or "",
        verdict=f"not moved: {reason or state or 'left out'}",
    )
    if answer is None:
        return sample
    try:
        there = await one_row(target, answer)
    except DecodeError:
        return msgspec.structs.replace(sample, verdict="could not be read", is_right=False)
    if there is None:
        return msgspec.structs.replace(sample, verdict="missing", is_right=False)
    ms, kind, day, offset, whose, activity, project = write
    sent = Sent(
        person=whose or "",
        ms=ms,
        type=kind,
        day=day,
        offset=offset,
        activity=activity,
        project=project,
        note=old.note,
        written=stamp,
    )
    return _beside(sample, there, sent, known)


def _beside(sample: Sample, there: ThereEntry, sent: Sent, known: Known) -> Sample:
    verdict = judge(compare(sent, there.found, known))
    found = there.found
    return msgspec.structs.replace(
        sample,
        local=there.local,
        day=found.day or "",
        type=found.type or "",
        verdict=verdict,
        is_right=verdict.right,
    )


def _short(text: str) -> str:
    return text if len(text) <= _NOTE else f"{text[: _NOTE - 1]}\N{HORIZONTAL ELLIPSIS}"
