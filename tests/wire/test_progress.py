"""Servers that lie, repeat themselves or never end: the rows, or an error; never silence."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jibble_async import PaginationError
from jibble_async.core.operation import Request
from jibble_async.core.wire import Reply
from tests.legacy.paging import LegacySet, keyed
from tests.support.chaos import examples
from tests.support.clients import client_at
from tests.support.paging import PagedSet, ids, what_it_raises
from tests.support.raw_server import Answer, Heard, RawServer, json_reply, page, reply
from tests.support.virtual_time import run

BOTH = pytest.mark.parametrize("concurrency", [1, 4])
# A thousand empty pages with links are an error.
MOST_REQUESTS = 1100


def names(number: int, prefix: str = "") -> list[str]:
    return [f"{prefix}{each:04}" for each in range(number)]


@dataclass
class Liar(PagedSet):
    """A server that may tell anything.

    Attributes:
        deaf: Whether it ignores `$skip` and `$top`: the first page is every page.
        ring: So many pages come round and round, whatever is asked for.
        counted: What it counts; -1 for the truth, None for no word.
        after_the_last: Whether it links on after the last row.
        same_link: Whether each of its links is the same.
        extra: Rows that each page repeats from before it.
    """

    deaf: bool = False
    ring: int | None = None
    counted: int | str | None = -1
    after_the_last: bool = False
    same_link: bool = False
    extra: int = 0

    def _answer(self, request: Request) -> Reply:
        assert self.requests < MOST_REQUESTS, "this walk has no end"
        options = parse_qs(request.url.query_string)
        skip, top = int(options.get("$skip", ["0"])[0]), int(options.get("$top", ["999"])[0])
        size = top if self.cap is None else min(self.cap, top)
        if self.deaf:
            skip = 0
        if self.ring is not None:
            skip = (self.requests - 1) % self.ring * size
        # Where pages are capped, one that repeats rows looks as if some had come before it.
        extra = self.extra if self.cap is None else 0
        rows = self.rows[max(0, skip - extra) : skip + size]
        body: dict[str, Any] = {"value": [{"id": row} for row in rows]}
        if self.counted is not None:
            body["@odata.count"] = len(self.rows) if self.counted == -1 else self.counted
        end = skip + size
        if self.links and (end < len(self.rows) or self.after_the_last):
            place = "$skip=0" if self.same_link else f"$skip={end}"
            body["@odata.nextLink"] = f"/v1/Things?{place}"
        return Reply(200, {}, json.dumps(body).encode())


@BOTH
@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("count", [None, 20, "20", 7])
@pytest.mark.parametrize("verify", [False, True])
def test_a_set_that_ignores_skip_is_an_error_at_once(
    count: int | str | None, concurrency: int, shuffled: bool, verify: bool
) -> None:
    rows = names(5)[:: -1 if shuffled else 1]
    behind = Liar(rows, deaf=True, counted=count)
    got, error = run(what_it_raises(behind.pager(5, concurrency=concurrency, verify=verify)))
    assert isinstance(error, PaginationError)
    assert ids(got) == rows
    assert behind.requests <= 1 + concurrency
    assert "server_paged=True" in str(error) or "moved" in str(error)


def test_a_set_of_the_old_api_that_ignores_skip_is_an_error() -> None:
    for verify in (False, True):
        behind = LegacySet(keyed(300))
        behind.before = lambda _, behind=behind: behind.queries[-1].pop("filter[skip]", None)
        rows, error = run(what_it_raises(behind.pager(100, verify=verify)))
        assert isinstance(error, PaginationError)
        assert (len(rows), len(behind.queries)) == (100, 2)
        assert "server_paged" not in str(error)


@pytest.mark.parametrize("ring", [2, 3, 7])
@pytest.mark.parametrize("count", [None, 1000])
@pytest.mark.parametrize("shuffled", [False, True])
def test_pages_in_a_ring_are_an_error(ring: int, count: int | None, shuffled: bool) -> None:
    rows = names(70)
    rows = [*rows[35:], *rows[:35]] if shuffled else rows
    behind = Liar(rows, ring=ring, counted=count)
    _, error = run(what_it_raises(behind.pager(5)))
    assert isinstance(error, PaginationError)
    assert behind.requests <= 2 * ring + 1


def test_rows_without_a_name_that_repeat_without_end_are_an_error() -> None:
    class Nameless(PagedSet):
        def _answer(self, request: Request) -> Reply:
            assert self.requests < 10
            return Reply(200, {}, b'{"value": [{"day": 1}, {"day": 2}]}')

    for options in ({}, {"on_bad_row": lambda *_: None}):
        rows, error = run(what_it_raises(Nameless([]).pager(2, **options)))
        assert isinstance(error, PaginationError)
        assert len(rows) == 2


def test_pages_padded_with_rows_from_before_do_not_end_a_walk_early() -> None:
    """Each page begins with the last row of the one before, on top of what was asked for."""
    behind = Liar(names(8), extra=1)
    rows, error = run(what_it_raises(behind.pager(2)))
    assert isinstance(error, PaginationError)
    assert "of 8 rows that are counted 7 came" in str(error)
    assert ids(rows) == names(4)


def test_the_last_cursor_leads_nowhere_though_the_server_links_on() -> None:
    async def last(behind: Liar) -> Any:
        async for each in behind.pager(100).pages():
            cursor = each.cursor
        return cursor

    behind = Liar(names(7), links=True, after_the_last=True)
    cursor = run(last(behind))
    assert (cursor.offset, cursor.link) == (7, None)
    assert run(behind.pager(100, resume_from=cursor).collect()) == []


@BOTH
@pytest.mark.parametrize("cap", [2, 4, 5, 7, 10])
@pytest.mark.parametrize("verify", [False, True])
@pytest.mark.parametrize("after_the_last", [False, True])
def test_a_count_that_is_capped_costs_no_row(
    concurrency: int, cap: int, verify: bool, after_the_last: bool
) -> None:
    behind = Liar(names(25), cap=cap, links=True, counted=10, after_the_last=after_the_last)
    rows = run(behind.pager(100, concurrency=concurrency, verify=verify).collect())
    assert ids(rows) == names(25)


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("page_size", [7, 8, 1000, None])
async def test_a_link_after_the_last_row_as_well_costs_no_request(
    server: RawServer, page_size: int | None, concurrency: int
) -> None:
    def answer(heard: Heard) -> Answer:
        rows = [] if "skip=7" in heard.target else [1, 2, 3, 4, 5, 6, 7]
        return page(rows, count=7, link=f"/v1/Things?$skip=7&n={len(server.heard)}")

    server.answer = answer
    options: dict[str, Any] = {"page_size": page_size} if page_size else {"server_paged": True}
    async with client_at(server.url) as jibble:
        pager = jibble.paginate("workspace", "/v1/Things", concurrency=concurrency, **options)
        assert len(await pager.collect()) == 7
    # Where the page is as full as it was asked to be, the link may lead to more.
    assert len(server.heard) == (2 if page_size == 7 else 1)


async def test_an_empty_link_is_the_end(server: RawServer) -> None:
    server.answer = lambda _: page([1, 2], link="")
    async with client_at(server.url) as jibble:
        pager = jibble.paginate(
            "workspace", "/v1/Things", params={"$filter": "a eq 1"}, server_paged=True
        )
        assert ids(await pager.collect()) == ["1", "2"]
    assert len(server.heard) == 1


@pytest.mark.parametrize("name", ["odata.nextLink", "items@odata.nextLink", "@nextLink"])
async def test_a_link_by_another_name_is_followed(server: RawServer, name: str) -> None:
    def answer(heard: Heard) -> Answer:
        if "skip" in heard.target:
            return page([3])
        return json_reply({"value": [{"id": "1"}, {"id": "2"}], name: "/v1/Things?$skip=2"})

    server.answer = answer
    async with client_at(server.url) as jibble:
        pager = jibble.paginate("workspace", "/v1/Things", server_paged=True)
        assert ids(await pager.collect()) == ["1", "2", "3"]


@BOTH
async def test_a_page_far_larger_than_was_asked_for_is_refused_unread(
    server: RawServer, concurrency: int
) -> None:
    rows = json.dumps([{"id": str(number), "note": "x" * 1000} for number in range(4000)])
    body = f'{{"@odata.count": 40, "value": {rows}}}'.encode()
    server.answer = lambda _: reply(200, body)
    async with client_at(server.url) as jibble:
        pager = jibble.paginate("workspace", "/v1/Things", page_size=10, concurrency=concurrency)
        with pytest.raises(PaginationError, match="10 rows were asked for, but 3 MiB came"):
            await pager.collect()
    assert len(server.heard) == 1


@examples(250)
@given(
    total=st.integers(0, 40),
    order=st.none() | st.randoms(use_true_random=False),
    page_size=st.integers(2, 12),
    cap=st.none() | st.integers(2, 12),
    concurrency=st.integers(1, 4),
    verify=st.booleans(),
    counted=st.none() | st.just(-1) | st.integers(0, 60),
    links=st.booleans(),
    deaf=st.booleans(),
    ring=st.none() | st.integers(1, 4),
    after_the_last=st.booleans(),
    same_link=st.booleans(),
    extra=st.integers(0, 3),
)
def test_a_server_that_lies_gets_an_error_or_all_of_its_rows_are_given(
    total: int,
    order: Any,
    page_size: int,
    cap: int | None,
    concurrency: int,
    verify: bool,
    **lies: Any,
) -> None:
    rows = names(total)
    if order is not None:
        order.shuffle(rows)
    behind = Liar(rows, cap=cap, **lies)
    count = behind.counted
    # A count that is too low where nothing else says that there is more can only be believed.
    if isinstance(count, int) and 0 <= count < total and not behind.links:
        behind.counted = None
    try:
        got = ids(run(behind.pager(page_size, concurrency=concurrency, verify=verify).collect()))
    except PaginationError:
        return
    assert sorted(got) == sorted(rows)


async def test_a_person_with_all_days_of_a_year_fits_into_a_page(server: RawServer) -> None:
    first, last = date(2026, 1, 1), date(2026, 12, 31)
    days = [{"date": f"{first + timedelta(day)}", "more": "x" * 900} for day in range(365)]
    rows = json.dumps([{"personId": f"p{number}", "daily": days} for number in range(9)])
    server.answer = lambda _: reply(200, f'{{"@odata.count": 9, "value": {rows}}}'.encode())
    async with client_at(server.url) as jibble:
        pager = jibble.timesheets.list(since=first, until=last, page_size=9)
        assert len(await pager.collect()) == 9
