"""Apply, killed at every step of a small world: nothing doubled, nothing lost."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jibble_legacy.migration.states import Exit

from jibble_async.sandbox import Sandbox
from jibble_async.sandbox.faults import Fault
from jibble_async.sandbox.ledger import Received
from tests.migration.applying import going
from tests.migration.small_world import (
    Seen,
    ends,
    in_order,
    live,
    people_made,
    planted,
    rest,
    sandbox,
    seen,
    writes_sent,
)
from tests.support import virtual_time
from tests.support.chaos import TIMES, seeds

SERVERS = {
    "both": {},
    "ids": {"keeps_platform": False},
    "marks": {"keeps_client_ids": False},
    "neither": {"keeps_client_ids": False, "keeps_platform": False},
}


async def finished(path: Path, box: Sandbox, people: int) -> None:
    """One more life ends it, and what is there then is what should be."""
    life = await live(path, box, going)
    assert life.error is None, life.error
    box.hosts.catch_up(whole=True)
    assert seen(path, box) == Seen()
    assert people_made(box) == [f"L-p{n}" for n in range(2, people + 1)]
    names = [row["description"] for row in box.dataset.rows("Projects")]
    assert names.count("legacy client c1") == 1
    assert in_order(box)
    assert life.report.exit is Exit.CLEAN
    sent = writes_sent(box)
    assert (await live(path, box, going)).report.exit is Exit.CLEAN
    assert writes_sent(box) == sent


def steps_of(people: int, entries: int) -> list[str]:
    async def main(path: Path) -> list[str]:
        box = sandbox()
        await planted(path, box, people=people, entries=entries)
        return (await live(path, box, going)).steps

    with tempfile.TemporaryDirectory() as folder:
        return virtual_time.run(main(Path(folder) / "steps.jbmg"))


PEOPLE, ENTRIES = 4, 3
STEPS = steps_of(PEOPLE, ENTRIES)


@pytest.mark.chaos
@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("end_at", ends(len(STEPS)))
def test_killed_anywhere_it_goes_on(tmp_path: Path, server: str, end_at: int) -> None:
    path = tmp_path / "small.jbmg"

    async def main() -> None:
        box = sandbox(**SERVERS[server])
        await planted(path, box, people=PEOPLE, entries=ENTRIES)
        life = await live(path, box, going, end_at=end_at)
        assert life.error is not None
        await rest((0.5, 90.0, 4000.0)[end_at % 3])
        await finished(path, box, PEOPLE)

    virtual_time.run(main())


FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("drop_before", {}),
    ("drop_after", {}),
    ("reset_after", {}),
    ("truncate", {}),
    ("status", {"status": 500}),
    ("status", {"status": 502, "committed": True}),
    ("too_many", {}),
    ("empty_403", {}),
    ("unauthorized", {}),
    ("commit_later", {"after": 20}),
    ("commit_later", {"after": 300}),
    ("commit_later", {"after": 599}),
)


def troubles() -> Iterator[tuple[int, str, str]]:
    """A fault, what it befalls, and the server; in `make test` each fault befalls two."""
    written = [
        *(("TimeEntries", server) for server in SERVERS),
        ("People", "both"),
        ("Projects", "both"),
    ]
    for fault in range(len(FAULTS)):
        for place, (path_of, server) in enumerate(written):
            if TIMES > 1 or (place - fault) % 3 == 0:
                yield fault, path_of, server


@pytest.mark.chaos
@pytest.mark.parametrize(("fault", "path_of", "server"), [*troubles()])
def test_one_trouble_of_a_write_is_survived_within_the_run(
    tmp_path: Path, server: str, fault: int, path_of: str
) -> None:
    path, (kind, more) = tmp_path / "small.jbmg", FAULTS[fault]

    async def main() -> None:
        box = sandbox(**SERVERS[server])
        await planted(path, box, people=PEOPLE, entries=ENTRIES)
        nth = 1 if path_of == "Projects" else 2
        box.faults.add(Fault(kind, None, "POST", path_of, nth=nth, **more))
        await finished(path, box, PEOPLE)

    virtual_time.run(main())


@seeds(40)
def test_many_troubles_and_kills(tmp_path: Path, seed: int) -> None:
    path, dice = tmp_path / "small.jbmg", random.Random(seed)
    troubles = [Fault(kind, None, None, None, times=None, **more) for kind, more in FAULTS]

    def script(received: Received) -> Fault | None:
        if received.service == "identity" or dice.random() > 0.15:
            return None
        fault = dice.choice(troubles)
        # What is read can't be committed later.
        return None if fault.kind == "commit_later" and received.method != "POST" else fault

    async def main() -> None:
        box = sandbox(**SERVERS[dice.choice(list(SERVERS))], seats=dice.choice([None, 7]))
        await planted(path, box, people=5, entries=dice.randint(1, 6))
        for _ in range(dice.randint(1, 5)):
            box.faults.script = script
            await live(path, box, going, end_at=dice.randint(1, 200))
            await rest(dice.choice([0.5, 30.0, 700.0, 4000.0]))
        box.faults.clear()
        await finished(path, box, 5)

    virtual_time.run(main())
