"""Apply over a sandbox: what is planned arrives once, and a second run writes nothing."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.marks import entry_key
from jibble_legacy.migration.states import Exit
from jibble_legacy.migration.writing.apply import ApplyReport, apply
from jibble_legacy.migration.writing.probed import Probed
from jibble_legacy.migration.writing.resolve import SEND_AGAIN
from jibble_legacy.migration.writing.writes import SELECT, space_of

from jibble_async import ConfigurationError, JibbleClient, MigrationError
from jibble_async.sandbox import Sandbox
from jibble_async.sandbox.faults import Fault
from tests.migration.small_world import (
    HASH,
    HOUR,
    OLDEST,
    Life,
    Seen,
    in_order,
    insert,
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


def with_arguments(**given: Any) -> Callable[[Ledger, JibbleClient], Awaitable[ApplyReport]]:
    async def work(ledger: Ledger, client: JibbleClient) -> ApplyReport:
        usual: dict[str, Any] = {"plan": HASH, "go": True}
        return await apply(ledger, client, **usual | given)

    return work


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "small.jbmg"


def change(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def states(path: Path) -> dict[str, int]:
    ledger = Ledger.look(path)
    return dict(ledger.read("SELECT state, count(*) FROM write GROUP BY state"))


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
        project = next(
            row for row in box.dataset.rows("Projects") if row["description"] == "legacy client c1"
        )
        named = [row for row in box.dataset.rows("TimeEntries") if row["projectId"]]
        assert {row["projectId"] for row in named} == {project["id"]}
        assert len(named) == 5
        assert all(
            (row["isManual"], row["status"], row["offset"]) == (True, "Active", "PT2H")
            for row in box.dataset.rows("TimeEntries")
        )
        assert {row["platform"]["clientVersion"] for row in box.dataset.rows("TimeEntries")} == {
            "jibble-async migration"
        }
        sent = writes_sent(box)
        again = await live(path, box, going)
        assert again.report.written == 0
        assert again.report.exit is Exit.CLEAN
        assert writes_sent(box) == sent

    virtual_time.run(main())


def test_by_default_it_only_says_what_it_would_do(path: Path) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box)
        report = (await live(path, box, apply)).report
        assert (report.shown, report.to_write, report.to_create, report.left) == (True, 20, 5, 20)
        assert box.ledger.requests == []

    virtual_time.run(main())


@pytest.mark.parametrize(
    ("statement", "arguments", "error", "words"),
    [
        ("DELETE FROM plan", {}, ConfigurationError, "`plan` comes first"),
        ("", {"plan": None}, ConfigurationError, "say which plan is meant: plan='0123"),
        ("", {"plan": "0123"}, ConfigurationError, "not the latest"),
        ("", {"plan": "f" * 32}, ConfigurationError, "not the latest"),
        ("", {"lanes": 0}, ConfigurationError, "lanes from 1"),
        ("", {"settle": float("nan")}, ConfigurationError, "settle"),
        ("", {"only": ["nobody@example.com"]}, ConfigurationError, "no such person"),
        ("DELETE FROM meta WHERE key = 'probe'", {}, MigrationError, "`probe` comes first"),
        ("INSERT INTO meta VALUES ('rolling back', 'true')", {}, MigrationError, "rollback"),
        (
            """UPDATE meta SET value = '"c1"' WHERE key = 'chain'""",
            {},
            ConfigurationError,
            "more was extracted",
        ),
        (
            "UPDATE meta SET value = '1' WHERE key = 'generation'",
            {},
            ConfigurationError,
            "rolled back",
        ),
    ],
)
def test_what_can_not_be_applied(
    path: Path, statement: str, arguments: dict[str, Any], error: type[Exception], words: str
) -> None:
    async def main() -> Life:
        box = sandbox()
        await planted(path, box)
        change(path, statement)
        life = await live(path, box, with_arguments(**arguments))
        assert box.ledger.requests == []
        return life

    life = virtual_time.run(main())
    assert type(life.error) is error
    assert words in str(life.error)


@pytest.mark.parametrize(
    ("verdict", "accept", "words"),
    [
        (Probed(stop="no moment is kept"), ["time"], "no moment is kept"),
        (Probed(kept=("time", "note")), ["offset"], "belongsToDate"),
        (Probed(kept=("time", "note")), ["offset", "belongsToDate"], None),
    ],
)
def test_what_the_server_does_not_keep_has_to_be_accepted(
    path: Path, verdict: Probed, accept: list[str], words: str | None
) -> None:
    async def main() -> None:
        box = sandbox(keeps_days=words is not None)
        await planted(path, box, verdict=verdict)
        life = await live(path, box, with_arguments(accept=accept))
        if words is None:
            assert life.report.exit is Exit.CLEAN
        else:
            assert isinstance(life.error, MigrationError)
            assert words in str(life.error)
            assert writes_sent(box) == 0

    virtual_time.run(main())


@pytest.mark.parametrize("name", ["p2", "P2@Old.example ", "p1", "there"])
def test_some_people_first(path: Path, name: str) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box)
        there = box.dataset.rows("People")[1]["id"]
        only = [there.upper() if name == "there" else name]
        report = (await live(path, box, with_arguments(only=only))).report
        assert (report.to_write, report.written, report.exit) == (4, 4, Exit.CLEAN)
        assert len(people_made(box)) == (name.casefold() < "p3" and name != "p1")
        assert (await live(path, box, going)).report.written == 16
        assert seen(path, box) == Seen()

    virtual_time.run(main())


def stopped(
    path: Path, trouble: Callable[[Sandbox], object], entries: int = 4, **rules: Any
) -> tuple[Any, Sandbox]:
    async def main() -> tuple[Any, Sandbox]:
        box = sandbox(**rules)
        # Of what may be changed, the probe knew nothing.
        await planted(path, box, entries=entries, verdict=Probed())
        trouble(box)
        life = await live(path, box, going)
        assert life.error is None, life.error
        assert life.report.exit is Exit.STOPPED
        # Nothing is left on the wire, and nothing is lost.
        assert "sent" not in states(path)
        box.faults.clear()
        box.restricted.clear()
        box.rules.seats = box.rules.locked_until = None
        box.rules.keeps_days = True
        assert (await live(path, box, going)).report.left == 0
        return life.report, box

    return virtual_time.run(main())


def fault(kind: str, path: str = "TimeEntries", **more: Any) -> Callable[[Sandbox], object]:
    return lambda box: box.faults.add(Fault(kind, None, "POST", path, times=None, **more))


def test_it_stops_when_people_are_refused_one_after_the_other(path: Path) -> None:
    report, _ = stopped(path, lambda _: None, entries=1, locked_until=date(2020, 1, 1))
    assert report.stopped == "5 people in a row were refused for the same reason"
    assert "The pay period of this day is locked." in report.first_refusal
    assert report.refused >= 5
    ledger = Ledger.look(path)
    reasons = {row[0] for row in ledger.read("SELECT reason FROM write WHERE state = 'refused'")}
    assert {reason.partition(":")[0] for reason in reasons} == {"locked-period"}
    assert report.written == 0


def test_it_stops_when_there_is_no_seat(path: Path) -> None:
    report, _ = stopped(path, lambda _: None, seats=4)
    assert "402" in report.stopped
    assert "All 4 seats" in report.first_refusal


def test_it_stops_when_a_project_is_refused(path: Path) -> None:
    report, box = stopped(path, lambda box: box.restricted.add("Projects"))
    assert report.written == 0
    assert "402" in report.stopped
    # What names the project was not written without it.
    assert sum(row["projectId"] is not None for row in box.dataset.rows("TimeEntries")) == 5


def test_it_goes_on_stopping_where_a_project_was_refused_for_good(path: Path) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box)
        box.faults.add(Fault("denied_403", None, "POST", "Projects"))
        for _ in range(2):
            report = (await live(path, box, going)).report
            assert "clients.csv" in report.stopped
            assert (report.written, report.exit) == (0, Exit.STOPPED)

    virtual_time.run(main())


def test_it_stops_when_the_credentials_are_not_taken_any_more(path: Path) -> None:
    report, _ = stopped(path, fault("unauthorized"))
    assert "401" in report.stopped


def test_it_stops_when_it_is_too_fast_for_minutes(path: Path) -> None:
    report, _ = stopped(path, fault("too_many"))
    assert "too fast" in report.stopped
    assert report.refused == 0


def test_it_stops_when_a_bare_403_does_not_pass(path: Path) -> None:
    report, _ = stopped(path, fault("empty_403"))
    assert report.stopped is not None


def test_it_stops_when_nothing_is_reached(path: Path) -> None:
    report, _ = stopped(
        path,
        lambda box: box.faults.add(Fault("drop_before", None, "GET", "TimeEntries", times=None)),
    )
    assert "could not be asked" in report.stopped


def test_it_stops_when_an_answer_differs_from_what_was_sent(path: Path) -> None:
    report, _ = stopped(path, lambda _: None, keeps_days=False)
    assert "belongsToDate" in report.stopped or "offset" in report.stopped
    # What was written before it stopped is told of, and stays.
    assert 1 <= report.written <= 8


def test_whoever_is_refused_waits_and_the_others_are_written(path: Path) -> None:
    async def main() -> None:
        box = sandbox(unique_emails=True)
        await planted(path, box)
        change(path, "UPDATE thing SET email = 'Person1@example.com' WHERE n IN (2, 4)")
        report = (await live(path, box, going)).report
        assert report.waiting == ("Name p2", "Name p4")
        assert (report.written, report.left, report.exit) == (12, 8, Exit.LEFT)
        change(path, "UPDATE thing SET email = NULL, state = 'planned' WHERE n IN (2, 4)")
        assert (await live(path, box, going)).report.exit is Exit.CLEAN
        assert seen(path, box) == Seen()

    virtual_time.run(main())


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


def test_who_left_stays_until_all_is_told(path: Path) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box, people=4)
        box.faults.add(Fault("drop_before", None, "POST", "TimeEntries", times=None))
        report = (await live(path, box, with_arguments(only=["p4"]))).report
        assert (report.unknown, report.removed) == (1, 0)
        box.faults.clear()
        # Somebody decides: it was not done, and won't be.
        change(path, "UPDATE write SET state = 'skipped' WHERE state = 'unknown'")
        report = (await live(path, box, with_arguments(only=["p4"]))).report
        assert (report.written, report.removed, report.exit) == (3, 1, Exit.CLEAN)

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


def test_the_next_of_a_lane_is_found_by_the_index(path: Path) -> None:
    async def main() -> None:
        await planted(path, sandbox())

    virtual_time.run(main())
    ledger = Ledger.look(path)
    steps = [row[3] for row in ledger.read(f"EXPLAIN QUERY PLAN {SELECT} LIMIT 1", 1, "planned")]
    assert any("write_next" in step and "lane=? AND state=?" in step for step in steps)
    assert not any("SCAN" in step or "TEMP B-TREE" in step for step in steps)


def test_another_account_is_not_written_to(path: Path) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box)
        await live(path, box, with_arguments(only=["p1"], base="here"))
        sent = writes_sent(box)
        life = await live(path, box, with_arguments(base="there"))
        assert isinstance(life.error, MigrationError)
        assert "the ledger writes to" in str(life.error)
        assert writes_sent(box) == sent

    virtual_time.run(main())


def test_edits_of_what_was_written_arrive(path: Path) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box)
        await live(path, box, going)
        activity = box.dataset.rows("Activities")[1]["id"]
        change(
            path,
            f"UPDATE write SET state = 'stale', activity = '{activity}' WHERE entry IN (1, 20)",
            "UPDATE entry SET note = NULL WHERE n = 2",
            "UPDATE write SET state = 'stale', project = NULL WHERE entry = 2",
            f"UPDATE write SET state = 'stale', reason = 'moved', ms = {OLDEST + HOUR}"
            " WHERE entry = 7",
        )
        before = writes_sent(box)
        life = await live(path, box, going)
        assert life.error is None, life.error
        report = life.report
        assert (report.to_edit, report.edited, report.written) == (4, 4, 1)
        # Three changed, one archived and made again, though one of them was removed meanwhile.
        assert writes_sent(box) - before == 5
        assert seen(path, box) == Seen()
        ledger = Ledger.look(path)
        assert ledger.read("SELECT entry, why FROM past") == [(7, "moved")]
        assert ledger.value("SELECT count(*) FROM write WHERE stamp IS NULL") == 0
        again = writes_sent(box)
        await live(path, box, going)
        assert writes_sent(box) == again

    virtual_time.run(main())


def test_an_edit_that_is_refused_is_left_for_later(path: Path) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box)
        await live(path, box, going)
        change(path, "UPDATE write SET state = 'stale' WHERE entry = 1")
        box.rules.locked_until = date(2020, 1, 1)
        report = (await live(path, box, going)).report
        assert (report.edited, report.left, report.exit) == (0, 1, Exit.LEFT)
        box.rules.locked_until = None
        assert (await live(path, box, going)).report.exit is Exit.CLEAN

    virtual_time.run(main())


def test_who_has_entries_before_is_told_from_what_was_written(path: Path) -> None:
    async def main() -> None:
        box = sandbox(keeps_client_ids=False, keeps_platform=False)
        await planted(path, box, people=2)
        # The same moment and kind, tracked over there before: a twin that proves nothing.
        there = box.dataset.rows("People")[1]["id"]
        connection = sqlite3.connect(path)
        insert(
            connection, "snapshot", person=there, ms=OLDEST + 1, type="In", id="before", active=1
        )
        connection.commit()
        connection.close()
        await live(path, box, with_arguments(only=["p2"]))
        row = dict(box.dataset.rows("TimeEntries")[0])
        row |= {"id": "before", "personId": there, "time": "2017-03-01T08:00:00.001Z"}
        box.dataset.add("TimeEntries", row | {"type": "In"})
        report = (await live(path, box, going)).report
        assert (report.found, report.written) == (0, 4)
        assert seen(path, box).doubled == ["e1"]

    virtual_time.run(main())
