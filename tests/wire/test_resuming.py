"""Walks that end early, and go on from a cursor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from jibble_async import ConfigurationError, Cursor, JibbleClient, RetryPolicy, ServerError, fields
from jibble_async.entities import TimeEntry
from jibble_async.sandbox import Fault, Sandbox
from tests.support.paging import what_it_raises
from tests.wire.week import client_of, entry_ids

T = fields(TimeEntry)
ONCE = RetryPolicy(attempts=1)
BOTH = pytest.mark.parametrize("concurrency", [1, 4])


@pytest.fixture
async def failing_at_57(box: Sandbox) -> AsyncIterator[JibbleClient]:
    async with client_of(box, retry=ONCE) as jibble:
        assert len(entry_ids(box)) > 60 * 2
        await jibble.whoami()
        box.faults.add(Fault("status", service="time-tracking", nth=57, status=500))
        yield jibble


@BOTH
async def test_page_57_fails_and_the_error_tells_where_to_go_on(
    box: Sandbox, failing_at_57: JibbleClient, concurrency: int
) -> None:
    def pager(**options: Any) -> Any:
        return failing_at_57.time_entries.list(page_size=2, concurrency=concurrency, **options)

    rows, error = await what_it_raises(pager())
    assert isinstance(error, ServerError)
    assert len(rows) >= (56 - concurrency) * 2
    rest = await pager(resume_from=error.cursor).collect()
    assert sorted(row.id for row in rows + rest) == entry_ids(box)


@BOTH
async def test_page_57_fails_and_the_last_page_tells_where_to_go_on(
    box: Sandbox, failing_at_57: JibbleClient, concurrency: int
) -> None:
    def pager(**options: Any) -> Any:
        return failing_at_57.time_entries.list(page_size=2, concurrency=concurrency, **options)

    rows: list[TimeEntry] = []
    cursor: Cursor | None = None

    async def read() -> None:
        nonlocal cursor
        async for each in pager().pages():
            rows.extend(each.items)
            cursor = each.cursor

    with pytest.raises(ServerError):
        await read()
    assert cursor is not None
    rest = await pager(resume_from=cursor).collect()
    assert sorted(row.id for row in rows + rest) == entry_ids(box)


async def test_a_cursor_of_another_query_is_refused(box: Sandbox) -> None:
    async with client_of(box) as jibble:
        pages = jibble.time_entries.list(page_size=5).pages()
        cursor = (await anext(pages)).cursor
        await pages.aclose()
        others: tuple[dict[str, Any], ...] = (
            {"where": T.type == "In"},
            {"order_by": T.time},
            {"select": ["id"]},
            {"include_archived": True},
        )
        for other in others:
            with pytest.raises(ConfigurationError, match="another query"):
                jibble.time_entries.list(resume_from=cursor, **other)
        with pytest.raises(ConfigurationError, match="another query"):
            jibble.people.list(resume_from=cursor)
        with pytest.raises(ConfigurationError, match="not a cursor"):
            jibble.time_entries.list(resume_from="rubbish")
        rest = await jibble.time_entries.list(page_size=50, resume_from=str(cursor)).collect()
    assert len(rest) == len(entry_ids(box)) - 5
