"""One run of an export: begun or gone on with, read, swept, and published."""

from __future__ import annotations

import contextlib
import functools
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from jibble_async.api.base_client import BaseClient, session_of
from jibble_async.api.raw import RawSet
from jibble_async.errors import ConfigurationError, PaginationError
from jibble_async.export.files.atomic import Part, PartFile, Spool, hidden_name, remove_dead_parts
from jibble_async.export.files.destinations import Destination
from jibble_async.export.files.disk import DiskThread
from jibble_async.export.journal.finishing import FinalPart, final_parts, write_joined
from jibble_async.export.journal.gathering import Gathering
from jibble_async.export.journal.held import HeldOffLoop, HeldParts
from jibble_async.export.journal.manifest import (
    MANIFEST,
    Manifest,
    make_output_folder,
    publish,
    read_manifest,
)
from jibble_async.export.journal.records import Header
from jibble_async.export.journal.working_folder import WorkingFolder, new_temporary
from jibble_async.export.naming import fetch_names
from jibble_async.export.proof.anchored import AnchorLostError
from jibble_async.export.proof.asking import account_of
from jibble_async.export.proof.plan import Extent
from jibble_async.export.proof.sweep import begin, settle
from jibble_async.export.proof.verdicts import Verdict
from jibble_async.export.report import ExportProgress, ExportReport, Meter
from jibble_async.export.sinks import FileFormat, Names, Sink
from jibble_async.export.telling import ExportTelling
from jibble_async.version import __version__

__all__ = ["Job", "Run"]

