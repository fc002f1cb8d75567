"""Programs that die at every step, and accounts that lose answers, commit late or forget marks."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest
from jibble_legacy.migration import Exit, Migration

from jibble_async.sandbox import Rules
from tests.migration.invariants import assert_whole
from tests.migration.program import move, persist, plan, roll_back
from tests.migration.world import World
from tests.support.chaos import TIMES, seeds
from tests.support.virtual_time import run

SERVERS = list(product([True, False], [True, False]))
_ID = re.compile(r"[/(](?=[^/(]*\d)[0-9A-Za-z-]{10,}\)?$")
SMALL: dict[str, Any] = {"people": 9, "entries": 60 if TIMES > 1 else 30}


def rules(server: tuple[bool, bool], **more: Any) -> Rules:
    keeps_id, keeps_mark = server
    return Rules(keeps_client_ids=keeps_id, keeps_platform=keeps_mark, **more)


async def again(world: World, *, apart: bool = False, **options: Any) -> None:
    """A second apply writes nothing."""

    async def life(migration: Migration) -> None:
        made = await plan(migration, apart=apart)
        before = world.writes()
        await migration.apply(plan=made, go=True, **options)
        assert world.writes() == before

    await world.live(life)


@pytest.fixture
def world_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., World]:
    def make(name: str = "world", **options: Any) -> World:
        return World(tmp_path / name, monkeypatch, **{**SMALL, **options})

    return make


def test_a_migration_that_nothing_disturbs(world_of: Callable[..., World]) -> None:
    async def main() -> None:
        world = world_of()
        report = await world.live(move)
        assert report is not None
        assert report.exit is Exit.CLEAN
        assert_whole(world)
        await again(world)
        assert_whole(world)

    run(main())


def chosen(steps: list[str], server: tuple[bool, bool]) -> list[int]:
    """The steps at which a program is killed, from 1: all of them in `make chaos`.

    In `make test` it is one of each name; those at which the answer of a write is lost for two of
    the servers, and of the others some for each.
    """
    if TIMES > 1:
        return list(range(1, len(steps) + 1))
    places: dict[str, list[int]] = {}
    for place, step in enumerate(steps, 1):
        places.setdefault(_ID.sub("/ID", step), []).append(place)
    writes = ("committed POST /v1", "committed PATCH /v1")
    lost = [name for name in places if name.startswith(writes)]
    number = SERVERS.index(server)
    others = [name for name in places if name not in lost][number::20]
    chosen = (*lost[number % 2 :: 2], *others)
    return sorted(places[name][len(places[name]) // 2] for name in chosen)


@pytest.mark.chaos
@pytest.mark.parametrize("server", SERVERS, ids=["both", "id", "mark", "neither"])
def test_a_program_that_is_killed_at_any_step(
    world_of: Callable[..., World], server: tuple[bool, bool]
) -> None:
    async def steps() -> list[str]:
        world = world_of("whole", rules=rules(server))
        await world.live(move)
        return world.steps

    async def main(kill_at: int) -> None:
        world = world_of(f"killed-{kill_at}", rules=rules(server))
        assert await world.live(move, kill_at=kill_at) is None
        report = await persist(world, Random(kill_at), move)
        assert report.exit is Exit.CLEAN, report
        assert_whole(world)

    names = run(steps())
    for kill_at in chosen(names, server):
        try:
            run(main(kill_at))
        except BaseException as error:
            error.add_note(f"killed at step {kill_at} of {len(names)}: {names[kill_at - 1]}")
            raise


@seeds(50, few=2)
def test_programs_that_are_killed_while_much_goes_wrong(
    world_of: Callable[..., World], seed: int
) -> None:
    random = Random(f"migration {seed}")
    keeps_days = random.random() < 0.8
    more = {
        "keeps_days": keeps_days,
        "alternation": random.random() < 0.7,
        "unique_emails": random.random() < 0.3,
        "removed_punch": random.random() < 0.8,
    }
    options = {
        "apart": random.random() < 0.5,
        "lanes": random.choice([1, 2, 8]),
        "accept": () if keeps_days else ("belongsToDate", "offset"),
    }

    async def main() -> None:
        world = world_of(
            rules=rules(SERVERS[seed % len(SERVERS)], **more),
            people=random.choice([6, 9, 14, 20]),
            entries=random.choice([40, 90, 150]),
            seed=random.randint(1, 50),
            latency=random.choice([0.01, 0.2, 0.5]),
            limit=random.choice([20, 150]),
        )
        if random.random() < 0.3:
            await world.work(random)
        world.trouble(random, random.choice([0.0, 0.02, 0.1]))
        await persist(world, random, partial(move, **options), kills=random.randint(0, 5))
        for chapter in random.sample(["rollback", "edits", "work", "nothing"], 2):
            if chapter == "rollback":
                await persist(world, random, roll_back, kills=random.randint(0, 2), within=300)
            elif chapter == "edits":
                world.edit(random, random.randint(1, 9))
            elif chapter == "work":
                await world.work(random)
            follow = partial(move, delta=True, **options)
            await persist(world, random, follow, kills=random.randint(0, 2))
        world.box.faults.clear()
        world.box.hosts.catch_up(whole=True)
        report = await world.live(partial(move, **options))
        assert report is not None
        assert report.colour != "red", report.reasons
        assert_whole(world)
        await again(world, **options)
        assert_whole(world)

    run(main())
