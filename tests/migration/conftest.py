"""What every test of a migration has."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
from jibble_legacy.migration.ledger.ledger import Ledger

from tests.migration.account import OWNER, Account


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a ledger may be."""
    return tmp_path / "acme.jbmg"


@pytest.fixture
async def account(tmp_path: Path) -> Account:
    """Ann, who is in both accounts."""
    made = Account(tmp_path)
    made.person("ann", OWNER)
    return made


@pytest.fixture(autouse=True)
def ledgers_that_were_looked_at_are_closed(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """A test may look at a ledger in the middle of an expression."""
    opened: list[Ledger] = []
    look = Ledger.look

    def looking(path: Path) -> Ledger:
        opened.append(look(path))
        return opened[-1]

    monkeypatch.setattr(Ledger, "look", looking)
    yield
    for ledger in opened:
        ledger.close()
