"""What `list()` gives: a set of rows that is fetched as it is read."""

from __future__ import annotations

import contextlib
import functools
import weakref
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Self, TypeVar

from msgspec.structs import replace

from jibble_async.core.cursor import Cursor
from jibble_async.core.pages import Page, PageSource
from jibble_async.core.paging import Paging
from jibble_async.core.walk import Session, Walk, told
from jibble_async.entities.rows import Rows
from jibble_async.errors import ConfigurationError, NotSupportedError

__all__ = ["Pager"]

T_co = TypeVar("T_co", covariant=True)


class Pager(Generic[T_co]):
    """Rows, fetched page by page while they are read; nothing is sent before.

    Each `async for` is a walk of its own, from the beginning or from `resume_from`. Leaving one
    early cancels what was fetched ahead; `async with pager` does so at a place of your choice.

    Example:
        >>> async for entry in jibble.time_entries.list(since=monday, until=friday):
        ...     print(entry.time, entry.type)

    Args:
        source: What to walk over.
        session: Makes the calls.
        paging: How to walk.

    Raises:
        ConfigurationError: A cursor of another query.
    """

    def __init__(
        self, source: PageSource[T_co], session: Session, paging: Paging | None = None
    ) -> None:
        paging = Paging() if paging is None else paging
        start = None if paging.resume_from is None else Cursor.parse(paging.resume_from)
        if start is not None:
            if start.fingerprint != source.fingerprint:
                raise ConfigurationError(
                    "resume_from= belongs to another query: resume with the same arguments, "
                    "or start again without it"
                )
            # It may be anybody's word, and must lead no further than its query does.
            marked = source if start.mark is None else source.marked(start.mark)
            if paging.cursor_key is not None:
                start.require_signed(paging.cursor_key)
            elif start.link is not None:
                marked.require_own(start.link)
        self._start = start
        self._source = source
        self._session = session
        self._paging = paging
        self._open: weakref.WeakSet[AsyncGenerator[Any, None]] = weakref.WeakSet()

    def __repr__(self) -> str:
        row = getattr(self._source.row, "__name__", "rows")
        return f"<Pager of {row}: read it by `async for`, or all by `await pager.collect()`>"

    def __aiter__(self) -> AsyncIterator[T_co]:
        return self._track(self._items())

    # Hidden from type checkers, which find these mistakes by themselves.
    if not TYPE_CHECKING:

        def __iter__(self) -> NoReturn:
            raise ConfigurationError("rows are fetched while they are read: use `async for`")

        def __await__(self) -> NoReturn:
            raise ConfigurationError(
                "a list is not awaited: use `async for`, or `await pager.collect()` for all rows"
            )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for walk in list(self._open):
            await walk.aclose()

    def pages(self) -> AsyncGenerator[Page[T_co], None]:
        """The same walk, a page at a time.

        Example:
            >>> async for page in pager.pages():
            ...     save(page.items, page.cursor)
        """
        return self._track(self._walk())

    async def first(self) -> T_co | None:
        """The first row; None if there is none."""
        rows = await self.collect(limit=1)
        return rows[0] if rows else None

    async def collect(self, limit: int | None = None) -> list[T_co]:
        """All rows in a list, of which a notebook shows some, and which knows the class of a row.

        Args:
            limit: Rows to take at most.
        """
        rows: Rows[T_co] = Rows(entity=self._source.row)
        pages = self._walk(limit)
        try:
            async for page in pages:
                rows += page.items
        finally:
            await pages.aclose()
        return rows

    async def count(self) -> int:
        """How many rows the server counts, whatever `limit` and `resume_from` say.

        Raises:
            NotSupportedError: The API does not count this set, or was not asked to.
        """
        counted = 0
        source: PageSource[T_co] | None = self._source
        while source is not None:
            total: int | None = None
            if source.counts and self._paging.page_size is not None:
                read = functools.partial(source.read, on_bad_row=self._paging.on_bad_row)
                content = await self._session.call(source.request(0, 1), read)
                total = content.total
            if total is None:
                raise NotSupportedError("these rows are not counted: collect() them")
            counted, source = counted + total, source.rest
        return counted

    async def _items(self) -> AsyncGenerator[T_co, None]:
        pages = self._walk()
        try:
            async for page in pages:
                items = page.items
                del page
                for item in items:
                    yield item
                # Nothing of this page may be held while the next is fetched.
                del items
        finally:
            await pages.aclose()

    def _walk(self, limit: int | None = None) -> AsyncGenerator[Page[T_co], None]:
        paging = self._paging
        if limit is not None:
            most = limit if paging.limit is None else min(limit, paging.limit)
            paging = replace(paging, limit=most)
        session, source = self._session, self._source
        walk_id = session.emitter.new_walk_id()
        if source.rest is not None:
            pages = self._slices(paging, walk_id)
        else:
            pages = Walk(source, session, paging, self._start, walk_id).pages()
        if walk_id is None:
            return pages
        return told(pages, session.emitter, source.operation, walk_id)

    async def _slices(
        self, paging: Paging, walk_id: str | None
    ) -> AsyncGenerator[Page[T_co], None]:
        """A walk for each part of a set that no single request can ask for."""
        start, left = self._start, paging.limit
        source: PageSource[T_co] | None = self._source
        if start is not None and start.mark is not None:
            source = self._source.marked(start.mark)
        while source is not None and left != 0:
            part = replace(paging, limit=left)
            walk = Walk(source, self._session, part, start, walk_id).pages()
            async with contextlib.aclosing(walk):
                async for page in walk:
                    left = None if left is None else left - len(page.items)
                    # What the server counts is this part only.
                    yield replace(page, total=None)
                    del page
            source, start = source.rest, None

    def _track(self, walk: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
        self._open.add(walk)
        return walk
