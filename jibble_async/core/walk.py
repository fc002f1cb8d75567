"""Walking over pages: fetching what a course asks for, one after the other or several in flight."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, Generic, Protocol, TypeVar

from jibble_async.core.course import Course, Fetched, Place, Span
from jibble_async.core.cursor import Cursor
from jibble_async.core.events import Event, PageRead, Stats
from jibble_async.core.operation import Request
from jibble_async.core.pages import Page, PageContent, PageSource
from jibble_async.core.paging import Paging
from jibble_async.core.wire import Reply
from jibble_async.errors import DecodeError, JibbleError

__all__ = ["Session", "Walk"]

T = TypeVar("T")
V = TypeVar("V")


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


class Walk(Generic[T]):
    """One pass over the pages of a source.

    A page and its body are let go of before the next is fetched and decoded: that halves the
    memory in use, and with it the time spent on getting new memory. Hence each `del`, and no name
    for what is only passed on.

    Args:
        source: What to walk over.
        session: Makes the calls and keeps the sums.
        paging: How to walk.
        start: Where to begin.
    """

    def __init__(
        self, source: PageSource[T], session: Session, paging: Paging, start: Cursor | None
    ) -> None:
        self._session = session
        self._concurrency = paging.concurrency
        self._course: Course[T] = Course(source, paging, start, session.stats)

    async def pages(self) -> AsyncGenerator[Page[T], None]:
        """The pages in order."""
        course = self._course
        place: Place | None = course.start
        # Whether pages can be fetched ahead shows on the first, unless it was a link's already.
        undecided = self._concurrency > 1 and course.start.link is None
        while place is not None and not course.done:
            page, place = course.take(await self._fetch(place, course.count_at(place)))
            if page is None:
                continue
            yield page
            del page
            if undecided:
                undecided = False
                offset = course.ahead_from(place)
                if offset is not None:
                    async with contextlib.aclosing(self._ahead(offset)) as ahead:
                        async for page in ahead:
                            yield page
                            del page
                    return

    async def _ahead(self, offset: int) -> AsyncGenerator[Page[T], None]:
        """The pages from `offset` on, several in flight."""
        course = self._course
        flying: deque[tuple[Span, asyncio.Task[Reply]]] = deque()
        try:
            while True:
                while len(flying) < self._concurrency:
                    under_way = offset - flying[0][0].place.offset if flying else 0
                    span = course.span(offset, under_way)
                    if span is None:
                        break
                    count = course.count_until(span.place, span.end)
                    answer = self._answer(span.place, count, _as_it_is)
                    flying.append((span, asyncio.create_task(answer, name="jibble page")))
                    offset = span.end
                if not flying or course.done:
                    return
                span, task = flying[0]
                reply = await task
                flying.popleft()
                reading = self._read_ahead(span, reply)
                del task, reply
                while True:
                    page, rest = course.take_ahead(await reading, span.end)
                    yield page
                    del page
                    if course.done:
                        return
                    if rest is None:
                        break
                    reading = self._fetch(rest, course.count_until(rest, span.end))
        finally:
            # Awaited, so that nothing is under way any more when the walk has ended.
            for _, task in flying:
                task.cancel()
            await asyncio.gather(*(task for _, task in flying), return_exceptions=True)

    async def _read_ahead(self, span: Span, reply: Reply) -> Fetched[T]:
        # Read when its turn has come, and not when it arrives: rows that wait for their turn fill
        # the processor's caches, which costs a quarter of the walk.
        try:
            return self._fetched(span.place, self._course.read(reply))
        except DecodeError:
            # Once more, as a call that tries again what came in pieces.
            self._session.stats.retries += 1
            return await self._fetch(span.place, self._course.count_until(span.place, span.end))

    async def _fetch(self, place: Place, count: int | None) -> Fetched[T]:
        return self._fetched(place, await self._answer(place, count, self._course.read))

    def _fetched(self, place: Place, content: PageContent[T]) -> Fetched[T]:
        self._session.emit(PageRead(content.received, content.total))
        return self._course.fetched(place, content)

    async def _answer(self, place: Place, count: int | None, read: Callable[[Reply], V]) -> V:
        try:
            return await self._session.call(self._course.request(place, count), read)
        except JibbleError as error:
            self._course.mark(error, place)
            raise


def _as_it_is(reply: Reply) -> Reply:
    return reply
