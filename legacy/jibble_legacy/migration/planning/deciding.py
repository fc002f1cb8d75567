"""What a plan decides of people, activities and clients, read from the ledger and kept there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from zoneinfo import ZoneInfo

import msgspec

from jibble_legacy.migration.files.mapping_files import PEOPLE, THERE, PersonSaid, ThingSaid
from jibble_legacy.migration.files.spreadsheets import Flaws
from jibble_legacy.migration.marks import person_code, project_description
from jibble_legacy.migration.planning.matching import There
from jibble_legacy.migration.planning.members import Choice, Claim, Member, Punch, interleaved
from jibble_legacy.migration.planning.people import decide_people
from jibble_legacy.migration.planning.roster import members_of, things_of
from jibble_legacy.migration.planning.things import (
    ThingChoice,
    decide_activities,
    decide_clients,
)
from jibble_legacy.migration.planning.zones import midnight
from jibble_legacy.migration.states import Decision, Kind, State

__all__ = ["Decided", "decide"]


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan decided.

    Attributes:
        members: Everybody whom the old account lists or entries name.
        people: What becomes of them, by number.
        activities: What becomes of each activity, by number.
        clients: What becomes of each client, by number.
        zones: Since when (ms) which zone, by the number of a person as whom entries are written.
        zones_there: What the new account has as the zone, by the number of a person.
    """

    members: tuple[Member, ...]
    people: Mapping[int, Choice]
    activities: Mapping[int, ThingChoice]
    clients: Mapping[int, ThingChoice]
    zones: Mapping[int, tuple[tuple[int, str], ...]]
    zones_there: Mapping[int, str]

    @property
    def lanes(self) -> dict[int, list[int]]:
        """Who is written as one person, by the root, in the order of numbers."""
        lanes: dict[int, list[int]] = {}
        for n in sorted(self.people):
            if self.people[n].moves:
                lanes.setdefault(self.people[n].root, []).append(n)
        return lanes


def decide(
    connection: sqlite3.Connection,
    there: There,
    people: Mapping[str, PersonSaid],
    activities: Mapping[str, ThingSaid],
    clients: Mapping[str, ThingSaid],
    *,
    generation: int,
    default_zone: str | None,
    trusts_zones: bool,
    flaws: Flaws,
) -> Decided:
    """Decide, and keep it in `thing` and `zone`.

    Args:
        connection: The ledger's, within a transaction.
        there: The new account.
        people: What people said of people, by old id.
        activities: What they said of activities.
        clients: What they said of clients.
        generation: How many rollbacks there were.
        default_zone: The zone of whoever has none.
        trusts_zones: Whether the zones of the new account were confirmed.
        flaws: Where it is noted which line can't be followed.
    """
    members = members_of(connection)
    choices = decide_people(
        members, there, people, _claims(connection), _interleaving(connection, members), flaws
    )
    zones_there = _zones_there(choices, there)
    decided = Decided(
        members=tuple(members),
        people=choices,
        activities=decide_activities(
            things_of(connection, Kind.ACTIVITY), there.activities, activities
        ),
        clients=decide_clients(
            things_of(connection, Kind.CLIENT), there.projects, clients, _begun(connection), flaws
        ),
        zones=_zones(members, choices, people, zones_there, default_zone, trusts_zones, flaws),
        zones_there=zones_there,
    )
    _keep(connection, decided, generation)
    return decided


# Who was written to, as the root that they still have: an entry that people gave to somebody else
# says nothing of whom the old account had it of.
_WRITTEN = """
SELECT DISTINCT thing.n FROM write JOIN entry ON entry.n = write.entry
JOIN thing ON thing.n = entry.person AND thing.root = write.lane
WHERE write.state NOT IN ('refused', 'undone', 'skipped')
    AND (write.state <> 'planned' OR write.attempts > 0)
UNION
SELECT DISTINCT lane FROM write
WHERE state NOT IN ('refused', 'undone', 'skipped') AND (state <> 'planned' OR attempts > 0)
"""
_BEGUN = """
SELECT n, decision, root, target, name, email FROM thing
WHERE kind = ? AND decision IN ('create', 'create-and-remove') AND root = n
    AND state IS NOT NULL AND state NOT IN ('refused', 'undone')
    AND (state <> 'planned' OR attempts > 0)
"""


def _claims(connection: sqlite3.Connection) -> dict[int, Claim]:
    """Of whom something was begun."""
    kept = {
        row[0]: row
        for row in connection.execute(
            "SELECT n, decision, root, target, name, email FROM thing WHERE kind = ?",
            (Kind.PERSON,),
        )
    }
    begun = {n for (n,) in connection.execute(_WRITTEN)}
    begun |= {row[0] for row in connection.execute(_BEGUN, (Kind.PERSON,))}
    claims: dict[int, Claim] = {}
    for n in begun & kept.keys():
        _, decision, root, target, name, email = kept[n]
        # Only the root is told when somebody was created.
        target = kept[root][3] if root in kept else target
        claims[n] = Claim(
            decision=Decision(decision), root=root, target=target, name=name, email=email
        )
    return claims


def _begun(connection: sqlite3.Connection) -> dict[int, ThingChoice]:
    """For which clients projects were begun."""
    return {
        n: ThingChoice(
            n=n,
            decision=Decision(decision),
            root=root,
            target=target,
            name=name,
            how="a project that was created",
        )
        for n, decision, root, target, name, _ in connection.execute(_BEGUN, (Kind.CLIENT,))
    }


