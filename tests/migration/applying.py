"""Apply as the tests call it, and what they look at and change behind its back."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.writing.apply import ApplyReport, apply

from jibble_async import JibbleClient
from tests.migration.small_world import HASH


async def going(ledger: Ledger, client: JibbleClient) -> ApplyReport:
    return await apply(ledger, client, plan=HASH[:12], go=True)


def with_arguments(**given: Any) -> Callable[[Ledger, JibbleClient], Awaitable[ApplyReport]]:
    async def work(ledger: Ledger, client: JibbleClient) -> ApplyReport:
        usual: dict[str, Any] = {"plan": HASH, "go": True}
        return await apply(ledger, client, **usual | given)

    return work


def change(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def states(path: Path) -> dict[str, int]:
    ledger = Ledger.look(path)
    return dict(ledger.read("SELECT state, count(*) FROM write GROUP BY state"))
