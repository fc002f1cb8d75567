"""Which activity and project of the new account old activities and clients become.

An activity is one of equal name over there, or what `activities.csv` says: no request that creates
activities was ever seen. A client is a project of its name, which is created unless exactly one is
there. What was deleted has no name any more: its entries are moved without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from jibble_legacy.migration.files.mapping_files import CLIENTS, NONE, ThingSaid
from jibble_legacy.migration.files.spreadsheets import Flaws
from jibble_legacy.migration.planning.matching import ThereThing, by_name, is_guid, same_name
from jibble_legacy.migration.states import Decision

__all__ = ["OldThing", "ThingChoice", "decide_activities", "decide_clients"]


class OldThing(msgspec.Struct, frozen=True, kw_only=True):
    """An activity or a client of the old account.

    Attributes:
        n: The number in the ledger.
        name: None if it was deleted: entries name it all the same.
        entries: How many do.
    """

    n: int
    id: str
    name: str | None = None
    team: str = ""
    entries: int = 0


class ThingChoice(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of an activity or a client.

    Attributes:
        n: Which, by number in the ledger.
        root: For which the project is created, by number, where several become one.
        target: The activity or project over there; None if there is none, or none yet.
        name: What a project is called that is to be created.
        how: By which rule, for people to read.
        question: What has to be decided; empty if nothing.
    """

    n: int
    decision: Decision
    root: int
    target: str | None = None
    name: str | None = None
    how: str = ""
    question: str = ""

    @property
    def creates(self) -> bool:
        """Whether a project is created for this one."""
        return self.decision is Decision.CREATE and self.root == self.n


def decide_activities(
    old: Sequence[OldThing], there: Sequence[ThereThing], said: Mapping[str, ThingSaid]
) -> dict[int, ThingChoice]:
    """What becomes of each activity, by number.

    Args:
        old: The activities of the old account.
        there: Those of the new one.
        said: The lines of `activities.csv`, by old id.
    """
    named = by_name(there)
    return {each.n: _activity(each, there, named, said.get(each.id)) for each in old}


def decide_clients(
    old: Sequence[OldThing],
    projects: Sequence[ThereThing],
    said: Mapping[str, ThingSaid],
    begun: Mapping[int, ThingChoice],
    flaws: Flaws,
) -> dict[int, ThingChoice]:
    """What becomes of each client, by number.

    Args:
        old: The clients of the old account.
        projects: The projects of the new one.
        said: The lines of `clients.csv`, by old id.
        begun: For which clients this ledger has begun to create projects: those stay.
        flaws: Where it is noted which line can't be followed.
    """
    named = by_name(projects)
    choices: dict[int, ThingChoice] = {}
    # Clients of one name become one project; one that was begun goes before.
    roots = {same_name(choice.name): choice for choice in begun.values() if choice.creates}
    for each in sorted(old, key=lambda thing: thing.n):
        answer = said.get(each.id)
        wanted = (answer.new_name if answer is not None else "") or each.name or ""
        if each.n in begun:
            choices[each.n] = begun[each.n]
        elif wanted == NONE or not each.entries or not wanted.strip():
            choices[each.n] = _without(each, wanted == NONE)
        elif is_guid(wanted):
            found = [each.id for each in projects if each.id.lower() == wanted.lower()]
            if not found:
                line = 0 if answer is None else answer.line
                flaws.add(
                    CLIENTS.file, line, f"names the project {wanted}, which is not there: mend it"
                )
            how, target = "as clients.csv says", next(iter(found), None)
            choices[each.n] = ThingChoice(
                n=each.n, decision=Decision.MATCH, root=each.n, target=target, how=how
            )
        else:
            choice = _client(each, wanted.strip(), named)
            root = roots.setdefault(same_name(wanted), choice)
            choices[each.n] = msgspec.structs.replace(root, n=each.n, how=choice.how)
    return choices


def _activity(
    old: OldThing,
    there: Sequence[ThereThing],
    named: Mapping[str, list[ThereThing]],
    said: ThingSaid | None,
) -> ThingChoice:
    wanted = (said.new_name if said is not None else "") or old.name or ""
    if wanted == NONE or not old.entries or not wanted.strip():
        return _without(old, wanted == NONE)
    if is_guid(wanted):
        found = [each for each in there if each.id.lower() == wanted.lower()]
    else:
        found = named.get(same_name(wanted), [])
    if len(found) == 1:
        how = "by name" if said is None or not said.new_name else "as activities.csv says"
        return ThingChoice(
            n=old.n, decision=Decision.MATCH, root=old.n, target=found[0].id, how=how
        )
    if found:
        question = f"{len(found)} activities over there are called {wanted!r}: write the id of one"
    else:
        question = (
            f"there is no activity {wanted!r} over there: create it and plan again, or write "
            f"another name, or {NONE} for none"
        )
    return ThingChoice(n=old.n, decision=Decision.UNDECIDED, root=old.n, question=question)


def _client(old: OldThing, name: str, named: Mapping[str, list[ThereThing]]) -> ThingChoice:
    found = named.get(same_name(name), [])
    if len(found) == 1:
        return ThingChoice(
            n=old.n, decision=Decision.MATCH, root=old.n, target=found[0].id, how="by name"
        )
    how = "a project to be created"
    if found:
        how += f", as {len(found)} of that name are there: write the id of one to use it"
    return ThingChoice(n=old.n, decision=Decision.CREATE, root=old.n, name=name, how=how)


def _without(old: OldThing, is_said: bool) -> ThingChoice:
    if is_said:
        how = "none, as the file says"
    elif old.entries:
        how = "was deleted: its entries are moved without it"
    else:
        how = "no entry names it"
    return ThingChoice(n=old.n, decision=Decision.SKIP, root=old.n, how=how)