def _interleaving(connection: sqlite3.Connection, members: Iterable[Member]) -> dict[int, int]:
    """How many punches interleave, for each member row of a human who has several."""
    humans: dict[str, list[int]] = {}
    for member in members:
        if member.user and member.entries:
            humans.setdefault(member.user, []).append(member.n)
    found: dict[int, int] = {}
    for numbers in humans.values():
        if len(numbers) > 1:
            crossed = interleaved(_punches(connection, numbers))
            found.update(dict.fromkeys(numbers, crossed))
    return found


def _punches(connection: sqlite3.Connection, numbers: list[int]) -> Iterator[Punch]:
    rows = connection.execute(
        "SELECT ms, person, action FROM entry WHERE ms IS NOT NULL"
        " AND person IN (SELECT value FROM json_each(?)) ORDER BY ms, n",
        (msgspec.json.encode(numbers).decode(),),
    )
    return (Punch(*row) for row in rows)


def _zones_there(choices: Mapping[int, Choice], there: There) -> dict[int, str]:
    zones = {person.id.lower(): person.zone for person in there.people}
    return {
        n: zones.get(choice.target.lower(), "")
        for n, choice in choices.items()
        if choice.moves and choice.target is not None
    }


def _zones(
    members: Iterable[Member],
    choices: Mapping[int, Choice],
    said: Mapping[str, PersonSaid],
    zones_there: Mapping[int, str],
    default_zone: str | None,
    trusts_zones: bool,
    flaws: Flaws,
) -> dict[int, tuple[tuple[int, str], ...]]:
    """Which zones are known, by root: what was said, else what is confirmed, else the default."""
    zones: dict[int, tuple[tuple[int, str], ...]] = {}
    for member in members:
        choice, answer = choices[member.n], said.get(member.id)
        if not choice.moves or answer is None or not answer.zones:
            continue
        there = zones_there.get(member.n, "")
        if not there and any(name == THERE for _, name in answer.zones):
            flaws.add(
                PEOPLE.file,
                answer.line,
                f"takes the zone that id:{member.id} has over there, where none is told: write it",
            )
            continue
        named = [(begin, there if name == THERE else name) for begin, name in answer.zones]
        found = tuple((_begin(begin, name), name) for begin, name in named)
        if zones.setdefault(choice.root, found) != found:
            flaws.add(
                PEOPLE.file,
                answer.line,
                f"gives id:{member.id} another time zone than whom it becomes one person with: "
                "say `from` when, on one of the lines",
            )
    for n, choice in choices.items():
        if choice.moves and choice.root not in zones:
            name = (zones_there.get(n) if trusts_zones else None) or default_zone
            if name:
                zones[choice.root] = ((_begin("", name), name),)
    return zones


def _begin(day: str, zone: str) -> int:
    return midnight(day, ZoneInfo(zone)) if day else _EVER


_EVER = -(2**53)


def _keep(connection: sqlite3.Connection, decided: Decided, generation: int) -> None:
    """Write down what was decided; how far a creation is stays as it is, unless it was refused."""
    ids = {member.n: member.id for member in decided.members}
    clients = {each.n: each.id for each in things_of(connection, Kind.CLIENT)}
    connection.execute(_FORGOTTEN)
    for n, choice in decided.people.items():
        creates = choice.creates
        removal = State.PLANNED if choice.decision is Decision.CREATE_AND_REMOVE else None
        connection.execute(
            _KEPT,
            {
                "n": n,
                "kind": Kind.PERSON,
                "code": person_code(ids[n], generation) if creates else None,
                "email": choice.email,
                "state": State.PLANNED if creates else None,
                "removal": removal if choice.root == n else None,
                "detail": _detail(choice.how, choice.question, choice.candidates, choice.warning),
                **_common(choice),
            },
        )
    for kind, choices in ((Kind.ACTIVITY, decided.activities), (Kind.CLIENT, decided.clients)):
        for n, thing in choices.items():
            connection.execute(
                _KEPT,
                {
                    "n": n,
                    "kind": kind,
                    "code": project_description(clients[n]) if thing.creates else None,
                    "email": None,
                    "state": State.PLANNED if thing.creates else None,
                    "removal": None,
                    "detail": _detail(thing.how, thing.question),
                    **_common(thing),
                },
            )
    connection.execute("DELETE FROM zone")
    connection.executemany(
        "INSERT INTO zone VALUES (?, ?, ?)",
        [(n, begin, name) for n, zones in decided.zones.items() for begin, name in zones],
    )


# What was refused or undone may be tried again, as whatever it is decided to be now.
_FORGOTTEN = """
UPDATE thing
SET state = NULL, attempts = 0, since = NULL, target = NULL, code = NULL, removal = NULL
WHERE state IN ('refused', 'undone') OR (state = 'planned' AND attempts = 0)
"""
_KEPT = """
INSERT INTO thing
    (n, kind, decision, root, target, name, email, code, reason, state, removal, detail)
VALUES
    (:n, :kind, :decision, :root, :target, :name, :email, :code, :reason, :state, :removal, :detail)
ON CONFLICT (n) DO UPDATE SET
    decision = :decision, root = :root, target = :target, name = :name, email = :email,
    reason = :reason, detail = :detail, code = CASE WHEN state IS NULL THEN :code ELSE code END,
    removal = CASE WHEN removal IS NULL OR removal = 'planned' THEN :removal ELSE removal END,
    state = CASE WHEN state IS NULL THEN :state ELSE state END
"""


def _common(choice: Choice | ThingChoice) -> dict[str, object]:
    return {
        "decision": choice.decision,
        "root": choice.root,
        "target": choice.target,
        "name": choice.name,
        "reason": choice.question or choice.how or None,
    }


def _detail(how: str, question: str, candidates: Iterable[str] = (), warning: str = "") -> str:
    told = {"how": how, "question": question, "candidates": list(candidates), "warning": warning}
    return msgspec.json.encode({name: value for name, value in told.items() if value}).decode()
