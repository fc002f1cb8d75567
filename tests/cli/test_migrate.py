"""`jibble migrate`: the walk-through of the documentation, and what the steps refuse."""

from __future__ import annotations

import json
import re
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest
from jibble_legacy.migration import Exit, Migration
from jibble_legacy.migration.progress import Progress
from jibble_legacy.migration.writing.apply import ApplyReport

from jibble_async import sandbox
from jibble_async.cli import main
from jibble_async.cli.migrate_shown import Told, line_of
from jibble_async.errors import MigrationError
from tests.docs.blocks import ROOT
from tests.migration.manager import decide

PAGE = ROOT / "docs/migration.md"
FOLDER = Path("migration")
NOON = datetime(2026, 7, 13, 12).astimezone()

pytestmark = pytest.mark.real_time


@pytest.fixture(autouse=True)
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes a rehearsal's accounts small."""
    monkeypatch.setattr(
        sandbox, "kept_sandbox", partial(sandbox.kept_sandbox, people=20, entries=100)
    )


def step(*arguments: str) -> int:
    return main(["migrate", *arguments, "--sandbox"])


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    capsys.readouterr()
    main(["migrate", *arguments, "--sandbox", "--json"])
    values: dict[str, object] = json.loads(capsys.readouterr().out)
    return values


def walk_through() -> list[list[str]]:
    """The commands of the documentation's walk-through, in their order."""
    text = PAGE.read_text().partition("## A walk-through")[2].partition("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = "".join(blocks).splitlines()
    assert all(line.startswith("jibble migrate ") for line in lines), lines
    return [line.split()[2:] for line in lines]


def test_the_walk_through_of_the_documentation(capsys: pytest.CaptureFixture[str]) -> None:
    codes: dict[str, list[int]] = {}
    for command in walk_through():
        if "HASH" in command:
            command[command.index("HASH")] = str(told(capsys, "status")["plan"])
        code = main(["migrate", *command])
        codes.setdefault(command[0], []).append(code)
        if command[0] == "plan" and code == Exit.LEFT:
            assert decide(FOLDER) > 0
    # A decision is asked for at first, and of who was removed by the rollback.
    assert codes.pop("plan") == [Exit.LEFT, Exit.CLEAN, Exit.CLEAN, Exit.LEFT, Exit.CLEAN]
    assert {code for each in codes.values() for code in each} == {Exit.CLEAN}, codes
    status = told(capsys, "status")
    assert status["next"] == "read report.html, and sign it"
    assert status["generation"] == 1
    page = (FOLDER / "report.html").read_text()
    assert "Ready to sign" in page
    assert {each.stat().st_mode & 0o077 for each in FOLDER.glob("ledger*")} == {0}


def test_a_rehearsal_is_not_gone_on_with_for_real(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert step("extract") == Exit.CLEAN
    assert main(["migrate", "status"]) == Exit.MISUSED
    assert "is a rehearsal: add --sandbox" in capsys.readouterr().err
    assert main(["migrate", "status", "--folder", str(tmp_path / "other")]) == 0
    (FOLDER / "sandbox.jsonl").unlink()
    assert step("status") == Exit.MISUSED
    assert "is no rehearsal" in capsys.readouterr().err


def test_a_journal_that_is_none_is_no_rehearsal(capsys: pytest.CaptureFixture[str]) -> None:
    FOLDER.mkdir()
    (FOLDER / "sandbox.jsonl").write_text("no\n")
    assert step("extract") == Exit.MISUSED
    assert "no journal of a sandbox" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["plan"], Exit.MISUSED, "no such ledger; `extract` begins one"),
        (["apply", "--go"], Exit.MISUSED, "--go needs the plan that is meant"),
        (["resolve", "Ab12"], Exit.MISUSED, "give one of --is, --send-again and --skip"),
        (["resolve", "Ab12", "--skip", "--is", "x"], Exit.MISUSED, "give one of"),
        (["apply", "--lanes", "0"], Exit.MISUSED, "lanes"),
        (["export-rejects"], Exit.MISUSED, "no such ledger"),
    ],
)
def test_a_step_that_is_used_wrongly_says_how_it_is_used(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, words: str
) -> None:
    assert step(*arguments) == code
    assert words in capsys.readouterr().err


