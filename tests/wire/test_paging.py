"""Walks over pages as a real server, a capping one, or a broken one gives them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jibble_async import (
    DecodeError,
    NotSupportedError,
    PaginationError,
    RetryPolicy,
    fields,
)
from jibble_async.entities import Position, TimeEntry
from jibble_async.sandbox import Fault, Sandbox
from tests.support.clients import client_at
from tests.support.leaks import other_tasks, settled
from tests.support.paging import PagedSet, ids, pages_read, what_it_raises
from tests.support.raw_server import Answer, Heard, RawServer, Script, json_reply, page, reply
from tests.support.virtual_time import run
from tests.wire.week import WEEK, client_of, entry_ids

T = fields(TimeEntry)
ONCE = RetryPolicy(attempts=1)
BOTH = pytest.mark.parametrize("concurrency", [1, 4])


LARGE: dict[str, Any] = WEEK | {"people": 30}


@BOTH
@pytest.mark.parametrize("next_links", [False, True])
async def test_a_capped_page_costs_no_row(next_links: bool, concurrency: int) -> None:
    async with (
        Sandbox(**LARGE, page_cap=100, next_links=next_links) as box,
        client_of(box) as jibble,
    ):
        pager = jibble.time_entries.list(page_size=1000, concurrency=concurrency)
        rows = await pager.collect()
        assert len(rows) > 300
        assert sorted(row.id for row in rows) == entry_ids(box)
        # As many requests as it takes, and no more.
        assert box.ledger.count("time-tracking") == -(-len(rows) // 100)


@BOTH
@pytest.mark.parametrize("verify", [False, True])
async def test_every_row_in_order(box: Sandbox, concurrency: int, verify: bool) -> None:
    async with client_of(box) as jibble:
        rows = await jibble.time_entries.list(
            page_size=7, concurrency=concurrency, verify=verify, order_by=T.time.desc()
        ).collect()
    assert sorted(row.id for row in rows) == entry_ids(box)
    times = [row.time for row in rows if row.time is not None]
    assert len(times) == len(rows)
    assert times == sorted(times, reverse=True)


@BOTH
async def test_an_empty_page_with_a_link_is_not_the_end(box: Sandbox, concurrency: int) -> None:
    box.faults.add(Fault("empty_page", nth=3))
    async with client_of(box) as jibble:
        rows = await jibble.time_entries.list(page_size=20, concurrency=concurrency).collect()
    assert sorted(row.id for row in rows) == entry_ids(box)


async def test_pages_that_are_empty_for_ever_have_an_end(server: RawServer) -> None:
    server.answer = lambda _: page([], link=f"/v1/Things?$skiptoken={len(server.heard)}")
    async with client_at(server.url) as jibble:
        with pytest.raises(PaginationError, match="empty"):
            await jibble.paginate("workspace", "/v1/Things", server_paged=True).collect()
    assert len(server.heard) < 1100


@BOTH
async def test_a_link_that_comes_again_is_an_error(box: Sandbox, concurrency: int) -> None:
    box.faults.add(Fault("repeat_link", times=None))
    async with client_of(box) as jibble:
        with pytest.raises(PaginationError, match="twice"):
            await jibble.time_entries.list(page_size=20, concurrency=concurrency).collect()
    assert box.ledger.count("time-tracking") < 10


async def test_links_in_a_ring_are_an_error(server: RawServer) -> None:
    ring = {"a": "b", "b": "c", "c": "a"}

    def answer(heard: Heard) -> Answer:
        here = heard.target[-1] if "token" in heard.target else "a"
        return page([here], link=f"/v1/Things?token={ring[here]}")

    server.answer = answer
    async with client_at(server.url) as jibble:
        pager = jibble.paginate("workspace", "/v1/Things", server_paged=True)
        rows, error = await what_it_raises(pager)
    assert isinstance(error, PaginationError)
    assert ids(rows)[:3] == ["a", "b", "c"]
    assert len(server.heard) <= 4


@BOTH
async def test_rows_that_come_twice_are_given_once(box: Sandbox, concurrency: int) -> None:
    box.faults.add(Fault("duplicate_rows", nth=3, rows=2))
    async with client_of(box) as jibble:
        rows = await jibble.time_entries.list(page_size=20, concurrency=concurrency).collect()
        assert jibble.stats.duplicates == 2
        assert jibble.stats.rows == len(rows)
    assert sorted(row.id for row in rows) == entry_ids(box)


@BOTH
async def test_a_row_that_goes_between_two_pages_is_seen_at_the_seam(
    box: Sandbox, concurrency: int
) -> None:
    async with client_of(box) as jibble:
        first = await jibble.time_entries.list().first()
        assert first is not None

        def change(dataset: Any) -> None:
            dataset.remove("TimeEntries", first.id)

        box.faults.add(Fault("mutate", nth=3, change=change))
        with pytest.raises(PaginationError, match="moved") as caught:
            await jibble.time_entries.list(
                page_size=20, concurrency=concurrency, verify=True
            ).collect()
    assert caught.value.cursor is not None


@BOTH
def test_a_row_that_comes_between_two_pages_is_seen_at_the_seam(concurrency: int) -> None:
    behind = PagedSet([f"{number:03}" for number in range(1, 60)])

    def change(number: int) -> None:
        if number == 3:
            behind.rows.insert(0, "000")

    behind.before = change
    pager = behind.pager(10, concurrency=concurrency, verify=True)
    rows, error = run(what_it_raises(pager))
    assert isinstance(error, PaginationError)
    assert ids(rows) == [f"{number:03}" for number in range(1, 1 + len(rows))]


@BOTH
async def test_a_count_that_is_too_high_is_an_error(box: Sandbox, concurrency: int) -> None:
    box.faults.add(Fault("wrong_count", by=15, times=None))
    async with client_of(box) as jibble:
        pager = jibble.time_entries.list(page_size=20, concurrency=concurrency)
        rows, error = await what_it_raises(pager)
    assert isinstance(error, PaginationError)
    assert "counts" in str(error)
    assert sorted(row.id for row in rows) == entry_ids(box)


@BOTH
async def test_a_count_below_what_was_sent_is_not_believed(box: Sandbox, concurrency: int) -> None:
    box.faults.add(Fault("wrong_count", count=3, times=None))
    async with client_of(box) as jibble:
        rows = await jibble.time_entries.list(page_size=20, concurrency=concurrency).collect()
    assert sorted(row.id for row in rows) == entry_ids(box)


@BOTH
@pytest.mark.parametrize("count", [-1, 2**70, 1.5, "five", None, []])
async def test_a_count_that_is_none(server: RawServer, count: Any, concurrency: int) -> None:
    server.answer = Script(page([1, 2], count=count), page([3], count=count), page([], count=count))
    async with client_at(server.url) as jibble:
        pager = jibble.paginate("workspace", "/v1/Things", page_size=2, concurrency=concurrency)
        assert ids(await pager.collect()) == ["1", "2", "3"]
        with pytest.raises(NotSupportedError):
            await pager.count()


@BOTH
async def test_without_a_count_the_end_is_an_empty_page(box: Sandbox, concurrency: int) -> None:
    box.faults.add(Fault("no_count", times=None))
    async with client_of(box) as jibble:
        rows = await jibble.time_entries.list(page_size=20, concurrency=concurrency).collect()
    assert sorted(row.id for row in rows) == entry_ids(box)


@BOTH
@pytest.mark.parametrize("verify", [False, True])
async def test_a_count_that_is_not_asked_for_costs_no_row(
    box: Sandbox, concurrency: int, verify: bool
) -> None:
    async with client_of(box) as jibble:
        pager = jibble.time_entries.list(
            page_size=20, concurrency=concurrency, verify=verify, counted=False
        )
        rows = await pager.collect()
        with pytest.raises(NotSupportedError, match="not counted"):
            await pager.count()
    assert sorted(row.id for row in rows) == entry_ids(box)
    assert not [heard for heard in box.ledger.requests if "$count" in heard.target]


@pytest.mark.parametrize("concurrency", [1, 3, 8])
def test_pages_come_in_order_and_no_more_than_asked_for_are_in_flight(concurrency: int) -> None:
    names = [f"{number:03}" for number in range(200)]
    # The later a page is asked for, the sooner it comes.
    behind = PagedSet(names, delay=lambda number: 10.0 / number)
    rows = ids(run(behind.pager(5, concurrency=concurrency).collect()))
    assert rows == names
    assert behind.peak == concurrency
    assert behind.requests == 40
    assert [each.total for each in pages_read(behind.events)] == [200] * 40


@pytest.mark.parametrize("concurrency", [2, 6])
def test_a_reader_who_stops_is_not_run_ahead_of(concurrency: int) -> None:
    behind = PagedSet([f"{number:03}" for number in range(300)])

    async def read() -> None:
        async with behind.pager(5, concurrency=concurrency) as pager:
            number = 0
            async for _ in pager.pages():
                number += 1
                # An hour over each page: all that may be fetched ahead will be.
                await asyncio.sleep(3600)
                assert behind.requests <= number + concurrency
                if number == 10:
                    break

    run(read())
    assert behind.in_flight == 0


@BOTH
@pytest.mark.parametrize("limit", [0, 1, 19, 20, 21, 40, 45, 10_000])
async def test_a_limit_is_exact_and_asks_for_no_page_too_many(
    box: Sandbox, limit: int, concurrency: int
) -> None:
    everything = entry_ids(box)
    async with client_of(box) as jibble:
        pager = jibble.time_entries.list(page_size=20, limit=limit, concurrency=concurrency)
        rows = await pager.collect()
        assert len(rows) == min(limit, len(everything))
        assert box.ledger.count("time-tracking") == -(-len(rows) // 20)
        assert await pager.count() == len(everything)
        assert len(await pager.collect(limit=5)) == min(limit, 5)


def test_a_page_larger_than_asked_for_does_not_break_the_limit() -> None:
    class Generous(PagedSet):
        def _answer(self, request: Any) -> Any:
            text = str(request.url).replace("$top=5", "$top=50")
            return super()._answer(type(request)(request.operation, type(request.url)(text)))

    for concurrency in (1, 4):
        behind = Generous([f"{number:03}" for number in range(200)])
        rows = run(behind.pager(5, limit=60, concurrency=concurrency).collect())
        assert ids(rows) == [f"{number:03}" for number in range(60)]


@BOTH
def test_rows_added_during_a_walk_are_found(concurrency: int) -> None:
    names = [f"{number:03}" for number in range(60)]
    behind = PagedSet(names[:30])

    def change(number: int) -> None:
        if number == 2:
            behind.rows = names

    behind.before = change
    assert ids(run(behind.pager(10, concurrency=concurrency).collect())) == names


@BOTH
def test_rows_that_go_from_the_end_during_a_walk_end_it(concurrency: int) -> None:
    names = [f"{number:03}" for number in range(60)]
    behind = PagedSet(list(names))

    def change(number: int) -> None:
        if number == 2:
            del behind.rows[25:]

    behind.before = change
    rows = ids(run(behind.pager(10, concurrency=concurrency).collect()))
    assert rows[:25] == names[:25]


@BOTH
def test_a_cap_that_shrinks_during_a_walk_costs_no_row_and_nor_does_a_failure_amid_it(
    concurrency: int,
) -> None:
    names = [f"{number:03}" for number in range(100)]
    for failing in range(1, 40):
        behind = PagedSet(names, cap=20, failing=frozenset({failing}))

        def change(number: int, behind: PagedSet = behind) -> None:
            if number == 3:
                behind.cap = 3

        behind.before = change
        rows: list[str] = []
        try:
            got, error = run(what_it_raises(behind.pager(20, concurrency=concurrency)))
        except AssertionError:
            assert behind.requests < failing
            break
        rows = ids(got)
        behind.failing = frozenset()
        rest = run(behind.pager(20, resume_from=error.cursor, concurrency=concurrency).collect())
        assert rows + ids(rest) == names


async def test_a_set_that_pages_by_itself_gets_no_options(server: RawServer) -> None:
    server.answer = Script(page([1, 2], link="/v1/Things?page=2"), page([3]))
    async with client_at(server.url) as jibble:
        pager = jibble.paginate(
            "workspace", "/v1/Things", params={"kind": "x"}, server_paged=True, concurrency=4
        )
        assert ids(await pager.collect()) == ["1", "2", "3"]
    assert [each.target for each in server.heard] == ["/v1/Things?kind=x", "/v1/Things?page=2"]


async def test_a_row_without_a_key_is_never_a_repetition(server: RawServer) -> None:
    server.answer = Script(
        reply(200, b'{"@odata.count": 4, "value": [{"a": 1}, {"a": 1}]}'),
        reply(200, b'{"@odata.count": 4, "value": [{"a": 1}, {"a": 1}]}'),
    )
    async with client_at(server.url) as jibble:
        rows = await jibble.paginate("workspace", "/v1/Things", page_size=2).collect()
    assert rows == [{"a": 1}] * 4


@BOTH
async def test_several_walks_at_once_do_not_mix(box: Sandbox, concurrency: int) -> None:
    async with client_of(box) as jibble:
        pager = jibble.time_entries.list(page_size=9, concurrency=concurrency)
        walks = await asyncio.gather(*(pager.collect() for _ in range(4)))
    for rows in walks:
        assert sorted(row.id for row in rows) == entry_ids(box)


async def test_a_failing_page_in_flight_stops_the_others(server: RawServer) -> None:
    def answer(heard: Heard) -> Answer:
        if "$skip=0&" in heard.target:
            return page([1, 2], count=40)
        return reply(404) if "$skip=2&" in heard.target else reply(503)

    server.answer = answer
    async with client_at(server.url) as jibble:
        pager = jibble.paginate("workspace", "/v1/Things", page_size=2, concurrency=6)
        rows, error = await what_it_raises(pager)
        await settled(lambda: "jibble page" not in {each.get_name() for each in other_tasks()})
    assert ids(rows) == ["1", "2"]
    assert "404" in str(error)


@BOTH
async def test_a_row_that_cant_be_read_is_not_asked_for_again(
    server: RawServer, concurrency: int
) -> None:
    """What came whole would come the same; only what broke off is worth another request."""
    wrong = json_reply({"value": [{"id": "3", "name": []}], "@odata.count": 3})
    server.answer = Script(page([1, 2], count=3), wrong, wrong)
    async with client_at(server.url) as jibble:
        pager = jibble.paginate(
            "workspace", "/v1/Things", type=Position, page_size=2, concurrency=concurrency
        )
        with pytest.raises(DecodeError):
            await pager.collect()
        assert jibble.stats.retries == 0
    assert len(server.heard) == 2