_KEPT_OF_FOLDER = ".export"
# Enough that counting windows and their last pages cost little, few enough that many are in flight.
_PAGES_OF_WINDOW = 20


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be exported, and how.

    Attributes:
        client: Makes the calls.
        extent: Which rows.
        rows: How the client gives them.
        destination: Where they go.
        format: What is written.
        writing: The arguments of sinks.
        with_names: Whether names come along.
        reconcile: Whether to look for rows that were deleted for good in any case.
        concurrency: Windows in flight.
        resume: Whether to go on with what is there.
        on_progress: Called after every page, and every window.
    """

    client: BaseClient[Any]
    extent: Extent
    rows: RawSet
    destination: Destination
    format: FileFormat
    writing: dict[str, Any]
    with_names: bool
    reconcile: bool
    concurrency: int
    resume: bool
    on_progress: Callable[[ExportProgress], None] | None

    def request(self) -> dict[str, Any]:
        """All that an export which goes on with this one must have in common with it."""
        asked = {
            "set": self.extent.set,
            "since": self.extent.since,
            "until": self.extent.until,
            "include_archived": self.extent.include_archived,
            "format": self.format.suffix,
            "host": session_of(self.client).base(self.rows.service),
            "query": self.rows.pages.fingerprint,
            "with_names": self.with_names,
            **self.writing,
        }
        plain: dict[str, Any] = msgspec.to_builtins(asked)
        return plain

    def new_sink(self, names: Names) -> Sink:
        """What turns rows into the bytes of a part.

        Args:
            names: What is called how, by fields.

        Raises:
            ConfigurationError: It can't be written in that way.
        """
        return self.format.sink(self.rows.shape, names=names, **self.writing)


class Run:
    """One run.

    Args:
        job: What it is to do.

    Raises:
        ConfigurationError: Its folder can't be made.
        ExportError: Another export works there.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._out = job.destination.path
        self._removed: list[Path] = []
        self._part: Part | None = None
        self._abandoned = False
        self._names: Names = {}
        published: str | None = None
        if job.destination.descriptor is not None:
            # What goes to a pipe is kept nowhere that the next export could know.
            path, self._removed = new_temporary(self._out)
        elif job.destination.is_folder:
            published = self._make_output_folder()
            path = self._out / _KEPT_OF_FOLDER
        else:
            self._removed = remove_dead_parts(self._out)
            path = self._out.with_name(hidden_name(self._out, ".export"))
        self._folder = WorkingFolder(path, self._out, published)

    def _make_output_folder(self) -> str | None:
        """Make it if need be, and tell which run its manifest is of."""
        make_output_folder(self._out)
        manifest = read_manifest(self._out)
        return None if manifest is None else manifest.run

    async def run(self, disk: DiskThread) -> ExportReport:
        """Do it, and tell what was done; see `jibble_async.export.Exporter.run`."""
        job, folder = self._job, self._folder
        session = session_of(job.client)
        meter, telling = Meter(session, job.rows.service), ExportTelling(session, job.rows)
        if folder.is_used and job.resume:
            await disk.run(functools.partial(folder.resume, __version__, job.request()))
        elif folder.is_used:
            await disk.run(folder.clear)
            self._removed.append(folder.path)
        if folder.history is None:
            await self._begin(disk)
        else:
            await self._require_same_account()
        if job.with_names:
            self._names = await fetch_names(job.client, job.rows.shape)
        resumed = sum(part.rows for _, part, _ in folder.parts())
        gathering = Gathering(
            job.client,
            folder,
            disk,
            new_sink=self._new_sink,
            suffix=job.format.suffix,
            concurrency=job.concurrency,
            on_page=lambda: self._tell(gathering, meter, telling, resumed),
            # Where rows are not found again by themselves, every seam that does not fit shows it.
            restless=AnchorLostError if job.rows.anchored else PaginationError,
            with_digests=job.rows.anchored and job.rows.changes is None,
        )
        telling.started(self._windows_done, len(folder.windows), resumed)
        try:
            await gathering.read()
            parts = [(path, part.rows) for _, part, path in folder.parts()]
            held = HeldParts(parts, folder.path / "swept.rows", self._out)
            with contextlib.closing(held):
                verdict = await settle(
                    job.client,
                    job.extent,
                    folder.header.mark or "",
                    HeldOffLoop(held, disk),
                    reconcile=job.reconcile,
                    read=gathering.reading,
                )
                finals = await disk.run(functools.partial(self._finals, held))
                await disk.run(functools.partial(self._publish, finals, verdict))
        except BaseException as error:
            self._say_how_to_go_on(error)
            telling.finished(gathering.rows, error)
            raise
        assert self._part is not None
        written = [part for window in folder.windows for part in window.parts]
        size = sum(final.entry.bytes for final in finals)
        rows = sum(final.entry.rows for final in finals)
        telling.finished(rows)
        unknown: dict[str, int] = {}
        for part in written:
            for name, rows in part.unknown_fields.items():
                unknown[name] = unknown.get(name, 0) + rows
        return ExportReport(
            path=self._out,
            format=job.format.format,
            outcome=verdict.outcome,
            reason=verdict.reason,
            counted=verdict.counted,
            rows=rows,
            parts=len(finals) if job.destination.is_folder else 1,
            pages=sum(part.pages for part in written),
            reread_pages=sum(window.lost for window in folder.windows),
            resumed_rows=resumed,
            swept=verdict.swept,
            dropped=verdict.dropped,
            requests=meter("requests"),
            retries=meter("retries"),
            throttled_seconds=meter("throttled_seconds"),
            seconds=meter.seconds,
            duplicates=sum(part.duplicates for part in written),
            moved=sum(part.moved for part in written),
            bytes=size if job.destination.is_folder else self._part.size,
            sha256=self._part.sha256,
            unknown_fields=dict(sorted(unknown.items())),
            removed=tuple(self._removed),
        )

    async def _begin(self, disk: DiskThread) -> None:
        job = self._job
        rows = _PAGES_OF_WINDOW * job.rows.page_size
        mark, partitions = await begin(job.client, job.extent, rows=rows)
        header = Header(
            library=__version__,
            run=secrets.token_hex(4),
            request=job.request(),
            account=await account_of(self._job.client),
            mark=mark or None,
            partitions=partitions,
        )
        await disk.run(functools.partial(self._folder.begin, header))

    async def _require_same_account(self) -> None:
        account = self._folder.header.account
        if account is not None and await account_of(self._job.client) != account:
            raise ConfigurationError(
                f"what was begun in {self._folder.path} is of another organization: go on with "
                "its credentials, or begin again without resume"
            )

    def _new_sink(self) -> Sink:
        return self._job.new_sink(self._names)

    @property
    def _windows_done(self) -> int:
        return sum(window.done for window in self._folder.windows)

    def _tell(
        self, gathering: Gathering, meter: Meter, telling: ExportTelling, resumed: int
    ) -> None:
        rows, total, seconds = gathering.rows, gathering.expected, meter.seconds
        done, windows = self._windows_done, len(self._folder.windows)
        telling.advanced(done, windows, rows, total)
        if self._job.on_progress is None:
            return
        new = rows - resumed
        known = total is not None and new > 0
        self._job.on_progress(
            ExportProgress(
                rows=rows,
                total=total,
                windows=done,
                of=windows,
                requests=meter("requests"),
                retries=meter("retries"),
                throttled_seconds=meter("throttled_seconds"),
                quota=meter.quota,
                seconds=seconds,
                seconds_left=(total - rows) * seconds / new if known and total else None,
            )
        )

    # How it ends.

    def _finals(self, held: HeldParts) -> list[FinalPart]:
        return final_parts(self._folder, held, self._job.format, self._new_sink, self._out)

    def _publish(self, finals: list[FinalPart], verdict: Verdict) -> None:
        job, header = self._job, self._folder.header
        destination = job.destination
        if destination.descriptor is not None:
            self._part = Spool(self._out, destination.descriptor)
        elif destination.is_folder:
            self._part = PartFile(self._out / MANIFEST)
        else:
            self._part = PartFile(self._out)
        if self._abandoned:
            self._part.abandon()
        with self._part as part:
            if isinstance(part, PartFile) and destination.is_folder:
                manifest = Manifest(
                    library=__version__,
                    run=header.run,
                    request=header.request,
                    outcome=verdict.outcome,
                    reason=verdict.reason,
                    mark=verdict.mark,
                    account=header.account,
                    rows=sum(final.entry.rows for final in finals),
                    parts=[final.entry for final in finals],
                )
                is_published = publish(part, manifest, [final.path for final in finals])
            else:
                write_joined(part, [final.path for final in finals], job.format, self._new_sink)
                is_published = part.publish()
        if is_published:
            self._folder.remove()

    def _say_how_to_go_on(self, error: BaseException) -> None:
        has_parts = any(window.parts for window in self._folder.windows)
        if self._job.destination.descriptor is None and has_parts:
            error.add_note(f"what was read is kept for {self._out}: go on with resume")

    def abandon(self) -> None:
        """Let nothing be published any more."""
        self._abandoned = True
        if self._part is not None:
            self._part.abandon()

    def close(self) -> None:
        """Let others have the folder."""
        if self._job.destination.descriptor is not None:
            self._folder.remove()
        self._folder.close()
