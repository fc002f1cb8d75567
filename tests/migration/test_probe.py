"""The probe over a sandbox: what it finds, and that nothing of it stays, wherever it is killed."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.states import Exit
from jibble_legacy.migration.writing.probe import ProbeReport, probe
from jibble_legacy.migration.writing.probed import Probed

from jibble_async import JibbleClient
from jibble_async.sandbox import Sandbox
from jibble_async.sandbox.faults import Fault
from tests.migration.small_world import ends, live, planted, rest, sandbox
from tests.support import virtual_time


async def probing(ledger: Ledger, client: JibbleClient) -> ProbeReport:
    return await probe(ledger, client, again=not ledger.get("probed here"))


async def asked(ledger: Ledger, client: JibbleClient) -> ProbeReport:
    return await probe(ledger, client)


def left(box: Sandbox) -> list[dict[str, Any]]:
    return [row for row in box.dataset.rows("TimeEntries") if row["status"] == "Active"]


def verdict_of(path: Path, **rules: Any) -> tuple[ProbeReport, Sandbox]:
    async def main() -> tuple[ProbeReport, Sandbox]:
        box = sandbox(**rules)
        await planted(path, box)
        life = await live(path, box, probing)
        assert life.error is None
        assert left(box) == []
        return life.report, box

    return virtual_time.run(main())


FULL = Probed(
    lone_out="taken", out_after_out="refused", of_removed="not tried", role="Owner", earliest=None
)


def test_a_server_that_keeps_everything(path: Path) -> None:
    report, box = verdict_of(path)
    assert report.verdict == FULL
    assert report.exit is Exit.CLEAN
    assert not report.standing
    assert report.exchanges > 5
    noted = [row["note"] for row in box.dataset.rows("TimeEntries")]
    assert all(len(each) == 500 and "☕" in each for each in noted)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"keeps_client_ids": False}, {"keeps_id": False, "repeat": "second"}),
        ({"keeps_platform": False}, {"keeps_mark": False}),
        (
            {"keeps_client_ids": False, "keeps_platform": False},
            {"keeps_id": False, "keeps_mark": False, "repeat": "second", "by_twin": True},
        ),
        ({"alternation": False}, {"out_after_out": "taken"}),
        ({"keeps_time": "seconds"}, {"resolution_ms": 1000, "stop": None}),
        ({"keeps_days": False}, {"known_differences": ("belongsToDate", "offset")}),
    ],
)
def test_what_a_server_does_not_keep(
    path: Path, rules: dict[str, Any], expected: dict[str, Any]
) -> None:
    report, _ = verdict_of(path, **rules)
    assert {name: getattr(report.verdict, name) for name in expected} == expected


def test_a_server_that_takes_no_moment_stops_it(path: Path) -> None:
    report, _ = verdict_of(path, keeps_time="nothing")
    assert "moment" in str(report.verdict.stop)
    assert report.exit is Exit.STOPPED


def test_a_server_that_refuses_old_days_stops_it(path: Path) -> None:
    report, _ = verdict_of(path, refused_before=date(2020, 1, 1))
    assert "2017-03-01 08:00 UTC" in str(report.verdict.stop)
    assert "cannot be before 2020-01-01" in str(report.verdict.stop)


def test_it_is_asked_once(path: Path) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box)
        first = (await live(path, box, probing)).report
        sent = len(box.ledger.requests)
        second = (await live(path, box, asked)).report
        assert second.standing
        assert second.verdict == first.verdict
        assert len(box.ledger.requests) == sent

    virtual_time.run(main())


def test_a_stop_is_asked_again(path: Path) -> None:
    async def main() -> None:
        box = sandbox(refused_before=date(2020, 1, 1))
        await planted(path, box)
        assert (await live(path, box, probing)).report.exit is Exit.STOPPED
        box.rules.refused_before = None
        report = (await live(path, box, asked)).report
        assert (report.standing, report.verdict) == (False, FULL)

    virtual_time.run(main())


def test_what_was_there_before_is_left_alone(path: Path) -> None:
    async def main() -> None:
        box = sandbox(**SERVERS["neither"])
        await planted(path, box)
        await live(path, box, probing)
        row = dict(box.dataset.rows("TimeEntries")[0]) | {"id": "before", "status": "Active"}
        row |= {"time": "2017-03-01T08:00:01.500Z", "type": "In", "note": None}
        box.dataset.add("TimeEntries", row)
        await live(path, box, probing)
        assert [each["id"] for each in left(box)] == ["before"]

    virtual_time.run(main())


def steps() -> int:
    async def main(path: Path) -> int:
        box = sandbox()
        await planted(path, box)
        return len((await live(path, box, probing)).steps)

    with tempfile.TemporaryDirectory() as folder:
        return virtual_time.run(main(Path(folder) / "steps.jbmg"))


SERVERS: dict[str, dict[str, Any]] = {
    "both": {},
    "neither": {"keeps_client_ids": False, "keeps_platform": False},
}


@pytest.mark.chaos
@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("end_at", ends(steps()))
def test_killed_anywhere_nothing_of_it_stays(path: Path, server: str, end_at: int) -> None:
    async def main() -> None:
        box = sandbox(**SERVERS[server])
        await planted(path, box)
        await live(path, box, probing, end_at=end_at)
        await rest(1.0)
        life = await live(path, box, probing)
        assert life.error is None
        told = life.report.verdict
        assert told.stop is None
        # What the one before left was away before this one began: it would answer otherwise.
        assert (told.lone_out, told.out_after_out) == ("taken", "refused")
        assert left(box) == []

    virtual_time.run(main())


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "commit_later"])
@pytest.mark.parametrize("nth", range(1, 6))
def test_lost_answers_leave_nothing(path: Path, kind: str, nth: int, server: str) -> None:
    async def main() -> None:
        box = sandbox(**SERVERS[server])
        await planted(path, box)
        more = {"after": 120} if kind == "commit_later" else {}
        box.faults.add(Fault(kind, "time-tracking", "POST", "TimeEntries", nth=nth, **more))
        life = await live(path, box, probing)
        assert life.error is None
        box.hosts.catch_up(whole=True)
        assert left(box) == []
        assert life.report.verdict.stop is None

    virtual_time.run(main())
