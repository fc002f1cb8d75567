"""A lost ledger, made again from the marks that entries of the new account carry. Writes nothing.

After `extract` has read the old account into a new ledger, and before `plan`. What was written is
found by its key, as the id or the nonce of an entry, and by the old id in the name of its device;
on a server that keeps neither, by person, moment and kind. What was decided comes back as far as it
was carried out; the files that people filled in say the rest.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from jibble_async.errors import MigrationError
from jibble_legacy.migration.checking.attributions import Attributions
from jibble_legacy.migration.checking.origins import (
    Answer,
    current_generation,
    lanes_of,
    sorted_out,
)
from jibble_legacy.migration.checking.readback import all_rows
from jibble_legacy.migration.files.answers import read_answers
from jibble_legacy.migration.files.mapping_files import PersonSaid
from jibble_legacy.migration.files.spreadsheets import Flaws
from jibble_legacy.migration.ledger.ledger import Ledger, note, put
from jibble_legacy.migration.marks import old_person, project_description
from jibble_legacy.migration.moments import milliseconds
from jibble_legacy.migration.planning.matching import There, TherePerson
from jibble_legacy.migration.planning.members import Claim
from jibble_legacy.migration.planning.people import decide_people
from jibble_legacy.migration.planning.roster import members_of
from jibble_legacy.migration.progress import OnProgress, Progress, silent
from jibble_legacy.migration.reading.extract import require_extracted
from jibble_legacy.migration.states import ACTIONS, Decision, Exit, Kind, State
from jibble_legacy.migration.target import account_of, bind, clock_of, look_around
from jibble_legacy.migration.writing.writes import space_of

if TYPE_CHECKING:
    from jibble_async.client import JibbleClient

__all__ = ["RecoveryReport", "recover"]

_OLD = "SELECT n, id, hash, ms, action, note, person FROM entry WHERE n = ?"


class RecoveryReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of a migration whose ledger was lost.

    Attributes:
        exit: Clean unless rows could not be read, which may answer for something.
        read: Entries of the new account that were read.
        found: Old entries that one of them answers for.
        by_mark: Entries that carry a key.
        by_twin: Entries that were found by person, moment and kind, as the server keeps no key.
        doubled: Entries that are there beside those that answer.
        people: People of the old account to whom something was written, or who were created.
        projects: Clients for which a project was created.
        generation: How many rollbacks there were.
        unreadable: Rows that could not be read.
    """

    exit: Exit
    read: int
    found: int
    by_mark: int
    by_twin: int
    doubled: int
    people: int
    projects: int
    generation: int
    unreadable: int


async def recover(
    ledger: Ledger,
    target: JibbleClient,
    *,
    folder: Path | None = None,
    base: str | None = None,
    on_progress: OnProgress | None = None,
) -> RecoveryReport:
    """Find out what was written, when the ledger that said so is lost.

    Args:
        ledger: A new one, after `extract` and before `plan`.
        target: The new account, which is only read.
        folder: Where the files are that people filled in, if they are still there.
        base: What the new account's address is called where it is written down; by default the
            URL.
        on_progress: Called after each page.

    Raises:
        ConfigurationError: A file can't be used.
        MigrationError: Nothing was extracted, or the ledger knows already what was written.
        JibbleError: The new account could not be read.

    Example:
        >>> await extract(ledger, source)
        >>> report = await recover(ledger, jibble)
        >>> print(report.found)
    """
    require_extracted(ledger)
    if ledger.value("SELECT 1 FROM write") and not ledger.get("recovering"):
        raise MigrationError(
            f"{ledger.path} knows what was written; `recover` is for a new ledger, before `plan`"
        )
    await bind(ledger, await account_of(target, base))
    recovery = _Recovery(ledger, target, folder, on_progress or silent)
    try:
        return await recovery.run()
    finally:
        recovery.close()