def test_apply_is_told_whom_it_writes_and_what_may_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, object] = {}

    async def apply(_: Migration, **values: object) -> ApplyReport:
        given.update(values)
        return ApplyReport("hash", shown=True, to_write=0, to_edit=0, to_create=0)

    monkeypatch.setattr(Migration, "apply", apply)
    assert step("apply", "--only", "Ab12", "--accept", "time", "offset") == Exit.CLEAN
    assert given["only"] == ("Ab12",)
    assert given["accept"] == ("time", "offset")


def test_a_step_without_the_one_before_it_stops(capsys: pytest.CaptureFixture[str]) -> None:
    assert step("extract", "--delta") == Exit.STOPPED
    assert "run extract" in capsys.readouterr().err


def test_what_apply_is_told_reaches_the_migration(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, object] = {}

    async def apply(_: Migration, **options: object) -> None:
        given.update(options)
        raise MigrationError("enough")

    monkeypatch.setattr(Migration, "apply", apply)
    words = "--plan 0123abcd --go --lanes 3 --settle 7 --only a@b.example c --accept time note"
    assert step("apply", *words.split()) == Exit.STOPPED
    assert given == {
        "plan": "0123abcd",
        "go": True,
        "lanes": 3,
        "settle": 7,
        "only": ("a@b.example", "c"),
        "accept": ("time", "note"),
    }


def test_a_folder_that_is_a_file_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    FOLDER.write_text("notes")
    assert step("extract") == Exit.MISUSED
    assert "migration can't be made a folder" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["status", "plan"])
def test_a_folder_that_may_not_be_looked_into_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    def refused(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "exists", refused)
    assert main(["migrate", name]) == Exit.MISUSED
    assert "sandbox.jsonl can't be used (Permission denied)" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["status", "export-rejects"])
def test_a_ledger_that_is_damaged_is_no_verdict(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert step("extract") == Exit.CLEAN
    ledger = FOLDER / "ledger.jbmg"
    content = ledger.read_bytes()
    ledger.write_bytes(content[:8192] + b"\xff" * (len(content) - 8192))
    assert step(name) == Exit.STOPPED
    assert "is damaged" in capsys.readouterr().err


def test_the_environment_says_who_asks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", "extract"]) == Exit.MISUSED
    assert "JIBBLE_LEGACY_TOKEN" in capsys.readouterr().err
    assert not FOLDER.exists()


def test_of_each_thing_is_told_at_once_and_then_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = 0.0
    tell = Told(lambda: now)
    for moment, what, done in [(0, "rows", 1), (4, "rows", 2), (5, "rows", 3), (5, "people", 1)]:
        now = float(moment)
        tell(Progress("extract", what, done, total=1200 if what == "rows" else None))
    assert capsys.readouterr().err.splitlines() == [
        "jibble: extract: 1 of 1,200 rows",
        "jibble: extract: 3 of 1,200 rows",
        "jibble: extract: 1 people",
    ]


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        (Progress("plan", "doubts", 0), "plan: what is in doubt"),
        (
            Progress("extract", "estimate", 606, 610, NOON, "21 requests"),
            f"extract: about 606 entries to read, 21 requests, done about {NOON:%a %d %b} 12:00",
        ),
        (
            Progress("extract", "timeentries", 1200, 33_000, NOON),
            f"extract: 1,200 of about 33,000 entries, done about {NOON:%a %d %b} 12:00",
        ),
    ],
)
def test_progress_is_said_in_words(progress: Progress, line: str) -> None:
    assert line_of(progress) == line
