"""Walking over pages: fetching what a course asks for, one after the other or several in flight."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, Generic, Protocol, TypeVar

from jibble_async.core.course import Course, Place
from jibble_async.core.cursor import Cursor
from jibble_async.core.emitter import Emitter, error_name
from jibble_async.core.operation import Operation, Request
from jibble_async.core.pages import Page, PageContent, PageSource
from jibble_async.core.paging import Paging
from jibble_async.core.stats import Stats
from jibble_async.core.wire import Reply, whole
from jibble_async.errors import DecodeError, JibbleError

__all__ = ["Session", "Walk", "told"]

T = TypeVar("T")
V = TypeVar("V")


class Session(Protocol):
    """What a walk needs of a client."""

    @property
    def stats(self) -> Stats:
        """The sums to keep."""
        ...

    @property
    def emitter(self) -> Emitter:
        """Tells of what is done."""
        ...

    def call(
        self, request: Request, read: Callable[[Reply], V], walk_id: str | None = None
    ) -> Coroutine[Any, Any, V]:
        """Send a request and give what `read` finds in the answer."""
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
        walk_id: What it is told as, if anybody wants to know.
    """

    def __init__(
        self,
        source: PageSource[T],
        session: Session,
        paging: Paging,
        start: Cursor | None,
        walk_id: str | None = None,
    ) -> None:
        self._operation = source.operation
        self._session = session
        self._walk_id = walk_id
        self._concurrency = paging.concurrency
        self._course: Course[T] = Course(source, paging, start, session.stats)

    async def pages(self) -> AsyncGenerator[Page[T], None]:
        """The pages in order."""
        course = self._course
        place: Place | None = course.start
        # Whether pages can be fetched ahead shows on the first.
        undecided = self._concurrency > 1
        while place is not None and not course.done:
            page, place = course.take(place, await self._fetch(place))
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
                    place = course.after_ahead()

    async def _ahead(self, offset: int) -> AsyncGenerator[Page[T], None]:
        """The pages from `offset` on, several in flight."""
        course = self._course
        flying: deque[tuple[Place, int, asyncio.Task[Reply]]] = deque()
        try:
            while True:
                while len(flying) < self._concurrency:
                    under_way = offset - flying[0][0].offset if flying else 0
                    rows = course.ahead(offset, under_way)
                    if rows is None:
                        break
                    count = course.count(*rows)
                    answer = self._call(course.request(rows[0], count), whole)
                    task = asyncio.create_task(answer, name="jibble page")
                    flying.append((*rows, task))
                    offset = rows[1]
                if not flying or course.done:
                    return
                place, end, task = flying[0]
                try:
                    reply = await task
                except JibbleError as error:
                    course.mark(error, place)
                    raise
                flying.popleft()
                reading = self._read_ahead(place, end, reply)
                del task, reply
                rest: Place | None = place
                while rest is not None:
                    page, rest = course.take_ahead(rest, await reading, end)
                    yield page
                    del page
                    if course.done:
                        return
                    if rest is not None:
                        reading = self._fetch(rest, end)
        finally:
            # Awaited, so that nothing is under way any more when the walk has ended.
            for _, _, task in flying:
                task.cancel()
            await asyncio.gather(*(task for _, _, task in flying), return_exceptions=True)

    async def _read_ahead(self, place: Place, end: int, reply: Reply) -> PageContent[T]:
        # Read when its turn has come, and not when it arrives: rows that wait for their turn fill
        # the processor's caches, which costs a quarter of the walk.
        course = self._course
        try:
            return self._told(course.read(reply, course.count(place, end)))
        except JibbleError as error:
            course.mark(error, place)
            if not isinstance(error, DecodeError) or not error.malformed:
                raise
        # Once more, as a call that tries again what came in pieces.
        self._session.stats.retries += 1
        return await self._fetch(place, end)

    async def _fetch(self, place: Place, end: int | None = None) -> PageContent[T]:
        course = self._course
        count = course.count(place, end)
        read = functools.partial(course.read, count=count)
        try:
            return self._told(await self._call(course.request(place, count), read))
        except JibbleError as error:
            # Only when it is this page's turn: where to go on depends on those before it.
            course.mark(error, place)
            raise

    def _call(self, request: Request, read: Callable[[Reply], V]) -> Coroutine[Any, Any, V]:
        return self._session.call(request, read, self._walk_id)

    def _told(self, content: PageContent[T]) -> PageContent[T]:
        rows, total = content.received, content.total
        self._session.emitter.page_read(self._operation, self._walk_id, rows, total)
        return content


async def told(
    pages: AsyncGenerator[Page[T], None], emitter: Emitter, operation: Operation, walk_id: str
) -> AsyncGenerator[Page[T], None]:
    """The same pages, told of when they begin to be read and when that ends.

    Args:
        pages: What is read.
        emitter: Tells of it.
        operation: What each of them is asked for by.
        walk_id: What the walk is told as.
    """
    finished = emitter.walk_started(operation, walk_id)
    read = rows = 0
    error: str | None = None
    try:
        async for page in pages:
            read += 1
            rows += len(page.items)
            yield page
            del page
    except GeneratorExit:
        # Who leaves early has what they wanted.
        raise
    except BaseException as failure:
        error = error_name(failure)
        raise
    finally:
        await pages.aclose()
        finished(read, rows, error)
