"""A program that takes every step from the beginning, as one does that is started again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import TypeVar

from jibble_legacy.migration import Exit, Migration
from jibble_legacy.migration.checking.verify import VerifyReport
from jibble_legacy.migration.writing.lanes import SETTLE
from jibble_legacy.migration.writing.rollback import RollbackReport

from jibble_async.errors import JibbleError
from tests.migration.manager import decide
from tests.migration.world import World

Report = TypeVar("Report", VerifyReport, RollbackReport)

ZONE = "Europe/Berlin"


async def plan(migration: Migration, *, apart: bool = False, settle: float = SETTLE) -> str:
    """The hash of a plan in which nothing is asked any more."""
    made = await migration.plan(time_zone=ZONE, settle=settle)
    if decide(migration.folder, apart=apart):
        made = await migration.plan(time_zone=ZONE, settle=settle)
    return made.hash


async def move(
    migration: Migration,
    *,
    apart: bool = False,
    lanes: int = 8,
    settle: float = SETTLE,
    delta: bool = False,
    accept: Sequence[str] = (),
) -> VerifyReport:
    """Take every step up to the verification.

    Args:
        migration: Whose steps.
        apart: See `decide`.
        lanes: People who are written side by side.
        settle: Seconds after which a lost write may be sent again.
        delta: Whether what changed in the old account since is read, too.
        accept: What an entry may have otherwise.
    """
    await migration.extract()
    if delta:
        await migration.extract(delta=True)
    await plan(migration, apart=apart, settle=settle)
    await migration.probe(settle=settle)
    made = await plan(migration, apart=apart, settle=settle)
    for _ in range(20):
        done = await migration.apply(plan=made, go=True, lanes=lanes, settle=settle, accept=accept)
        if done.exit is not Exit.STOPPED:
            break
    return await migration.verify()


async def roll_back(migration: Migration) -> RollbackReport:
    """Archive all that was written."""
    for _ in range(20):
        done = await migration.rollback(go=True)
        if done.exit is not Exit.STOPPED:
            break
    return done


async def persist(
    world: World,
    random: Random,
    job: Callable[[Migration], Awaitable[Report]],
    *,
    kills: int = 0,
    within: int = 800,
) -> Report:
    """Start a program again until it comes to its end, and give what it gave.

    Args:
        world: The accounts.
        random: Draws when it is killed, and how long nobody notices.
        job: What it does.
        kills: How many lives are killed, if they take as many steps.
        within: The step at which a life is killed at the latest.
    """

    async def life(migration: Migration) -> Report | None:
        try:
            return await job(migration)
        except JibbleError:
            # An account that can't be asked, for good: somebody starts it again tomorrow.
            return None

    for place in range(60):
        kill_at = random.randint(1, within) if place < kills else None
        if place == 30:
            # Whatever can be mended by another try was.
            world.box.faults.script = None
        report = await world.live(life, kill_at=kill_at)
        await asyncio.sleep(random.uniform(0.5, 4000))
        if report is not None and report.exit is not Exit.STOPPED:
            return report
    raise AssertionError("sixty lives were not enough")
