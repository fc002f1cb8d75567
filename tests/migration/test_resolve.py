"""An unknown is ended by a person's decision, and by just one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jibble_legacy.migration.states import Exit
from jibble_legacy.migration.writing.resolve import SEND_AGAIN, ResolveReport, resolve

from jibble_async import ConfigurationError, MigrationError
from tests.migration.account import OWNER, Account
from tests.migration.planning import opened, rows
from tests.support.memory_wire import clock_from

FOUND = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
async def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Account:
    made = Account(tmp_path)
    made.person("ann", OWNER)
    made.person("new", "new@example.com")
    made.shift("ann", "2020-03-02")
    made.shift("new", "2020-03-02")
    await made.plan(monkeypatch)
    made.do(
        "UPDATE write SET state = 'unknown' WHERE lane = (SELECT n FROM source WHERE id = 'ann')"
    )
    made.do("UPDATE thing SET state = 'unknown', attempts = 1 WHERE code = 'L-new'")
    return made


async def resolved(account: Account, old_id: str, **decision: Any) -> ResolveReport:
    async with opened(account.folder / "ledger") as ledger:
        return await resolve(ledger, old_id, now=clock_from(), **decision)


def kept(account: Account, old_id: str) -> Any:
    return rows(
        account.folder,
        "SELECT state, target, attempts, reason FROM write"
        " WHERE entry = (SELECT n FROM entry WHERE id = ?)",
        old_id,
    )[0]


@pytest.mark.parametrize(
    ("decision", "ended"),
    [
        ({"found": FOUND}, ("confirmed", FOUND, 1, None)),
        ({"send_again": True}, ("planned", None, 1, SEND_AGAIN)),
        ({"skip": True}, ("skipped", None, 1, None)),
    ],
)
async def test_an_entry_is_what_somebody_says(
    decision: dict[str, Any], ended: object, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = await resolved(account, "id:ann-2020-03-02-in", **decision)
    assert (report.exit, report.left) == (Exit.LEFT, 2)
    assert kept(account, "ann-2020-03-02-in") == ended
    event = rows(account.folder, "SELECT what FROM event ORDER BY n DESC LIMIT 1")
    assert event == [("resolved",)]
    await account.plan(monkeypatch)
    assert kept(account, "ann-2020-03-02-in") == ended


@pytest.mark.parametrize(
    ("decision", "state", "created"),
    [
        ({"found": FOUND}, "confirmed", 0),
        ({"send_again": True}, "planned", 1),
        ({"skip": True}, "planned", 1),
    ],
)
async def test_a_creation_is_what_somebody_says(
    decision: dict[str, Any],
    state: str,
    created: int,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await resolved(account, "new", **decision)
    report = await account.plan(monkeypatch)
    assert report.created == created
    assert rows(account.folder, "SELECT state FROM thing WHERE code = 'L-new'") == [(state,)]


async def test_one_new_entry_answers_for_one_old_one(account: Account) -> None:
    await resolved(account, "ann-2020-03-02-in", found=FOUND)
    with pytest.raises(MigrationError, match="answers for another old entry already"):
        await resolved(account, "ann-2020-03-02-out", found=FOUND)
    assert kept(account, "ann-2020-03-02-out")[0] == "unknown"


@pytest.mark.parametrize(
    ("old_id", "decision", "error", "complaint"),
    [
        ("ann-2020-03-02-in", {}, ConfigurationError, "give one of"),
        ("ann-2020-03-02-in", {"skip": True, "found": FOUND}, ConfigurationError, "give one of"),
        ("ann-2020-03-02-in", {"found": "4711"}, ConfigurationError, "is no GUID"),
        ("new-2020-03-02-in", {"skip": True}, MigrationError, "is unknown: rejects.csv lists"),
        ("ANN-2020-03-02-in", {"skip": True}, MigrationError, "is unknown: rejects.csv lists"),
    ],
)
async def test_what_can_not_be_decided_is_said(
    old_id: str,
    decision: dict[str, Any],
    error: type[Exception],
    complaint: str,
    account: Account,
) -> None:
    with pytest.raises(error, match=complaint):
        await resolved(account, old_id, **decision)
