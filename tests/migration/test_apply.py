"""Apply over a sandbox: what is planned arrives once, and a second run writes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from jibble_legacy.migration.apply import ApplyReport, apply
from jibble_legacy.migration.ledger import Ledger
from jibble_legacy.migration.states import Exit

from jibble_async import JibbleClient
from tests.migration.small_world import (
    HASH,
    Seen,
    in_order,
    live,
    people_made,
    planted,
    sandbox,
    seen,
    writes_sent,
)
from tests.support import virtual_time


async def going(ledger: Ledger, client: JibbleClient) -> ApplyReport:
    return await apply(ledger, client, plan=HASH[:12], go=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "small.jbmg"


def test_a_small_world_arrives_and_a_second_run_writes_nothing(path: Path) -> None:
    async def main() -> None:
        box = sandbox(seats=7)
        await planted(path, box)
        life = await live(path, box, going)
        assert life.error is None
        report = life.report
        assert (report.written, report.people, report.projects, report.removed) == (20, 4, 1, 2)
        assert (report.exit, report.left, report.found) == (Exit.CLEAN, 0, 0)
        assert seen(path, box) == Seen()
        assert people_made(box) == ["L-p2", "L-p3", "L-p4", "L-p5"]
        assert in_order(box)
        status = {row["code"]: row["status"] for row in box.dataset.rows("People")}
        assert [status[f"L-p{n}"] for n in range(2, 6)] == ["NotInvited"] * 2 + ["Removed"] * 2
        sent = writes_sent(box)
        again = await live(path, box, going)
        assert again.report.written == 0
        assert again.report.exit is Exit.CLEAN
        assert writes_sent(box) == sent

    virtual_time.run(main())
