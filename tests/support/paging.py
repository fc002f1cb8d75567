"""A set of rows behind a session without a network: pages as servers give them, in virtual time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qs

from jibble_async import JibbleError, NotFoundError, Pager, Safety, Stats
from jibble_async.core.clock import Clock
from jibble_async.core.emitter import Emitter
from jibble_async.core.operation import Operation, Request
from jibble_async.core.paging import Paging
from jibble_async.core.wire import Reply
from jibble_async.events import Event, PageRead
from jibble_async.odata.pages import ODataPages

V = TypeVar("V")

_OPERATION = Operation("workspace", "GET", "/v1/Things", Safety.READ)
_BASE = "http://127.0.0.1"


@dataclass
class PagedSet:
    """A session, and the server behind it.

    Attributes:
        rows: The ids of the rows, in order; may change at any time.
        cap: The most rows of a page.
        links: Whether a page that is not the last links to the next.
        counts: Whether the server counts.
        count: What it counts, if that is not the truth.
        delay: Seconds that the n-th request takes.
        before: Called with the number of a request before it is answered.
        failing: The numbers of requests that fail.
        requests: How many there were.
        in_flight: How many are under way now.
        peak: How many were under way at once.
    """

    rows: list[str]
    cap: int | None = None
    links: bool = False
    counts: bool = True
    count: int | None = None
    delay: Callable[[int], float] = lambda _: 0.001
    before: Callable[[int], None] = lambda _: None
    failing: frozenset[int] = frozenset()
    stats: Stats = field(default_factory=Stats)
    events: list[Event] = field(default_factory=list[Event])
    requests: int = 0
    in_flight: int = 0
    peak: int = 0

    def pager(self, page_size: int | None, **options: Any) -> Pager[dict[str, Any]]:
        source: ODataPages[dict[str, Any]] = ODataPages(_OPERATION, _BASE, dict[str, Any])
        return Pager(source, self, Paging(page_size=page_size, **options))

    def __post_init__(self) -> None:
        self.emitter = Emitter((self.events.append,), Clock())

    async def call(
        self, request: Request, read: Callable[[Reply], V], walk_id: str | None = None
    ) -> V:
        self.requests += 1
        number = self.requests
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            await asyncio.sleep(self.delay(number))
            self.before(number)
            if number in self.failing:
                raise NotFoundError("the request failed", status=404)
            return read(self._answer(request))
        finally:
            self.in_flight -= 1

    def _answer(self, request: Request) -> Reply:
        options = parse_qs(request.url.query_string)
        skip = int(options.get("$skip", ["0"])[0])
        top = int(options.get("$top", [str(len(self.rows))])[0])
        size = top if self.cap is None else min(top, self.cap)
        page = self.rows[skip : skip + size]
        body: dict[str, Any] = {"value": [{"id": row} for row in page]}
        if self.counts:
            body["@odata.count"] = len(self.rows) if self.count is None else self.count
        end, wanted = skip + len(page), min(skip + top, len(self.rows))
        if self.links and end < wanted:
            body["@odata.nextLink"] = f"{_BASE}/v1/Things?$skip={end}&$top={wanted - end}"
        return Reply(200, {}, json.dumps(body).encode())


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in rows]


def pages_read(events: list[Event]) -> list[PageRead]:
    return [event for event in events if isinstance(event, PageRead)]


async def what_it_raises(pager: Pager[Any]) -> tuple[list[Any], JibbleError]:
    """The rows before an error, and the error."""
    rows: list[Any] = []
    try:
        async for row in pager:
            rows.append(row)
    except JibbleError as error:
        return rows, error
    raise AssertionError("no error")
