"""What a verification counted over all people; the ledger keeps it, and the page is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from jibble_legacy.migration.checking.comparing import Verdict, Why
from jibble_legacy.migration.checking.judging import Findings, PersonGap
from jibble_legacy.migration.reading.reread import Reread
from jibble_legacy.migration.report.numbers import Sample

__all__ = ["PersonTally", "Tally"]


class PersonTally(msgspec.Struct, frozen=True):
    """A person of the new account: time at work on both sides in ms, and months that differ."""

    worked_old: int
    worked_new: int
    gaps: list[PersonGap] = []


class Tally(msgspec.Struct):
    """The counts of a verification.

    Attributes:
        flaws: What is wrong with the ledger itself.
        verdicts: Entries, by what became of them.
        whys: Differences, by what explains them.
        changed: Entries that differ as somebody changed or archived them over there.
        doubled: Entries that are there once too often.
        late: Entries that are there, and the ledger doesn't know yet.
        probes: Entries that a probe left.
        only_there: Active entries of others since the migration began.
        before: Active entries from before.
        no_end: Ins that nothing ended.
        no_beginning: Outs before which the person was not at work.
        arrived: How many entries arrived, by the number of the old person.
        months: The same by month.
        people: By id of the new account.
        rows: Entries of the new account that were read.
        requests: Requests that this took.
        reread: What reading the old account again found; None if it was not read.
        samples: Entries side by side; each has its person by number.
        seed: The word that these were drawn by.
    """

    flaws: list[str] = []
    verdicts: dict[Verdict, int] = {}
    whys: dict[Why, int] = {}
    changed: int = 0
    doubled: int = 0
    late: int = 0
    probes: int = 0
    only_there: int = 0
    before: int = 0
    no_end: int = 0
    no_beginning: int = 0
    arrived: dict[int, int] = {}
    months: dict[str, int] = {}
    people: dict[str, PersonTally] = {}
    rows: int = 0
    requests: int = 0
    reread: Reread | None = None
    samples: list[Sample] = []
    seed: str = ""

    def add(self, target: str, found: Findings) -> None:
        """Count a person of the new account in.

        Args:
            target: The id.
            found: What reading the person back found.
        """
        for counts, more in (
            (self.verdicts, found.verdicts),
            (self.whys, found.whys),
            (self.arrived, found.arrived),
            (self.months, found.months),
        ):
            _add(counts, more)
        self.changed += found.changed
        self.doubled += len(found.extras) + len(found.strays)
        self.late += len(found.late)
        self.probes += found.probes
        self.only_there += found.only_there
        self.before += found.before
        self.no_end += found.old.no_end
        self.no_beginning += found.old.no_beginning
        self.people[target] = PersonTally(found.old.worked, found.new.worked, list(found.gaps))


def _add(counts: dict[Any, int], more: Mapping[Any, int]) -> None:
    for name, number in more.items():
        counts[name] = counts.get(name, 0) + number
