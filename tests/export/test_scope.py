"""Which rows are meant, told from the rows."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from jibble_async import JibbleClient
from jibble_async.core.pages import RawRow
from jibble_async.errors import DecodeError, PaginationError
from jibble_async.export.plan import Extent
from jibble_async.export.scope import Scope

SINCE, UNTIL = date(2026, 7, 6), date(2026, 7, 8)


@pytest.fixture
def scope() -> Scope:
    extent = Extent(set="time_entries", since=SINCE, until=UNTIL)
    return Scope(extent.raw_set(JibbleClient("id", "secret")), SINCE, UNTIL)


def rows(*fields: dict[str, Any]) -> list[RawRow]:
    return [(str(each.get("id")), msgspec.Raw(msgspec.json.encode(each))) for each in fields]


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
        ("2026-07-06", "Archived", False),
        ("2026-07-06", None, True),
        ("2026-07-06", "New", True),
    ],
)
def test_rows_are_meant_by_day_and_status(scope: Scope, day: Any, status: Any, meant: bool) -> None:
    found = rows({"id": "a", "belongsToDate": day, "status": status, "updatedAt": "x"})
    (mark,) = scope.marks(found)
    assert scope.admits(mark) is meant
    assert mark.stamp == "x"
    if meant:
        scope.require(found)
    else:
        with pytest.raises(PaginationError, match=r"the row 'a'.*was not asked for"):
            scope.require(found)


def test_rows_without_the_fields_are_not_meant(scope: Scope) -> None:
    assert [scope.admits(mark) for mark in scope.marks(rows({"id": "a"}))] == [False]


def test_rows_of_no_form_are_refused(scope: Scope) -> None:
    with pytest.raises(DecodeError, match="rows can't be read"):
        scope.marks([("a", msgspec.Raw(b"[]"))])


def test_where_all_is_meant_rows_are_not_looked_at() -> None:
    extent = Extent(set="time_entries", include_archived=True)
    scope = Scope(extent.raw_set(JibbleClient("id", "secret")), None, None)
    scope.require([("a", msgspec.Raw(b"nothing"))])
