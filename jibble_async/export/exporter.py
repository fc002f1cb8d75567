"""The exporter: windows in, a file or a folder out, and what is known of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from jibble_async.api.base_client import BaseClient
from jibble_async.api.raw import SetName
from jibble_async.checks import require_counts
from jibble_async.errors import ConfigurationError
from jibble_async.export.files.destinations import destination_of
from jibble_async.export.files.disk import DiskThread
from jibble_async.export.naming import named_fields
from jibble_async.export.patience import GIVE_UP_AFTER, patient
from jibble_async.export.proof.plan import Extent
from jibble_async.export.report import ExportProgress, ExportReport
from jibble_async.export.running import Job, Run
from jibble_async.export.sinks import FileFormat, Format, file_format

__all__ = ["Exporter"]


class Exporter:
    """Exports a set of rows to a file, or to a folder of files.

    Rows are read in windows of working days, several at a time, each of which goes on at rows that
    it met before, however many come and go meanwhile. Then what has changed since the beginning is
    fetched again, until nothing more does: `ExportReport.outcome` says what that proves. The old
    API can't be asked what changed: there each page fits the one before.

    What is read is kept in parts, in a hidden folder beside the file. An export that ends early,
    by whatever cause, can go on there with `resume=True`.

    Args:
        client: Makes the calls; without a deadline for the whole, and after interactive ones. A
            client of either API.
        what: The set, such as `time_entries` or `people`.
        out: The file; one of that name is replaced in the end. `-` is standard output, which gets
            everything in the end, as do names of open files, such as `/dev/stdout`. A folder, which
            is one or ends in a slash, gets the parts, and in the end the `manifest.json` that
            names them.
        since: The first working day of time entries.
        until: The last one, included.
        format: A `Format` or its name, such as `csv` or `csv.gz`; by default what the file's name
            says, and JSON lines in a folder.
        concurrency: Windows in flight; the old API's pages come one after the other.
        include_archived: Whether archived rows and removed people come along.
        spreadsheet_safe: In CSV, put `'` wherever a spreadsheet would begin a formula.
        utf8_mark: Begin CSV with the mark of UTF-8 without which Excel takes `Zoë` for `ZoÃ«`; by
            default if it shall be safe for spreadsheets.
        secrets: Keep what opens a kiosk, such as a person's PIN and card.
        columns: The names of the fields that are wanted, as the server has them, in their order;
            by default all. `coordinates.latitude` is a field of an object.
        with_names: Add names beside the ids of people, projects, locations and the like.
        reconcile: Look through the ids for rows that were deleted for good meanwhile, though the
            server counts as many as there are.
        resume: Go on with what an export of the same had left, if there is any; otherwise it is
            removed.
        give_up_after: Seconds that an outage may last: a page that fails is asked for again until
            then, however many attempts that takes. None leaves it to the client's retry policy.
        on_progress: Called after every page, and every window.

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
        format: Format | FileFormat | str | None = None,
        concurrency: int = 4,
        include_archived: bool = False,
        spreadsheet_safe: bool = True,
        utf8_mark: bool | None = None,
        secrets: bool = False,
        columns: Sequence[str] | None = None,
        with_names: bool = False,
        reconcile: bool = False,
        resume: bool = False,
        give_up_after: float | None = GIVE_UP_AFTER,
        on_progress: Callable[[ExportProgress], None] | None = None,
    ) -> None:
        destination = destination_of(out, folders=True)
        by_default = Format.JSONL if destination.is_folder else None
        wanted = file_format(destination.path, format or by_default)
        if resume and destination.descriptor is not None:
            raise ConfigurationError(
                f"resume=True needs a file or a folder: nothing is kept of what goes to {out}"
            )
        require_counts("an export", concurrency=concurrency)
        if concurrency < 1:
            raise ConfigurationError(f"concurrency={concurrency}: windows in flight, at least 1")
        caller = patient(client, give_up_after)
        extent = Extent(
            set=what,
            since=since,
            until=until,
            include_archived=include_archived,
            as_sent=wanted.format.sink.as_sent,
        )
        rows = extent.raw_set(caller)
        if with_names and not named_fields(rows.shape):
            raise ConfigurationError(f"with_names=True: rows of {what} hold no ids that have names")
        self._job = Job(
            client=caller,
            extent=extent,
            rows=rows,
            destination=destination,
            format=wanted,
            writing={
                "spreadsheet_safe": spreadsheet_safe,
                "mark": utf8_mark,
                "secrets": secrets,
                "columns": columns,
            },
            with_names=with_names,
            reconcile=reconcile,
            concurrency=concurrency,
            resume=resume,
            on_progress=on_progress,
        )
        # What can't be written in that way is told before anything is sent.
        self._job.new_sink({field: {} for field in named_fields(rows.shape) if with_names})

    async def run(self) -> ExportReport:
        """Export, and tell what was done.

        Cancelled, it lets the pages under way come for a few seconds, and keeps them; cancelled
        once more it waits no longer.

        Raises:
            ConfigurationError: The file can't be written; nothing was sent. Or what is to be gone
                on with is another export, or a person has no time zone, in an export of the old
                API by working days.
            ExportError: Writing failed on the way, as on a full disk; another export of the same
                is running; or what is to be gone on with was changed.
            PaginationError: A window never came to its end, since too many rows went away.
            JibbleError: A call failed for good.
        """
        disk = DiskThread()
        try:
            running = await disk.run(lambda: Run(self._job))
        except BaseException:
            disk.forget()
            raise
        try:
            return await running.run(disk)
        except BaseException:
            running.abandon()
            raise
        finally:
            await disk.end(running.close)
