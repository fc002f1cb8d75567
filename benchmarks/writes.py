"""Punches whose answers are lost in a thousand seeded ways, checked against the sandbox's ledger.

    python -m benchmarks.writes [--schedules 1000] [--writes 2000] [--seed 1]

A schedule is one `clock_in` that meets one trouble, with or without trouble in its lookup, on a
server that keeps the ids that clients make or one that does not, with or without an identical
punch of somebody else in the same second. Every schedule is checked by itself; the table counts.

Then writes of two kinds go into trouble of every kind, half of them cancelled: `trouble.py`.
"""

from __future__ import annotations

import argparse
import asyncio
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from benchmarks import trouble
from benchmarks.measuring import table
from jibble_async import (
    AmbiguousWriteError,
    ClientConfig,
    JibbleClient,
    JibbleError,
    RetryPolicy,
    Timeouts,
    Unlimited,
)
from jibble_async.config import endpoints_from
from jibble_async.sandbox import Fault, Rules, Sandbox

__all__ = ["Tally", "run"]

_NOW = datetime(2026, 7, 13, 9, 0, tzinfo=UTC)
_BATCH = 50
_OUTCOMES = ("done", "refused", "unknown")


@dataclass(frozen=True)
class _Trouble:
    """What the punch meets.

    Attributes:
        name: For the table.
        kind: The fault's kind.
        params: Its parameters.
        doubt: Whether the client can't know if the server did it.
        committed: Whether the server did.
        weight: How often it comes.
    """

    name: str
    kind: str
    params: dict[str, Any] = field(default_factory=dict[str, Any])
    doubt: bool = True
    committed: bool = True
    weight: int = 10


_STATUS = "status"
_TROUBLES = (
    _Trouble("none", "none", doubt=False),
    _Trouble("closed after commit", "drop_after"),
    _Trouble("closed before commit", "drop_before", committed=False),
    _Trouble("reset after commit", "reset_after"),
    _Trouble("reset before commit", "reset_before", committed=False),
    _Trouble("body cut short", "truncate"),
    _Trouble("body not JSON", "invalid_json"),
    _Trouble("500 after commit", _STATUS, {"status": 500, "committed": True}),
    _Trouble("503 before commit", _STATUS, {"status": 503}, committed=False),
    _Trouble("502 in HTML", "html_502", committed=False),
    _Trouble("409 after commit", _STATUS, {"status": 409, "committed": True}),
    _Trouble("429", "too_many", {"retry_after": 0}, doubt=False),
    _Trouble("throttling 403", "empty_403", doubt=False),
    _Trouble("401", "unauthorized", doubt=False),
    _Trouble("403 with a reason", "denied_403", doubt=False, committed=False),
    _Trouble("timeout after commit", "stall", {"committed": True}, weight=2),
    _Trouble("timeout, commit later", "stall", weight=2),
)
_LOOKUPS = (
    ("status", {"status": 500}),
    ("denied_403", {}),
    ("drop_before", {}),
    ("drop_after", {}),
    ("too_many", {"retry_after": 0}),
)


@dataclass
class Tally:
    """What became of the schedules.

    Attributes:
        counts: How many, by the trouble's name and the outcome.
        wrong: What must not be, in words; empty if all is well.
    """

    counts: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    wrong: list[str] = field(default_factory=list[str])

    def outcomes(self) -> Counter[str]:
        """How many schedules ended in each way."""
        totals = Counter[str]()
        for (_, outcome), count in self.counts.items():
            totals[outcome] += count
        return totals


class _Schedule:
    """One punch and what it meets, drawn from a seed."""

    def __init__(self, number: int, seed: int, *, keeps_ids: bool) -> None:
        random = Random(f"{seed} {number}")
        self.number = number
        self.keeps_ids = keeps_ids
        self.trouble = random.choices(_TROUBLES, [each.weight for each in _TROUBLES])[0]
        self.rival = random.choice(("none", "before", "between"))
        self.broken = random.choice(_LOOKUPS) if random.random() < 0.3 else None
        self.broken_for = random.choice((1, None))
        self.type = random.choice(("clock_in", "clock_out", "start_break"))
        self.at = _NOW + timedelta(minutes=number % _BATCH)
        self.chosen = str(uuid.UUID(int=random.getrandbits(128))) if random.random() < 0.2 else None

    def __str__(self) -> str:
        ids = "kept" if self.keeps_ids else "replaced"
        return f"schedule {self.number} ({self.trouble.name}, ids {ids}, rival {self.rival})"


