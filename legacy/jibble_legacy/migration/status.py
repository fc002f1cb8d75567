"""How far a migration is, and what is to be done next, as its ledger tells."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.states import WRITTEN, Exit, Reason, State

__all__ = ["LEDGER", "Status", "status_of"]

LEDGER = "ledger.jbmg"
"""The name of the ledger in a migration's folder."""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How far a migration is.

    Attributes:
        extracted: Entries that were read from the old account.
        people: People whom entries name.
        undecided: Entries of people whom nobody has decided about.
        writes: How many entries are to be written, by state.
        held_back: How many are not, by reason.
        plan: The hash of the latest plan; None if there is none.
        probed: Whether the probe has a verdict.
        generation: How many rollbacks there were.
        next: What to do next, in one line.
        exit: Clean only when nothing is left to do.
    """

    extracted: int = 0
    people: int = 0
    undecided: int = 0
    writes: dict[str, int] = {}
    held_back: dict[str, int] = {}
    plan: str | None = None
    probed: bool = False
    generation: int = 0
    next: str
    exit: Exit = Exit.LEFT


def status_of(folder: str | os.PathLike[str]) -> Status:
    """How far the migration in a folder is; asks nobody and changes nothing.

    Args:
        folder: The migration's.

    Raises:
        ConfigurationError: What is there is no ledger.
        MigrationError: The ledger is damaged.
    """
    path = Path(folder) / LEDGER
    if not path.exists():
        return Status(next="begin: `extract` reads the old account")
    with contextlib.closing(Ledger.look(path)) as ledger:
        return _status(ledger)


def _status(ledger: Ledger) -> Status:
    plans = ledger.read("SELECT hash, at, detail FROM plan ORDER BY n DESC LIMIT 1")
    known = Status(
        extracted=ledger.value("SELECT count(*) FROM entry"),
        people=ledger.value("SELECT count(DISTINCT person) FROM entry"),
        undecided=ledger.value(
            "SELECT count(*) FROM quarantine AS q JOIN entry ON entry.n = q.entry "
            "WHERE q.reason = ?",
            Reason.PERSON_UNDECIDED,
        ),
        writes=_counted(ledger, "SELECT state, count(*) FROM write GROUP BY state ORDER BY state"),
        held_back=_counted(
            ledger, "SELECT reason, count(*) FROM quarantine GROUP BY reason ORDER BY reason"
        ),
        plan=plans[0][0] if plans else None,
        probed=ledger.get("probe") is not None,
        generation=ledger.get("generation", 0),
        next="",
    )
    text = next((text for is_so, text in _steps(ledger, known, plans) if is_so), None)
    return replace(
        known,
        next=text or "read report.html, and sign it",
        exit=Exit.CLEAN if text is None else Exit.LEFT,
    )


def _steps(
    ledger: Ledger, known: Status, plans: Sequence[tuple[Any, ...]]
) -> Iterator[tuple[bool, str]]:
    """What may have to be done, in the order in which it has to be, and whether it has."""
    is_reading = bool(ledger.value("SELECT 1 FROM run WHERE ended IS NULL"))
    yield is_reading, "`extract`, as it was begun, reads the rest of the old account"
    yield not known.extracted, "`extract` reads the old account"
    is_rolling = bool(ledger.get("rolling back"))
    yield is_rolling, "`rollback --go` archives the rest"
    yield not plans, "`plan` decides who and what goes where, and asks what it can't tell"
    if not plans:
        return
    hash_, planned_at, detail = plans[0]
    yield _is_stale(ledger, detail), "`plan` again: it knows less than was read since"
    probed: dict[str, Any] = ledger.get("probe", {})
    stop = probed.get("stop")
    yield bool(stop), f"nothing can be written, says the probe: {stop}"
    unknown = ledger.value(_COUNT_OF_BOTH, State.UNKNOWN, State.UNKNOWN)
    yield unknown > 0, f"{unknown:,} can't be told: `resolve` ends each by your decision"
    open_ = sum(ledger.value(_COUNT_OF_BOTH, each, each) for each in _TO_WRITE)
    yield open_ > 0 and not known.probed, "`probe` finds out what the new account keeps"
    is_older = ledger.value("SELECT max(at) > ? FROM probe", planned_at)
    yield open_ > 0 and bool(is_older), "`plan` again: the probe told what is refused"
    yield open_ > 0, f"`apply --plan {hash_} --go` writes {open_:,} more"
    yield (
        known.undecided > 0,
        f"people.csv: {known.undecided:,} entries wait for a decision about their people; "
        "then `plan` again",
    )
    refused = ledger.value(_COUNT_OF_BOTH, State.REFUSED, State.REFUSED)
    yield refused > 0, f"{refused:,} were refused: mend them in rejects.csv, then `plan` again"
    written = sum(known.writes.get(each, 0) for each in WRITTEN)
    yield not written, "nothing is written: `plan` again begins anew"
    verdict: dict[str, Any] = ledger.get("verdict", {"at": -1})
    since = ledger.value("SELECT max(since) FROM write WHERE state = ?", State.CONFIRMED)
    yield verdict["at"] < (since or 0), "`verify` compares both sides"
    yield not verdict.get("may_sign"), f"`verify` says: {verdict.get('headline')}"


_TO_WRITE = (State.PLANNED, State.SENT, State.DOUBTFUL, State.STALE, State.UNDOING)
_COUNT_OF_BOTH = (
    "SELECT (SELECT count(*) FROM write WHERE state = ?) "
    "+ (SELECT count(*) FROM thing WHERE state = ?)"
)


def _is_stale(ledger: Ledger, detail: str | None) -> bool:
    made_from = msgspec.json.decode(detail or "{}")
    return any(
        made_from.get(key, now) != now
        for key, now in (
            ("chain", ledger.get("chain", "")),
            ("generation", ledger.get("generation", 0)),
        )
    )


def _counted(ledger: Ledger, query: str) -> dict[str, int]:
    return dict(ledger.read(query))
