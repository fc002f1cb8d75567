"""Writes of which apply does not know whether they arrived."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.marks import entry_key
from jibble_legacy.migration.states import Exit
from jibble_legacy.migration.writing.apply import ApplyReport, apply
from jibble_legacy.migration.writing.resolve import SEND_AGAIN
from jibble_legacy.migration.writing.writes import space_of

from jibble_async import JibbleClient
from jibble_async.sandbox.faults import Fault
from tests.migration.applying import change, going, states, with_arguments
from tests.migration.small_world import (
    HASH,
    OLDEST,
    Seen,
    live,
    planted,
    sandbox,
    seen,
    writes_sent,
)
from tests.support import virtual_time


def test_an_interruption_awaits_what_is_on_the_wire(path: Path) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box)

        async def interrupted(ledger: Ledger, client: JibbleClient) -> None:
            task = asyncio.ensure_future(going(ledger, client))
            # The fourth second entry is on the wire then.
            while len(box.dataset.rows("TimeEntries")) < 9:  # noqa: ASYNC110 - no event tells it
                await asyncio.sleep(0.01)
            task.cancel()
            began = asyncio.get_running_loop().time()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert 0 < asyncio.get_running_loop().time() - began < 1

        await live(path, box, interrupted)
        assert not states(path).keys() & {"sent", "doubtful"}
        assert states(path)["confirmed"] == len(box.dataset.rows("TimeEntries"))
        assert (await live(path, box, going)).report.exit is Exit.CLEAN
        assert seen(path, box) == Seen()

    virtual_time.run(main())


@pytest.mark.parametrize("path_of", ["People", "Projects"])
def test_an_interruption_awaits_what_is_being_made(path: Path, path_of: str) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box)

        async def interrupted(ledger: Ledger, client: JibbleClient) -> None:
            task = asyncio.ensure_future(going(ledger, client))
            while not box.ledger.count(method="POST", path=path_of):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        await live(path, box, interrupted)
        ledger = Ledger.look(path)
        made = ledger.read("SELECT state FROM thing WHERE target IS NOT NULL AND n > 1")
        assert made == [("confirmed",)] * (2 if path_of == "People" else 1)
        assert not box.dataset.rows("TimeEntries")
        assert (await live(path, box, going)).report.exit is Exit.CLEAN

    virtual_time.run(main())


def test_who_waits_for_a_doubt_holds_up_nobody(path: Path) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box)
        box.faults.add(Fault("commit_later", None, "POST", "TimeEntries", times=3, after=500))
        await live(path, box, going, end_at=60)
        assert states(path)["doubtful"] + states(path).get("sent", 0) >= 2

        async def with_one_lane(ledger: Ledger, client: JibbleClient) -> ApplyReport:
            task = asyncio.ensure_future(apply(ledger, client, plan=HASH, go=True, lanes=1))
            await asyncio.sleep(60)
            assert len({row["personId"] for row in box.dataset.rows("TimeEntries")}) >= 2
            return await task

        life = await live(path, box, with_one_lane)
        assert life.error is None, life.error
        assert life.report.exit is Exit.CLEAN
        box.hosts.catch_up(whole=True)
        assert seen(path, box) == Seen()

    virtual_time.run(main())


def test_what_is_never_answered_is_given_up_and_looked_up_later(path: Path) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box)

        async def interrupted(ledger: Ledger, client: JibbleClient) -> None:
            box.faults.add(Fault("commit_later", None, "POST", "TimeEntries", times=3, after=60))
            task = asyncio.ensure_future(going(ledger, client))
            while not states(path).get("doubtful"):  # noqa: ASYNC110 - no event tells it
                await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        await live(path, box, interrupted)
        assert states(path)["doubtful"] == 3
        report = (await live(path, box, going)).report
        assert (report.found, report.exit) == (3, Exit.CLEAN)
        assert seen(path, box) == Seen()

    virtual_time.run(main())


@pytest.mark.parametrize("rules", [{}, {"keeps_client_ids": False, "keeps_platform": False}])
def test_what_the_ledger_forgot_is_found_before_anything_is_sent(
    path: Path, rules: dict[str, Any]
) -> None:
    async def main() -> None:
        box = sandbox(**rules)
        await planted(path, box)
        old = path.with_name("old.jbmg")
        shutil.copy(path, old)
        await live(path, box, with_arguments(only=["p1", "p2", "p3"]))
        sent = writes_sent(box)
        report = (await live(old, box, with_arguments(only=["p1", "p2", "p3"]))).report
        assert (report.found, report.written) == (12, 0)
        assert writes_sent(box) == sent
        assert seen(old, box).doubled == []

    virtual_time.run(main())


@pytest.mark.parametrize("status", ["Active", "Archived"])
def test_an_id_that_somebody_else_has_stops_only_its_lane(path: Path, status: str) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box)
        key = entry_key(space_of(Ledger.look(path)), 0, "e1")
        await live(path, box, with_arguments(only=["p3"]))
        row = dict(box.dataset.rows("TimeEntries")[0]) | {"id": key, "status": status}
        box.dataset.add("TimeEntries", row | {"time": "2018-05-05T05:05:05Z"})
        report = (await live(path, box, going)).report
        assert (report.unknown, report.left, report.exit) == (1, 3, Exit.LEFT)
        ledger = Ledger.look(path)
        assert key in ledger.value("SELECT reason FROM write WHERE state = 'unknown'")
        assert report.written == 12
        # And a later run does not ask again.
        sent = writes_sent(box)
        assert (await live(path, box, going)).report.unknown == 1
        assert writes_sent(box) == sent

    virtual_time.run(main())


def test_a_conflict_with_nothing_is_a_refusal(path: Path) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box, people=1)
        box.faults.add(Fault("status", None, "POST", "TimeEntries", status=409))
        report = (await live(path, box, going)).report
        assert (report.refused, report.written, report.exit) == (1, 3, Exit.LEFT)
        assert box.ledger.count(method="POST", path="TimeEntries") == 4

    virtual_time.run(main())


def test_the_look_up_before_the_first_write_may_be_unclear(path: Path) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box, people=2)
        key = entry_key(space_of(Ledger.look(path)), 0, "e1")
        await live(path, box, with_arguments(only=["p2"]))
        there = box.dataset.rows("People")[1]["id"]
        row = dict(box.dataset.rows("TimeEntries")[0]) | {"id": key, "type": "Out"}
        moment = "2017-03-01T08:00:00.001Z"
        box.dataset.add("TimeEntries", row | {"personId": there, "time": moment})
        report = (await live(path, box, going)).report
        assert (report.unknown, report.written, report.left) == (1, 0, 3)

    virtual_time.run(main())


def test_what_answers_for_another_is_no_twin(path: Path) -> None:
    async def main() -> None:
        box = sandbox(keeps_client_ids=False, keeps_platform=False)
        await planted(path, box, people=1, entries=2)
        change(path, f"UPDATE write SET ms = {OLDEST}, type = 'In'")
        box.faults.add(Fault("drop_before", None, "POST", "TimeEntries", nth=2))
        report = (await live(path, box, going)).report
        assert (report.written, report.found, report.unknown) == (2, 0, 0)
        assert len(box.dataset.rows("TimeEntries")) == 2

    virtual_time.run(main())


def test_what_was_turned_away_was_not_sent(path: Path) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box)
        box.faults.add(Fault("unauthorized", None, "POST", "TimeEntries", times=None))
        await live(path, box, going)
        ledger = Ledger.look(path)
        assert ledger.read("SELECT DISTINCT state, attempts FROM write") == [("planned", 0)]

    virtual_time.run(main())


def test_what_was_on_the_wire_is_in_doubt_for_the_next_run_of_the_program(path: Path) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box)

        async def twice(ledger: Ledger, client: JibbleClient) -> ApplyReport:
            task = asyncio.ensure_future(going(ledger, client))
            while len(box.dataset.rows("TimeEntries")) < 9:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
            for _ in range(2):
                task.cancel()
                await asyncio.sleep(0)
            with pytest.raises(asyncio.CancelledError):
                await task
            assert ledger.value("SELECT count(*) FROM write WHERE state = 'sent'") > 0
            return await going(ledger, client)

        life = await live(path, box, twice)
        assert life.error is None, life.error
        assert life.report.exit is Exit.CLEAN
        assert seen(path, box) == Seen()

    virtual_time.run(main())


def test_an_answer_that_answers_for_another_is_nobodys(path: Path) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box)
        key = entry_key(space_of(Ledger.look(path)), 0, "e1")
        change(path, f"UPDATE write SET state = 'confirmed', target = '{key}' WHERE entry = 6")
        report = (await live(path, box, going)).report
        assert (report.unknown, report.left) == (1, 3)

    virtual_time.run(main())


def test_what_never_shows_itself_is_for_a_person_to_say(path: Path) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box, people=1)
        box.faults.add(Fault("drop_before", None, "POST", "TimeEntries", times=None))
        report = (await live(path, box, going)).report
        assert (report.unknown, report.written) == (1, 0)
        assert box.ledger.count(method="POST", path="TimeEntries") == 5

    virtual_time.run(main())


def test_what_is_decided_to_be_sent_again_is_not_looked_up_first(path: Path) -> None:
    async def main() -> None:
        box = sandbox(keeps_client_ids=False, keeps_platform=False, alternation=False)
        await planted(path, box, people=1)
        await live(path, box, with_arguments(only=["p1"]))
        statement = "UPDATE write SET state = 'planned', target = NULL, reason = ?, attempts = 1"
        connection = sqlite3.connect(path)
        connection.execute(f"{statement} WHERE entry = 4", (SEND_AGAIN,))
        connection.commit()
        connection.close()
        report = (await live(path, box, going)).report
        assert (report.found, report.written) == (0, 1)

    virtual_time.run(main())
