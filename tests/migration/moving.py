"""A migration in memory, up to the point at which it is verified."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from jibble_legacy.migration.checking.verify import VerifyReport, verify
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.source import Source
from jibble_legacy.migration.writing.apply import apply
from jibble_legacy.migration.writing.probe import probe

from jibble_async import JibbleClient
from jibble_async.sandbox import History, Rules, Sandbox
from tests.migration.planning import extracted, opened, planned, save, sheet
from tests.support.memory_wire import BEGIN, MemoryWire, clock_from

T = TypeVar("T")
PEOPLE = 9


def accounts(entries: int = 200, *, people: int = PEOPLE, seed: int = 7, **rules: Any) -> Sandbox:
    """A ten-year account, and a new one beside it."""
    return Sandbox(
        people,
        until=BEGIN.date(),
        seed=seed,
        history=History(entries),
        rules=Rules(**rules),
        clock=clock_from(),
    )


async def moved(box: Sandbox, folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Extract, plan, answer what is asked, plan again, probe and write."""
    await extracted(box, folder, patch)
    await planned(box, folder, patch)
    answer(folder)
    await rewritten(box, folder, patch)


async def rewritten(box: Sandbox, folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Plan, probe and write."""
    report = await planned(box, folder, patch)

    async def write(ledger: Ledger, target: JibbleClient) -> None:
        await probe(ledger, target)
        await apply(ledger, target, plan=report.hash, go=True, accept=ACCEPTED)

    await asked(box, folder, patch, write)


ACCEPTED = ("time", "belongsToDate", "offset")


def answer(folder: Path, *, but: str = "") -> None:
    """Let everybody be created whom `plan` asks about; all but one."""
    people = sheet(folder, "people.csv")
    for line in people:
        if line["question"] and line["old_id"] != f"id:{but}":
            line.update(decision="create", new_name=line["old_name"] or line["old_id"][3:])
    save(folder / "people.csv", people)
    for name in ("activities.csv", "clients.csv"):
        things = sheet(folder, name)
        for line in things:
            if line["question"]:
                line["new_name"] = "-"
        if things:
            save(folder / name, things)


async def asked(
    box: Sandbox,
    folder: Path,
    patch: pytest.MonkeyPatch,
    work: Callable[[Ledger, JibbleClient], Awaitable[T]],
) -> T:
    """What some work gives that has the ledger and the new account."""
    ledger = opened(folder / "ledger")
    async with MemoryWire(box).client(patch) as target:
        try:
            return await work(ledger, target)
        finally:
            await ledger.aclose()


async def verified(
    box: Sandbox,
    folder: Path,
    patch: pytest.MonkeyPatch,
    /,
    *,
    with_source: bool = False,
    **options: Any,
) -> VerifyReport:
    """What verifying finds, in a life of its own."""
    async with MemoryWire(box).legacy_client(patch) as client:
        source = Source(client) if with_source else None
        return await asked(
            box,
            folder,
            patch,
            lambda ledger, target: verify(ledger, target, source, **options),
        )
