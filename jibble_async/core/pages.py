"""Pages, and what a walk over them asks of the API whose pages they are."""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

import msgspec

from jibble_async.core.cursor import Cursor
from jibble_async.core.opaque import Opaque
from jibble_async.core.operation import Operation, Request
from jibble_async.core.paging import BadRowHandler
from jibble_async.core.wire import Reply
from jibble_async.entities.rows import rows_table
from jibble_async.errors import ConfigurationError, PaginationError
from jibble_async.response import ResponseMetadata

__all__ = ["Page", "PageContent", "PageSource", "RawRow", "RowHead", "Sieve"]

T = TypeVar("T")

RawRow: TypeAlias = tuple[str, msgspec.Raw]
"""The id of a row, and the row: a view of the page's body, so it keeps that alive."""


class RowHead(msgspec.Struct, gc=False):
    """What is read of a row that nobody takes apart, as the server writes it.

    Attributes:
        id: The id of the row.
        stamp: The moment of its last change.
        day: The day that it belongs to.
        status: What may say that it is left out.
    """

    id: str
    stamp: Any = None
    day: Any = None
    status: Any = None


class PageContent(Opaque, Generic[T]):
    """What one answer holds.

    Attributes:
        items: The rows that could be read.
        received: Rows the server sent, unreadable ones included: what an offset advances by.
        total: Rows of the whole set as the server counts them; None if it does not.
        link: The server's own next link, if it gives one.
        raw: The body as it came.
        heads: What was read of each row, if nobody takes the rows apart.
        response: What may be told of the answer.
    """

    items: Sequence[T]
    received: int
    total: int | None
    link: str | None
    raw: bytes
    heads: Sequence[RowHead] = ()
    response: ResponseMetadata = ResponseMetadata(200)


class Sieve(Protocol[T]):
    """Looks at the rows of one walk in their order, completes them, and lets some through.

    What it makes of a row may depend on rows before it, so a walk that goes on from a cursor has
    it look at those again.
    """

    @property
    def begin(self) -> int | None:
        """Where the rows begin that it must see again to go on from here; None if from here."""
        ...

    def __call__(self, items: list[T], offset: int) -> list[T]:
        """The rows to deliver.

        Args:
            items: The rows that come next.
            offset: Where their page begins.
        """
        ...


class PageSource(abc.ABC, Generic[T]):
    """How one API gives a set of rows page by page.

    Attributes:
        operation: What its requests are instances of.
        fingerprint: Differs for different queries.
        key: What tells a row from others; it gives None for one that has nothing of the kind.
        counts: Whether the server can be asked how many rows there are.
        moves: Whether rows are in the order of what changes: one that was read may come again.
        first: What the place of its first row is counted as, if it begins amid others.
        mark: What tells where it begins, for `marked`; None if it has all rows.
        advice: What may help where a page brings nothing new, for the end of an error's text.
        rest: The rows that come after these and have to be asked for by themselves.
        row: The class of a row, where it is known.
        row_bytes: More than a row has; a page of more than that for each is refused.
    """

    operation: Operation
    fingerprint: str
    key: Callable[[T], str | None]
    counts: bool = False
    moves: bool = False
    first: int = 0
    mark: str | None = None
    advice: str = ""
    rest: PageSource[T] | None = None
    row: Any = None
    row_bytes: int = 1 << 16

    @abc.abstractmethod
    def request(self, offset: int, count: int | None) -> Request:
        """The request for `count` rows from `offset` on."""

    @abc.abstractmethod
    def read(self, reply: Reply, on_bad_row: BadRowHandler | None) -> PageContent[T]:
        """What an answer holds.

        Args:
            reply: The answer.
            on_bad_row: Gets rows that can't be read.

        Raises:
            DecodeError: It is no page, or a row can't be read and nobody gets it.
        """

    def follow(self, link: str) -> Request:
        """The request for a link that the server gave.

        Raises:
            PaginationError: The link leads elsewhere, or the API gives none.
        """
        raise PaginationError("this API gives no links: the cursor is not one of its own")

    def require_own(self, link: str) -> None:
        """Refuse a link that came back with a cursor unless it continues this very query.

        Raises:
            ConfigurationError: It asks for something else, or leads elsewhere.
        """
        raise ConfigurationError("resume_from= holds a link, but this API gives no links")

    def is_last(self, offset: int, count: int | None, received: int) -> bool:
        """Whether a page shows by its size alone that nothing follows it.

        Args:
            offset: Where it begins.
            count: The rows that were asked for.
            received: The rows that came.
        """
        return count is None

    def beyond(self, item: T, offset: int, /) -> PageSource[T] | None:
        """The same rows from one on, found by their order: `offset` is where it was.

        Args:
            item: The row, which may be gone by now. Those that tie with it come again.
            offset: What its place is counted as from now on.

        Returns:
            None if rows can be found by their place only.
        """
        return None

    def marked(self, mark: str) -> PageSource[T]:
        """The rows that `beyond` found, or that `rest` has, by the mark of what it gave.

        Raises:
            ConfigurationError: It is no mark of this source.
        """
        raise ConfigurationError("resume_from= belongs to another query: it has a mark")

    def sieve(self) -> Sieve[T] | None:
        """What the rows of a new walk pass before they are delivered; None if they all are."""
        return None


class Page(msgspec.Struct, Generic[T], frozen=True):
    """A page of a walk."""

    items: list[T]
    """The rows, those already delivered with the page before left out."""
    cursor: Cursor
    """Where to go on after this page."""
    total: int | None
    """Rows of the whole walk as the server counts them, if it does."""
    raw: bytes
    """The body as the server sent it."""
    response: ResponseMetadata = ResponseMetadata(200)
    """What may be told of the answer: its status, some headers, the server's id for it."""

    def __repr__(self) -> str:
        # No body, which holds whatever the server sent.
        total = "" if self.total is None else f" of {self.total}"
        return f"<Page: {len(self.items)}{total} rows>"

    # What rich prints, which would show every field of a struct.
    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("rows", len(self.items)), ("total", self.total)]

    def _repr_html_(self) -> str:
        """What a notebook shows: some rows."""
        return rows_table(self.items, repr(self)[1:-1])
