"""The old API's pages, as the pager asks for them: bare arrays by `filter[skip]` and `limit`.

No count and no link comes with a page, so a walk ends at one that is short: the documentation says
how many rows a page has by default, and how many at most.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, TypeAlias, TypeVar, cast

from jibble_async.core.cursor import fingerprint
from jibble_async.core.operation import Operation, Request, build
from jibble_async.core.pages import PageContent, PageSource, Sieve
from jibble_async.core.paging import BadRowHandler
from jibble_async.core.wire import Reply
from jibble_async.entities import TimeEntry
from jibble_async.errors import ConfigurationError
from jibble_async.query.clauses import Ordering, Query
from jibble_async.query.days import require_span
from jibble_async.query.expressions import Comparison, Constant, Kind, Path, all_given
from jibble_legacy.config import MAX_PAGE_SIZE
from jibble_legacy.days import DaySieve, WorkingDays
from jibble_legacy.render import render_options, render_where
from jibble_legacy.rows import RowsReader

__all__ = ["TIME", "LoopBackPages", "Span"]

T = TypeVar("T")

Span: TypeAlias = tuple[date | None, date | None]
"""The first and the last working day, as far as they are given."""

_DEFAULT_PAGE = 30
TIME = Path(TimeEntry, ("time",), Kind.DATETIME)


class LoopBackPages(PageSource[T]):
    """A page source; see `jibble_async.core.pages.PageSource`.

    Nothing is added to the order, since only one key is documented: rows that tie may come in any
    order, so a walk with `verify=True` is the one that tells when a row changed its place.

    Args:
        operation: The request that lists the set.
        base: The origin, with a path prefix if there is one.
        read_rows: Finds the rows in an answer.
        query: What is asked.
        days: The time zones that give a time entry its working day.
        between: The first and the last working day of the entries to deliver; in the order of
            time, unless the query has one.

    Raises:
        ConfigurationError: An argument that can't be used.
        NotSupportedError: A query that the old API has no words for.
    """

    def __init__(
        self,
        operation: Operation,
        base: str,
        read_rows: RowsReader[T],
        query: Query,
        *,
        days: WorkingDays | None = None,
        between: Span = (None, None),
    ) -> None:
        self.operation: Operation = operation
        self._base = base
        self._read_rows = read_rows
        self._days = days
        require_span(*between)
        self._since, self._until = between
        order = query.order_by
        if not order and (self._since is not None or self._until is not None):
            order = (Ordering(TIME),)
        self._in_order = bool(order) and order[0].path.names == TIME.names
        self._in_order = self._in_order and not order[0].descending
        self.row: Any = query.entity
        self._query = Query(query.entity, query.where, query.select, query.expand, order)
        self._options = self._rendered(*self._moments())
        self.key: Callable[[T], str | None] = operator.attrgetter("id")
        parts = [f"{name}={value}" for name, value in self._options]
        days_asked = [f"{self._since} {self._until} {days is not None}"]
        self.fingerprint: str = fingerprint(
            (operation.service, operation.path, *parts, *days_asked)
        )

    def request(self, offset: int, count: int | None) -> Request:
        """The request for `count` rows from `offset` on."""
        offset -= self.first
        place: list[tuple[str, str]] = []
        if count is not None or offset > 0:
            place.append(("filter[limit]", str(MAX_PAGE_SIZE if count is None else count)))
        if offset > 0:
            place.append(("filter[skip]", str(offset)))
        return build(self.operation, self._base, params=(*self._options, *place))

    def read(self, reply: Reply, on_bad_row: BadRowHandler | None) -> PageContent[T]:
        """What an answer holds."""
        items, received = self._read_rows(reply, on_bad_row)
        return PageContent(items, received, None, None, reply.body)

    def is_last(self, offset: int, count: int | None, received: int) -> bool:
        """Whether fewer rows came than were asked for."""
        if count is None:
            count = MAX_PAGE_SIZE if offset > 0 else _DEFAULT_PAGE
        return received < count

    def sieve(self) -> Sieve[T] | None:
        """What gives the entries of a walk their working days, and leaves those of others out."""
        if self._days is None:
            return None
        sieve: Any = DaySieve(self._days, self._since, self._until, in_order=self._in_order)
        return cast("Sieve[T]", sieve)

    def _moments(self) -> tuple[datetime | None, datetime | None]:
        """Between which moments the entries of the days lie."""
        if self._since is None and self._until is None:
            return None, None
        if self._days is None:
            raise ConfigurationError(
                "since= and until= are working days, which the old API does not know: "
                "give the client its timezone="
            )
        return self._days.moments(self._since, self._until)

    def _rendered(self, low: datetime | None, high: datetime | None) -> tuple[tuple[str, str], ...]:
        """The query options, with the days as far as the server can tell."""
        query = self._query
        where = all_given(
            None if low is None else Comparison(TIME, "ge", Constant(low, Kind.DATETIME)),
            None if high is None else Comparison(TIME, "le", Constant(high, Kind.DATETIME)),
            query.where,
        )
        filters = () if where is None else render_where(query.entity, where)
        return (*filters, *render_options(query))
