"""People and projects made over there, one at a time: they have no id or nonce of ours.

A person is found again by the code, a project by its description, in the whole list: never by an
address, which two people may share, nor by a name.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from jibble_async.entities import CommonStatus, Person, PersonStatus, Project
from jibble_async.errors import JibbleError, MigrationError
from jibble_legacy.migration.ledger.ledger import Ledger, note
from jibble_legacy.migration.moments import EPOCH
from jibble_legacy.migration.states import CREATED, Decision, Kind, State
from jibble_legacy.migration.writing.lanes import (
    ATTEMPTS,
    MOST_TRIES,
    Event,
    after,
    event_after,
    pause_after,
)
from jibble_legacy.migration.writing.patience import Patience
from jibble_legacy.migration.writing.stopping import Brakes

if TYPE_CHECKING:
    from jibble_async.client import JibbleClient

__all__ = ["Creations", "Thing", "change_thing", "things"]

_SELECT = """
SELECT t.n, s.id, t.kind, t.decision, t.target, t.name, t.email, t.code, t.state, t.since,
    t.attempts, t.removal
FROM thing AS t JOIN source AS s ON s.n = t.n
"""


class Thing(msgspec.Struct, frozen=True):
    """A person or a client of the old account, and what becomes of it over there.

    Attributes:
        n: Its number in the ledger.
        legacy_id: The old id.
        kind: What it is.
        decision: What is to become of it.
        target: The id over there, once it has one.
        name: What it is called over there.
        email: The address that a person is made with.
        code: What it is found again by.
        state: How far its creation is.
        since: When that began, in milliseconds.
        attempts: How often it was sent.
        removal: How far the removal of somebody who left is.
    """

    n: int
    legacy_id: str
    kind: Kind
    decision: Decision
    target: str | None
    name: str | None
    email: str | None
    code: str | None
    state: State
    since: int
    attempts: int
    removal: State | None

    @property
    def is_to_create(self) -> bool:
        """Whether it has to be made before anything can name it."""
        return self.decision in CREATED and self.target is None and self.state is State.PLANNED

    @property
    def leaves(self) -> bool:
        """Whether it is a person who is to be removed once the entries are written."""
        return self.decision == Decision.CREATE_AND_REMOVE or self.removal is not None


def things(ledger: Ledger, where: str, *values: Any) -> list[Thing]:
    """The people and clients that a condition on `t` holds for, in the order of their numbers.

    Args:
        ledger: Where they are.
        where: SQL.
        *values: For its `?`.
    """
    found = ledger.read(f"{_SELECT} WHERE {where} ORDER BY t.n", *values)
    return [_thing(row) for row in found]


def change_thing(
    connection: sqlite3.Connection, thing: Thing, event: Event, now: int, **columns: Any
) -> Thing:
    """A thing after something befell its creation.

    Args:
        connection: The ledger's.
        thing: As it was.
        event: What befell it.
        now: In milliseconds.
        **columns: What else changes.
    """
    values = {"state": after(thing.state, event), "since": now, **columns}
    names = ", ".join(f"{name} = ?" for name in values)
    connection.execute(
        f"UPDATE thing SET {names} WHERE n = ?",  # noqa: S608 - our own names
        (*values.values(), thing.n),
    )
    known = {name: value for name, value in values.items() if name in Thing.__struct_fields__}
    return replace(thing, **known)


class Creations:
    """Makes people and projects.

    Args:
        ledger: Says which.
        target: The new account.
        patience: Of the step.
        brakes: Of the step.

    Attributes:
        made: How many it made or found, by kind.
    """

    def __init__(
        self, ledger: Ledger, target: JibbleClient, patience: Patience, brakes: Brakes
    ) -> None:
        self._ledger = ledger
        self._target = target
        self._patience = patience
        self._brakes = brakes
        self._there: dict[Kind, dict[str, list[str]]] = {}
        self.made: dict[Kind, int] = defaultdict(int)

    async def settle(self) -> None:
        """Find out what became of those whose creation is in doubt; the others stay."""
        for thing in things(self._ledger, "t.state = ?", State.DOUBTFUL):
            await self._settled(thing)

    async def create(self, thing: Thing) -> Thing:
        """A thing once it is made, or was refused; as it is if the step is to stop.

        Args:
            thing: One that is to be made.
        """
        tries = 0
        if thing.kind not in self._there:
            # What a power cut took out of the ledger is still over there.
            self._there[thing.kind] = await self._look(thing.kind)
        if ids := self._there[thing.kind].get(thing.code or ""):
            return await self._found(thing, ids)
        while thing.state is State.PLANNED and not self._patience.stopped.is_set():
            thing = await self._write(thing, Event.INTENDED, attempts=thing.attempts + 1)
            try:
                made = await self._send(thing)
            except JibbleError as error:
                tries += 1
                thing = await self._failed(thing, error, tries)
            else:
                thing = await self._write(thing, Event.KEPT, target=made, reason=None)
                self.made[thing.kind] += 1
        return thing

    async def _send(self, thing: Thing) -> str:
        made: Person | Project
        if thing.kind is Kind.PERSON:
            made = await self._target.people.create(
                thing.name or thing.legacy_id,
                email=thing.email,
                code=thing.code,
                # Literally false: by default the server decides.
                send_invite=False,
            )
            kept = made.code
        else:
            made = await self._target.projects.create(
                thing.name or thing.legacy_id, description=thing.code
            )
            kept = made.description
        if kept != thing.code:
            self._brakes.stop(
                f"the server keeps no {'code' if thing.kind is Kind.PERSON else 'description'} of "
                f"what is made: {thing.name} could not be found again after a lost answer"
            )
        return made.id.lower()

    async def _failed(self, thing: Thing, error: JibbleError, tries: int) -> Thing:
        event = event_after(error, tries)
        reason = error.message if event is Event.REFUSED else None
        thing = await self._write(thing, event, reason=reason)
        if event is Event.LOST:
            return await self._settled(thing)
        if event is Event.REFUSED:
            self._brakes.refused(thing.n, error)
        else:
            self._brakes.turned_away(error, tries, MOST_TRIES)
            await self._patience.rest(pause_after(error, tries))
        return thing

    async def _settled(self, thing: Thing) -> Thing:
        """A thing whose creation was in doubt; it still is if the step is to stop."""
        async for last in self._patience.looks(thing.since):
            there = await self._look(thing.kind)
            if ids := there.get(thing.code or ""):
                return await self._found(thing, ids)
            if last:
                event = Event.ABSENT if thing.attempts < ATTEMPTS else Event.UNCLEAR
                return await self._write(thing, event, reason=None)
        return thing

    async def _found(self, thing: Thing, ids: list[str]) -> Thing:
        first, *others = ids
        claimed = self._ledger.value("SELECT n FROM thing WHERE target = ?", first)
        if claimed is not None:
            raise MigrationError(
                f"{thing.name} was found over there by {thing.code}, and answers for somebody else "
                "already: mend the code over there"
            )

        def write(connection: sqlite3.Connection) -> Thing:
            now = self._patience.now()
            if others:
                note(connection, now, "made twice", code=thing.code, kept=first, others=others)
            return change_thing(connection, thing, Event.FOUND, now, target=first, reason=None)

        self.made[thing.kind] += 1
        return await self._ledger.write(write)

    async def _write(self, thing: Thing, event: Event, **columns: Any) -> Thing:
        now = self._patience.now()
        return await self._ledger.write(
            lambda connection: change_thing(connection, thing, event, now, **columns)
        )

    async def _look(self, kind: Kind) -> dict[str, list[str]]:
        """The ids of what is over there and not put away, by what it is found by, oldest first."""
        found: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
        if kind is Kind.PERSON:
            names = ["id", "code", "status", "created_at"]
            people = self._target.people.list(include_removed=True, select=names)
            async for person in people:
                if person.code and person.status != PersonStatus.REMOVED:
                    found[person.code].append((person.created_at or EPOCH, person.id.lower()))
        else:
            names = ["id", "description", "status", "created_at"]
            async for project in self._target.projects.list(include_archived=True, select=names):
                if project.description and project.status != CommonStatus.ARCHIVED:
                    when = project.created_at or EPOCH
                    found[project.description].append((when, project.id.lower()))
        return {code: [each for _, each in sorted(ids)] for code, ids in found.items()}


def _thing(row: tuple[Any, ...]) -> Thing:
    n, legacy_id, kind, decision, target, name, email, code, state, since, attempts, removal = row
    return Thing(
        n,
        legacy_id,
        Kind(kind),
        Decision(decision),
        target,
        name,
        email,
        code,
        State(state or State.PLANNED),
        since or 0,
        attempts,
        None if removal is None else State(removal),
    )
