"""Which rows are meant, told from the rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from jibble_async import JibbleClient
from jibble_async.core.pages import PageSource, RawRow, RowHead
from jibble_async.core.wire import Reply
from jibble_async.errors import DecodeError, PaginationError
from jibble_async.export.proof.plan import Extent
from jibble_async.export.proof.scope import Scope

SINCE, UNTIL = date(2026, 7, 6), date(2026, 7, 8)
EXTENT = Extent(set="time_entries", since=SINCE, until=UNTIL)
RAW = EXTENT.raw_set(JibbleClient("id", "secret"))


@pytest.fixture
def scope() -> Scope:
    return Scope(RAW, SINCE, UNTIL)


def heads(*rows: Any, pages: PageSource[RawRow] = RAW.pages) -> Sequence[RowHead]:
    body = msgspec.json.encode({"value": rows})
    return pages.read(Reply(200, {}, body), None).heads


@pytest.mark.parametrize(
    ("day", "status", "meant"),
    [
        ("2026-07-06", "Active", True),
        ("2026-07-08", "Active", True),
        # As a server may write a day, which is a moment for it.
        ("2026-07-08T00:00:00Z", "Active", True),
        ("2026-07-05", "Active", False),
        ("2026-07-09", "Active", False),
        (None, "Active", False),
        (7, "Active", False),
        ([], "Active", False),
        ({"year": 2026}, "Active", False),
        ("2026-07-06", "Archived", False),
        ("2026-07-06", None, True),
        ("2026-07-06", "New", True),
    ],
)
def test_rows_are_meant_by_day_and_status(scope: Scope, day: Any, status: Any, meant: bool) -> None:
    found = heads({"id": "a", "belongsToDate": day, "status": status, "updatedAt": "x"})
    assert scope.admits(found[0]) is meant
    if meant:
        scope.require(found)
    else:
        with pytest.raises(PaginationError, match=r"the row 'a'.*was not asked for"):
            scope.require(found)


def test_rows_without_the_fields_are_not_meant(scope: Scope) -> None:
    assert [scope.admits(head) for head in heads({"id": "a"})] == [False]


@pytest.mark.parametrize("row", [[], {}, {"id": None}, None])
def test_rows_without_an_id_are_refused(row: Any) -> None:
    with pytest.raises(DecodeError, match="row 0 of the page can't be read"):
        heads(row)


def test_one_row_among_many_that_was_not_asked_for_is_named(scope: Scope) -> None:
    meant = {"belongsToDate": "2026-07-07", "status": "Active"}
    rows = [{"id": str(number), **meant} for number in range(9)]
    scope.require(heads(*rows))
    rows[5]["status"] = "Archived"
    with pytest.raises(PaginationError, match="the row '5', of day 2026-07-07 and status Archived"):
        scope.require(heads(*rows))


def test_where_all_is_meant_rows_are_not_looked_at() -> None:
    extent = Extent(set="time_entries", include_archived=True)
    scope = Scope(extent.raw_set(JibbleClient("id", "secret")), None, None)
    scope.require(heads({"id": "a", "belongsToDate": [], "status": {}}))


def test_only_of_changes_the_stamp_is_read() -> None:
    row = {"id": "a", "updatedAt": "x"}
    assert RAW.changes is not None
    changed = RAW.changes(datetime(2026, 7, 6, tzinfo=UTC))
    assert [each.stamp for each in heads(row, pages=changed)] == ["x"]
    assert [each.stamp for each in heads(row)] == [None]
