"""What must be so after a migration, whatever died on the way: asked of both accounts.

The accounts' own rows decide. Of the ledger only is believed which new entry it takes for which
old one, and what it says of those that have none.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.states import State
from jibble_legacy.migration.status import LEDGER

from tests.migration.world import Accounts, Row, snapshot

WRITTEN = (State.CONFIRMED, State.VERIFIED)
ENDED = (*WRITTEN, State.REFUSED, State.UNKNOWN, State.SKIPPED)
_LINKS = ("previousTimeEntryId", "nextTimeEntryId")
_HOUR = timedelta(hours=1)


def assert_whole(world: Accounts, *, doubled: bool = False) -> None:
    """Nothing is lost, doubled, unlisted or out of order, and the old account is as it was.

    Args:
        world: After the last step.
        doubled: Whether entries may be there twice that the ledger lists as such, since commits
            came later than a server that keeps no ids can be told of.
    """
    ledger = Ledger.look(world.folder / LEDGER)
    try:
        wrong = [
            *_of_the_source(world),
            *_of_the_quota(world),
            *_of_the_sums(ledger),
            *_of_entries(world, ledger, doubled=doubled),
            *_of_the_order(world, ledger),
            *_of_people_and_projects(world),
            *_of_the_probe(world, ledger),
        ]
        ledger.check()
    finally:
        ledger.close()
    assert not wrong, "\n".join([f"{len(wrong)} wrong:", *wrong[:20]])


def _of_the_source(world: Accounts) -> Iterator[str]:
    for each in world.box.ledger.select("legacy"):
        if each.method != "GET":
            yield f"the old account was written to: {each.method} {each.path}"
    if snapshot(world.box.legacy.rows("timeentries")) != world.source_before:
        yield "the old account's entries are others"


def _of_the_quota(world: Accounts) -> Iterator[str]:
    counted = [each.at for each in world.box.ledger.select("legacy") if each.status != 403]
    for first, last in zip(counted, counted[world.limit :], strict=False):
        if last - first < _HOUR:
            yield f"{world.limit + 1} requests of the old account within {last - first}"
            return


def _of_the_sums(ledger: Ledger) -> Iterator[str]:
    both = ledger.read("SELECT entry FROM write JOIN quarantine USING (entry)")
    yield from (f"entry {n} is to be written and held back" for (n,) in both)
    neither = ledger.read(
        "SELECT id FROM entry WHERE n NOT IN (SELECT entry FROM write) "
        "AND n NOT IN (SELECT entry FROM quarantine)"
    )
    yield from (f"old entry {old} is neither to be written nor held back" for (old,) in neither)
    for state, count in ledger.read("SELECT state, count(*) FROM write GROUP BY state"):
        if state not in ENDED:
            yield f"{count} entries are left {state}"


def _of_entries(world: Accounts, ledger: Ledger, *, doubled: bool) -> Iterator[str]:
    old = {row["id"]: row for row in world.box.legacy.rows("timeentries")}
    if {each for (each,) in ledger.read("SELECT id FROM entry")} != old.keys():
        yield "what was extracted is not what the old account has"
    new = {row["id"]: row for row in world.box.dataset.rows("TimeEntries")}
    answered: dict[str, str] = {}
    people: defaultdict[str, set[str]] = defaultdict(set)
    for old_id, target, state in ledger.read(
        "SELECT entry.id, target, state FROM write JOIN entry ON entry.n = write.entry"
    ):
        if state not in WRITTEN:
            continue
        row = new.get(target)
        if row is None or row["status"] != "Active":
            yield f"old entry {old_id} is said to be {target}, which is not there"
        elif target in answered:
            yield f"old entries {old_id} and {answered[target]} are both said to be {target}"
        else:
            yield from _differences(old[old_id], row)
            people[old[old_id]["person"]].add(row["personId"])
        answered[target] = old_id
    yield from _of_whom(world, people)
    extra = {each for (each,) in ledger.read("SELECT target FROM extra")} if doubled else set()
    foreign = {row["id"]: row for row in world.foreign}
    for target, row in new.items():
        if target in foreign:
            changed = [
                name
                for name, value in foreign[target].items()
                if row[name] != value and name not in _LINKS
            ]
            if changed:
                yield f"entry {target} of somebody else was changed: {', '.join(changed)}"
        elif row["status"] == "Active" and target not in answered and target not in extra:
            yield f"entry {target} of {row['time']} is nobody's"
    yield from (f"entry {each} of somebody else is gone" for each in foreign.keys() - new.keys())


def _differences(old: Row, new: Row) -> Iterator[str]:
    kind = {1: "In", 2: "Out"}[old["action"]]
    for name, was, here in (
        ("time", _moment(old["date"]), _moment(new["time"])),
        ("type", kind, new["type"]),
        ("note", old.get("notes") or "", new["note"] or ""),
    ):
        if was != here:
            yield f"old entry {old['id']}: {name} was {was!r}, is {here!r}"


def _moment(text: str) -> datetime:
    whole = datetime.fromisoformat(text)
    return whole.replace(microsecond=whole.microsecond // 1000 * 1000)


def _of_whom(world: Accounts, people: dict[str, set[str]]) -> Iterator[str]:
    """One new person for each human, and one human for each new person."""
    users = {each.id: each.user for each in world.box.past.workers} if world.box.past else {}
    humans: defaultdict[str, set[str]] = defaultdict(set)
    for old, there in people.items():
        if len(there) > 1:
            yield f"the entries of {old} are those of {len(there)} people"
        for each in there:
            humans[each].add(users[old])
    for new, those in humans.items():
        if len(those) > 1:
            yield f"the entries of {len(those)} people became those of {new}"


def _of_the_order(world: Accounts, ledger: Ledger) -> Iterator[str]:
    if world.edited:
        # What is corrected or added later comes later, and so does a twin that it lets go.
        return
    once = {
        target: (person, moment)
        for target, person, moment in ledger.read(
            "SELECT target, lane, ms FROM write WHERE target IS NOT NULL"
        )
    }
    last: dict[int, int] = {}
    for each in world.box.ledger.committed:
        if each.entity_set == "TimeEntries" and each.change == "created" and each.id in once:
            lane, moment = once[each.id]
            if moment < last.get(lane, moment):
                yield f"entry {each.id} was written after a later one of its person"
            last[lane] = moment


def _of_people_and_projects(world: Accounts) -> Iterator[str]:
    people = world.box.dataset.rows("People")
    projects = world.box.dataset.rows("Projects")
    made = {
        "person": [row["code"] for row in people if (row["code"] or "").startswith("L-")],
        "project": [
            row["description"]
            for row in projects
            if (row["description"] or "").startswith("legacy client ")
        ],
    }
    for kind, marks in made.items():
        for mark, count in Counter(marks).items():
            if count > 1:
                yield f"{count} times a {kind} was made for {mark}"


def _of_the_probe(world: Accounts, ledger: Ledger) -> Iterator[str]:
    targets: set[Any] = {each for (each,) in ledger.read("SELECT target FROM probe")}
    for row in world.box.dataset.rows("TimeEntries"):
        device = (row["platform"] or {}).get("deviceName")
        if row["status"] == "Active" and (row["id"] in targets or device == "probe"):
            yield f"the probe's entry {row['id']} is still there"


def rows_of(world: Accounts, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """What a query finds in the ledger, for tests that look at one thing."""
    connection = sqlite3.connect(world.folder / LEDGER)
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()
