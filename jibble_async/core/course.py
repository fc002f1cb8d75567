"""The course of a walk over pages: what to ask for next, what a page adds, and when it ends.

Nothing here waits or sends. A walk ends when the server's count is reached, or without a count at
an empty page; at a page that is merely short only if the source says that it means the end, since
a server may cap what it sends.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from jibble_async.core.cursor import Cursor
from jibble_async.core.events import Stats
from jibble_async.core.operation import Request
from jibble_async.core.pages import Page, PageContent, PageSource, Sieve
from jibble_async.core.paging import Paging
from jibble_async.core.repeats import Repeats
from jibble_async.core.wire import Reply
from jibble_async.errors import JibbleError, PaginationError

__all__ = ["Course", "Fetched", "Place", "Span"]

T = TypeVar("T")

_MOST_EMPTY_PAGES = 1000


class Place(msgspec.Struct, frozen=True):
    """Where a page begins: after so many rows, or at the server's own link."""

    offset: int
    link: str | None = None


class Span(msgspec.Struct, frozen=True):
    """Rows that are fetched ahead as one page: from a place up to an offset."""

    place: Place
    end: int


class Fetched(Generic[T]):
    """A page on its way to the reader.

    Attributes:
        place: Where it begins.
        content: What came.
        overlap: Rows it should share with the page before: its first, or none.
    """

    __slots__ = ("content", "overlap", "place")

    def __init__(self, place: Place, content: PageContent[T], overlap: int) -> None:
        self.place: Place = place
        self.content: PageContent[T] = content
        self.overlap: int = overlap

    @property
    def end(self) -> int:
        """The offset after its last row."""
        return self.place.offset + self.content.received - self.overlap

    @property
    def total(self) -> int | None:
        """What the server counts; None too if it sent more than that."""
        total = self.content.total
        wrong = total is not None and self.content.received > 0 and total < self.end
        return None if wrong else total


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
        self.start: Place = Place(self._begin, None if cursor is None else cursor.link)
        # The offset from which on pages overlap, and the rows by their order from the last one on.
        self._first = 0
        self._beyond: PageSource[T] | None = None
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
        """The request for a page.

        Args:
            place: Where it begins, the row that it shares with the page before left out.
            count: Rows to ask for, that row included.

        Raises:
            PaginationError: A link that leads elsewhere.
        """
        if place.link is not None:
            return self._source.follow(place.link)
        return self._source.request(place.offset - self._overlap_at(place), count)

    def count_at(self, place: Place) -> int | None:
        """How many rows to ask for, when pages are read one after the other."""
        size = self._page_size
        # How many rows a sieve takes away is known only afterwards.
        if size is None or self._left is None or self._sieve is not None:
            return size
        return min(size, self._left + self._overlap_at(place))

    def count_until(self, place: Place, end: int) -> int:
        """How many rows to ask for, to have those from a place up to an offset."""
        return end - place.offset + self._overlap_at(place)

    def read(self, reply: Reply) -> PageContent[T]:
        """What an answer holds; raises what the source's `read` does."""
        return self._source.read(reply, self._on_bad_row)

    def fetched(self, place: Place, content: PageContent[T]) -> Fetched[T]:
        """A page that was asked for as `request` says, on its way to the reader."""
        return Fetched(place, content, self._overlap_at(place))

    def take(self, fetched: Fetched[T]) -> tuple[Page[T] | None, Place | None]:
        """The page as the reader gets it, and where the next begins, if there is one.

        No page if rows moved and those that follow are looked for by their order instead.

        Raises:
            PaginationError: Rows are missing or moved, or the server's links lead nowhere.
        """
        if self._beyond is not None and not self._fits(fetched):
            return None, self._by_order(self._beyond, fetched)
        place = self._after(fetched)
        self._total, self._stride = fetched.total, fetched.content.received - self._overlap
        return self._deliver(fetched), place

    def take_ahead(self, fetched: Fetched[T], end: int) -> tuple[Page[T], Place | None]:
        """The same for a page of a span: where the rest of the span begins, if it was short.

        Args:
            fetched: The page.
            end: Of the span.

        Raises:
            PaginationError: As of `take`.
        """
        # The newest count: rows may be added or go away during the walk.
        self._total = self._total if fetched.total is None else fetched.total
        rest = self._rest(fetched, end)
        return self._deliver(fetched), rest

    def ahead_from(self, place: Place | None) -> int | None:
        """The offset from which on pages can be fetched several at once; None if they can't.

        Links, and sets that nobody counts, can only be followed one by one.

        Args:
            place: Where the first page said that the next begins.
        """
        if place is None or place.link is not None or self._total is None or self._stride <= 0:
            return None
        return place.offset

    def span(self, offset: int, under_way: int) -> Span | None:
        """The rows to fetch ahead next; None if there are no more, or enough are under way.

        Args:
            offset: Where they begin.
            under_way: How many rows are being fetched already.
        """
        total = self._total or 0
        if offset >= total or (self._left is not None and under_way >= self._left):
            return None
        return Span(Place(offset), min(offset + self._stride, total))

    def mark(self, error: JibbleError, place: Place) -> None:
        """Note on the error of a page's call where the walk can go on from."""
        # A link that is not followed is no place to go on from.
        refused = isinstance(error, PaginationError)
        error.cursor = str(self._cursor(Place(place.offset) if refused else place))

    def _overlap_at(self, place: Place) -> int:
        return self._overlap if place.offset > self._first and place.link is None else 0

    # Progress: each page leads to a place that no page began at, to the end, or to an error.

    def _after(self, fetched: Fetched[T]) -> Place | None:
        """Where to go on after a page; None at the end."""
        content, begin, end = fetched.content, fetched.place.offset, fetched.end
        if content.link is not None and not self._overlap:
            return self._follow(fetched, content.link)
        asked = self.count_at(fetched.place)
        if self._source.is_last(begin, asked, content.received):
            return None
        if fetched.total is None:
            return Place(end) if end > begin else None
        if end >= fetched.total:
            return None
        if end <= begin and (content.received or not fetched.overlap):
            raise self._missing(fetched)
        return Place(end)

    def _rest(self, fetched: Fetched[T], end: int) -> Place | None:
        """Where the rows before `end` go on, if a page that was fetched ahead was short of them."""
        content, offset = fetched.content, fetched.place.offset
        if fetched.end > offset:
            # By offset even if there is a link, which would lead past this span.
            return Place(fetched.end) if fetched.end < end else None
        if content.link is not None:
            return self._follow(fetched, content.link)
        if content.total is not None and offset >= content.total:
            return None
        raise self._missing(fetched)

    def _follow(self, fetched: Fetched[T], link: str) -> Place:
        if link in self._links:
            raise self._broken(fetched, "the server gave the same next link twice")
        self._links.add(link)
        self._empty_pages = 0 if fetched.content.received else self._empty_pages + 1
        if self._empty_pages > _MOST_EMPTY_PAGES:
            raise self._broken(fetched, f"{_MOST_EMPTY_PAGES} pages in a row were empty")
        return Place(fetched.end, link)

    def _by_order(self, beyond: PageSource[T], fetched: Fetched[T]) -> Place:
        """Where the walk goes on by the rows' order (keyset continuation): at the last row."""
        self._source, self._first, self._beyond = beyond, fetched.place.offset - 1, None
        self._stats.moved += 1
        return Place(self._first)

    # What the reader gets of a page.

    def _deliver(self, fetched: Fetched[T]) -> Page[T]:
        """The page, checked where it overlaps, and without what it repeats."""
        content = fetched.content
        items = self._past_overlap(fetched) if fetched.overlap else content.items
        fresh = self._repeats.unseen(items)
        if items:
            self._last_key = self._source.key(items[-1])
            if self._overlap:
                self._beyond = self._source.beyond(items[-1], fetched.end - 1)
        self._stats.duplicates += len(items) - len(fresh)
        expected = fetched.end - fetched.place.offset
        # Where a walk goes on by the order, rows that tie with the last one come again.
        found = self._first > 0 and fetched.place.offset == self._first
        if self._overlap and not found and len(fresh) < len(items) == expected:
            raise self._moved(fetched)
        begin = self._begin
        if self._sieve is not None:
            fresh = self._sifted(self._sieve, fetched, fresh)
        after = self._after_cursor(fetched)
        if self._left is not None:
            if len(fresh) > self._left:
                place = self._place_of(fetched, fresh, self._left)
                fresh = fresh[: self._left]
                # The sieve has seen rows that a walk from there on has not.
                self._begin = min(begin, fetched.place.offset)
                after = self._cursor(place)
            self._left -= len(fresh)
        self._stats.rows += len(fresh)
        return Page(fresh, after, content.total, content.raw)

    def _sifted(self, sieve: Sieve[T], fetched: Fetched[T], fresh: list[T]) -> list[T]:
        """What the sieve lets through; rows that were delivered before only pass through it."""
        offset = fetched.place.offset
        # Counted from the end, since rows that can't be read are missing from the list.
        delivered = len(fresh) - (fetched.end - self._resume_at)
        if delivered > 0:
            sieve(fresh[:delivered], offset)
            fresh = fresh[delivered:]
        kept = sieve(fresh, offset)
        self._begin = fetched.end if sieve.begin is None else sieve.begin
        return kept

    def _place_of(self, fetched: Fetched[T], fresh: list[T], index: int) -> Place:
        """Where to go on for a row of a page; before it, if that is all that is known."""
        if self._sieve is not None:
            keys = map(self._source.key, fetched.content.items)
            key = self._source.key(fresh[index])
            index = next((place for place, each in enumerate(keys) if each == key), 0)
            index = max(0, index - fetched.overlap)
        return Place(fetched.place.offset + index)

    def _past_overlap(self, fetched: Fetched[T]) -> list[T]:
        if not self._fits(fetched):
            raise self._moved(fetched)
        content = fetched.content
        return content.items[1:] if len(content.items) == content.received else content.items

    def _fits(self, fetched: Fetched[T]) -> bool:
        """Whether a page begins with the last row of the one before, as far as can be told."""
        content = fetched.content
        if not fetched.overlap:
            return True
        if not content.received:
            return False
        readable = len(content.items) == content.received
        if not readable or self._last_key is None:
            return True
        return self._source.key(content.items[0]) == self._last_key

    def _after_cursor(self, fetched: Fetched[T]) -> Cursor:
        link = None if self._overlap else fetched.content.link
        return self._cursor(Place(max(fetched.end, fetched.place.offset), link))

    def _cursor(self, place: Place) -> Cursor:
        offset = max(place.offset, self._resume_at)
        behind = 0 if self._sieve is None else max(0, offset - self._begin)
        return Cursor(
            fingerprint=self._source.fingerprint, offset=offset, link=place.link, behind=behind
        )

    def _moved(self, fetched: Fetched[T]) -> PaginationError:
        return self._broken(
            fetched, "rows moved between two pages: some may be missing or given twice"
        )

    def _missing(self, fetched: Fetched[T]) -> PaginationError:
        content = fetched.content
        return self._broken(
            fetched,
            f"the server counts {content.total} rows but gave none from {fetched.place.offset} on",
        )

    def _broken(self, fetched: Fetched[T], message: str) -> PaginationError:
        error = PaginationError(message)
        error.cursor = str(self._cursor(fetched.place))
        return error
