"""Whether each page of a walk brings it forward, whatever the server counts and links to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

from jibble_async.core.pages import PageContent, PageSource
from jibble_async.core.paging import BadRowHandler
from jibble_async.core.quoting import metadata_of
from jibble_async.core.repeats import Repeats
from jibble_async.core.wire import Reply
from jibble_async.errors import JibbleError, PaginationError

__all__ = ["Progress", "believed", "read_fitting", "require_fitting"]

T = TypeVar("T")

# A page is refused unread above so many bytes, and what its rows may have.
_MOST_BYTES = 1 << 20


def read_fitting(
    source: PageSource[T], reply: Reply, count: int | None, on_bad_row: BadRowHandler | None
) -> PageContent[T]:
    """What an answer holds, unless it is far larger than a page can be: then it is not read.

    Args:
        source: Whose page it is.
        reply: The answer.
        count: The rows that were asked for.
        on_bad_row: Gets rows that can't be read.

    Raises:
        PaginationError: It is too large.
        DecodeError: It is no page, or a row can't be read and nobody gets it.
    """
    try:
        require_fitting(reply, count, source.row_bytes)
        content = source.read(reply, on_bad_row)
    except JibbleError as error:
        error.response = metadata_of(reply)
        raise
    content.response = metadata_of(reply)
    return content


def require_fitting(reply: Reply, count: int | None, row_bytes: int = PageSource.row_bytes) -> None:
    """Refuse an answer that is far larger than a page can be.

    Args:
        reply: The answer.
        count: The rows that were asked for.
        row_bytes: More than a row has.

    Raises:
        PaginationError: It is.
    """
    size = len(reply.body)
    if count is not None and size > _MOST_BYTES + count * row_bytes:
        raise PaginationError(f"{count} rows were asked for, but {size >> 20} MiB came")


def believed(content: PageContent[Any], end: int) -> int | None:
    """What the server counts; None too if it sent more than that.

    Args:
        content: What came.
        end: The offset after it.
    """
    total = content.total
    return None if total is not None and content.received > 0 and total < end else total


class Progress(Generic[T]):
    """What a walk has met so far.

    Every page brings a row that was not there before, or it is the last. Where nobody counts, a
    last page may bring nothing: the rows that tie with the last one, say.

    Args:
        key: What tells a row from others.
        pages: How many pages back a row that comes again is left out.
        begin: Rows before the walk.
    """

    def __init__(self, key: Callable[[T], str | None], pages: int, begin: int) -> None:
        self._key = key
        self._repeats = Repeats(key, pages)
        self._nameless: set[int] = set()
        # How many different rows came, and whether a page that repeated some was larger than was
        # asked for: then its end is not where it seems to be.
        self._came = begin
        self._padded = False

    def unseen(self, items: list[T]) -> list[T]:
        """The rows of the next page that are new, as far as can be told."""
        return self._repeats.unseen(items)

    def objection(
        self,
        content: PageContent[T],
        items: list[T],
        fresh: int,
        *,
        received: int,
        asked: int | None,
        last: bool,
    ) -> str | None:
        """What is wrong with a page: that it brings nothing, or that not all came in the end.

        Args:
            content: What came.
            items: Its rows, without the overlap.
            fresh: How many of them are new.
            received: How many the server sent, without the overlap.
            asked: How many were asked for, the overlap included.
            last: Whether the walk ends with it.
        """
        counted = content.total
        self._came += received - len(items) + fresh
        self._padded |= asked is not None and content.received > asked and fresh < len(items)
        if last and counted is None:
            return None
        stale = self._repeats.stale or (bool(items) and fresh == 0)
        if counted is None and not stale and received > 0:
            stale = self._repeats_nameless(content, items)
        if stale:
            return "brought none that is new"
        if last and self._padded and counted is not None and self._came < counted:
            return f"is the last, but of {counted} rows that are counted {self._came} came"
        return None

    def _repeats_nameless(self, content: PageContent[T], items: list[T]) -> bool:
        """Whether a page of rows that nothing tells apart, or nobody can read, came before."""
        if any(map(self._key, items)):
            return False
        trace = hash(msgspec.json.encode(items, enc_hook=repr) if items else content.raw)
        known = trace in self._nameless
        self._nameless.add(trace)
        return known
