"""The plan: what would be written, what is held back and why, and what people have to decide.

It is a function of what was extracted, of the files that people filled in, of what is over there,
and of what the ledger has sent before. Doubts are resolved first: a person whose creation is in
doubt would else be found by address as somebody else's.
"""

from __future__ import annotations

import functools
import hashlib
import os
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from jibble_async.errors import ConfigurationError, MigrationError
from jibble_legacy.migration.files.answers import digest_of_answers, digests_of_files, read_answers
from jibble_legacy.migration.files.corrections import load_mends
from jibble_legacy.migration.files.mapping_files import REJECTS
from jibble_legacy.migration.files.rejects import export_rejects
from jibble_legacy.migration.files.sheets import write_sheets
from jibble_legacy.migration.files.spreadsheets import Flaws
from jibble_legacy.migration.ledger.ledger import Ledger, note
from jibble_legacy.migration.moments import milliseconds, moment_at
from jibble_legacy.migration.planning import snapshots
from jibble_legacy.migration.planning.deciding import decide
from jibble_legacy.migration.planning.holding import held_from
from jibble_legacy.migration.planning.matching import There
from jibble_legacy.migration.planning.plan_report import Made, PlanReport, report_of
from jibble_legacy.migration.planning.roster import things_of
from jibble_legacy.migration.planning.scheduling import Schedule
from jibble_legacy.migration.planning.zones import Clock, is_zone
from jibble_legacy.migration.progress import OnProgress, Progress, silent
from jibble_legacy.migration.reading.extract import require_extracted
from jibble_legacy.migration.states import Kind
from jibble_legacy.migration.target import (
    account_of,
    bind,
    clock_of,
    entries_changed_since,
    look_around,
)

if TYPE_CHECKING:
    from jibble_async.client import JibbleClient

__all__ = ["plan"]


async def plan(
    ledger: Ledger,
    target: JibbleClient,
    *,
    folder: str | os.PathLike[str],
    base: str | None = None,
    default_zone: str | None = None,
    trusts_zones: bool = False,
    settle_doubts: Callable[[], Awaitable[object]] | None = None,
    on_progress: OnProgress = silent,
) -> PlanReport:
    """What would be written; nothing is written over there.

    Args:
        ledger: The migration's, after `extract`.
        target: A client of the new account.
        folder: Where the files are that people fill in: `people.csv`, `activities.csv`,
            `clients.csv` and `rejects.csv` are read if they are there, and written anew.
        base: What the new account's address is called where it is written down; by default the
            URL.
        default_zone: The time zone of whoever has none, by its name.
        trusts_zones: Whether the time zones that the new account has for its people were confirmed.
        settle_doubts: Resolves what is in doubt.
        on_progress: Told what is being done.

    Raises:
        ConfigurationError: There is no such zone, or something in the files can't be used: then
            nothing of them was.
        MigrationError: Nothing was extracted, a rollback is under way, or the ledger belongs to
            another account.

    Example:
        >>> report = await plan(ledger, jibble, folder="files", default_zone="Europe/Berlin")
        >>> report.questions
    """
    if default_zone is not None and not is_zone(default_zone):
        raise ConfigurationError(
            f"{default_zone!r} is no time zone: give a name such as 'Europe/Berlin'"
        )
    require_extracted(ledger)
    if ledger.get("rolling back"):
        raise MigrationError("a rollback is under way: run rollback to its end before you plan")
    await bind(ledger, await account_of(target, base))
    if settle_doubts is not None:
        on_progress(Progress("plan", "doubts", 0))
        await settle_doubts()
    there = await look_around(target)
    await _look(ledger, target, on_progress)
    on_progress(Progress("plan", "entries", 0))
    planning = _Planning(
        there=there,
        folder=Path(folder),
        now=clock_of(target),
        default_zone=default_zone,
        trusts_zones=trusts_zones,
        probed=ledger.get("probe") or {},
        generation=ledger.get("generation", 0),
        chain=ledger.get("chain", ""),
    )
    made = await ledger.write(planning.run)
    files = write_sheets(ledger, Path(folder), made.decided, made.activities, made.clients)
    rejects = Path(folder) / REJECTS.file
    export_rejects(ledger, rejects)
    return report_of(ledger, made, (*files, rejects))


async def _look(ledger: Ledger, target: JibbleClient, tell: OnProgress) -> None:
    """Note what is over there that isn't ours."""
    began = milliseconds(clock_of(target))
    since = ledger.value(snapshots.SINCE, snapshots.LOOK)
    seen = 0
    async for page in entries_changed_since(target, None if since is None else moment_at(since)):
        await ledger.write(functools.partial(snapshots.keep, seen=page))
        seen += len(page)
        tell(Progress("plan", "what is over there", seen))
    await ledger.write(functools.partial(snapshots.taken, began=began))


class _Planning(msgspec.Struct, frozen=True, kw_only=True):
    """One plan, made in one transaction: a program that ends within it has planned nothing."""

    there: There
    folder: Path
    now: datetime
    default_zone: str | None
    trusts_zones: bool
    probed: dict[str, Any]
    generation: int
    chain: str

    def run(self, connection: sqlite3.Connection) -> Made:
        flaws, now = Flaws(), milliseconds(self.now)
        files = digests_of_files(self.folder)
        answers = read_answers(connection, self.folder, flaws)
        # Before anything rests on what the files say.
        flaws.stop()
        decided = decide(
            connection,
            self.there,
            answers.people,
            answers.activities,
            answers.clients,
            generation=self.generation,
            default_zone=self.default_zone,
            trusts_zones=self.trusts_zones,
            flaws=flaws,
        )
        clocks = {root: Clock(zones) for root, zones in decided.zones.items()}
        load_mends(connection, decided, self.there, clocks, flaws)
        flaws.stop()
        schedule = Schedule(
            connection,
            decided,
            clocks,
            held_from(connection, decided, answers.people, clocks),
            now=now,
            generation=self.generation,
            resolution=self.probed.get("resolution_ms", 1),
            refuses_repeats=self.probed.get("out_after_out") == "refused",
        )
        scheduled, digest = schedule.run()
        made = Made(
            hash=self._hash(connection, digest),
            decided=decided,
            scheduled=scheduled,
            activities=things_of(connection, Kind.ACTIVITY),
            clients=things_of(connection, Kind.CLIENT),
        )
        detail = {
            "chain": self.chain,
            "files": files,
            "generation": self.generation,
            "planned": scheduled.planned,
            "held": scheduled.held,
        }
        connection.execute(
            "INSERT INTO plan (at, hash, detail) VALUES (?, ?, ?)",
            (now, made.hash, msgspec.json.encode(detail).decode()),
        )
        note(connection, now, "plan made", hash=made.hash, planned=scheduled.planned)
        return made

    def _hash(self, connection: sqlite3.Connection, schedule: bytes) -> str:
        digest = hashlib.sha256(f"{self.chain} {self.generation}".encode())
        digest.update(digest_of_answers(connection))
        digest.update(schedule)
        for statement in _BASIS:
            for row in connection.execute(statement):
                digest.update(repr(row).encode())
        return digest.hexdigest()[:16]


# Whom somebody created becomes is known only later, and is no other plan.
_BASIS = (
    "SELECT n, kind, decision, root, name, email, CASE decision WHEN 'match' THEN target END"
    " FROM thing ORDER BY n",
    "SELECT person, begins, name FROM zone ORDER BY person, begins",
    "SELECT person, ms, type, id, active FROM snapshot ORDER BY person, ms, type, id",
)
