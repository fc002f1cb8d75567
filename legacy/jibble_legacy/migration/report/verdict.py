"""Whether the page may be signed: one sentence, in one of three colours."""

from __future__ import annotations

import enum
from collections.abc import Iterator

import msgspec

from jibble_legacy.migration.report.numbers import Numbers

__all__ = ["Colour", "Judgement", "count", "judgement"]


# Reasons that a headline may have.
_GLANCE = 2


class Colour(enum.StrEnum):
    """What the reader is to do."""

    GREEN = "green"
    """Sign."""
    AMBER = "amber"
    """Wait: something is left to do."""
    RED = "red"
    """Don't sign: something is wrong, or nobody knows."""


class Judgement(msgspec.Struct, frozen=True):
    """What the page says first.

    Attributes:
        headline: The sentence.
        reasons: All that speaks against signing, the worst first.
        told: What arrived and what did not, in a sentence or two.
    """

    colour: Colour
    headline: str
    reasons: tuple[str, ...]
    told: str


def judgement(numbers: Numbers) -> Judgement:
    """Whether the page of these numbers may be signed."""
    wrong, left = list(_wrong(numbers)), list(_left(numbers))
    if wrong:
        colour, headline = Colour.RED, f"Do not sign: {_named(wrong, 'things are wrong')}."
    elif left:
        colour, headline = Colour.AMBER, f"Not finished: {_named(left, 'things are left to do')}."
    else:
        colour, headline = Colour.GREEN, "Ready to sign."
    return Judgement(colour, headline, (*wrong, *left), _told(numbers, bool(wrong)))


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun, such as `1 entry` or `2,036 entries`."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def _named(reasons: list[str], many: str) -> str:
    """As much as can be read at a glance; the list under it has them all."""
    return ", and ".join(reasons) if len(reasons) <= _GLANCE else f"{len(reasons)} {many}"


def _wrong(numbers: Numbers) -> Iterator[str]:
    sums, found = numbers.sums, numbers.found
    yield from numbers.flaws
    if sums.missing:
        yield f"{count(sums.missing, 'entry is', 'entries are')} missing"
    if found.differs:
        yield f"{count(found.differs, 'entry differs', 'entries differ')}"
    if found.doubled:
        yield f"{count(found.doubled, 'entry is', 'entries are')} there twice"
    if sums.unknown:
        yield f"of {count(sums.unknown, 'entry', 'entries')} nobody knows whether it arrived"
    if sums.unaccounted:
        yield f"the sum is wrong by {sums.unaccounted:,}"
    unexplained = [gap for gap in numbers.gaps if not gap.is_explained]
    if unexplained:
        yield f"hours differ in {count(len(unexplained), 'month of a person', 'months of people')}"


def _left(numbers: Numbers) -> Iterator[str]:
    sums = numbers.sums
    people = [line for line in numbers.people if line.is_open]
    waiting = sum(line.old - line.new for line in people)
    if people:
        who = count(len(people), "person", "people")
        verb = "waits" if len(people) == 1 else "wait"
        yield f"{who} with {count(waiting, 'entry', 'entries')} {verb} for a decision"
    others = sum(reason.entries for reason in numbers.held_back if reason.is_open)
    if not people and others:
        yield f"{count(others, 'entry waits', 'entries wait')} for a decision"
    if sums.waiting:
        yield f"{count(sums.waiting, 'entry is', 'entries are')} still to be written"
    if sums.unread and numbers.read_back is not None:
        yield f"{count(sums.unread, 'entry was', 'entries were')} written since the last look"
    if sums.refused:
        yield f"Jibble refused {count(sums.refused, 'entry', 'entries')}"
    if numbers.again.source_changed:
        rows = count(numbers.again.source_changed, "entry", "entries")
        yield f"{rows} changed in the old account since it was read"
    if numbers.read_back is None:
        yield "nothing was read back yet"


def _told(numbers: Numbers, is_wrong: bool) -> str:
    sums, found = numbers.sums, numbers.found
    if numbers.read_back is None:
        return (
            f"{count(sums.old, 'entry', 'entries')} in the old account. `jibble migrate verify` "
            "reads the new one back, and says what arrived."
        )
    whole = count(sums.old, "entry", "entries")
    if found.equal == sums.arrived == sums.old:
        text = f"All {whole} arrived, each read back and equal in every field."
    elif found.equal == sums.arrived:
        text = f"{sums.arrived:,} of {whole} arrived, each read back and equal in every field."
    else:
        text = f"{sums.arrived:,} of {whole} arrived; read back, {found.equal:,} are equal in"
        text += " every field."
    if found.changed:
        text += f" {count(found.changed, 'was', 'were')} changed over there since."
    if found.as_probed:
        text += f" {count(found.as_probed, 'differs', 'differ')} as was known before."
    stuck = sums.held_back - sum(each.entries for each in numbers.held_back if each.is_open)
    if stuck:
        text += f" {count(stuck, 'is held back', 'are held back')} for good, each with its reason."
    return text if is_wrong else f"{text} Nothing is missing, doubled or unexplained."
