"""Every reason to hold an entry back, to its end: mended in rejects.csv, applied and verified."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from itertools import cycle
from pathlib import Path
from typing import Any, TypeVar

import pytest
from jibble_legacy.migration.checking.verify import verify
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.planning.plan import plan
from jibble_legacy.migration.states import Reason
from jibble_legacy.migration.writing.apply import apply
from jibble_legacy.migration.writing.probe import probe
from jibble_legacy.migration.writing.resolve import resolve

from jibble_async import JibbleClient
from tests.migration.account import OWNER, Account
from tests.migration.planning import ZONE, fill, opened, rows, sheet
from tests.migration.test_rejects import CASES, NOON, saved_by_excel, set_up
from tests.support.memory_wire import MemoryWire, clock_from

T = TypeVar("T")
ACCEPTED = ("time", "belongsToDate", "offset", "note")
NATURAL = {Reason.OUT_WITHOUT_IN, Reason.LOCKED_PERIOD, Reason.REFUSED}
"""Reasons that the new account gives by itself."""


@pytest.fixture
async def account(tmp_path: Path) -> Account:
    made = Account(tmp_path)
    made.person("ann", OWNER)
    made.shift("ann", "2020-02-03")
    return made


async def lived(
    account: Account,
    patch: pytest.MonkeyPatch,
    life: Callable[[Ledger, JibbleClient], Awaitable[T]],
) -> T:
    """A step, in a life of its own."""
    client = MemoryWire(account.box).client(patch)
    try:
        async with opened(account.folder / "ledger") as ledger:
            return await life(ledger, client)
    finally:
        await client.aclose()


async def written(account: Account, patch: pytest.MonkeyPatch) -> None:
    """Plan, probe, plan by what the probe saw, and write."""

    async def write(ledger: Ledger, target: JibbleClient) -> None:
        await plan(ledger, target, folder=account.folder, default_zone=ZONE)
        await probe(ledger, target)
        made = await plan(ledger, target, folder=account.folder, default_zone=ZONE)
        await apply(ledger, target, plan=made.hash, go=True, accept=ACCEPTED)

    await lived(account, patch, write)


async def assert_arrived(account: Account, patch: pytest.MonkeyPatch) -> None:
    """The entry is there once, and a verification finds nothing that differs."""
    (target, state) = rows(
        account.folder,
        "SELECT target, write.state FROM write JOIN entry ON entry.n = write.entry"
        " WHERE entry.id = 'bad'",
    )[0]
    assert state == "confirmed"
    row = next(each for each in account.box.dataset.rows("TimeEntries") if each["id"] == target)
    assert row["status"] == "Active"

    async def look(ledger: Ledger, target: JibbleClient) -> Any:
        return await verify(ledger, target, folder=account.folder)

    report = await lived(account, patch, look)
    assert report.colour != "red", report.headline
    assert rows(account.folder, "SELECT * FROM difference") == []


@pytest.mark.parametrize(
    ("reason", "way"),
    list(
        zip(
            [each for each in CASES if each not in NATURAL],
            cycle(["semicolons", "utf-16", "other order"]),
            strict=False,
        )
    ),
)
async def test_an_entry_that_was_mended_arrives(
    reason: Reason, way: str, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup, line = CASES[reason]
    await set_up(setup, account, monkeypatch)
    await written(account, monkeypatch)
    assert account.held()["bad"] == reason
    saved_by_excel(account.folder, line, way)
    await written(account, monkeypatch)
    await assert_arrived(account, monkeypatch)


async def test_an_out_after_an_out_arrives_as_an_in(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.entry("bad", "ann", "2020-02-03 18:00", 2)
    await written(account, monkeypatch)
    assert account.held()["bad"] == "out-without-in"
    saved_by_excel(account.folder, {"decision": "in"}, "utf-16")
    await written(account, monkeypatch)
    await assert_arrived(account, monkeypatch)


async def test_an_entry_of_a_locked_period_arrives_once_it_is_open(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    await written(account, monkeypatch)
    account.box.rules.locked_until = date(2020, 3, 31)
    account.entry("bad", "ann", NOON)
    await written(account, monkeypatch)
    (shown,) = sheet(account.folder, "rejects.csv") or [{}]
    assert shown == {}
    await replanned(account, monkeypatch)
    (shown,) = sheet(account.folder, "rejects.csv")
    assert shown["reason"] in {"locked-period", "refused"}
    account.box.rules.locked_until = None
    saved_by_excel(account.folder, {"decision": "move"}, "semicolons")
    await written(account, monkeypatch)
    await assert_arrived(account, monkeypatch)


async def test_a_zone_that_was_missing_is_told_and_entries_arrive(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.entry("bad", "ann", NOON)

    async def ask(ledger: Ledger, target: JibbleClient) -> None:
        await plan(ledger, target, folder=account.folder)

    await lived(account, monkeypatch, ask)
    assert account.held()["bad"] == "zone-missing"
    fill(account.folder, "people.csv", ann={"time_zone": "there"})
    await written(account, monkeypatch)
    await assert_arrived(account, monkeypatch)


async def test_an_unknown_that_is_sent_again_arrives(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    await written(account, monkeypatch)
    account.entry("bad", "ann", NOON)
    await replanned(account, monkeypatch)
    account.do("UPDATE write SET state = 'unknown', attempts = 1 WHERE state = 'planned'")

    async def end(ledger: Ledger, _: JibbleClient) -> None:
        await resolve(ledger, "id:bad", send_again=True, now=clock_from())

    await lived(account, monkeypatch, end)
    await written(account, monkeypatch)
    await assert_arrived(account, monkeypatch)


async def replanned(account: Account, patch: pytest.MonkeyPatch) -> None:
    async def again(ledger: Ledger, target: JibbleClient) -> None:
        await plan(ledger, target, folder=account.folder, default_zone=ZONE)

    await lived(account, patch, again)
