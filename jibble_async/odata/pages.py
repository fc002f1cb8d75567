"""The current API's pages, as the pager asks for them: `$skip`, `$top`, `$count`, next links."""

from __future__ import annotations

import copy
import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any, Self, TypeVar, cast
from urllib.parse import parse_qsl

from jibble_async.core.cursor import fingerprint
from jibble_async.core.operation import Operation, Request, build, build_link
from jibble_async.core.pages import PageContent, PageSource, RawRow
from jibble_async.core.paging import BadRowHandler
from jibble_async.core.wire import Reply
from jibble_async.entities import Entity
from jibble_async.errors import ConfigurationError, PaginationError
from jibble_async.odata.envelope import read_page
from jibble_async.odata.raw_pages import head_type, read_raw
from jibble_async.odata.render import (
    render_expand,
    render_filter,
    render_order_by,
    render_select,
)
from jibble_async.query.clauses import Ordering, Query
from jibble_async.query.expressions import Kind, Path

__all__ = ["ODataPages", "query_pages"]

T = TypeVar("T")

_KEY = "id"
# What tells the rows of a set apart, by the first of these that they have; the wire's names too.
_KEYS = {_KEY: _KEY, "person_id": "personId"}
# What of a link says where in the set it leads, and not what is asked.
_PLACE = frozenset({"$skip", "$top", "$skiptoken", "$count"})


class ODataPages(PageSource[T]):
    """A page source; see `jibble_async.core.pages.PageSource`.

    Args:
        operation: The request that lists the set.
        base: The origin of its service, with a path prefix if there is one.
        item: The type of a row: an entity, or `dict[str, Any]`.
        before: Query options that come before `$skip`.
        after: Query options that come after `$top`.
        counted: Whether to ask for the count of all rows with each page. A request for no number
            of rows asks for no count either: what the server gives is the whole, unless it gives
            a next link.
    """

    def __init__(
        self,
        operation: Operation,
        base: str,
        item: Any,
        *,
        before: tuple[tuple[str, str], ...] = (),
        after: tuple[tuple[str, str], ...] = (),
        counted: bool = True,
    ) -> None:
        self.operation: Operation = operation
        self._base = base
        self._read: Callable[..., PageContent[T]] = functools.partial(read_page, item=item)
        self._before = before
        self._after = after
        self._count = (("$count", "true"),) if counted else ()
        self._slices: Sequence[ODataPages[T]] = ()
        self.counts: bool = counted
        self.row: Any = item
        if hasattr(item, "daily"):
            # A person with all days of what may be a year.
            self.row_bytes = 1 << 19
        options = (f"{name}={value}" for name, value in (*before, *after))
        self.fingerprint: str = fingerprint((operation.service, operation.path, *options))
        key = next((name for name in _KEYS if hasattr(item, name)), None)
        self._key = _KEYS[key or _KEY]
        self.key: Callable[[T], str | None] = (
            _key_of_dict if key is None else operator.attrgetter(key)
        )

    advice: str = (
        ": a set that the server pages by itself is read with paginate(..., server_paged=True)"
    )

    def followed_by(self, slices: Sequence[ODataPages[T]], fingerprint: str) -> Self:
        """This one, the first of several that are read one after the other as one set.

        Args:
            slices: All of them; no row is in two.
            fingerprint: That of the whole.
        """
        for number, each in enumerate(slices):
            each.fingerprint, each._slices = fingerprint, slices
            each.mark = f"{number}/{len(slices)}" if number else None
            each.rest = slices[number + 1] if number + 1 < len(slices) else None
        return self

    def marked(self, mark: str) -> PageSource[T]:
        """The slice with this mark.

        Raises:
            ConfigurationError: There is none.
        """
        found = next((each for each in self._slices if each.mark == mark), None)
        return super().marked(mark) if found is None else found

    def raw(self, **names: str) -> ODataPages[RawRow]:
        """The same pages, of rows that nobody takes apart.

        Args:
            **names: What of `RowHead` is read of each, by the wire's name for it.
        """
        pages: Any = copy.copy(self)
        head = head_type(self._key, **names)

        def read(reply: Reply, on_bad_row: BadRowHandler | None) -> PageContent[RawRow]:
            return read_raw(reply, head)

        pages._read, pages.key = read, _first
        return cast("ODataPages[RawRow]", pages)

    def request(self, offset: int, count: int | None) -> Request:
        """The request for `count` rows from `offset` on."""
        if count is None:
            params = (*self._before, *self._after)
        else:
            place = (("$skip", str(offset)), ("$top", str(count)))
            params = (*self._count, *self._before, *place, *self._after)
        return build(self.operation, self._base, params=params)

    def follow(self, link: str) -> Request:
        """The request for a next link, which must lead to the same origin."""
        return build_link(self.operation, self._base, link)

    def require_own(self, link: str) -> None:
        """Refuse a link unless only its place in the set is not this query's own.

        Raises:
            ConfigurationError: It asks for something else, or leads elsewhere.
        """
        try:
            query = self.follow(link).url.raw_query_string
        except PaginationError as error:
            raise ConfigurationError(f"resume_from= can't be followed: {error.message}") from None
        asked = [each for each in parse_qsl(query, True) if each[0] not in _PLACE]
        if sorted(asked) != sorted((*self._before, *self._after)):
            raise ConfigurationError(
                "resume_from= holds a link that asks for something else than this query: "
                "sign cursors with cursor_key= if the server's links are of that kind"
            )

    def read(self, reply: Reply, on_bad_row: BadRowHandler | None) -> PageContent[T]:
        """What an answer holds."""
        return self._read(reply, on_bad_row=on_bad_row)


def query_pages(
    operation: Operation,
    base: str,
    query: Query,
    *,
    stable: bool = True,
    params: tuple[tuple[str, str], ...] = (),
    counted: bool = True,
) -> ODataPages[Any]:
    """The pages of a query.

    Args:
        operation: The request that lists the set.
        base: The origin of its service.
        query: What is asked.
        stable: Whether to sort by the key in the end, without which pages may overlap.
        params: Parameters of the set's own, which come first.
        counted: Whether to ask for the count of all rows with each page.

    Raises:
        ConfigurationError: A value that has no literal.
        NotSupportedError: An expression that OData has no words for.
    """
    owner = query.entity
    before = [*params]
    if query.expand:
        before.append(("$expand", render_expand(owner, query.expand)))
    if query.where is not None:
        before.append(("$filter", render_filter(query.where)))
    order = query.order_by
    if stable and issubclass(owner, Entity) and all(key.path.names != (_KEY,) for key in order):
        order = (*order, Ordering(Path(owner, (_KEY,), Kind.ID)))
    if order:
        before.append(("$orderby", render_order_by(order)))
    select = render_select(owner, query.select) if query.select else None
    return ODataPages(
        operation,
        base,
        owner,
        before=tuple(before),
        after=() if select is None else (("$select", select),),
        counted=counted,
    )


_first: Callable[[RawRow], str] = operator.itemgetter(0)


def _key_of_dict(row: Any) -> str | None:
    try:
        key: Any = row[_KEY]
    except (KeyError, TypeError, IndexError):
        return None
    return key if isinstance(key, str) else None
