"""The exporter: pages in, a file out, and proof that every row is in it."""

from __future__ import annotations

import contextlib
import functools
import os
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from jibble_async.api.base_client import BaseClient, session_of
from jibble_async.api.raw import SetName, raw_set_of
from jibble_async.api.session import Session
from jibble_async.core.call_options import Timeouts
from jibble_async.core.cursor import Cursor
from jibble_async.core.pager import Pager
from jibble_async.core.pages import Page, RawRow
from jibble_async.core.paging import Paging
from jibble_async.errors import PaginationError
from jibble_async.export.destinations import destination_of
from jibble_async.export.files import Part
from jibble_async.export.output import Output
from jibble_async.export.sinks import FileFormat, Format, Sink, file_format

__all__ = ["ExportProgress", "ExportReport", "Exporter"]

_MOST_READINGS = 4
# No total, since an export may take hours; long attempts, since nobody waits for one page.
_PATIENT = Timeouts(total=None, attempt=120.0)
_GIVE_UP_AFTER = 900.0


@dataclass(frozen=True, slots=True)
class ExportProgress:
    """How far an export is.

    Attributes:
        rows: Rows written so far, in the present reading.
        total: Rows that the server counts, if it does.
        requests: Requests that the client sent since the export began.
        retries: Those of them that repeated one that had failed.
        throttled_seconds: Time that its calls spent waiting for the quota, in sum.
        quota: Requests per second that the server is believed to accept, if that is known.
        seconds: Time since the export began.
        reading: Which reading this is, counted from 1; a second one follows when rows moved.
    """

    rows: int
    total: int | None
    requests: int
    retries: int
    throttled_seconds: float
    quota: float | None
    seconds: float
    reading: int


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export did.

    Attributes:
        path: The file.
        format: What is in it.
        rows: Rows in it.
        counted: Whether they are as many as the server counted in the end, with nothing behind
            them. False if it does not count, or counts fewer than it gives; then every seam
            fitted, and the last page was empty, or short where that means the end.
        pages: Pages that they came on.
        requests: Requests that the client sent meanwhile, those for tokens included.
        retries: Those of them that repeated one that had failed.
        throttled_seconds: Time that its calls spent waiting for the quota, in sum.
        seconds: Time that it took.
        duplicates: Rows that came twice and were written once, as they were at first: entries of
            the old API that were moved to a later time while it was read, for one.
        readings: How often everything was read: more than once if rows moved meanwhile.
        moved: How often rows moved and the export of the old API's time entries went on from the
            last one by its moment. What was deleted or back-dated meanwhile may be in the file.
        bytes: Size of the file.
        sha256: Its hash, in hexadecimal digits.
        unknown_fields: Fields that the format has no place for, and in how many rows they had a
            value.
        removed: Parts of this file that killed exports had left, and that this one removed.
    """

    path: Path
    format: Format
    rows: int
    counted: bool
    pages: int
    requests: int
    retries: int
    throttled_seconds: float
    seconds: float
    duplicates: int
    readings: int
    moved: int
    bytes: int
    sha256: str
    unknown_fields: dict[str, int] = field(default_factory=dict[str, int])
    removed: tuple[Path, ...] = ()


class Exporter:
    """Exports a set of rows to a file.

    Rows come in an order that does not change, that of their ids or of time, on pages that overlap
    by one: if a seam does not match, or the rows are not as many as the server counts in the end,
    rows moved during the reading, and all is read again. The old API does not count: there it is
    the seams, and the last page, which must be short; time entries are read on from the moment of
    the last one, and not again.

    What the file holds is not the set as it was at one moment. Where one row goes and another
    comes between two pages, seams and count may fit: such a row is missing, or there although it
    is gone. For a set as of one moment, export days that are over.

    Args:
        client: Makes the calls; without a deadline for the whole, and after interactive ones. A
            client of either API.
        what: The set, such as `time_entries` or `people`.
        out: The file; one of that name is replaced in the end. `-` is standard output, which gets
            everything in the end, as do names of open files, such as `/dev/stdout`.
        since: The first working day of time entries.
        until: The last one, included.
        format: A `Format` or its name, such as `csv` or `csv.gz`; by default what the file's name
            says.
        concurrency: Pages in flight; the old API's come one after the other.
        include_archived: Whether archived rows and removed people come along.
        spreadsheet_safe: In CSV, put `'` wherever a spreadsheet would begin a formula.
        utf8_mark: Begin CSV with the mark of UTF-8 without which Excel takes `Zoë` for `ZoÃ«`; by
            default if it shall be safe for spreadsheets.
        secrets: Keep what opens a kiosk, such as a person's PIN and card.
        give_up_after: Seconds that an outage may last: a page that fails is asked for again until
            then, however many attempts that takes. None leaves it to the client's retry policy.
        on_progress: Called after every page.

    Raises:
        ConfigurationError: An argument that can't be used, such as `since` after `until`, or
            a file that can't be written.
        NotSupportedError: The client's API has no such set, or keeps nothing archived.

    Example:
        >>> exporter = Exporter(client, "people", out="people.csv")
        >>> report = await exporter.run()
    """

    def __init__(
        self,
        client: BaseClient[Any],
        what: SetName,
        *,
        out: str | os.PathLike[str],
        since: date | None = None,
        until: date | None = None,
        format: Format | str | None = None,
        concurrency: int = 4,
        include_archived: bool = False,
        spreadsheet_safe: bool = True,
        utf8_mark: bool | None = None,
        secrets: bool = False,
        give_up_after: float | None = _GIVE_UP_AFTER,
        on_progress: Callable[[ExportProgress], None] | None = None,
    ) -> None:
        self._destination = destination_of(out)
        self._format: FileFormat = file_format(self._destination.path, format)
        retry = session_of(client).options.retry
        if give_up_after is not None:
            retry = msgspec.structs.replace(retry, patience=give_up_after)
        patient = client.with_options(timeout=_PATIENT, priority="bulk", retry=retry)
        self._session: Session = session_of(patient)
        self._set = raw_set_of(
            patient,
            what,
            since,
            until,
            include_archived=include_archived,
            as_sent=self._format.format.sink.as_sent,
        )
        self._paging = Paging(page_size=self._set.page_size, concurrency=concurrency, verify=True)
        self._spreadsheet_safe = spreadsheet_safe
        self._utf8_mark = utf8_mark
        self._secrets = secrets
        self._on_progress = on_progress
        # What a format needs and is not installed is told before anything is sent.
        self._new_sink()

    async def run(self) -> ExportReport:
        """Export, and tell what was done.

        Raises:
            ConfigurationError: The file can't be written; nothing was sent. Or a person has no
                time zone, in an export of the old API by working days.
            ExportError: Writing failed on the way, as on a full disk.
            PaginationError: Rows moved in every one of several readings.
            JibbleError: A call failed for good.
        """
        meter = _Meter(self._session, self._set.service)
        async with Output(self._destination) as output:
            if self._set.check is not None:
                await self._set.check()
            reading = 1
            while True:
                try:
                    return await self._read(output, meter, reading)
                except PaginationError as error:
                    if reading == _MOST_READINGS:
                        raise PaginationError(
                            f"read {reading} times without getting it whole, so "
                            f"{self._destination.path.name} was not written: export when fewer "
                            "rows change, or only days that are over; in the end: "
                            f"{error.message}"
                        ) from error
                await output.run(output.part.restart)
                reading += 1

    async def _read(self, output: Output, meter: _Meter, reading: int) -> ExportReport:
        sink = self._new_sink()
        part = output.part
        rows = pages = 0
        counted: int | None = None
        cursor: Cursor | None = None
        await output.run(lambda: part.write(sink.head()))
        while True:
            before, resumed = rows, cursor is not None
            async with contextlib.aclosing(self._walk(cursor)) as walk:
                async for page in walk:
                    cursor, counted = page.cursor, page.total
                    if resumed and not page.items:
                        continue
                    await output.run(functools.partial(_append, part, sink, page.items))
                    rows += len(page.items)
                    pages += 1
                    if self._on_progress is not None:
                        self._on_progress(meter.progress(rows, counted, reading))
                    del page
            # What ended by the count is looked behind, from the last row on: a count may be
            # capped. The answer also has the count as it is in the end.
            if resumed and rows == before:
                if counted != rows:
                    raise PaginationError(f"the server gave {rows} rows but counts others")
                break
            if counted is None:
                break
        await output.run(lambda: part.write(sink.finish()))
        await output.run(part.publish)
        progress = meter.progress(rows, counted, reading)
        return ExportReport(
            path=self._destination.path,
            format=self._format.format,
            rows=rows,
            counted=counted is not None,
            pages=pages,
            requests=progress.requests,
            retries=progress.retries,
            throttled_seconds=progress.throttled_seconds,
            seconds=progress.seconds,
            duplicates=meter("duplicates"),
            readings=reading,
            moved=meter("moved"),
            bytes=part.size,
            sha256=part.sha256,
            unknown_fields=dict(sorted(sink.unknown_fields.items())),
            removed=tuple(output.removed),
        )

    def _new_sink(self) -> Sink:
        return self._format.sink(
            self._set.shape,
            spreadsheet_safe=self._spreadsheet_safe,
            mark=self._utf8_mark,
            secrets=self._secrets,
        )

    def _walk(self, cursor: Cursor | None) -> AsyncGenerator[Page[RawRow], None]:
        paging = msgspec.structs.replace(self._paging, resume_from=cursor)
        return Pager(self._set.pages, self._session, paging).pages()


class _Meter:
    """What a client did since an export began."""

    def __init__(self, session: Session, service: str) -> None:
        self._now = session.stats
        self._service = service
        self._before = msgspec.structs.replace(session.stats)
        self._started = time.monotonic()

    def __call__(self, name: str) -> Any:
        """By how much one of the client's sums grew."""
        return getattr(self._now, name) - getattr(self._before, name)

    def progress(self, rows: int, total: int | None, reading: int) -> ExportProgress:
        return ExportProgress(
            rows=rows,
            total=total,
            requests=self("requests"),
            retries=self("retries"),
            throttled_seconds=self("throttled_seconds"),
            quota=self._now.rates.get(self._service),
            seconds=time.monotonic() - self._started,
            reading=reading,
        )


def _append(part: Part, sink: Sink, rows: list[RawRow]) -> None:
    part.write(sink.encode(rows))
