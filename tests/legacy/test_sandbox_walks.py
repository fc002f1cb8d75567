"""Walks over the sandbox's old API, asked without a network between."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timezone
from typing import Any, TypeVar

from hypothesis import given
from hypothesis import strategies as st
from jibble_legacy.days import WorkingDays
from jibble_legacy.entities import LegacyTimeEntry
from jibble_legacy.pages import LoopBackPages

from jibble_async import EntryType, Pager, PaginationError, Stats
from jibble_async.core.clock import Clock
from jibble_async.core.emitter import Emitter
from jibble_async.core.operation import Request
from jibble_async.core.paging import Paging
from jibble_async.core.wire import Reply
from jibble_async.query.clauses import Query, orderings
from jibble_async.sandbox.dataset import Dataset
from jibble_async.sandbox.exchange import Call
from jibble_async.sandbox.ledger import Ledger, Received
from jibble_async.sandbox.legacy.host import LegacyHost
from jibble_async.sandbox.legacy.records import legacy_id, organisation_rows
from jibble_async.sandbox.legacy.rules import LegacyRules
from jibble_async.sandbox.legacy.store import LegacyStore
from tests.legacy.paging import LIST
from tests.support.chaos import examples
from tests.support.virtual_time import run

V = TypeVar("V")

NOW = datetime(2026, 8, 1, tzinfo=UTC)


class HostSession:
    """A session whose requests the sandbox's old API answers at once.

    Attributes:
        before: Called with the number of a request before it is answered.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.store = LegacyStore(functools.partial(organisation_rows, dataset))
        self.stats = Stats()
        self.emitter = Emitter((), Clock())
        self.requests = 0
        self.before: Callable[[int], None] = lambda _: None
        self._host = LegacyHost(self.store, LegacyRules(), Ledger(dataset), lambda: NOW, 1)

    def pager(self, *, order_by: str | None = None, **options: Any) -> Pager[LegacyTimeEntry]:
        order = () if order_by is None else orderings(LegacyTimeEntry, [order_by])
        source = LoopBackPages(
            LIST,
            "http://127.0.0.1",
            read_rows,
            Query(LegacyTimeEntry, order_by=order),
            days=options.pop("days", None),
            between=options.pop("between", (None, None)),
        )
        return Pager(source, self, Paging.of({"page_size": 100, **options}))

    async def call(
        self, request: Request, read: Callable[[Reply], V], walk_id: str | None = None
    ) -> V:
        self.requests += 1
        self.before(self.requests)
        self.store.notice()
        url = request.url
        call = Call("GET", url.raw_path, url.raw_query_string, b"", {}, "")
        received = Received(self.requests, NOW, "legacy", "GET", str(url), url.raw_path)
        answer = self._host.answer(call, received)
        assert answer.status == 200
        return read(Reply(200, {}, answer.encoded()))


def read_rows(reply: Reply, on_bad_row: Any) -> tuple[list[LegacyTimeEntry], int]:
    entries = [
        LegacyTimeEntry(
            id=row["id"],
            type=EntryType.IN if row["action"] == 1 else EntryType.OUT,
            time=datetime.fromisoformat(row["date"]),
            person_id=row["person"]["id"],
        )
        for row in json.loads(reply.body)
    ]
    return entries, len(entries)


@functools.cache
def company() -> Dataset:
    return Dataset(people=24, since=date(2026, 6, 24), until=date(2026, 7, 8), seed=3)


@functools.cache
def days_of_the_current_api() -> dict[str, date]:
    """The working day of every entry, by its id in the old API."""
    return {
        legacy_id("TimeEntries", row["id"]): date.fromisoformat(row["belongsToDate"])
        for row in company().rows("TimeEntries")
    }


def zones() -> WorkingDays:
    """Where people are: in no zone of theirs do the clocks change in these days."""
    return WorkingDays(
        {
            legacy_id("People", row["personId"]): timezone(offset)
            for row in company().rows("TimeEntries")
            if (offset := datetime.fromisoformat(row["localTime"]).utcoffset()) is not None
        }
    )


async def test_working_days_are_those_of_the_current_api() -> None:
    """People in several zones, nights over midnight and over the month's end."""
    session = HostSession(company())
    span = (date(2026, 7, 1), date(2026, 7, 7))
    found = await session.pager(days=zones(), between=span).collect()
    days = days_of_the_current_api()
    known = {row["id"] for row in session.store.rows("timeentries")}
    assert {entry.id: entry.belongs_to_date for entry in found} == {
        key: day for key, day in days.items() if key in known and span[0] <= day <= span[1]
    }
    nights = [entry for entry in found if entry.local_time.date() != entry.belongs_to_date]  # type: ignore[union-attr]
    assert len(nights) > 20


async def test_a_week_takes_few_requests() -> None:
    session = HostSession(company())
    days = zones()
    span = (date(2026, 7, 1), date(2026, 7, 7))
    low, high = days.moments(*span)
    assert low is not None
    assert high is not None
    await session.pager(days=days, between=span).collect()
    times = [datetime.fromisoformat(row["date"]) for row in session.store.rows("timeentries")]
    assert session.requests == sum(low <= time <= high for time in times) // 100 + 1


CHANGES = st.lists(
    st.tuples(st.integers(2, 8), st.booleans(), st.integers(0, 400)), min_size=1, max_size=5
)


@examples(60)
@given(
    changes=CHANGES,
    order_by=st.sampled_from([None, "time", "person_id"]),
    page_size=st.integers(40, 100),
)
def test_entries_that_come_and_go_are_noticed_or_harmless(
    changes: list[tuple[int, bool, int]], order_by: str | None, page_size: int
) -> None:
    """What existed throughout is there, or the walk says that something moved."""
    session = HostSession(company())
    rows = session.store.rows("timeentries")
    del rows[400:]
    before = {row["id"] for row in rows}
    gone: set[str] = set()

    def change(number: int) -> None:
        for at, come, place in changes:
            if at == number and come:
                row = dict(rows[place % len(rows)])
                session.store.add("timeentries", {**row, "id": f"{place:03}{at:013}"})
            elif at == number:
                gone.add(rows[place % len(rows)]["id"])
                session.store.remove("timeentries", rows[place % len(rows)]["id"])

    session.before = change
    got: list[str] = []

    async def walk() -> bool:
        try:
            pager = session.pager(order_by=order_by, page_size=page_size, verify=True)
            got.extend([entry.id async for entry in pager])
        except PaginationError:
            return True
        return False

    noticed = run(walk())
    assert len(got) == len(set(got))
    if not noticed:
        assert before - gone <= set(got)
