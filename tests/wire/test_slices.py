"""More ids than a request can hold: several requests, and the same rows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import pytest

from jibble_async import (
    ConfigurationError,
    Cursor,
    JibbleClient,
    NotSupportedError,
    ServerError,
    TimeEntry,
    fields,
)
from jibble_async.sandbox import Fault, Sandbox
from tests.support import virtual_time
from tests.support.memory_wire import MemoryWire, clock_from

T = fields(TimeEntry)
DAY = date(2026, 7, 10)
KEY = b"k" * 16
Work = Callable[[JibbleClient, list[str], Sandbox], Awaitable[None]]


def with_people(work: Work, people: int = 300) -> list[str]:
    """Do something with this many ids, and give the requests that it took."""

    async def main() -> list[str]:
        box = Sandbox(people=people, since=DAY, until=DAY, clock=clock_from())
        keys = [str(row["id"]) for row in box.dataset.rows("People")]
        with pytest.MonkeyPatch.context() as patch:
            async with MemoryWire(box).client(patch, page_size=100) as jibble:
                await work(jibble, keys, box)
        return [each.target for each in box.ledger.requests if each.method == "GET"]

    return virtual_time.run(main())


def entries_of(jibble: JibbleClient, keys: list[str], **options: Any) -> Any:
    return jibble.time_entries.list(where=T.person_id.is_in(keys), **options)


@pytest.mark.parametrize("options", [{}, {"concurrency": 3}, {"verify": True}, {"counted": False}])
def test_every_row_once(options: dict[str, Any]) -> None:
    async def work(jibble: JibbleClient, keys: list[str], box: Sandbox) -> None:
        asked = keys[10:]
        rows = [row async for row in entries_of(jibble, asked, **options)]
        wanted = {
            row["id"] for row in box.ledger.rows("TimeEntries") if row["personId"] in set(asked)
        }
        assert len(rows) == len(wanted)
        assert {row.id for row in rows} == wanted
        assert jibble.stats.duplicates == 0

    requests = with_people(work)
    assert max(map(len, requests)) <= 8000
    filters = [each.partition("$filter=")[2].partition("&")[0] for each in requests]
    assert len(set(filters)) == 3


def test_an_id_that_is_given_twice_is_of_one_slice() -> None:
    async def work(jibble: JibbleClient, keys: list[str], box: Sandbox) -> None:
        twice = [*keys, *(key.upper() for key in keys)]
        where = (T.type == "In") & T.person_id.is_in(twice)
        rows = await jibble.time_entries.list(where=where).collect()
        assert len(rows) == len({row.id for row in rows})
        every = await jibble.time_entries.list(where=T.type == "In").collect()
        assert {row.id for row in rows} == {row.id for row in every}

    with_people(work)


@pytest.mark.parametrize("key", [None, KEY])
def test_a_walk_goes_on_from_each_of_its_cursors(key: bytes | None) -> None:
    async def work(jibble: JibbleClient, keys: list[str], box: Sandbox) -> None:
        pages = [page async for page in entries_of(jibble, keys, cursor_key=key).pages()]
        assert all(page.total is None for page in pages)
        assert len(pages) > 5
        for number, page in enumerate(pages, 1):
            pager = entries_of(jibble, keys, cursor_key=key, resume_from=str(page.cursor))
            after = [row.id for each in pages[number:] for row in each.items]
            assert [row.id async for row in pager] == after
        with pytest.raises(ConfigurationError, match="another query"):
            entries_of(jibble, keys[1:], cursor_key=key, resume_from=pages[-1].cursor)

    with_people(work)


def test_a_page_that_fails_says_where_to_go_on() -> None:
    async def work(jibble: JibbleClient, keys: list[str], box: Sandbox) -> None:
        every = [row.id for row in await entries_of(jibble, keys).collect()]
        box.faults.add(Fault("status", path="TimeEntries", nth=7, times=None))
        rows: list[str] = []

        async def read() -> None:
            async for row in entries_of(jibble, keys):
                rows.append(row.id)

        with pytest.raises(ServerError) as caught:
            await read()
        box.faults.clear()
        assert caught.value.cursor is not None
        assert Cursor.parse(caught.value.cursor).mark == "1/3"
        rest = await entries_of(jibble, keys, resume_from=caught.value.cursor).collect()
        assert rows + [row.id for row in rest] == every

    with_people(work)


@pytest.mark.parametrize("mark", ["0/3", "3/3", "1/2", "", "x"])
def test_a_mark_that_no_slice_has_is_refused(mark: str) -> None:
    async def work(jibble: JibbleClient, keys: list[str], box: Sandbox) -> None:
        page = await anext(entries_of(jibble, keys).pages())
        forged = Cursor(fingerprint=page.cursor.fingerprint, mark=mark)
        with pytest.raises(ConfigurationError, match="it has a mark"):
            entries_of(jibble, keys, resume_from=forged)

    with_people(work)


def test_a_link_in_a_cursor_is_held_against_its_own_slice() -> None:
    async def work(jibble: JibbleClient, keys: list[str], box: Sandbox) -> None:
        page = await anext(entries_of(jibble, keys).pages())
        await entries_of(jibble, keys, page_size=1000).collect()
        first, second = [each.target for each in box.ledger.select(path="TimeEntries")][-3:-1]
        for target, accepted in ((first, False), (second, True)):
            forged = Cursor(fingerprint=page.cursor.fingerprint, mark="1/3", link=target)
            if accepted:
                entries_of(jibble, keys, resume_from=forged)
            else:
                with pytest.raises(ConfigurationError, match="asks for something else"):
                    entries_of(jibble, keys, resume_from=forged)

    with_people(work)


def test_texts_are_not_split_since_a_server_may_take_two_for_one() -> None:
    async def work(jibble: JibbleClient, keys: list[str], box: Sandbox) -> None:
        with pytest.raises(ConfigurationError, match="servers take 8000"):
            await jibble.time_entries.list(where=T.note.is_in(keys)).first()
        assert box.ledger.requests == []

    with_people(work, people=200)


def test_a_limit_counts_over_all_of_them() -> None:
    async def work(jibble: JibbleClient, keys: list[str], box: Sandbox) -> None:
        every = [row.id for row in await entries_of(jibble, keys).collect()]
        for limit in (0, 1, 281, 282, 500, len(every), len(every) + 1):
            found = [row.id async for row in entries_of(jibble, keys, limit=limit)]
            assert found == every[:limit]
            assert [row.id for row in await entries_of(jibble, keys).collect(limit)] == found
        first = await entries_of(jibble, keys).first()
        assert first is not None
        assert first.id == every[0]

    with_people(work)


def test_counts_are_added_up() -> None:
    async def work(jibble: JibbleClient, keys: list[str], box: Sandbox) -> None:
        pager = entries_of(jibble, keys)
        assert await pager.count() == len(await pager.collect())
        with pytest.raises(NotSupportedError, match="not counted"):
            await entries_of(jibble, keys, counted=False).count()

    with_people(work)


def test_who_leaves_a_walk_early_leaves_nothing() -> None:
    async def work(jibble: JibbleClient, keys: list[str], box: Sandbox) -> None:
        async with entries_of(jibble, keys, concurrency=3) as pager:
            async for _ in pager:
                break
        assert len(box.ledger.select(path="TimeEntries")) == 1

    with_people(work)


def test_rows_that_are_one_for_each_person() -> None:
    async def work(jibble: JibbleClient, keys: list[str], box: Sandbox) -> None:
        for many in (keys, [*keys, *keys]):
            sheets = await jibble.timesheets.list(DAY, person_ids=many).collect()
            sums = await jibble.timesheet_summaries.list(DAY, person_ids=many).collect()
            report = await jibble.reports.tracked_time(DAY, DAY, person_ids=many).collect()
            assert {each.person_id for each in sheets} == {each.person_id for each in sums}
            assert len(sheets) == len(sums) == len({each.person_id for each in sheets})
            assert len(report) == len(await jibble.reports.tracked_time(DAY, DAY).collect())

    with_people(work)


def test_what_fits_is_one_request() -> None:
    async def work(jibble: JibbleClient, keys: list[str], box: Sandbox) -> None:
        await entries_of(jibble, keys, page_size=1000).collect()
        await jibble.timesheets.list(DAY, person_ids=keys, page_size=1000).collect()

    assert len(with_people(work, people=100)) == 2
