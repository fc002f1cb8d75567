"""What changed since the last time, to a file: for copies that others keep."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from jibble_async.api.base_client import BaseClient, session_of
from jibble_async.api.set_names import SetName
from jibble_async.core.pages import RawRow
from jibble_async.errors import ConfigurationError, PaginationError
from jibble_async.export.exporter import Exporter
from jibble_async.export.files.atomic import reason_of
from jibble_async.export.files.destinations import Destination, destination_of
from jibble_async.export.files.output import Output
from jibble_async.export.patience import GIVE_UP_AFTER, patient
from jibble_async.export.proof.anchored import AnchorLostError
from jibble_async.export.proof.asking import account_of
from jibble_async.export.proof.plan import Extent
from jibble_async.export.proof.reading import MOST_BEGINNINGS
from jibble_async.export.proof.sweep import changes, server_mark
from jibble_async.export.proof.verdicts import Outcome, SweptRow
from jibble_async.export.report import ExportReport
from jibble_async.export.sinks import FileFormat, Format, Sink, file_format
from jibble_async.version import __version__

__all__ = ["ChangesReport", "export_since_last", "latest_changes"]

_BATCH = 1000


class ChangesReport(msgspec.Struct, frozen=True, kw_only=True):
    """What came."""

    path: Path
    """The file."""
    whole: bool
    """Whether it has the whole set, since there was no last time."""
    rows: int
    """Rows in it, each id once."""
    bytes: int
    """Its size."""
    sha256: str
    """Its hash, in hexadecimal digits."""
    mark: str
    """The server's time from which on the next file begins."""
    unknown_fields: dict[str, int]
    """Fields that the format has no place for, and in how many rows they came."""


class _State(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    library: str
    set: SetName
    host: str
    account: str | None
    mark: str


async def export_since_last(
    client: BaseClient[Any],
    what: SetName,
    *,
    out: str | os.PathLike[str],
    state: str | os.PathLike[str],
    format: FileFormat | Format | str | None = None,
    columns: Sequence[str] | None = None,
    spreadsheet_safe: bool = True,
    utf8_mark: bool | None = None,
    secrets: bool = False,
    concurrency: int = 4,
    give_up_after: float | None = GIVE_UP_AFTER,
) -> ChangesReport:
    """Write the rows that changed since the last time to a file, archived ones included.

    They are to take the place of those of the same id. The first time that is the whole set. Some
    rows come once more the next time, since servers' clocks differ; what was deleted for good does
    not come, and only an export of the whole set, or `Sync`, tells.

    Args:
        client: Makes the calls.
        what: The set.
        out: The file; one of that name is replaced.
        state: A small file that keeps when the last time was; it is written when `out` is there.
        format: A `Format` or its name; by default what the file's name says.
        columns: The names of the fields that are wanted; by default all.
        spreadsheet_safe: In CSV, put `'` wherever a spreadsheet would begin a formula.
        utf8_mark: Begin CSV with the mark of UTF-8; by default if it shall be safe.
        secrets: Keep what opens a kiosk.
        concurrency: Windows in flight, the first time.
        give_up_after: Seconds that an outage may last.

    Raises:
        ConfigurationError: An argument that can't be used; the state is of something else; nothing
            tells which rows of the set changed.
        ExportError: Writing failed on the way; the state is as it was.
        PaginationError: The first time, rows may be missing.
        JibbleError: A call failed for good.

    Example:
        >>> report = await export_since_last(
        ...     client, "people", out="changed.jsonl", state="people.state"
        ... )
    """
    destination = destination_of(out)
    if destination.descriptor is not None:
        raise ConfigurationError(f"what goes to {out} may be lost: name a file")
    kept = destination_of(state)
    if kept.descriptor is not None or kept.path == destination.path:
        raise ConfigurationError(f"state={state} can't be kept there: name a file of its own")
    wanted = file_format(destination.path, format)
    caller = patient(client, give_up_after)
    extent = Extent(set=what, include_archived=True, as_sent=wanted.format.sink.as_sent)
    raw = extent.raw_set(caller)
    if raw.changes is None:
        raise ConfigurationError(f"nothing tells which {what} changed: export them all")
    options: dict[str, Any] = {
        "columns": columns,
        "spreadsheet_safe": spreadsheet_safe,
        "secrets": secrets,
    }
    now = _State(
        library=__version__,
        set=what,
        host=session_of(caller).base(raw.service),
        account=await account_of(caller),
        # From before whatever is read now.
        mark=await server_mark(caller, extent),
    )
    before = _read(kept.path, now)
    if before is not None:
        sink = wanted.sink(raw.shape, mark=utf8_mark, **options)
        report = await _write(caller, extent, before.mark, destination, sink)
    else:
        exporter = Exporter(
            client,
            what,
            out=out,
            format=wanted,
            include_archived=True,
            utf8_mark=utf8_mark,
            concurrency=concurrency,
            give_up_after=give_up_after,
            **options,
        )
        report = _of_whole(await exporter.run())
    async with Output(kept) as output:
        await output.write(lambda: msgspec.json.encode(now) + b"\n")
        await output.run(output.part.publish)
    return msgspec.structs.replace(report, mark=now.mark)


def _read(path: Path, now: _State) -> _State | None:
    """What was kept the last time; None if there was none."""
    try:
        before = msgspec.json.decode(path.read_bytes(), type=_State)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read: {reason_of(error)}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise ConfigurationError(f"{path} keeps no last time: name another file") from None
    names = ("set", "host", "account")
    differing = [name for name in names if getattr(before, name) != getattr(now, name)]
    if differing:
        raise ConfigurationError(
            f"{path} is of another {' and '.join(differing)}: name another file"
        )
    return before


def _of_whole(report: ExportReport) -> ChangesReport:
    if report.outcome is Outcome.NOT_PROVED:
        raise PaginationError(
            f"{report.path} may lack rows, so nothing can follow on it: {report.reason}"
        )
    return ChangesReport(
        path=report.path,
        whole=True,
        rows=report.rows,
        bytes=report.bytes,
        sha256=report.sha256,
        mark="",
        unknown_fields=report.unknown_fields,
    )


async def _write(
    client: BaseClient[Any], extent: Extent, mark: str, destination: Destination, sink: Sink
) -> ChangesReport:
    changed = await latest_changes(client, extent, mark)
    found: list[RawRow] = [(row.id, row.raw) for row in changed]
    async with Output(destination) as output:
        await output.write(sink.head)
        for first in range(0, len(found), _BATCH):
            await output.write(sink.encode, found[first : first + _BATCH])
        await output.write(sink.finish)
        await output.run(output.part.publish)
    return ChangesReport(
        path=destination.path,
        whole=False,
        rows=len(found),
        bytes=output.part.size,
        sha256=output.part.sha256,
        mark="",
        unknown_fields=dict(sink.unknown_fields),
    )


async def latest_changes(client: BaseClient[Any], extent: Extent, mark: str) -> list[SweptRow]:
    """The rows that changed since a mark, each once, as it was last; all are held in memory.

    Args:
        client: Makes the calls.
        extent: What of the set is meant.
        mark: What `server_mark` or a `Verdict` gave.

    Raises:
        JibbleError: As of `changes`.
    """
    beginning = 1
    while True:
        found: dict[str, SweptRow] = {}
        try:
            async with contextlib.aclosing(changes(client, extent, mark)) as pages:
                async for page in pages:
                    found.update((row.id, row) for row in page)
        except AnchorLostError:
            if beginning == MOST_BEGINNINGS:
                raise
            beginning += 1
        else:
            return [*found.values()]
