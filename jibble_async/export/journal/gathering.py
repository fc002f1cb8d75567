"""Windows read into parts, several at a time.

A page is asked for when the one before is written, so memory holds a page for each window.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from jibble_async.api.base_client import BaseClient, session_of
from jibble_async.errors import PaginationError
from jibble_async.export.files.disk import DiskThread
from jibble_async.export.journal.parts import PartWriter, id_line, id_lines
from jibble_async.export.journal.records import Window, Written
from jibble_async.export.journal.working_folder import WorkingFolder
from jibble_async.export.proof.anchored import AnchorLostError
from jibble_async.export.proof.collecting import Reading
from jibble_async.export.proof.reading import MOST_BEGINNINGS, Batch, never_whole, read_partition
from jibble_async.export.sinks import Sink

__all__ = ["Gathering"]

# A run that is killed loses as much of a window at most.
_MOST_SECONDS = 60.0
_MOST_ROWS = 200_000
# For pages under way when an export is to end; what is written by then is kept anyhow.
_GRACE = 10.0


class _Open:
    """A part that is being written.

    Attributes:
        writer: The part.
        began: When.
        pages: Pages so far.
        seams: How many of them began where the one before had ended.
        place: Where the window goes on behind it.
    """

    def __init__(self, writer: PartWriter, began: float, before: tuple[int, int]) -> None:
        self.writer = writer
        self.began = began
        self.pages = 0
        self.seams = 0
        self.place: str | None = None
        self.before = before


class Gathering:
    """Reads what is left of an export's windows.

    Args:
        client: Makes the calls.
        folder: Where the parts go.
        disk: Does what is done to them.
        new_sink: Makes what turns rows into the bytes of a part.
        suffix: What the names of parts end in.
        concurrency: Windows in flight.
        on_page: Called after every page that is written, and after every window.
        restless: What shows that a window is to be begun again.
        with_digests: Whether rows are to be told from others by their bytes in the end.

    Attributes:
        rows: Rows that are on the disk or under way to it.
        reading: What was read, by digests, if these are wanted and all of it was read by this run.
    """

    def __init__(
        self,
        client: BaseClient[Any],
        folder: WorkingFolder,
        disk: DiskThread,
        *,
        new_sink: Callable[[], Sink],
        suffix: str,
        concurrency: int,
        on_page: Callable[[], None],
        restless: type[PaginationError],
        with_digests: bool = False,
    ) -> None:
        self._client = client
        self._folder = folder
        self._disk = disk
        self._new_sink = new_sink
        self._suffix = suffix
        self._concurrency = concurrency
        self._on_page = on_page
        self._restless = restless
        self._stats = session_of(client).stats
        self._now = session_of(client).caller.config.clock.monotonic
        self._left = deque(window for window in folder.windows if not window.done)
        self._open: dict[int, _Open] = {}
        self._counts: dict[int, int] = {}
        self._stopping = False
        self.rows: int = sum(part.rows for _, part, _ in folder.parts())
        is_first = all(window.place is None and not window.done for window in folder.windows)
        self.reading: Reading | None = Reading() if with_digests and is_first else None

    @property
    def expected(self) -> int | None:
        """About how many rows there are; None before the server counted some.

        Windows that nobody has asked for yet are taken to be as large as the others.
        """
        windows = self._folder.windows
        known = [
            sum(part.rows for part in window.parts)
            if window.done
            else self._counts.get(window.partition.index)
            for window in windows
        ]
        counted = [rows for rows in known if rows is not None]
        if not counted:
            return None
        return max(self.rows, round(sum(counted) * len(windows) / len(counted)))

    async def read(self) -> None:
        """Read until all windows are on the disk.

        Cancelled, or after an error, it lets the pages under way come, keeps what came, and ends.

        Raises:
            JibbleError: A call failed for good, rows can't be read or not be written.
        """
        workers = [asyncio.create_task(self._work()) for _ in range(self._concurrency)]
        try:
            await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
            if not all(worker.done() for worker in workers):
                await self._stop(workers)
        except asyncio.CancelledError:
            await self._stop(workers)
            raise
        finally:
            for worker in workers:
                worker.cancel()
            results = await asyncio.gather(*workers, return_exceptions=True)
            await self._disk.run(self._keep_all)
        errors = [result for result in results if isinstance(result, BaseException)]
        # What the others were ended with, because of it, comes last.
        for error in sorted(errors, key=lambda each: isinstance(each, asyncio.CancelledError)):
            raise error

    async def _stop(self, workers: list[asyncio.Task[None]]) -> None:
        self._stopping = True
        await asyncio.wait(workers, timeout=_GRACE)

    async def _work(self) -> None:
        while self._left and not self._stopping:
            window = self._left.popleft()
            for beginning in range(MOST_BEGINNINGS):
                try:
                    await self._through(window)
                    break
                except self._restless as error:
                    if beginning == MOST_BEGINNINGS - 1:
                        raise never_whole(window.partition, error) from error
                    await self._disk.run(functools.partial(self._restart, window))

    async def _through(self, window: Window) -> None:
        index = window.partition.index
        reading = read_partition(self._client, window.partition, place=window.place)
        known = await self._disk.run(functools.partial(self._known_ids, window))
        async with contextlib.aclosing(reading) as batches:
            async for batch in batches:
                if known:
                    fresh = [row for row in batch.rows if id_line(row[0]) not in known]
                    batch = msgspec.structs.replace(batch, rows=fresh)
                if batch.counted is not None:
                    self._counts[index] = batch.counted
                await self._disk.run(functools.partial(self._take, window, batch))
                self._on_page()
                if self._stopping:
                    return
                del batch
        await self._disk.run(functools.partial(self._end, window))
        self._on_page()

    # What the thread of the disk does.

    def _known_ids(self, window: Window) -> set[bytes]:
        """The lines of the ids of rows that may come again when a window goes on."""
        if self._restless is AnchorLostError or window.place is None:
            return set()
        known: set[bytes] = set()
        for part in window.parts:
            if part.name is not None:
                known.update(id_lines(self._folder.path / part.name))
        return known

    def _take(self, window: Window, batch: Batch) -> None:
        index = window.partition.index
        part = self._open.get(index)
        if part is None:
            writer = self._folder.new_part(window, self._suffix, self._new_sink())
            before = (self._stats.duplicates, self._stats.moved)
            self._open[index] = part = _Open(writer, self._now(), before)
        self._folder.append(part.writer, window, batch.rows)
        # The first page of all has no page before it.
        part.seams += part.pages > 0 or window.place is not None
        part.pages += 1
        part.place = batch.place
        self.rows += len(batch.rows)
        if self.reading is not None:
            self.reading.take(batch.rows)
        if part.writer.rows >= _MOST_ROWS or self._now() - part.began >= _MOST_SECONDS:
            self._keep(window, part.place)

    def _end(self, window: Window) -> None:
        if window.partition.index in self._open:
            self._keep(window, None)
        else:
            self._folder.note(window, Written(partition=window.partition.index))

    def _keep(self, window: Window, place: str | None) -> None:
        """Have the open part of a window on the disk, and in the journal."""
        part = self._open.pop(window.partition.index)
        writer = part.writer
        duplicates, moved = part.before
        record = Written(
            partition=window.partition.index,
            pages=part.pages,
            seams=part.seams,
            place=place,
            duplicates=self._stats.duplicates - duplicates,
            moved=self._stats.moved - moved,
        )
        if not writer.is_whole:
            writer.discard()
            return
        if writer.rows == 0:
            writer.discard()
            self._folder.note(window, record)
            return
        self._folder.finish(writer, window, record)

    def _keep_all(self) -> None:
        windows = {window.partition.index: window for window in self._folder.windows}
        try:
            for index, part in [*self._open.items()]:
                # Without a place nothing of it came, and a window without one would be done.
                if part.place is not None:
                    self._keep(windows[index], part.place)
        finally:
            for part in self._open.values():
                part.writer.discard()

    def _restart(self, window: Window) -> None:
        self.reading = None
        part = self._open.pop(window.partition.index, None)
        if part is not None:
            self.rows -= part.writer.rows
            part.writer.discard()
        self.rows -= sum(each.rows for each in window.parts)
        self._folder.restart(window)
