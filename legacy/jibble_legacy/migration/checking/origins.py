"""Which old entry an entry of the new account answers for, without a ledger that says so. Pure."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from jibble_legacy.migration.checking.comparing import Copy, surplus
from jibble_legacy.migration.checking.readback import ThereEntry
from jibble_legacy.migration.marks import entry_key

__all__ = [
    "GENERATIONS",
    "Answer",
    "Origin",
    "current_generation",
    "lanes_of",
    "origin",
    "sorted_out",
]

GENERATIONS = 20
"""Rollbacks after which nobody looks for older marks."""
_REVISIONS = 4


class Origin(msgspec.Struct, frozen=True, gc=False):
    """What an entry was sent as."""

    generation: int
    revision: int


class Answer(msgspec.Struct, frozen=True, gc=False):
    """An entry of the new account, and the number of the old one that it answers for."""

    entry: int
    there: ThereEntry
    origin: Origin


def origin(there: ThereEntry, old_id: str, space: uuid.UUID) -> Origin | None:
    """What an entry was sent as, if it carries a key of an old one.

    Args:
        there: The entry.
        old_id: The id of the old entry.
        space: Of the old account's marks.
    """
    for generation in range(GENERATIONS):
        for revision in range(_REVISIONS):
            if there.carries(entry_key(space, generation, old_id, revision)):
                return Origin(generation, revision)
    return None


def current_generation(answers: Iterable[tuple[int, bool]]) -> int:
    """How many rollbacks there were, by the generation of each entry, and whether it is active.

    Those of the last one are active; if none is, that one was rolled back too.
    """
    seen = list(answers)
    active = [generation for generation, is_active in seen if is_active]
    if active:
        return max(active)
    return max((generation + 1 for generation, _ in seen), default=0)


def sorted_out(
    answers: Sequence[Answer], generation: int
) -> tuple[Answer | None, list[Answer], list[Answer]]:
    """Of those of one old entry: the one that answers, those too many, and those put away.

    Args:
        answers: All that carry its marks.
        generation: The present one; what is active of an earlier one is too much.
    """
    active = [each for each in answers if each.there.found.active]
    away = [each for each in answers if not each.there.found.active]
    now = [each for each in active if each.origin.generation == generation]
    too_many = {copy.id for copy in surplus(_copy(each) for each in now)}
    answer = next((each for each in now if each.there.found.id not in too_many), None)
    return answer, [each for each in active if each is not answer], away


def lanes_of(
    counts: Mapping[tuple[int, str], int], created: Mapping[str, int]
) -> dict[int, tuple[int, str]]:
    """As whom each old person was written: the number of the one that leads, and the new id.

    An entry may have been given to somebody else by hand, so most of them decide.

    Args:
        counts: Entries, by the number of the old person and the new id.
        created: Who was created for whom: numbers of old people by new ids.
    """
    most: dict[int, Counter[str]] = {}
    for (old, new), number in counts.items():
        most.setdefault(old, Counter())[new] += number
    target = {old: max(sorted(found), key=found.__getitem__) for old, found in most.items()}
    target |= {old: new for new, old in created.items() if old not in target}
    leads: dict[str, int] = {}
    for old, new in sorted(target.items()):
        leads.setdefault(new, old)
    leads |= {new: old for new, old in created.items() if target.get(old) == new}
    return {old: (leads[new], new) for old, new in target.items()}


def _copy(answer: Answer) -> Copy:
    found = answer.there.found
    return Copy(found.id, answer.there.created, found.active)
