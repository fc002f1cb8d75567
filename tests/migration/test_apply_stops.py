"""When apply stops by itself, which loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.states import Exit
from jibble_legacy.migration.writing.probed import Probed

from jibble_async.sandbox import Sandbox
from jibble_async.sandbox.faults import Fault
from tests.migration.applying import going, states
from tests.migration.small_world import (
    live,
    planted,
    sandbox,
)
from tests.support import virtual_time


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
