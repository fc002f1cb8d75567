"""What a plan tells before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.planning.deciding import Decided
from jibble_legacy.migration.planning.members import Member
from jibble_legacy.migration.planning.scheduling import Scheduled
from jibble_legacy.migration.planning.things import OldThing
from jibble_legacy.migration.states import CREATED, Decision, Exit, Reason, State

__all__ = ["Made", "PlanReport", "report_of"]

_RATES = (3.5, 8.0, 15.0)
"""Entries a second that were reached by one, eight and more lanes."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A plan as it was made."""

    hash: str
    decided: Decided
    scheduled: Scheduled
    activities: list[OldThing]
    clients: list[OldThing]


class PlanReport(msgspec.Struct, frozen=True, kw_only=True):
    """What would be written, what is held back, and what has to be decided.

    Attributes:
        exit: Clean if nothing is asked, refused or unknown.
        hash: The plan's; `apply` is given it.
        planned: Entries to be written.
        kept: Entries that were sent before, and stay as they are.
        edited: How many of those were changed in the old account since, and will be there.
        held: Entries that are held back, by reason.
        people: People of the old account with entries, by what becomes of them.
        merged: Those who become the same person as another one.
        created: People to be created; `leavers` of them, or of the others, are removed in the end.
        leavers: People to be removed once their entries are written.
        seats: Seats that are needed at the most at one time.
        projects: Projects to be created.
        zones_asked: Whose time zone has to be told.
        zones_doubtful: Whose work begins mostly at night: or is the zone another one?
        no_end: Ins after which another In follows: moved as they are.
        no_beginning: Outs without an In before them: moved as they are.
        outs_after_outs: How many of these follow another Out. Live accounts refuse those.
        future: Entries that lie in the future, which is refused.
        refused: Entries that were refused before, and wait to be mended.
        unknown: Entries that wait for `resolve`.
        questions: What people have to decide, one sentence each.
        warnings: What they should look at.
        first: The earliest moment to be written, in ms; None if nothing is.
        last: The latest.
        hours: How long `apply` takes, by the number of entries that are written a second.
        files: The files that were written.
    """

    exit: Exit
    hash: str
    planned: int
    kept: int
    edited: int
    held: dict[str, int]
    people: dict[str, int]
    merged: tuple[str, ...]
    created: int
    leavers: int
    seats: int
    projects: int
    zones_asked: tuple[str, ...]
    zones_doubtful: tuple[str, ...]
    no_end: int
    no_beginning: int
    outs_after_outs: int
    future: int
    refused: int
    unknown: int
    questions: tuple[str, ...]
    warnings: tuple[str, ...]
    first: int | None
    last: int | None
    hours: dict[float, float]
    files: tuple[str, ...]


def report_of(ledger: Ledger, made: Made, files: Sequence[Path]) -> PlanReport:
    """What is told of a plan.

    Args:
        ledger: The migration's.
        made: The plan.
        files: The files that were written.
    """
    decided, scheduled = made.decided, made.scheduled
    states = ledger.read("SELECT state, count(*) FROM write GROUP BY state")
    counts: dict[str, int] = {row[0]: row[1] for row in states}
    moving = [each for each in decided.members if each.entries]
    people: dict[str, int] = {}
    for member in moving:
        name = str(decided.people[member.n].decision) or "undecided"
        people[name] = people.get(name, 0) + 1
    creating = [each for each in decided.people.values() if each.creates and each.target is None]
    leavers = [
        each
        for each in decided.people.values()
        if each.decision is Decision.CREATE_AND_REMOVE and each.root == each.n
    ]
    staying = sum(each.decision is Decision.CREATE for each in creating)
    questions = tuple(_questions(made, moving))
    refused, unknown = counts.get(State.REFUSED, 0), counts.get(State.UNKNOWN, 0)
    odd = scheduled.odd
    names = {member.n: _name(member) for member in decided.members}
    return PlanReport(
        exit=Exit.LEFT if questions or refused or unknown else Exit.CLEAN,
        hash=made.hash,
        planned=scheduled.planned,
        kept=scheduled.kept,
        edited=scheduled.edited,
        held={str(reason): count for reason, count in sorted(scheduled.held.items())},
        people=people,
        merged=tuple(
            f"{names[n]} with {names[choice.root]}"
            for n, choice in decided.people.items()
            if choice.moves and choice.root != n
        ),
        created=len(creating),
        leavers=len(leavers),
        seats=staying + any(each.decision is Decision.CREATE_AND_REMOVE for each in creating),
        projects=sum(each.creates and each.target is None for each in decided.clients.values()),
        zones_asked=tuple(
            names[root] for root in sorted(decided.lanes) if root not in decided.zones
        ),
        zones_doubtful=tuple(names[root] for root in odd if odd[root].zone_is_doubtful),
        no_end=sum(each.no_end for each in odd.values()),
        no_beginning=sum(each.no_beginning for each in odd.values()),
        outs_after_outs=sum(each.outs_after_outs for each in odd.values()),
        future=scheduled.held.get(Reason.FUTURE, 0),
        refused=refused,
        unknown=unknown,
        questions=questions,
        warnings=tuple(_warnings(made, names)),
        first=scheduled.first,
        last=scheduled.last,
        hours={rate: scheduled.planned / rate / 3600 for rate in _RATES},
        files=tuple(str(path) for path in files),
    )


def _questions(made: Made, moving: Sequence[Member]) -> Iterator[str]:
    decided = made.decided
    for member in moving:
        choice = decided.people[member.n]
        if choice.question:
            yield f"people.csv: {_name(member)} ({member.entries} entries) {choice.question}"
    for root in decided.lanes:
        if root not in decided.zones:
            member = next(each for each in decided.members if each.n == root)
            yield f"people.csv: in which time zone does {_name(member)} live?"
    held = made.scheduled.held.get(Reason.ALREADY_TRACKED)
    if held:
        yield (
            f"people.csv: {held} entries are of days that are tracked in the new account already: "
            "until when is the old account right?"
        )
    for thing in made.activities:
        question = decided.activities[thing.n].question
        if question:
            yield f"activities.csv: {thing.entries} entries: {question}"


def _warnings(made: Made, names: dict[int, str]) -> Iterator[str]:
    decided = made.decided
    for n, choice in decided.people.items():
        if choice.warning:
            yield f"{names[n]} {choice.warning}"
    for root, odd in made.scheduled.odd.items():
        if odd.zone_is_doubtful:
            zone = decided.zones[root][-1][1]
            yield f"{names[root]} begins work mostly at night: nights, or is it not {zone}?"
    repeats = sum(each.outs_after_outs for each in made.scheduled.odd.values())
    if repeats:
        yield f"{repeats} Outs follow another Out: a live account refuses those, the probe tells"
    creating = any(choice.decision in CREATED for choice in decided.people.values())
    if creating:
        yield "people who are created take seats, and their time zone can't be set by us"


def _name(member: Member) -> str:
    return member.name or f"id:{member.id}"