class _Recovery:
    def __init__(
        self, ledger: Ledger, target: JibbleClient, folder: Path | None, tell: OnProgress
    ) -> None:
        self._ledger = ledger
        self._target = target
        self._folder = folder
        self._tell = tell
        self._space = space_of(ledger)
        self._found = Attributions(ledger, self._space)
        self._read = self._unreadable = 0

    def close(self) -> None:
        """Let go of what was read."""
        self._found.close()

    async def run(self) -> RecoveryReport:
        account = await look_around(self._target)
        await self._read_all()
        self._found.find_by_keys()
        by_mark = len(self._found)
        if not by_mark:
            self._found.find_twins(
                await self._ledger.write(
                    functools.partial(self._people, account=account, created=self._created(account))
                )
            )
        generation = current_generation(self._found.generations())
        created = self._created(account)
        lanes = lanes_of(self._found.counts(), created)
        projects = self._projects(account)
        await self._ledger.write(
            lambda connection: self._begin(
                connection, account, lanes, created, projects, generation
            )
        )
        doubled = await self._keep_writes(lanes, generation)
        await self._ledger.write(self._end)
        return RecoveryReport(
            exit=Exit.LEFT if self._unreadable else Exit.CLEAN,
            read=self._read,
            found=self._ledger.value("SELECT count(*) FROM write"),
            by_mark=by_mark,
            by_twin=len(self._found) - by_mark,
            doubled=doubled,
            people=len(lanes),
            projects=len(projects),
            generation=generation,
            unreadable=self._unreadable,
        )

    async def _read_all(self) -> None:
        async for rows, unreadable in all_rows(self._target):
            self._found.note(rows)
            self._read += len(rows)
            self._unreadable += unreadable
            self._tell(Progress("recover", "entries", self._read))

    def _people(
        self, connection: sqlite3.Connection, account: There, created: Mapping[str, int]
    ) -> dict[str, list[int]]:
        """The old people by the new ones, as the rules and the files have it."""
        flaws = Flaws()
        said: Mapping[str, PersonSaid] = {}
        if self._folder is not None:
            said = read_answers(connection, self._folder, flaws).people
        claims = {
            n: Claim(decision=Decision.CREATE, root=n, target=new) for new, n in created.items()
        }
        choices = decide_people(members_of(connection), account, said, claims, {}, flaws)
        flaws.stop()
        people: dict[str, list[int]] = {}
        for n, choice in choices.items():
            new = choice.target or (choices[choice.root].target if choice.root in choices else None)
            if new:
                people.setdefault(new.lower(), []).append(n)
        return people

    def _created(self, account: There) -> dict[str, int]:
        """Who was created, by the new id, for whom of the old account; the last one of several."""
        known = {
            old_id: n
            for n, old_id in self._ledger.read(
                "SELECT n, id FROM source WHERE kind = ?", Kind.PERSON
            )
        }
        latest: dict[int, tuple[int, str]] = {}
        for person in account.people:
            old_id, generation = old_person(person.code) or ("", 0)
            if (n := known.get(old_id)) is not None:
                latest[n] = max(latest.get(n, (-1, "")), (generation, person.id))
        return {new: n for n, (_, new) in latest.items()}

    def _projects(self, account: There) -> dict[int, tuple[str, str]]:
        """What was created for clients: its id and name, by the client's number."""
        clients = {
            project_description(old_id): n
            for n, old_id in self._ledger.read(
                "SELECT n, id FROM source WHERE kind = ?", Kind.CLIENT
            )
        }
        return {
            clients[each.description]: (each.id, each.name)
            for each in account.projects
            if each.active and each.description in clients
        }

    def _begin(
        self,
        connection: sqlite3.Connection,
        account: There,
        lanes: Mapping[int, tuple[int, str]],
        created: Mapping[str, int],
        projects: Mapping[int, tuple[str, str]],
        generation: int,
    ) -> None:
        # A recovery that was killed begins anew: nothing else was written to this ledger yet.
        for table in ("write", "thing", "past", "extra"):
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
        put(connection, "recovering", value=True)
        put(connection, "generation", generation)
        people = {each.id.lower(): each for each in account.people}
        for n, (lead, new) in lanes.items():
            person = people.get(new.lower(), TherePerson(id=new))
            connection.execute(_THING, _person_row(n, lead, person, is_created=new in created))
        for n, (project, name) in projects.items():
            row = (n, Kind.CLIENT, Decision.CREATE, n, project, name, None, None)
            connection.execute(_THING, (*row, State.CONFIRMED, None))

    async def _keep_writes(self, lanes: Mapping[int, tuple[int, str]], generation: int) -> int:
        doubled = 0
        for batch in self._found.batches():
            doubled += await self._ledger.write(
                functools.partial(self._keep, batch=batch, lanes=lanes, generation=generation)
            )
        return doubled

    def _keep(
        self,
        connection: sqlite3.Connection,
        batch: Sequence[Sequence[Answer]],
        lanes: Mapping[int, tuple[int, str]],
        generation: int,
    ) -> int:
        doubled = 0
        for answers in batch:
            answer, too_many, away = sorted_out(answers, generation)
            if answer is not None:
                row = connection.execute(_OLD, (answer.entry,)).fetchone()
                self._keep_one(connection, answer, row, lanes)
            doubled += len(too_many)
            connection.executemany(
                "INSERT OR IGNORE INTO extra (target, entry, kind, state, since) "
                "VALUES (?, ?, 'marked', ?, ?)",
                [
                    (each.there.found.id, each.entry, State.CONFIRMED, self._now())
                    for each in too_many
                ],
            )
            connection.executemany(
                "INSERT OR IGNORE INTO past VALUES (?, ?, ?, ?, 'recovered')",
                [
                    (each.there.found.id, each.entry, each.origin.generation, self._now())
                    for each in away
                ],
            )
        return doubled

    def _keep_one(
        self,
        connection: sqlite3.Connection,
        answer: Answer,
        old: tuple[Any, ...],
        lanes: Mapping[int, tuple[int, str]],
    ) -> None:
        n, _, hash_, ms, action, text, person = old
        there = answer.there
        found = there.found
        lead = lanes[person][0] if person in lanes else person
        # What is not as the old account has it now may have been changed there since.
        same = (found.ms, ACTIONS.get(found.type or ""), found.note or "") == (
            ms,
            action,
            text or "",
        )
        connection.execute(
            "INSERT INTO write (entry, lane, ms, type, day, offset, person, activity, project, "
            "state, since, generation, attempts, target, stamp, hash) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?)",
            (
                n,
                lead,
                found.ms,
                found.type,
                found.day or "",
                found.offset or 0,
                found.person,
                found.activity,
                found.project,
                State.CONFIRMED,
                self._now(),
                answer.origin.generation,
                found.id,
                # Whatever was changed since then was changed by somebody, or is as we changed it.
                there.created or found.updated,
                hash_ if same else b"",
            ),
        )

    def _end(self, connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM meta WHERE key = 'recovering'")
        note(connection, self._now(), "recovered")

    def _now(self) -> int:
        return milliseconds(clock_of(self._target))


_THING = """
INSERT INTO thing (n, kind, decision, root, target, name, email, code, state, removal)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def _person_row(n: int, lead: int, person: TherePerson, *, is_created: bool) -> tuple[object, ...]:
    decision = Decision.MATCH
    if is_created:
        decision = Decision.CREATE_AND_REMOVE if person.removed else Decision.CREATE
    leads = is_created and n == lead
    return (
        n,
        Kind.PERSON,
        decision,
        lead,
        person.id,
        person.name or None,
        person.email or None,
        person.code or None,
        State.CONFIRMED if leads else None,
        State.CONFIRMED if leads and person.removed else None,
    )
