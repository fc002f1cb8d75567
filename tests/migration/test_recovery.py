"""A lost ledger made again from marks, ids, or what entries look like, and without a write."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from jibble_legacy.migration.checking.comparing import Found
from jibble_legacy.migration.checking.origins import (
    Answer,
    Origin,
    current_generation,
    lanes_of,
    origin,
    sorted_out,
)
from jibble_legacy.migration.checking.readback import ThereEntry
from jibble_legacy.migration.checking.recovery import RecoveryReport, recover
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.marks import entry_key, namespace
from jibble_legacy.migration.report.verdict import Colour
from jibble_legacy.migration.states import Exit
from jibble_legacy.migration.writing.apply import apply
from jibble_legacy.migration.writing.rollback import rollback

from jibble_async import JibbleClient
from jibble_async.errors import MigrationError
from jibble_async.sandbox import Sandbox
from tests.migration.moving import accounts, asked, moved, rewritten, verified
from tests.migration.planning import extracted, planned, rows

SPACE = namespace("https://connect.jibble.io", "t1")
SERVERS = {
    "both": (True, True),
    "ids": (True, False),
    "marks": (False, True),
    "neither": (False, False),
}
# All that says what was written; not when, nor how often it was tried.
WRITES = (
    "SELECT e.id, w.lane, w.ms, w.type, w.day, w.offset, w.person, w.activity, w.project, w.state, "
    "w.generation, w.target, w.stamp FROM write AS w JOIN entry AS e ON e.n = w.entry "
    "WHERE w.target IS NOT NULL ORDER BY e.id"
)
PEOPLE = (
    "SELECT s.id, t.decision, r.target FROM thing AS t JOIN source AS s ON s.n = t.n "
    "JOIN thing AS r ON r.n = t.root WHERE t.kind = 'teammembers' AND t.n IN "
    "(SELECT e.person FROM write AS w JOIN entry AS e ON e.n = w.entry) ORDER BY s.id"
)


def writes_of(box: Sandbox) -> int:
    """Requests that change something in the new account."""
    return sum(
        each.method != "GET" and "token" not in each.path and each.service != "legacy"
        for each in box.ledger.requests
    )


async def recovered(box: Sandbox, folder: Path, patch: pytest.MonkeyPatch) -> RecoveryReport:
    """What is found again by a new ledger, beside the files of the old one."""

    async def work(ledger: Ledger, target: JibbleClient) -> RecoveryReport:
        return await recover(ledger, target, folder=folder)

    return await asked(box, folder, patch, work)


def lose(folder: Path) -> Path:
    """Lose the ledger of a folder; what it said is kept for the test."""
    lost = folder / "lost"
    lost.mkdir()
    for path in [*folder.glob("ledger*")]:
        shutil.move(path, lost / path.name)
    return lost


@pytest.mark.parametrize("keeps", SERVERS)
async def test_what_was_written_is_found_again_and_nothing_is_written_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keeps: str
) -> None:
    ids, platform = SERVERS[keeps]
    box = accounts(110, alternation=False, keeps_client_ids=ids, keeps_platform=platform)
    await moved(box, tmp_path, monkeypatch)
    lost = lose(tmp_path)
    before = writes_of(box)
    await extracted(box, tmp_path, monkeypatch)
    report = await recovered(box, tmp_path, monkeypatch)
    assert writes_of(box) == before
    assert report.exit == Exit.CLEAN
    assert (report.by_mark == 0) == (keeps == "neither")
    assert report.found == len(rows(lost, WRITES)) == report.by_mark + report.by_twin
    assert rows(tmp_path, WRITES) == rows(lost, WRITES)
    assert rows(tmp_path, PEOPLE) == rows(lost, PEOPLE)
    plan = await planned(box, tmp_path, monkeypatch)
    assert plan.planned == 0

    async def write(ledger: Ledger, target: JibbleClient) -> Any:
        await ledger.put("probe", PROBED[keeps])
        return await apply(ledger, target, plan=plan.hash, go=True)

    await asked(box, tmp_path, monkeypatch, write)
    assert writes_of(box) == before
    seen = await verified(box, tmp_path, monkeypatch)
    assert (seen.colour, seen.numbers.sums.unaccounted) == (Colour.GREEN, 0)


PROBED = {
    name: {"keeps_id": ids, "keeps_mark": platform} for name, (ids, platform) in SERVERS.items()
}


async def test_after_a_rollback_the_present_generation_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = accounts(80, alternation=False)
    await moved(box, tmp_path, monkeypatch)

    async def undo(ledger: Ledger, target: JibbleClient) -> None:
        await rollback(ledger, target, go=True)

    await asked(box, tmp_path, monkeypatch, undo)
    await rewritten(box, tmp_path, monkeypatch)
    lost = lose(tmp_path)
    await extracted(box, tmp_path, monkeypatch)
    report = await recovered(box, tmp_path, monkeypatch)
    assert (report.generation, report.doubled) == (1, 0)
    assert rows(tmp_path, WRITES) == rows(lost, WRITES)
    assert rows(tmp_path, "SELECT value FROM meta WHERE key = 'generation'") == [("1",)]
    past = "SELECT target, entry, generation FROM past ORDER BY target"
    assert {each[0] for each in rows(tmp_path, past)} == {each[0] for each in rows(lost, past)}


async def test_a_nonce_alone_is_enough_and_what_people_changed_since_is_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = accounts(40, people=3, alternation=False, keeps_client_ids=False)
    await moved(box, tmp_path, monkeypatch)
    table = box.dataset.index("TimeEntries")
    written = [target for (target,) in rows(tmp_path, "SELECT target FROM write")]
    for target in written:
        platform = {"eventId": table[target]["platform"]["eventId"]}
        box.dataset.update("TimeEntries", target, {"platform": platform})
    changes = {"note": "better so", "updatedAt": "2030-01-01T00:00:00Z"}
    box.dataset.update("TimeEntries", written[0], changes)
    lose(tmp_path)
    await extracted(box, tmp_path, monkeypatch)
    report = await recovered(box, tmp_path, monkeypatch)
    assert report.found == report.by_mark == len(written)
    seen = await verified(box, tmp_path, monkeypatch)
    assert (seen.numbers.found.differs, seen.numbers.found.changed) == (0, 1)


async def test_a_ledger_that_knows_what_was_written_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = accounts(80, alternation=False)
    await moved(box, tmp_path, monkeypatch)
    with pytest.raises(MigrationError, match="before `plan`"):
        await recovered(box, tmp_path, monkeypatch)


def there(new: str, mark: str = "", *, active: bool = True, created: int = 1) -> ThereEntry:
    found = Found(id=new, person="P", ms=1, type="In", day="2026-01-01", active=active)
    return ThereEntry(found, "", created, mark, "", "")


@pytest.mark.parametrize(("generation", "revision"), [(0, 0), (3, 0), (0, 2)])
def test_a_key_says_what_an_entry_was_sent_as(generation: int, revision: int) -> None:
    key = entry_key(SPACE, generation, "aB12", revision)
    assert origin(there(key.upper()), "aB12", SPACE) == Origin(generation, revision)
    assert origin(there("x", key), "aB12", SPACE) == Origin(generation, revision)
    assert origin(there(key), "Ab12", SPACE) is None


@pytest.mark.parametrize(
    ("seen", "generation"),
    [([], 0), ([(0, True)], 0), ([(0, False)], 1), ([(0, False), (1, True)], 1), ([(1, False)], 2)],
)
def test_the_generation_is_that_of_what_is_active(
    seen: list[tuple[int, bool]], generation: int
) -> None:
    assert current_generation(seen) == generation


def test_of_several_answers_the_first_of_this_generation_stays() -> None:
    first = Answer(1, there("b", created=1), Origin(1, 0))
    later = Answer(1, there("a", created=2), Origin(1, 0))
    older = Answer(1, there("c", created=0), Origin(0, 0))
    away = Answer(1, there("d", active=False), Origin(0, 0))
    assert sorted_out([later, older, away, first], 1) == (first, [later, older], [away])
    assert sorted_out([away], 1) == (None, [], [away])


def test_most_entries_decide_as_whom_somebody_was_written() -> None:
    counts = {(1, "A"): 9, (1, "B"): 1, (2, "A"): 3, (3, "B"): 5}
    assert lanes_of(counts, {}) == {1: (1, "A"), 2: (1, "A"), 3: (3, "B")}
    # Whoever was created for somebody leads, and needs no entry.
    assert lanes_of(counts, {"A": 2, "D": 4}) == {
        1: (2, "A"),
        2: (2, "A"),
        3: (3, "B"),
        4: (4, "D"),
    }
