"""Apply, killed at every step of a small world: nothing doubled, nothing lost."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from jibble_legacy.migration.states import Exit

from jibble_async.sandbox import Sandbox
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
from tests.migration.test_apply import going
from tests.support import virtual_time

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
