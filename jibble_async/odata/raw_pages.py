"""Pages of rows that nobody takes apart: their ids, and their bytes as the server wrote them."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import msgspec

from jibble_async.core.operation import Request
from jibble_async.core.pages import PageContent, RawRow
from jibble_async.core.paging import BadRowHandler
from jibble_async.core.wire import Reply
from jibble_async.odata.envelope import read_page
from jibble_async.odata.pages import ODataPages

__all__ = ["RawPages"]


class _Head(msgspec.Struct, gc=False):
    id: str


class RawPages:
    """A page source of raw rows; see `jibble_async.core.pages.PageSource`.

    Args:
        source: The same pages as they are usually read.
    """

    def __init__(self, source: ODataPages[Any]) -> None:
        self._source = source
        self.fingerprint: str = source.fingerprint
        self.counts: bool = source.counts
        self.key: Callable[[RawRow], str | None] = operator.itemgetter(0)

    def request(self, offset: int, count: int | None) -> Request:
        """The request for `count` rows from `offset` on."""
        return self._source.request(offset, count)

    def follow(self, link: str) -> Request:
        """The request for a next link, which must lead to the same origin."""
        return self._source.follow(link)

    def read(self, reply: Reply, on_bad_row: BadRowHandler | None) -> PageContent[RawRow]:
        """What an answer holds.

        Raises:
            DecodeError: It is no page, or a row has no id.
        """
        content = read_page(reply, msgspec.Raw)
        heads = read_page(reply, _Head).items
        rows = [(head.id, raw) for head, raw in zip(heads, content.items, strict=True)]
        return PageContent(rows, content.received, content.total, content.link, content.raw)

    def is_last(self, offset: int, count: int | None, received: int) -> bool:
        """Whether the source says that nothing follows a page of this size."""
        return self._source.is_last(offset, count, received)

    def beyond(self, item: RawRow, offset: int, /) -> None:
        """Nothing: what shows that every row came is the count, which is that of the whole set."""

    def sieve(self) -> None:
        """Nothing: all rows are delivered as they come."""
