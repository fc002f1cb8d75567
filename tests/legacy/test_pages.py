"""Walks over bare arrays: where they end, what they ask for, and rows that move."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jibble_legacy import LegacyClient
from jibble_legacy.entities import LegacyTimeEntry

import jibble_async
from jibble_async import (
    ConfigurationError,
    Cursor,
    JibbleError,
    NotSupportedError,
    PaginationError,
    TimeEntry,
)
from jibble_async.query.clauses import Query, orderings
from tests.legacy.paging import LegacySet, ids, keyed
from tests.support.chaos import examples
from tests.support.virtual_time import run

T = jibble_async.fields(TimeEntry)
SIZES = st.integers(1, 12)


@pytest.mark.parametrize(
    ("total", "page_size", "places"),
    [
        (0, 100, [(0, 100)]),
        (99, 100, [(0, 100)]),
        (100, 100, [(0, 100), (100, 100)]),
        (250, 100, [(0, 100), (100, 100), (200, 100)]),
        (29, None, [(0, None)]),
        (30, None, [(0, None), (30, 100)]),
        (131, None, [(0, None), (30, 100), (130, 100)]),
    ],
)
async def test_a_short_page_is_the_last(
    total: int, page_size: int | None, places: list[tuple[int, int | None]]
) -> None:
    behind = LegacySet(keyed(total))
    assert ids(await behind.pager(page_size).collect()) == ids(keyed(total))
    assert behind.places == places


async def test_the_first_page_can_be_asked_for_as_documented() -> None:
    behind = LegacySet(keyed(3))
    await behind.pager(None).collect()
    assert behind.queries == [{}]


async def test_no_more_is_asked_for_than_is_wanted() -> None:
    behind = LegacySet(keyed(300))
    assert len(await behind.pager(limit=120).collect()) == 120
    assert behind.places == [(0, 100), (100, 20)]


@examples(200)
@given(
    total=st.integers(0, 60),
    page_size=SIZES,
    concurrency=st.integers(1, 4),
    limit=st.none() | st.integers(0, 70),
    verify=st.booleans(),
)
def test_the_rows_equal_the_set(
    total: int, page_size: int, concurrency: int, limit: int | None, verify: bool
) -> None:
    behind = LegacySet(keyed(total))
    pager = behind.pager(page_size + verify, limit=limit, concurrency=concurrency, verify=verify)
    assert ids(run(pager.collect())) == ids(keyed(total))[: total if limit is None else limit]
    assert behind.stats.duplicates == 0
    assert len(behind.queries) <= total // page_size + 1


@examples(100)
@given(
    total=st.integers(1, 60),
    page_size=st.none() | st.integers(2, 12),
    stop_after=st.integers(1, 10),
    verify=st.booleans(),
)
def test_a_walk_goes_on_where_it_was_left(
    total: int, page_size: int | None, stop_after: int, verify: bool
) -> None:
    behind = LegacySet(keyed(total))
    verify = verify and page_size is not None

    async def walk() -> list[str]:
        rows: list[str] = []
        cursor: str | None = None
        async with behind.pager(page_size, verify=verify) as pager:
            async for page in pager.pages():
                rows += ids(page.items)
                cursor = str(page.cursor)
                if len(behind.queries) == stop_after:
                    break
        rest = behind.pager(page_size, verify=verify, resume_from=cursor)
        return rows + ids(await rest.collect())

    assert run(walk()) == ids(keyed(total))


CHANGES = st.lists(
    st.tuples(st.integers(1, 15), st.booleans(), st.integers(0, 79)), min_size=1, max_size=4
)


@examples(400)
@given(total=st.integers(0, 60), page_size=st.integers(2, 9), changes=CHANGES)
def test_rows_that_come_and_go_are_noticed_or_harmless(
    total: int, page_size: int, changes: list[tuple[int, bool, int]]
) -> None:
    """What existed throughout is there, or the walk says that something moved."""
    behind = LegacySet(keyed(total))
    gone: set[str] = set()

    def change(number: int) -> None:
        for at, come, place in changes:
            if at != number:
                continue
            if come:
                behind.rows.insert(place, {"id": f"new {at} {place}"})
            elif place < len(behind.rows):
                gone.add(behind.rows.pop(place)["id"])

    behind.before = change
    got: list[str] = []

    async def walk() -> bool:
        try:
            async for row in behind.pager(page_size, verify=True):
                got.append(row.id)
        except PaginationError:
            return True
        return False

    noticed = run(walk())
    assert len(got) == len(set(got)), "a row was given twice"
    if not noticed:
        assert set(ids(keyed(total))) - gone <= set(got)


async def test_a_row_that_moved_over_a_seam_is_noticed() -> None:
    # Rows that tie in the order may change places: the seam matches, and a row is missing.
    behind = LegacySet(keyed(8))

    def change(number: int) -> None:
        if number == 2:
            rows = behind.rows
            rows[1], rows[5] = rows[5], rows[1]

    behind.before = change
    with pytest.raises(PaginationError, match="rows moved"):
        await behind.pager(4, verify=True).collect()


async def test_what_pages_can_not_be_asked_for() -> None:
    behind = LegacySet(keyed(3))
    with pytest.raises(ConfigurationError, match="page_size=101: the old API gives 100 rows"):
        LegacyClient("token").people.list(page_size=101)
    with pytest.raises(ConfigurationError, match="verify=True needs a page_size"):
        behind.pager(None, verify=True)
    with pytest.raises(NotSupportedError, match="not counted"):
        await behind.pager().count()
    assert behind.queries == []


async def test_a_cursor_belongs_to_its_query() -> None:
    behind = LegacySet(keyed(3))
    page = await anext(behind.pager(2).pages())
    other = Query(LegacyTimeEntry, order_by=orderings(LegacyTimeEntry, [T.time]))
    with pytest.raises(ConfigurationError, match="another query"):
        behind.pager(2, query=other, resume_from=page.cursor)
    foreign = Cursor(fingerprint=page.cursor.fingerprint, link="http://elsewhere")
    with pytest.raises(JibbleError, match="gives no links"):
        await behind.pager(2, resume_from=foreign).collect()
