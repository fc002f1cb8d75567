"""What `jibble doctor` tells of `updatedAt`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date

import pytest

from jibble_async.cli import main
from jibble_async.sandbox import Sandbox
from tests.support.served import served

CREATED, LATER = "2026-07-06T08:00:00.0000000Z", "2026-07-07T08:00:00.0000000Z"


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The sandbox that the environment names; nothing in it is archived."""
    with served(people=3, since=date(2026, 7, 6), until=date(2026, 7, 8)) as box:
        for name, value in box.environment().items():
            monkeypatch.setenv(name, value)
        for row in box.dataset.rows("TimeEntries"):
            row["status"] = "Active"
        box.dataset.touch()
        yield box


def archive(box: Sandbox, updated: str) -> None:
    row = box.dataset.rows("TimeEntries")[0]
    row.update(status="Archived", createdAt=CREATED, updatedAt=updated)
    box.dataset.touch()


@pytest.mark.parametrize(("updated", "code"), [(LATER, 0), (CREATED, 1)])
def test_archived_entries_are_looked_at(
    account: Sandbox, capsys: pytest.CaptureFixture[str], updated: str, code: int
) -> None:
    archive(account, updated)
    assert main(["doctor", "--json"]) == code
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "archived": 1,
        "unstamped": code,
        "edited": None,
        "found": None,
        "holds": code == 0,
    }
    assert not [each for each in account.ledger.requests if each.method == "PATCH"]


def test_a_note_is_changed_if_that_is_asked_for(
    account: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    row = account.dataset.rows("TimeEntries")[1]
    note = row.get("note")
    assert main(["doctor"]) == 0
    assert "nothing to see" in capsys.readouterr().out
    assert main(["doctor", "--change-note-of", row["id"]]) == 0
    told = capsys.readouterr().out
    assert "set by an edited note" in told
    assert "agrees" in told
    assert row.get("note") == note
