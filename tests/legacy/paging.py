"""A set of the old API behind a session without a network; see `tests.support.paging`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar
from urllib.parse import parse_qs

from jibble_legacy.days import WorkingDays
from jibble_legacy.entities import LegacyTimeEntry
from jibble_legacy.pages import LoopBackPages

from jibble_async import EntryType, NotFoundError, Pager, Stats, TimeEntry
from jibble_async.core.clock import Clock
from jibble_async.core.emitter import Emitter
from jibble_async.core.operation import Operation, Request, Safety
from jibble_async.core.paging import Paging
from jibble_async.core.wire import Reply
from jibble_async.query.clauses import Query

V = TypeVar("V")

LIST = Operation("legacy", "GET", "/api/v1/timeentries", Safety.READ)
BASE = "http://127.0.0.1"
_DEFAULT, _MOST = 30, 100


def read_rows(reply: Reply, on_bad_row: Any) -> tuple[list[LegacyTimeEntry], int]:
    """The rows of an answer; one without an id is a bad row."""
    rows = json.loads(reply.body)
    entries = [_entry(row) for row in rows if row.get("id")]
    return entries, len(rows)


def _entry(row: dict[str, Any]) -> LegacyTimeEntry:
    return LegacyTimeEntry(
        id=row["id"],
        type=EntryType(row.get("type", "In")),
        time=datetime.fromisoformat(row["time"]) if "time" in row else None,
        person_id=row.get("person", "p"),
    )


@dataclass
class LegacySet:
    """A session, and the server behind it, which knows `filter[limit]` and `filter[skip]` only.

    Attributes:
        rows: The rows, in order; may change at any time.
        before: Called with the number of a request before it is answered.
        failing: The numbers of requests that fail.
        queries: What was asked, decoded.
    """

    rows: list[dict[str, Any]]
    before: Callable[[int], None] = lambda _: None
    failing: frozenset[int] = frozenset()
    stats: Stats = field(default_factory=Stats)
    queries: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    emitter: Emitter = field(default_factory=lambda: Emitter((), Clock()))

    def pager(
        self,
        page_size: int | None = 100,
        *,
        query: Query | None = None,
        days: WorkingDays | None = None,
        between: tuple[date | None, date | None] = (None, None),
        **options: Any,
    ) -> Pager[LegacyTimeEntry]:
        source = LoopBackPages(
            LIST,
            BASE,
            read_rows,
            Query(LegacyTimeEntry) if query is None else query,
            days=days,
            between=between,
        )
        return Pager(source, self, Paging(page_size=page_size, **options))

    async def call(
        self, request: Request, read: Callable[[Reply], V], walk_id: str | None = None
    ) -> V:
        query = {name: values[0] for name, values in parse_qs(request.url.query_string).items()}
        self.queries.append(query)
        number = len(self.queries)
        self.before(number)
        if number in self.failing:
            raise NotFoundError("the request failed", status=404)
        skip = int(query.get("filter[skip]", "0"))
        limit = min(int(query.get("filter[limit]", _DEFAULT)), _MOST)
        return read(Reply(200, {}, json.dumps(self.rows[skip : skip + limit]).encode()))

    @property
    def places(self) -> list[tuple[int, int | None]]:
        """What was skipped and asked for, request by request."""
        return [
            (int(query.get("filter[skip]", "0")), _int(query.get("filter[limit]")))
            for query in self.queries
        ]


def _int(text: str | None) -> int | None:
    return None if text is None else int(text)


def keyed(total: int) -> list[dict[str, Any]]:
    """Rows with nothing but a key."""
    return [{"id": f"{number:05}"} for number in range(total)]


def ids(rows: list[LegacyTimeEntry] | list[TimeEntry] | list[dict[str, Any]]) -> list[str]:
    return [row["id"] if isinstance(row, dict) else row.id for row in rows]
