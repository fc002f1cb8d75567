"""What `status` says is to be done next."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from jibble_legacy.migration import Exit, Migration
from jibble_legacy.migration.ledger.commits import InlineCommits
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.status import LEDGER, status_of

from tests.migration.program import move, plan, roll_back
from tests.migration.world import World
from tests.support.virtual_time import run


def next_of(folder: Path) -> str:
    return status_of(folder).next


def test_every_step_is_followed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    async def life(migration: Migration) -> None:
        for step in (
            migration.extract,
            lambda: plan(migration),
            migration.probe,
            lambda: plan(migration),
            lambda: migration.apply(plan=migration.status().plan, go=True, only=[first]),
            lambda: migration.apply(plan=migration.status().plan, go=True),
            migration.verify,
            lambda: migration.extract(delta=True),
            lambda: plan(migration),
            lambda: roll_back(migration),
            lambda: move(migration),
        ):
            said.append(migration.status().next)
            await step()
        said.append(migration.status().next)

    async def main() -> None:
        nonlocal first
        world = World(tmp_path / "moved", monkeypatch, people=9, entries=60)
        first = world.box.dataset.rows("People")[0]["id"]
        await world.live(life)

    first = ""
    run(main())
    for told, words in zip(
        said,
        (
            "begin: `extract`",
            "`plan` decides",
            "`probe` finds out",
            "`plan` again: the probe told",
            "`apply --plan ",
            "`apply --plan ",
            "`verify` compares",
            "read report.html, and sign it",
            "`plan` again: it knows less",
            "read report.html, and sign it",
            "`plan` again: it knows less",
            "read report.html, and sign it",
        ),
        strict=True,
    ):
        assert told.startswith(words), said


@pytest.fixture
def ledger(tmp_path: Path) -> Callable[..., Path]:
    """A ledger that statements were executed in, in its folder."""

    def make(*statements: str) -> Path:
        async def main() -> None:
            commits = InlineCommits()
            async with Ledger.open(tmp_path / LEDGER, create=True, commits=commits) as ledger:
                for statement in (*_BEGUN, *statements):
                    await ledger.write(lambda connection, text=statement: connection.execute(text))

        run(main())
        return tmp_path

    return make


_BEGUN = (
    "INSERT INTO run (number, kind, began, ended) VALUES (1, 'full', 1, 2)",
    "INSERT INTO entry (n, id, person, hash, page, pos) VALUES (1, 'a', 1, x'00', 1, 1)",
    'INSERT INTO plan (at, hash, detail) VALUES (5, \'HASH\', \'{"chain": "", "generation": 0}\')',
)
_PROBED = "INSERT INTO meta VALUES ('probe', '{}')"


def write(state: str) -> str:
    return (
        "INSERT INTO write (entry, lane, ms, type, day, offset, state, since, generation, hash) "
        f"VALUES (1, 1, 1, 'In', '2020-01-01', 0, '{state}', 7, 0, x'00')"
    )


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (["UPDATE run SET ended = NULL"], "`extract`, as it was begun"),
        (["DELETE FROM entry"], "`extract` reads"),
        (["INSERT INTO meta VALUES ('rolling back', 'true')"], "`rollback --go`"),
        (["DELETE FROM plan"], "`plan` decides"),
        (["INSERT INTO meta VALUES ('chain', '\"ab\"')"], "`plan` again: it knows less"),
        (
            ["INSERT INTO meta VALUES ('probe', '{\"stop\": \"it keeps nothing\"}')"],
            "nothing can be written, says the probe: it keeps nothing",
        ),
        ([_PROBED, write("unknown")], "1 can't be told: `resolve`"),
        ([write("planned")], "`probe`"),
        ([_PROBED, write("planned")], "`apply --plan HASH --go` writes 1 more"),
        ([_PROBED, write("doubtful")], "`apply --plan HASH --go` writes 1 more"),
        ([_PROBED, write("stale")], "`apply --plan HASH --go` writes 1 more"),
        (
            [_PROBED, "INSERT INTO quarantine (entry, reason) VALUES (1, 'person-undecided')"],
            "people.csv: 1 entries wait",
        ),
        ([_PROBED, write("refused")], "1 were refused: mend them in rejects.csv"),
        ([_PROBED, write("undone")], "nothing is written: `plan` again"),
        ([_PROBED, write("confirmed")], "`verify` compares"),
        (
            [
                _PROBED,
                write("confirmed"),
                "INSERT INTO meta VALUES ('verdict', "
                '\'{"at": 8, "headline": "1 differs", "may_sign": false}\')',
            ],
            "`verify` says: 1 differs",
        ),
    ],
)
def test_what_is_left_is_said(
    ledger: Callable[..., Path], statements: list[str], words: str
) -> None:
    status = status_of(ledger(*statements))
    assert status.next.startswith(words)
    assert status.exit is Exit.LEFT


def test_without_a_ledger_it_begins(tmp_path: Path) -> None:
    assert next_of(tmp_path).startswith("begin: `extract`")
    assert list(tmp_path.iterdir()) == []


def test_all_done_is_to_be_signed(ledger: Callable[..., Path]) -> None:
    verdict = '\'{"at": 8, "headline": "Ready", "may_sign": true}\''
    folder = ledger(_PROBED, write("verified"), f"INSERT INTO meta VALUES ('verdict', {verdict})")
    status = status_of(folder)
    assert (status.next, status.exit) == ("read report.html, and sign it", Exit.CLEAN)
    assert (status.extracted, status.writes, status.plan) == (1, {"verified": 1}, "HASH")
