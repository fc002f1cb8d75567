"""The course of a walk over pages: what to ask for next, what a page adds, and when it ends.

Nothing here waits or sends. A walk ends when the server's count is reached, or without a count at
an empty page; at a page that is merely short only if the source says that it means the end, since
a server may cap what it sends.

`core/progress.py` has the one rule against servers that repeat themselves: a page that brings
nothing new ends the walk with an error, whatever counts and links say.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from jibble_async.core.cursor import Cursor, short_hash
from jibble_async.core.operation import Request
from jibble_async.core.pages import Page, PageContent, PageSource, Sieve
from jibble_async.core.paging import Paging
from jibble_async.core.progress import Progress, believed, read_fitting
from jibble_async.core.stats import Stats
from jibble_async.core.wire import Reply
from jibble_async.errors import JibbleError, PaginationError

__all__ = ["Course", "Place"]

T = TypeVar("T")

_MOST_EMPTY_PAGES = 1000
# Servers cap pages and counts at round numbers.
_ROUND = 10
# Enough to remember every page.
_ALL_PAGES = 1 << 31
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

    Raises:
        ConfigurationError: A cursor that is not this source's.
    """

    def __init__(
        self, source: PageSource[T], paging: Paging, cursor: Cursor | None, stats: Stats
    ) -> None:
        cursor = Cursor(fingerprint=source.fingerprint) if cursor is None else cursor
        self._fingerprint = source.fingerprint
        self._source = source if cursor.mark is None else source.marked(cursor.mark)
        self._stats = stats
        self._paging = paging
        # Pages share a row where moved rows are to be noticed: the overlap check.
        self._overlap = 1 if paging.verify else 0
        self._left = paging.limit
        self._resume_at = cursor.offset
        # The row that a walk is to go on after, and that must still be at its place.
        self._seam = cursor.seam if self._overlap else None
        # Where a walk that goes on from here must begin for the sieve's sake.
        self._begin = cursor.offset - cursor.behind
        # The rows by their order from the last one on.
        self._beyond: PageSource[T] | None = None
        # A walk that verifies goes by offsets only: links have none to overlap at.
        link = None if self._overlap else cursor.link
        self.start: Place = self._place(self._begin) if link is None else Place(self._begin, link)
        self._total: int | None = None
        self._stride = 0
        self._reached = self._begin
        self._linked = False
        self._links: set[int] = set()
        self._empty_pages = 0
        self._last_key: str | None = None
        pages = _ALL_PAGES if paging.verify and source.moves else paging.concurrency
        self._progress = Progress(source.key, pages, self._begin)
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
        size = self._paging.page_size
        # How many rows a sieve takes away is known only afterwards.
        if size is None or self._left is None or self._sieve is not None:
            return size
        return min(size, self._left + place.overlap)

    def read(self, reply: Reply, count: int | None) -> PageContent[T]:
        """What an answer holds; raises what `read_fitting` does."""
        return read_fitting(self._source, reply, count, self._paging.on_bad_row)

    def take(self, place: Place, content: PageContent[T]) -> tuple[Page[T] | None, Place | None]:
        """The page as the reader gets it, and where the next begins, if there is one.

        No page if rows moved and those that follow are looked for by their order instead.

        Args:
            place: Where it begins.
            content: What came.

        Raises:
            PaginationError: Rows are missing or moved, a page brings nothing new, or the server's
                links lead nowhere.
        """
        if self._beyond is not None and not self._fits(place, content):
            return None, self._by_order(self._beyond, place)
        end = place.offset + content.received - place.overlap
        content.total = believed(content, end)
        after = self._after(place, content, end)
        self._total, self._stride = content.total, content.received - self._overlap
        return self._deliver(place, content, end, after, last=after is None), after

    def take_ahead(
        self, place: Place, content: PageContent[T], end: int
    ) -> tuple[Page[T], Place | None]:
        """The same for rows fetched ahead: where those before `end` go on, if the page was short.

        Raises:
            PaginationError: As of `take`.
        """
        reached = place.offset + content.received - place.overlap
        # The newest count: rows may be added or go away during the walk.
        content.total = believed(content, reached)
        self._total = self._total if content.total is None else content.total
        self._linked |= content.link is not None
        rest = self._rest(place, content, reached, end)
        last = rest is None and reached >= (self._total or 0)
        return self._deliver(place, content, reached, rest, last=last), rest

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

    def after_ahead(self) -> Place | None:
        """Where to go on when all was fetched that was counted: a server that links may cap."""
        return self._place(self._reached) if self._linked else None

    def mark(self, error: JibbleError, place: Place) -> None:
        """Note on the error of a page's call where the walk can go on from."""
        # A link that is not followed is no place to go on from.
        link = None if isinstance(error, PaginationError) else place.link
        seam = self._last_key if place.offset == self._reached else None
        error.cursor = str(self._cursor(place.offset, link, seam))

    def _place(self, offset: int) -> Place:
        return Place(offset, overlap=self._overlap if offset > self._source.first else 0)

    # Progress: each page leads to a place that no page began at, to the end, or to an error.

    def _after(self, place: Place, content: PageContent[T], end: int) -> Place | None:
        """Where to go on after a page; None at the end."""
        total = content.total
        complete = total is not None and end >= total
        linked = content.link is not None and not (complete and self._whole(place, content))
        self._linked |= linked
        if content.link is not None and linked and not self._overlap:
            return self._follow(place, content, end, content.link)
        if self._source.is_last(place.offset, self.count(place), content.received):
            return None
        if total is None or (complete and linked):
            return self._place(end) if end > place.offset else None
        if complete:
            return None
        if end <= place.offset and (content.received or not place.overlap):
            raise self._missing(place, content)
        return self._place(end)

    def _whole(self, place: Place, content: PageContent[T]) -> bool:
        """Whether a page with which the count is reached, but that links on, surely is the last.

        A server that caps its pages may cap its count too, and some link on after the last row.
        So where a page looks as if it was cut off, its link is followed.
        """
        received, asked = content.received, self.count(place)
        if received <= place.overlap:
            return True
        cut = received % _ROUND == 0 or received - self._overlap == self._stride
        return not cut and (asked is None or received < asked)

    def _rest(self, place: Place, content: PageContent[T], reached: int, end: int) -> Place | None:
        """Where the rows before `end` go on, if a page that was fetched ahead was short of them."""
        if reached > place.offset:
            # By offset even if there is a link, which would lead past these rows.
            return self._place(reached) if reached < end else None
        if content.total is not None and place.offset >= content.total:
            return None
        if content.link is not None:
            return self._follow(place, content, reached, content.link)
        raise self._missing(place, content)

    def _follow(self, place: Place, content: PageContent[T], end: int, link: str) -> Place:
        if hash(link) in self._links:
            raise self._broken(place, "the server gave the same next link twice")
        self._links.add(hash(link))
        self._empty_pages = 0 if content.received else self._empty_pages + 1
        if self._empty_pages > _MOST_EMPTY_PAGES:
            raise self._broken(place, f"{_MOST_EMPTY_PAGES} pages in a row were empty")
        return Place(end, link)

    def _by_order(self, beyond: PageSource[T], place: Place) -> Place:
        """Where the walk goes on by the rows' order (keyset continuation): at the last row."""
        self._source, self._beyond = beyond, None
        self._stats.moved += 1
        return Place(beyond.first)

    # What the reader gets of a page.

    def _deliver(
        self,
        place: Place,
        content: PageContent[T],
        end: int,
        after: Place | None,
        *,
        last: bool,
    ) -> Page[T]:
        """The page, checked where it overlaps, and without what it repeats."""
        items = [*content.items]
        readable = len(items) == content.received
        last_key = self._source.key(items[-1]) if items else None
        if not self._fits(place, content) or not self._seam_fits(place, content, end):
            raise self._broken(place, _MOVED)
        if place.overlap and readable:
            # Where a row can't be read, it may be the shared one: Progress finds it if it isn't.
            items = items[1:]
        fresh = self._progress.unseen(items)
        self._check(place, content, items, len(fresh), last=last)
        if items:
            self._last_key = last_key
            if self._overlap:
                self._beyond = self._source.beyond(items[-1], end - 1)
        self._stats.duplicates += len(items) - len(fresh)
        begin = self._begin
        self._reached = max(end, place.offset)
        if self._sieve is not None:
            fresh = self._sifted(self._sieve, place, end, fresh)
        link = None if after is None else after.link
        following = self._cursor(self._reached, link, last_key if readable else None)
        if self._left is not None:
            if len(fresh) > self._left:
                next_one = self._offset_of(place, content, fresh[self._left], self._left)
                fresh = fresh[: self._left]
                # The sieve has seen rows that a walk from there on has not.
                self._begin = begin
                following = self._cursor(next_one, seam=self._key_before(next_one, place, content))
            self._left -= len(fresh)
        self._stats.rows += len(fresh)
        return Page(fresh, following, content.total, content.raw, content.response)

    def _check(
        self, place: Place, content: PageContent[T], items: list[T], fresh: int, *, last: bool
    ) -> None:
        """Refuse a page that does not bring the walk forward, or shows that rows moved."""
        received = content.received - place.overlap
        asked = None
        if fresh < len(items):
            asked = self.count(place)
            found = self._source.first > 0 and place.offset == self._source.first
            # Rows that are in the order of what changes may come again, at another place.
            moves = self._source.moves or found
            if self._overlap and not moves and len(items) == received:
                raise self._broken(place, _MOVED)
        objection = self._progress.objection(
            content, items, fresh, received=received, asked=asked, last=last
        )
        if objection is not None:
            advice = self._source.advice if place.link is None else ""
            raise self._broken(place, f"the page after {place.offset} rows {objection}{advice}")

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

    def _seam_fits(self, place: Place, content: PageContent[T], end: int) -> bool:
        """Whether the row that a resumed walk goes on after is where it was, if it is here."""
        if self._seam is None or self._resume_at > end:
            return True
        key, seam, self._seam = self._key_before(self._resume_at, place, content), self._seam, None
        return key is None or short_hash(key) == seam

    def _key_before(self, offset: int, place: Place, content: PageContent[T]) -> str | None:
        """The key of the row before an offset; None if that can't be told."""
        index = offset - 1 - place.offset + place.overlap
        readable = len(content.items) == content.received
        if not readable or not 0 <= index < len(content.items):
            return None
        return self._source.key(content.items[index])

    def _cursor(self, offset: int, link: str | None = None, seam: str | None = None) -> Cursor:
        held = None if seam is None else short_hash(seam)
        if offset < self._resume_at:
            # What is read again for the sieve's sake: the row to go on after is still to come.
            offset, held = self._resume_at, self._seam
        cursor = Cursor(
            fingerprint=self._fingerprint,
            offset=offset,
            link=link,
            behind=0 if self._sieve is None else max(0, offset - self._begin),
            seam=held,
            mark=self._source.mark,
        )
        key = self._paging.cursor_key
        return cursor if key is None else cursor.signed(key)

    def _missing(self, place: Place, content: PageContent[T]) -> PaginationError:
        return self._broken(
            place, f"the server counts {content.total} rows but gave none from {place.offset} on"
        )

    def _broken(self, place: Place, message: str) -> PaginationError:
        error = PaginationError(message)
        self.mark(error, place)
        return error
