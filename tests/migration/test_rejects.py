"""Every reason to hold an entry back: shown in rejects.csv, mended there, and planned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from jibble_legacy.migration.files.rejects import export_rejects
from jibble_legacy.migration.states import Exit, Reason
from jibble_legacy.migration.writing.resolve import resolve

from jibble_async import ConfigurationError
from tests.migration.account import HERE, OWNER, Account, looked, moment
from tests.migration.planning import fill, opened, rows, save, sheet
from tests.support.memory_wire import MemoryWire, clock_from

Setup = Callable[[Account, pytest.MonkeyPatch], Any]
NOON = "2020-03-02 12:00"


@pytest.fixture
async def account(tmp_path: Path) -> Account:
    made = Account(tmp_path)
    made.person("ann", OWNER)
    made.shift("ann", "2020-02-03")
    return made


def _bad(person: str | None = "ann", when: str | None = NOON, **entry: Any) -> Setup:
    return lambda account, _: account.entry("bad", person, when, **entry)


def _undecided(account: Account, _: object) -> None:
    account.gone("somebody")
    account.entry("bad", "somebody", NOON)


def _unnamed_activity(account: Account, _: object) -> None:
    account.thing("activities", "a", "Nowhere")
    account.entry("bad", "ann", NOON, activity="a")


def _twice(account: Account, _: object) -> None:
    account.entry("good", "ann", NOON)
    account.entry("bad", "ann", NOON)


def _repeated(account: Account, _: object) -> None:
    account.do("INSERT INTO meta VALUES ('probe', '{\"out_after_out\": \"refused\"}')")
    account.entry("bad", "ann", "2020-02-03 18:00", 2)


async def _tracked(account: Account, patch: pytest.MonkeyPatch) -> None:
    client = MemoryWire(account.box).client(patch)
    await client.time_entries.create(
        account.there(OWNER), "In", moment("2020-03-02 11:00"), moment(NOON).date()
    )
    await client.aclose()
    account.entry("bad", "ann", NOON)


def _ended(state: str, reason: str) -> Setup:
    async def setup(account: Account, patch: pytest.MonkeyPatch) -> None:
        account.entry("bad", "ann", NOON)
        await account.plan(patch)
        account.do(
            "UPDATE write SET state = ?, attempts = 1, reason = ?"
            " WHERE entry = (SELECT n FROM entry WHERE id = 'bad')",
            state,
            reason,
        )

    return setup


CASES: dict[Reason, tuple[Setup, Mapping[str, str]]] = {
    Reason.PERSON_UNDECIDED: (_undecided, {"new_person": OWNER}),
    Reason.ALREADY_TRACKED: (_tracked, {"decision": "move"}),
    Reason.ACTIVITY_UNDECIDED: (_unnamed_activity, {"decision": "MOVE"}),
    Reason.DUPLICATE: (_twice, {"new_moment": "02.03.2020 12:01"}),
    Reason.UNKNOWN_ACTION: (_bad(action=3), {"decision": "in"}),
    Reason.NO_PERSON: (_bad(person=None), {"new_person": "id:ann"}),
    Reason.NO_MOMENT: (_bad(when=None), {"new_moment": "2020-03-02T12:00:00Z"}),
    Reason.FUTURE: (_bad(when="2031-03-02 12:00"), {"new_moment": "2020-03-02 12:00"}),
    Reason.BEFORE_2010: (_bad(when="1999-03-02 12:00"), {"decision": "move"}),
    Reason.UNREADABLE: (_bad(flaw="its notes are no text"), {"decision": "move"}),
    Reason.OUT_WITHOUT_IN: (_repeated, {"decision": "in"}),
    Reason.LOCKED_PERIOD: (_ended("refused", "locked-period: approved"), {"decision": "move"}),
    Reason.REFUSED: (_ended("refused", "no such project"), {"decision": "move"}),
}
BY_OTHER_MEANS = {Reason.ZONE_MISSING, Reason.UNKNOWN, Reason.SKIPPED}


async def set_up(setup: Setup, account: Account, patch: pytest.MonkeyPatch) -> None:
    done = setup(account, patch)
    if done is not None:
        await done


def saved_by_excel(folder: Path, line: Mapping[str, str], way: str) -> None:
    """One line mended, and the file saved in another way."""
    filled = [
        {**row, **line} if row["old_id"] == "id:bad" else row
        for row in sheet(folder, "rejects.csv")
    ]
    if way == "other order":
        filled = [dict(reversed(row.items())) for row in reversed(filled)]
    save(folder / "rejects.csv", filled, "utf-16" if way == "utf-16" else "utf-8-sig")


def test_every_reason_has_a_case() -> None:
    assert {*CASES, *BY_OTHER_MEANS} == set(Reason)


@pytest.mark.parametrize(
    ("reason", "way"),
    list(zip(CASES, cycle(["semicolons", "utf-16", "other order"]), strict=False)),
)
async def test_an_entry_is_mended_in_the_file_and_planned(
    reason: Reason, way: str, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup, line = CASES[reason]
    await set_up(setup, account, monkeypatch)
    await account.plan(monkeypatch)
    (shown,) = [row for row in sheet(account.folder, "rejects.csv") if row["old_id"] == "id:bad"]
    assert shown["reason"] == reason
    assert shown["explanation"]
    assert shown["what_to_do"]
    saved_by_excel(account.folder, line, way)
    await account.plan(monkeypatch)
    assert "bad" not in account.held()
    lane, _, _, state = account.writes()["bad"]
    assert (lane, state) == ("ann", "planned")
    # What was said stays said, though the file no longer has the line.
    await account.plan(monkeypatch)
    assert account.writes()["bad"][3] == "planned"


@pytest.mark.parametrize("reason", CASES)
async def test_an_entry_is_left_out_and_that_is_taken_back(
    reason: Reason, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_up(CASES[reason][0], account, monkeypatch)
    await account.plan(monkeypatch)
    before = account.held().get("bad")
    saved_by_excel(account.folder, {"decision": "skip"}, "semicolons")
    await account.plan(monkeypatch)
    assert account.held()["bad"] == "skipped"
    assert "bad" not in account.writes()
    saved_by_excel(account.folder, {"decision": ""}, "semicolons")
    await account.plan(monkeypatch)
    # What was refused is planned again by then.
    assert account.held().get("bad") == before


async def test_a_missing_zone_is_told_in_people_csv(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = await account.plan(monkeypatch, default_zone=None)
    assert report.held == {"zone-missing": 2}
    assert report.zones_asked == ("Name ann",)
    fill(account.folder, "people.csv", ann={"time_zone": "there"})
    report = await account.plan(monkeypatch, default_zone=None)
    assert report.planned == 2
    assert rows(account.folder, "SELECT DISTINCT offset FROM write") == [(14400,)]


async def test_an_unknown_is_ended_by_resolve(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_up(_ended("unknown", "two candidates"), account, monkeypatch)
    report = await account.plan(monkeypatch)
    assert (report.unknown, report.exit) == (1, Exit.LEFT)
    (shown,) = [row for row in sheet(account.folder, "rejects.csv") if row["old_id"] == "id:bad"]
    assert (shown["reason"], shown["detail"]) == ("unknown", "two candidates")
    # A line can't end it: it may be there.
    saved_by_excel(account.folder, {"decision": "skip"}, "semicolons")
    await account.plan(monkeypatch)
    assert account.writes()["bad"][3] == "unknown"
    async with opened(account.folder / "ledger") as ledger:
        done = await resolve(ledger, "id:bad", skip=True, now=clock_from())
    assert (done.exit, done.state, done.left) == (Exit.CLEAN, "skipped", 0)
    await account.plan(monkeypatch)
    assert account.writes()["bad"][3] == "skipped"


async def test_somebody_who_is_left_out_is_counted_so(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    await account.plan(monkeypatch)
    fill(account.folder, "people.csv", ann={"decision": "skip"})
    report = await account.plan(monkeypatch)
    assert (report.planned, report.held) == (0, {"skipped": 2})
    fill(account.folder, "people.csv", ann={"decision": ""})
    assert (await account.plan(monkeypatch)).planned == 2


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ({"old_id": "id:nobody"}, "names id:nobody, which no old entry has"),
        ({"new_person": "nobody@example.com"}, "who is nobody whose entries are moved"),
        ({"new_person": HERE}, "who is nobody whose entries are moved"),
        ({"decision": "later"}, "has the decision 'later'"),
    ],
)
async def test_a_bad_line_is_named_and_nothing_is_read(
    line: dict[str, str], complaint: str, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.entry("bad", None, NOON)
    await account.plan(monkeypatch)
    fill(account.folder, "people.csv", ann={"decision": "skip"})
    saved_by_excel(account.folder, {"decision": "move", **line}, "semicolons")
    before = rows(account.folder, "SELECT * FROM answer")
    with pytest.raises(ConfigurationError, match=r"rejects\.csv, line 2") as error:
        await account.plan(monkeypatch)
    assert complaint in str(error.value)
    assert rows(account.folder, "SELECT * FROM answer") == before
    assert len(account.writes()) == 2


async def test_a_line_that_is_there_twice_is_named(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.entry("bad", None, NOON)
    await account.plan(monkeypatch)
    (line,) = sheet(account.folder, "rejects.csv")
    save(account.folder / "rejects.csv", [line, {**line, "decision": "skip"}])
    with pytest.raises(ConfigurationError, match="line 3: says again what line 2 is about"):
        await account.plan(monkeypatch)


async def test_rejects_are_written_to_any_file(
    account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    account.entry("bad", None, NOON, note="=SUM(A1:A9)")
    await account.plan(monkeypatch)
    save(tmp_path / "rejects.csv", [{**sheet(tmp_path, "rejects.csv")[0], "mine": "call Ann"}])
    await account.plan(monkeypatch)
    ledger = looked(account.folder)
    report = export_rejects(ledger, tmp_path / "other.csv")
    ledger.abandon(KeyboardInterrupt())
    (line,) = sheet(tmp_path, "other.csv")
    assert (report.exit, report.rows) == (Exit.LEFT, 1)
    assert (line["note"], line["mine"]) == ("'=SUM(A1:A9)", "call Ann")
    assert line["moment"] == "2020-03-02 12:00:00.000+00:00"
