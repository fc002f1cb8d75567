"""What is read of an old account, and what is kept of it."""

import sqlite3
import zlib

import pytest
from jibble_legacy.migration.keeping import check_pages, page_body
from jibble_legacy.migration.ledger import Ledger
from jibble_legacy.migration.states import Exit

from jibble_async.errors import ConfigurationError, MigrationError
from tests.migration.extracting import KINDS, life, most_in_an_hour, shared_window, world


@pytest.fixture
def path(tmp_path):
    return tmp_path / "acme.jbmg"


async def test_everything_is_read_once_and_kept(path, monkeypatch):
    box = world(500)
    report = await life(box, path, monkeypatch)
    print(report)
    assert report.exit is Exit.CLEAN
    assert report.entries == report.new == 500
    async with Ledger.look(path) as ledger:
        ledger.check()
        assert check_pages(ledger) == report.chain
        assert {id for (id,) in ledger.read("SELECT id FROM entry")} == set(
            box.legacy.index("timeentries")
        )
