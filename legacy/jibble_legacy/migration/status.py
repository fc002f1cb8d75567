"""How far a migration is, and what is to be done next, as its ledger tells."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from jibble_legacy.migration.ledger import Ledger
from jibble_legacy.migration.states import Decision, Exit, Kind, State

__all__ = ["LEDGER", "Status", "status_of"]

LEDGER = "ledger.jbmg"
"""The name of the ledger in a migration's folder."""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How far a migration is.

    Attributes:
        extracted: Entries that were read from the old account.
        people: People whom entries name.
        undecided: How many of them nobody has decided about.
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
    ledger = Ledger.look(path)
    try:
        return _status(ledger)
    finally:
        ledger.abandon(RuntimeError("looked at"))


def _status(ledger: Ledger) -> Status:
    writes: dict[str, int] = dict(
        ledger.read("SELECT state, count(*) FROM write GROUP BY state ORDER BY state")
    )
    held_back: dict[str, int] = dict(
        ledger.read("SELECT reason, count(*) FROM quarantine GROUP BY reason ORDER BY reason")
    )
    plan: str | None = ledger.value("SELECT hash FROM plan ORDER BY n DESC LIMIT 1")
    undecided = ledger.value(
        "SELECT count(*) FROM thing WHERE kind = ? AND decision = ? AND state IS NULL",
        Kind.PERSON,
        Decision.UNDECIDED,
    )
    known = Status(
        extracted=ledger.value("SELECT count(*) FROM entry"),
        people=ledger.value("SELECT count(DISTINCT person) FROM entry"),
        undecided=undecided,
        writes=writes,
        held_back=held_back,
        plan=plan,
        probed=ledger.get("probe") is not None,
        generation=ledger.get("generation", 0),
        next="",
    )
    running = ledger.value("SELECT count(*) FROM run WHERE ended IS NULL")
    is_older = ledger.value("SELECT max(probe.at) > (SELECT max(at) FROM plan) FROM probe")
    text, is_done = _next(
        known,
        is_reading=bool(running),
        is_older=bool(is_older),
        probe=ledger.get("probe") or {},
    )
    return msgspec.structs.replace(known, next=text, exit=Exit.CLEAN if is_done else Exit.LEFT)


def _next(
    known: Status, *, is_reading: bool, is_older: bool, probe: dict[str, object]
) -> tuple[str, bool]:
    """The next thing to do, and whether that is nothing but to sign."""
    writes = known.writes
    left = sum(writes.get(each, 0) for each in (State.PLANNED, State.STALE))
    doubtful = sum(writes.get(each, 0) for each in (State.SENT, State.DOUBTFUL))
    for is_so, text in (
        (is_reading or not known.extracted, "`extract` reads the rest of the old account"),
        (known.plan is None, "`plan` decides who and what goes where, and asks what it can't tell"),
        (
            bool(probe.get("stop")),
            f"the probe says that nothing can be written: {probe.get('stop')}",
        ),
        (
            writes.get(State.UNKNOWN, 0) > 0,
            f"{writes.get(State.UNKNOWN, 0)} can't be told: `resolve` ends each by your decision",
        ),
        (writes.get(State.UNDOING, 0) > 0, "`rollback` archives the rest"),
        (not known.probed and left > 0, "`probe` finds out what the new account keeps"),
        (is_older and left > 0, "`plan` again: the probe told what the new account refuses"),
        (left + doubtful > 0, f"`apply --plan {known.plan} --go` writes {left + doubtful:,} more"),
        (
            known.undecided > 0,
            f"people.csv: {known.undecided} people wait for a decision; then `plan` again",
        ),
        (
            writes.get(State.REFUSED, 0) > 0,
            f"rejects.csv: {writes.get(State.REFUSED, 0)} were refused; mend them, `plan` again",
        ),
        (writes.get(State.CONFIRMED, 0) > 0, "`verify` compares both sides"),
        (not writes.get(State.VERIFIED, 0), "nothing is written: `plan` again to begin anew"),
    ):
        if is_so:
            return text, False
    return "read report.html, and sign it", True
