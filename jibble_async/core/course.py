"""The course of a walk over pages: what to ask for next, what a page adds, and when it ends.

Nothing here waits or sends. A walk ends when the server's count is reached, or without a count at
an empty page; at a page that is merely short only if the source says that it means the end, since
a server may cap what it sends.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

from jibble_async.core.cursor import Cursor
from jibble_async.core.events import Stats
from jibble_async.core.operation import Request
from jibble_async.core.pages import Page, PageContent, PageSource, Sieve
from jibble_async.core.paging import Paging
from jibble_async.core.repeats import Repeats
from jibble_async.core.wire import Reply
from jibble_async.errors import JibbleError, PaginationError

__all__ = ["Course", "Place"]

T = TypeVar("T")

_MOST_EMPTY_PAGES = 1000
_MOVED = "rows moved between two pages: some may be missing or given twice"


class Place(msgspec.Struct, frozen=True):
    """Where a page begins.

    Attributes:
        offset: After so many rows.
        link: At the server's own link, where it gave one.
        overlap: Rows before it that are asked for too, and checked: one or none.
    """

    offset: int
    link: str | None = None
    overlap: int = 0


class Course(Generic[T]):
    """One pass over the pages of a source, decided page by page.

    Args:
        source: What to walk over.
        paging: How to walk. Where rows moved under a walk that verifies, it ends with an error, or
            goes on from the last row if the source can find it by its order.
        cursor: Where to begin.
        stats: The sums to keep.
    """

    def __init__(
        self, source: PageSource[T], paging: Paging, cursor: Cursor | None, stats: Stats
    ) -> None:
        self._source = source
        self._stats = stats
        self._page_size = paging.page_size
        self._on_bad_row = paging.on_bad_row
        # Pages share a row where moved rows are to be noticed: the overlap check.
        self._overlap = 1 if paging.verify else 0
        self._left = paging.limit
        self._resume_at = 0 if cursor is None else cursor.offset
        # Where a walk that goes on from here must begin for the sieve's sake.
        self._begin = 0 if cursor is None else cursor.offset - cursor.behind
        # The offset from which on pages overlap, and the rows by their order from the last one on.
        self._first = 0
        self._beyond: PageSource[T] | None = None
        link = None if cursor is None else cursor.link
        self.start: Place = self._place(self._begin) if link is None else Place(self._begin, link)
        self._total: int | None = None
        self._stride = 0
        self._links: set[str] = set()
        self._empty_pages = 0
        self._last_key: str | None = None
        self._repeats = Repeats(source.key, paging.concurrency)
        self._sieve = source.sieve()

    @property
    def done(self) -> bool:
        """Whether as many rows were delivered as are wanted."""
        return self._left == 0

    def request(self, place: Place, count: int | None) -> Request:
        """The request for a page of `count` rows; None leaves the number to the server.

        Raises:
            PaginationError: A link that leads elsewhere.
        """
        if place.link is not None:
            return self._source.follow(place.link)
        return self._source.request(place.offset - place.overlap, count)

    def count(self, place: Place, end: int | None = None) -> int | None:
        """How many rows to ask for, the overlap included.

        Args:
            place: Where the page begins.
            end: The offset up to which it goes, if that is known.
        """
        if end is not None:
            return end - place.offset + place.overlap
        size = self._page_size
        # How many rows a sieve takes away is known only afterwards.
        if size is None or self._left is None or self._sieve is not None:
            return size
        return min(size, self._left + place.overlap)

    def read(self, reply: Reply) -> PageContent[T]:
        """What an answer holds; raises what the source's `read` does."""
        return self._source.read(reply, self._on_bad_row)

    def take(self, place: Place, content: PageContent[T]) -> tuple[Page[T] | None, Place | None]:
        """The page as the reader gets it, and where the next begins, if there is one.

        No page if rows moved and those that follow are looked for by their order instead.

        Args:
            place: Where it begins.
            content: What came.

        Raises:
            PaginationError: Rows are missing or moved, or the server's links lead nowhere.
        """
        if self._beyond is not None and not self._fits(place, content):
            return None, self._by_order(self._beyond, place)
        after = self._after(place, content)
        self._total, self._stride = _total(place, content), content.received - self._overlap
        return self._deliver(place, content), after

    def take_ahead(
        self, place: Place, content: PageContent[T], end: int
    ) -> tuple[Page[T], Place | None]:
        """The same for rows fetched ahead: where those before `end` go on, if the page was short.

        Raises:
            PaginationError: As of `take`.
        """
        # The newest count: rows may be added or go away during the walk.
        total = _total(place, content)
        self._total = self._total if total is None else total
        rest = self._rest(place, content, end)
        return self._deliver(place, content), rest

    def ahead_from(self, place: Place | None) -> int | None:
        """The offset from which on pages can be fetched several at once; None if they can't.

        Links, and sets that nobody counts, can only be followed one by one.

        Args:
            place: Where the first page said that the next begins.
        """
        if place is None or place.link is not None or self._total is None or self._stride <= 0:
            return None
        return place.offset

    def ahead(self, offset: int, under_way: int) -> tuple[Place, int] | None:
        """The rows to fetch ahead next, by their ends; None if there are none, or no need of more.

        Args:
            offset: Where they begin.
            under_way: How many rows are being fetched already.
        """
        total = self._total or 0
        if offset >= total or (self._left is not None and under_way >= self._left):
            return None
        return self._place(offset), min(offset + self._stride, total)

    def mark(self, error: JibbleError, place: Place) -> None:
        """Note on the error of a page's call where the walk can go on from."""
        # A link that is not followed is no place to go on from.
        refused = isinstance(error, PaginationError)
        error.cursor = str(self._cursor(place.offset, None if refused else place.link))

    def _place(self, offset: int) -> Place:
        return Place(offset, overlap=self._overlap if offset > self._first else 0)

    # Progress: each page leads to a place that no page began at, to the end, or to an error.

    def _after(self, place: Place, content: PageContent[T]) -> Place | None:
        """Where to go on after a page; None at the end."""
        begin, end, total = place.offset, _end(place, content), _total(place, content)
        if content.link is not None and not self._overlap:
            return self._follow(place, content, content.link)
        if self._source.is_last(begin, self.count(place), content.received):
            return None
        if total is None:
            return self._place(end) if end > begin else None
        if end >= total:
            return None
        if end <= begin and (content.received or not place.overlap):
            raise self._missing(place, content)
        return self._place(end)

    def _rest(self, place: Place, content: PageContent[T], end: int) -> Place | None:
        """Where the rows before `end` go on, if a page that was fetched ahead was short of them."""
        reached = _end(place, content)
        if reached > place.offset:
            # By offset even if there is a link, which would lead past these rows.
            return self._place(reached) if reached < end else None
        if content.link is not None:
            return self._follow(place, content, content.link)
        if content.total is not None and place.offset >= content.total:
            return None
        raise self._missing(place, content)

    def _follow(self, place: Place, content: PageContent[T], link: str) -> Place:
        if link in self._links:
            raise self._broken(place, "the server gave the same next link twice")
        self._links.add(link)
        self._empty_pages = 0 if content.received else self._empty_pages + 1
        if self._empty_pages > _MOST_EMPTY_PAGES:
            raise self._broken(place, f"{_MOST_EMPTY_PAGES} pages in a row were empty")
        return Place(_end(place, content), link)

    def _by_order(self, beyond: PageSource[T], place: Place) -> Place:
        """Where the walk goes on by the rows' order (keyset continuation): at the last row."""
        self._source, self._first, self._beyond = beyond, place.offset - 1, None
        self._stats.moved += 1
        return Place(self._first)

    # What the reader gets of a page.

    def _deliver(self, place: Place, content: PageContent[T]) -> Page[T]:
        """The page, checked where it overlaps, and without what it repeats."""
        end = _end(place, content)
        items = content.items
        if place.overlap:
            if not self._fits(place, content):
                raise self._broken(place, _MOVED)
            # Where a row can't be read, it may be the shared one: Repeats finds it if it isn't.
            items = items[1:] if len(items) == content.received else items
        fresh = self._repeats.unseen(items)
        if items:
            self._last_key = self._source.key(items[-1])
            if self._overlap:
                self._beyond = self._source.beyond(items[-1], end - 1)
        self._stats.duplicates += len(items) - len(fresh)
        expected = end - place.offset
        # Where a walk goes on by the order, rows that tie with the last one come again.
        found = self._first > 0 and place.offset == self._first
        if self._overlap and not found and len(fresh) < len(items) == expected:
            raise self._broken(place, _MOVED)
        begin = self._begin
        if self._sieve is not None:
            fresh = self._sifted(self._sieve, place, end, fresh)
        link = None if self._overlap else content.link
        after = self._cursor(max(end, place.offset), link)
        if self._left is not None:
            if len(fresh) > self._left:
                next_one = self._offset_of(place, content, fresh[self._left], self._left)
                fresh = fresh[: self._left]
                # The sieve has seen rows that a walk from there on has not.
                self._begin = begin
                after = self._cursor(next_one)
            self._left -= len(fresh)
        self._stats.rows += len(fresh)
        return Page(fresh, after, content.total, content.raw)

    def _sifted(self, sieve: Sieve[T], place: Place, end: int, fresh: list[T]) -> list[T]:
        """What the sieve lets through; rows that were delivered before only pass through it."""
        # Counted from the end, since rows that can't be read are missing from the list.
        delivered = len(fresh) - (end - self._resume_at)
        if delivered > 0:
            sieve(fresh[:delivered], place.offset)
            fresh = fresh[delivered:]
        kept = sieve(fresh, place.offset)
        self._begin = end if sieve.begin is None else sieve.begin
        return kept

    def _offset_of(self, place: Place, content: PageContent[T], row: T, index: int) -> int:
        """Where to go on for a row of a page; before it, if that is all that is known."""
        if self._sieve is not None:
            keys, key = map(self._source.key, content.items), self._source.key(row)
            index = next((number for number, each in enumerate(keys) if each == key), 0)
            index = max(0, index - place.overlap)
        return place.offset + index

    def _fits(self, place: Place, content: PageContent[T]) -> bool:
        """Whether a page begins with the last row of the one before, as far as can be told."""
        if not place.overlap:
            return True
        if not content.received:
            return False
        readable = len(content.items) == content.received
        if not readable or self._last_key is None:
            return True
        return self._source.key(content.items[0]) == self._last_key

    def _cursor(self, offset: int, link: str | None = None) -> Cursor:
        offset = max(offset, self._resume_at)
        behind = 0 if self._sieve is None else max(0, offset - self._begin)
        return Cursor(fingerprint=self._source.fingerprint, offset=offset, link=link, behind=behind)

    def _missing(self, place: Place, content: PageContent[T]) -> PaginationError:
        return self._broken(
            place, f"the server counts {content.total} rows but gave none from {place.offset} on"
        )

    def _broken(self, place: Place, message: str) -> PaginationError:
        error = PaginationError(message)
        error.cursor = str(self._cursor(place.offset, place.link))
        return error


def _end(place: Place, content: PageContent[Any]) -> int:
    """The offset after the last row of a page."""
    return place.offset + content.received - place.overlap


def _total(place: Place, content: PageContent[Any]) -> int | None:
    """What the server counts; None too if it sent more than that."""
    total = content.total
    wrong = total is not None and content.received > 0 and total < _end(place, content)
    return None if wrong else total
