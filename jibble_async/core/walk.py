"""Walking over pages: one after the other, or several in flight and delivered in order.

A walk ends when the server's count is reached, or without a count at an empty page; at a page that
is merely short only if the source says that it means the end, since a server may cap what it sends.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from jibble_async.core.cursor import Cursor
from jibble_async.core.events import Event, PageRead, Stats
from jibble_async.core.operation import Request
from jibble_async.core.pages import Page, PageContent, PageSource, Sieve
from jibble_async.core.paging import Paging
from jibble_async.core.repeats import Repeats
from jibble_async.core.wire import Reply
from jibble_async.errors import DecodeError, JibbleError, PaginationError

__all__ = ["Session", "Walk"]

T = TypeVar("T")
V = TypeVar("V")

_MOST_EMPTY_PAGES = 1000


class Session(Protocol):
    """What a walk needs of a client."""

    @property
    def stats(self) -> Stats:
        """The sums to keep."""
        ...

    def call(self, request: Request, read: Callable[[Reply], V]) -> Coroutine[Any, Any, V]:
        """Send a request and give what `read` finds in the answer."""
        ...

    def emit(self, event: Event) -> None:
        """Tell the hooks of an event."""
        ...


class _Place(msgspec.Struct, frozen=True):
    offset: int
    link: str | None = None


class _Fetched(Generic[T]):
    """A page on its way to the reader.

    Attributes:
        place: Where it begins.
        content: What came.
        overlaps: Whether its first row should be the last row of the page before.
    """

    __slots__ = ("content", "overlaps", "place")

    def __init__(self, place: _Place, content: PageContent[T], overlaps: bool) -> None:
        self.place = place
        self.content = content
        self.overlaps = overlaps

    @property
    def end(self) -> int:
        """The offset after its last row."""
        return self.place.offset + self.content.received - self.overlaps

    @property
    def total(self) -> int | None:
        """What the server counts; None too if it sent more than that."""
        total = self.content.total
        wrong = total is not None and self.content.received > 0 and total < self.end
        return None if wrong else total


class Walk(Generic[T]):
    """One pass over the pages of a source.

    Args:
        source: What to walk over.
        session: Makes the calls and keeps the sums.
        paging: How to walk. Where rows moved under a walk that verifies, it ends with an error, or
            goes on from the last row if the source can find it by its order.
        start: Where to begin.
    """

    def __init__(
        self, source: PageSource[T], session: Session, paging: Paging, start: Cursor | None
    ) -> None:
        self._source = source
        self._session = session
        self._page_size = paging.page_size
        self._on_bad_row = paging.on_bad_row
        self._resume_at = 0 if start is None else start.offset
        self._begin = 0 if start is None else start.offset - start.behind
        self._start = _Place(self._begin, None if start is None else start.link)
        self._left = paging.limit
        self._concurrency = paging.concurrency
        self._verify = paging.verify
        # The offset from which on pages overlap, and the rows as found from the last one on.
        self._first = 0
        self._beyond: PageSource[T] | None = None
        self._links: set[str] = set()
        self._empty_pages = 0
        self._last_key: str | None = None
        self._repeats = Repeats(source.key, paging.concurrency)
        self._sieve = source.sieve()

    async def pages(self) -> AsyncGenerator[Page[T], None]:
        """The pages in order."""
        start = self._start
        place: _Place | None = start
        if self._concurrency > 1 and start.link is None and self._left != 0:
            fetched = await self._fetch(start, self._count_at(start))
            place = self._after(fetched)
            stride = fetched.content.received - self._verify
            total = fetched.total
            page = self._deliver(fetched)
            del fetched
            yield page
            del page
            # Links, and sets that nobody counts, can only be followed one by one.
            if place is not None and place.link is None and total is not None and stride > 0:
                ahead = self._ahead(place.offset, stride, total)
                place = None
                try:
                    async for page in ahead:
                        yield page
                        del page
                finally:
                    await ahead.aclose()
        while place is not None and self._left != 0:
            fetched = await self._fetch(place, self._count_at(place))
            if self._beyond is not None and not self._fits(fetched):
                self._source, self._first = self._beyond, place.offset - 1
                self._session.stats.moved += 1
                place, self._beyond = _Place(self._first), None
                continue
            place = self._after(fetched)
            page = self._deliver(fetched)
            # A page is let go of before the next is fetched: that halves the memory in use,
            # and with it the time spent on getting new memory.
            del fetched
            yield page
            del page

    async def _ahead(self, offset: int, stride: int, total: int) -> AsyncGenerator[Page[T], None]:
        """The pages from `offset` on, several in flight."""
        flying: deque[tuple[_Place, int, asyncio.Task[Reply]]] = deque()
        rows_flying = 0
        try:
            while True:
                while (
                    len(flying) < self._concurrency
                    and offset < total
                    and (self._left is None or rows_flying < self._left)
                ):
                    place, size = _Place(offset), min(stride, total - offset)
                    answer = self._answer(place, size + self._verify, _as_it_is)
                    task = asyncio.create_task(answer, name="jibble page")
                    flying.append((place, size, task))
                    rows_flying += size
                    offset += size
                if not flying or self._left == 0:
                    return
                place, size, task = flying[0]
                reply = await task
                flying.popleft()
                rows_flying -= size
                end = place.offset + size
                reading = self._read_ahead(place, size + self._verify, reply)
                del task, reply
                while True:
                    fetched = await reading
                    # The newest count: rows may be added or go away during the walk.
                    total = total if fetched.total is None else fetched.total
                    rest = self._rest(fetched, end)
                    page = self._deliver(fetched)
                    del fetched
                    yield page
                    del page
                    if self._left == 0:
                        return
                    if rest is None:
                        break
                    reading = self._fetch(rest, end - rest.offset + self._verify)
        finally:
            for _, _, task in flying:
                task.cancel()
            await asyncio.gather(*(task for _, _, task in flying), return_exceptions=True)

    async def _read_ahead(self, place: _Place, count: int, reply: Reply) -> _Fetched[T]:
        # Read when its turn has come, and not when it arrives: rows that wait for their turn fill
        # the processor's caches, which costs a quarter of the walk.
        try:
            return self._fetched(place, self._read(reply))
        except DecodeError:
            # Once more, as a call that tries again what came in pieces.
            self._session.stats.retries += 1
            return await self._fetch(place, count)

    def _rest(self, fetched: _Fetched[T], end: int) -> _Place | None:
        """Where the rows before `end` go on, if a page in flight was short of them."""
        content, offset = fetched.content, fetched.place.offset
        if fetched.end > offset:
            # By offset even if there is a link, which would lead past this range.
            return _Place(fetched.end) if fetched.end < end else None
        if content.link is not None:
            return self._follow(fetched, content.link)
        if content.total is not None and offset >= content.total:
            return None
        raise self._missing(fetched)

    async def _fetch(self, place: _Place, count: int | None) -> _Fetched[T]:
        return self._fetched(place, await self._answer(place, count, self._read))

    def _read(self, reply: Reply) -> PageContent[T]:
        return self._source.read(reply, self._on_bad_row)

    def _fetched(self, place: _Place, content: PageContent[T]) -> _Fetched[T]:
        self._session.emit(PageRead(content.received, content.total))
        return _Fetched(place, content, self._overlaps(place))

    async def _answer(self, place: _Place, count: int | None, read: Callable[[Reply], V]) -> V:
        try:
            if place.link is not None:
                request = self._source.follow(place.link)
            else:
                request = self._source.request(place.offset - self._overlaps(place), count)
            return await self._session.call(request, read)
        except JibbleError as error:
            # A link that is not followed is no place to go on from.
            refused = isinstance(error, PaginationError)
            error.cursor = str(self._cursor(_Place(place.offset) if refused else place))
            raise

    def _overlaps(self, place: _Place) -> bool:
        return self._verify and place.offset > self._first and place.link is None

    def _count_at(self, place: _Place) -> int | None:
        """How many rows to ask for, when pages are read one after the other."""
        size = self._page_size
        # How many rows a sieve takes away is known only afterwards.
        if size is None or self._left is None or self._sieve is not None:
            return size
        return min(size, self._left + self._overlaps(place))

    def _after(self, fetched: _Fetched[T]) -> _Place | None:
        """Where to go on; None at the end."""
        content, begin, end = fetched.content, fetched.place.offset, fetched.end
        if content.link is not None and not self._verify:
            return self._follow(fetched, content.link)
        asked = self._count_at(fetched.place)
        if self._source.is_last(begin, asked, content.received):
            return None
        if fetched.total is None:
            return _Place(end) if end > begin else None
        if end >= fetched.total:
            return None
        if end <= begin and (content.received or not fetched.overlaps):
            raise self._missing(fetched)
        return _Place(end)

    def _follow(self, fetched: _Fetched[T], link: str) -> _Place:
        if link in self._links:
            raise self._broken(fetched, "the server gave the same next link twice")
        self._links.add(link)
        self._empty_pages = 0 if fetched.content.received else self._empty_pages + 1
        if self._empty_pages > _MOST_EMPTY_PAGES:
            raise self._broken(fetched, f"{_MOST_EMPTY_PAGES} pages in a row were empty")
        return _Place(fetched.end, link)

    def _deliver(self, fetched: _Fetched[T]) -> Page[T]:
        """The page as the reader gets it: checked at its seam, without what it repeats."""
        content = fetched.content
        items = content.items
        if fetched.overlaps:
            items = self._past_seam(fetched)
        fresh = self._repeats.unseen(items)
        if items:
            self._last_key = self._source.key(items[-1])
            if self._verify:
                self._beyond = self._source.beyond(items[-1], fetched.end - 1)
        self._session.stats.duplicates += len(items) - len(fresh)
        expected = fetched.end - fetched.place.offset
        # Where a walk goes on by the order, rows that tie with the last one come again.
        found = self._first > 0 and fetched.place.offset == self._first
        if self._verify and not found and len(fresh) < len(items) == expected:
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
        self._session.stats.rows += len(fresh)
        return Page(fresh, after, content.total, content.raw)

    def _sifted(self, sieve: Sieve[T], fetched: _Fetched[T], fresh: list[T]) -> list[T]:
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

    def _place_of(self, fetched: _Fetched[T], fresh: list[T], index: int) -> _Place:
        """Where to go on for a row of a page; before it, if that is all that is known."""
        if self._sieve is not None:
            keys = map(self._source.key, fetched.content.items)
            key = self._source.key(fresh[index])
            index = next((place for place, each in enumerate(keys) if each == key), 0)
            index = max(0, index - fetched.overlaps)
        return _Place(fetched.place.offset + index)

    def _past_seam(self, fetched: _Fetched[T]) -> list[T]:
        if not self._fits(fetched):
            raise self._moved(fetched)
        content = fetched.content
        return content.items[1:] if len(content.items) == content.received else content.items

    def _fits(self, fetched: _Fetched[T]) -> bool:
        """Whether a page begins with the last row of the one before, as far as can be told."""
        content = fetched.content
        if not fetched.overlaps:
            return True
        if not content.received:
            return False
        readable = len(content.items) == content.received
        if not readable or self._last_key is None:
            return True
        return self._source.key(content.items[0]) == self._last_key

    def _after_cursor(self, fetched: _Fetched[T]) -> Cursor:
        link = None if self._verify else fetched.content.link
        return self._cursor(_Place(max(fetched.end, fetched.place.offset), link))

    def _cursor(self, place: _Place) -> Cursor:
        offset = max(place.offset, self._resume_at)
        behind = 0 if self._sieve is None else max(0, offset - self._begin)
        return Cursor(
            fingerprint=self._source.fingerprint, offset=offset, link=place.link, behind=behind
        )

    def _moved(self, fetched: _Fetched[T]) -> PaginationError:
        return self._broken(
            fetched, "rows moved between two pages: some may be missing or given twice"
        )

    def _missing(self, fetched: _Fetched[T]) -> PaginationError:
        content = fetched.content
        return self._broken(
            fetched,
            f"the server counts {content.total} rows but gave none from {fetched.place.offset} on",
        )

    def _broken(self, fetched: _Fetched[T], message: str) -> PaginationError:
        error = PaginationError(message)
        error.cursor = str(self._cursor(fetched.place))
        return error


def _as_it_is(reply: Reply) -> Reply:
    return reply
