"""A walk and a punch, ended at every step on the wire; the sandbox's ledger is the oracle."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date

import pytest

from jibble_async import AmbiguousWriteError, JibbleClient, JibbleError, TimeEntry
from jibble_async.sandbox import Sandbox
from tests.support import virtual_time
from tests.support.chaos import seeds
from tests.support.memory_wire import Ending, KilledError, MemoryWire, clock_from

DAY = date(2026, 7, 10)
PUNCH = "POST /v1/TimeEntries"


@dataclass
class Life:
    """What a program had seen when it ended."""

    rows: list[str] = field(default_factory=list)
    punched: TimeEntry | None = None
    error: BaseException | None = None


def sandbox() -> Sandbox:
    return Sandbox(people=6, since=DAY, until=DAY, clock=clock_from())


async def work(jibble: JibbleClient, person: str, life: Life) -> None:
    async for entry in jibble.time_entries.list(page_size=9):
        life.rows.append(entry.id)
    life.punched = await jibble.time_entries.clock_in(person)


async def live(box: Sandbox, wire: MemoryWire, work: Callable[..., Awaitable[None]]) -> Life:
    life = Life()
    with pytest.MonkeyPatch.context() as patch:
        async with wire.client(patch) as jibble:
            try:
                await work(jibble, box.dataset.rows("People")[1]["id"], life)
            except (JibbleError, KilledError, asyncio.CancelledError) as error:
                life.error = error
    return life


def one_life(end_at: int | None, ending: Ending) -> tuple[Life, list[str], Sandbox]:
    async def main() -> tuple[Life, list[str], Sandbox]:
        box = sandbox()
        wire = MemoryWire(box, end_at=end_at, ending=ending)
        return await live(box, wire, work), wire.steps, box

    return virtual_time.run(main())


UNDISTURBED, STEPS, _ = one_life(None, "killed")


def truth(box: Sandbox) -> list[str]:
    new = {each.id for each in box.ledger.committed}
    return [row["id"] for row in box.ledger.rows("TimeEntries") if row["id"] not in new]


def test_a_life_without_trouble() -> None:
    assert len(STEPS) >= 15
    assert [step.split()[0] for step in STEPS] == ["arrives", "committed", "read"] * (
        len(STEPS) // 3
    )
    assert UNDISTURBED.error is None
    assert UNDISTURBED.punched is not None


@pytest.mark.parametrize("ending", ["killed", "cancelled", "silent"])
@pytest.mark.parametrize("end_at", range(1, len(STEPS) + 1))
def test_what_was_seen_is_true_wherever_it_ends(end_at: int, ending: Ending) -> None:
    life, _, box = one_life(end_at, ending)
    made = [each.id for each in box.ledger.committed]
    rows = truth(box)
    assert len(life.rows) == len(set(life.rows))
    assert set(life.rows) <= set(rows)
    done = STEPS[end_at - 1]
    at_punch = PUNCH in done
    if ending == "silent":
        # A read is asked again. A punch isn't: it is found if it was made, and else in doubt.
        assert sorted(life.rows) == sorted(rows)
        if at_punch and done.startswith("arrives"):
            assert made == []
            assert isinstance(life.error, AmbiguousWriteError)
        else:
            assert life.punched is not None
            assert made == [life.punched.id]
        return
    assert isinstance(life.error, KilledError | asyncio.CancelledError)
    assert life.punched is None
    assert len(made) == (at_punch and not done.startswith("arrives"))


@seeds(8)
def test_after_many_lives_that_ended_one_more_sees_every_row(seed: int) -> None:
    dice = random.Random(seed)

    async def main() -> None:
        box = sandbox()
        for _ in range(dice.randint(1, 4)):
            before = len(box.ledger.committed)
            end_at = dice.randint(1, len(STEPS))
            wire = MemoryWire(box, end_at=end_at, ending=dice.choice(["killed", "silent"]))
            await live(box, wire, work)
            assert len(box.ledger.committed) <= before + 1
        left = len(box.ledger.committed)
        life = await live(box, MemoryWire(box), work)
        assert life.error is None
        made = [each.id for each in box.ledger.committed]
        assert len(made) == left + 1
        assert sorted(life.rows) == sorted([*truth(box), *made[:left]])

    virtual_time.run(main())