class _Run:
    """A schedule on its way through a sandbox."""

    def __init__(self, box: Sandbox, schedule: _Schedule, person: str) -> None:
        self.box = box
        self.schedule = schedule
        self.person = person
        self.rivals: set[str] = set()
        self.posts = 0
        self.lookups = 0

    def add_rival(self) -> None:
        """Let somebody else's telephone make the same punch in the same second."""
        names = {"clock_in": "In", "clock_out": "Out", "start_break": "StartBreak"}
        row = dict(self.box.dataset.rows("TimeEntries")[0])
        at = f"{self.schedule.at:%Y-%m-%dT%H:%M:%SZ}"
        row.update(
            id=str(uuid.uuid4()),
            personId=self.person,
            type=names[self.schedule.type],
            status="Active",
            time=at,
            createdAt=at,
            platform={"deviceName": "telephone", "eventId": str(uuid.uuid4())},
        )
        self.rivals.add(row["id"])
        self.box.dataset.add("TimeEntries", row)

    def script(self, received: Any) -> Fault | None:
        """The trouble that a request meets."""
        if "/TimeEntries" not in received.path:
            return None
        trouble = self.schedule.trouble
        if received.method == "POST":
            self.posts += 1
            if trouble.kind == "none" or self.posts > 1:
                return None
            return Fault(trouble.kind, **trouble.params)
        self.lookups += 1
        if self.schedule.rival == "between" and not self.rivals:
            self.add_rival()
        broken = self.schedule.broken
        if broken is None or (self.schedule.broken_for is not None and self.lookups > 1):
            return None
        return Fault(broken[0], **broken[1])

    async def outcome(self, jibble: JibbleClient) -> tuple[str, str | None, bool]:
        """How it ended, with which entry, and whether an error says that it may be done."""
        if self.schedule.rival == "before":
            self.add_rival()
        self.box.faults.script = self.script
        if self.schedule.trouble.kind == "stall":
            jibble = jibble.with_options(timeout=Timeouts(attempt=0.05))
        punch = getattr(jibble.time_entries, self.schedule.type)
        try:
            entry = await punch(self.person, at=self.schedule.at, id=self.schedule.chosen)
        except AmbiguousWriteError as error:
            return "unknown", None, error.maybe_processed
        except JibbleError as error:
            return "refused", None, error.maybe_processed
        finally:
            self.box.faults.clear()
        return "done", entry.id, False

    def wrong(self, outcome: str, entry_id: str | None, doubt: bool, made: list[str]) -> str | None:
        """What must not be, in words."""
        trouble = self.schedule.trouble
        if len(made) > 1:
            return "made twice"
        if entry_id in self.rivals:
            return "took somebody else's entry for its own"
        if outcome == "done" and made != [entry_id]:
            return "is said to be done, and is not"
        if outcome == "refused" and (doubt or made):
            return "is said to be refused, and may be done"
        if outcome == "unknown" and not trouble.doubt:
            return "is said to be unknown without reason"
        if trouble.doubt and not trouble.committed and outcome != "unknown":
            return "was lost before it was done, which nobody can know"
        sound = self.schedule.broken is None and trouble.kind != "stall"
        if sound and trouble.committed and outcome != "done":
            return "is there, and was not found"
        return None


async def run(schedules: int, seed: int) -> Tally:
    """What became of so many schedules.

    Args:
        schedules: How many.
        seed: Equal seeds give equal schedules.
    """
    tally = Tally()
    for start in range(0, schedules, _BATCH):
        numbers = range(start, min(start + _BATCH, schedules))
        await _batch(tally, numbers, seed, keeps_ids=start // _BATCH % 2 == 0)
    return tally


async def _batch(tally: Tally, numbers: range, seed: int, *, keeps_ids: bool) -> None:
    day = date(2026, 7, 10)
    now = _NOW
    async with Sandbox(
        people=3,
        since=day,
        until=day,
        rules=Rules(keeps_client_ids=keeps_ids, alternation=False),
        clock=lambda: now,
    ) as box:
        config = ClientConfig(
            endpoints=endpoints_from(box.environment()),
            retry=RetryPolicy(attempts=2, throttled_attempts=3, base_delay=0),
        )
        person = box.dataset.rows("People")[1]["id"]
        async with JibbleClient(
            box.client_id, box.client_secret, config=config, limiter=Unlimited()
        ) as jibble:
            for number in numbers:
                schedule = _Schedule(number, seed, keeps_ids=keeps_ids)
                now = schedule.at
                mark = len(box.ledger.committed)
                one = _Run(box, schedule, person)
                outcome, entry_id, doubt = await one.outcome(jibble)
                tally.counts[schedule.trouble.name, outcome] += 1
                # A stalled request was let go: it may commit now, as a slow server does.
                for _ in range(5):
                    await asyncio.sleep(0)
                made = [each.id for each in box.ledger.committed[mark:]]
                complaint = one.wrong(outcome, entry_id, doubt, made)
                if complaint is not None:
                    tally.wrong.append(f"{schedule} {complaint}")


def show(tally: Tally) -> None:
    """Print the counts."""
    rows = [
        (trouble.name, *(str(tally.counts[trouble.name, each]) for each in _OUTCOMES))
        for trouble in _TROUBLES
    ]
    totals = tally.outcomes()
    rows.append(("all", *(str(totals[each]) for each in _OUTCOMES)))
    table("Punches by what they met", ("trouble", *_OUTCOMES), rows)
    print(f"\nwrong: {len(tally.wrong)}")
    for line in tally.wrong:
        print(f"- {line}")


def show_trouble(found: trouble.Found) -> None:
    """Print what became of writes in trouble."""
    said = ("done", "not done", "unknown", "cancelled")
    rows = [
        [
            each,
            "no" if each in trouble.NEVER_LEFT else "yes",
            *(str(found.counts[each, what]) for what in said),
        ]
        for each in trouble.TROUBLES
    ]
    totals = [sum(found.counts[each, what] for each in trouble.TROUBLES) for what in said]
    rows.append(["all", "", *map(str, totals)])
    title = f"{sum(totals)} writes into {len(trouble.TROUBLES)} kinds of trouble"
    table(title, ("trouble", "left", *said), rows)
    never_left = sum(found.counts[each, "unknown"] for each in trouble.NEVER_LEFT)
    print(f"\nwrong: {len(found.wrong)}")
    print(f"of those that never left, called unknown: {never_left}")
    for line in found.wrong:
        print(f"- {line}")


def main() -> None:
    """Run as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schedules", type=int, default=1000)
    parser.add_argument("--writes", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    show(asyncio.run(run(arguments.schedules, arguments.seed)))
    show_trouble(asyncio.run(trouble.run(arguments.writes, arguments.seed)))


if __name__ == "__main__":
    main()
