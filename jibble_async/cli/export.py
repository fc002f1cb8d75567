"""`jibble export`: sets of rows to files, with a bar for each for people who watch."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from cyclopts import App, Parameter, Token
from cyclopts.validators import Number

from jibble_async.api.base_client import BaseClient
from jibble_async.cli.connection import DEFAULTS, Common, Flag, connect_either
from jibble_async.cli.days import ANY_DAYS, Days, days_of, now
from jibble_async.cli.exit_codes import exit_code_of_all
from jibble_async.cli.export_bars import Bars
from jibble_async.cli.forms import as_json
from jibble_async.cli.output import (
    NotAllDoneError,
    beside,
    complain,
    say_error,
    say_removed,
    show_facts,
    show_json,
)
from jibble_async.errors import ConfigurationError, JibbleError
from jibble_async.export import (
    Exporter,
    ExportReport,
    Extent,
    Outcome,
    SetName,
    export_since_last,
)
from jibble_async.export.files.atomic import PartFile
from jibble_async.export.files.destinations import Destination, destination_of
from jibble_async.export.journal.manifest import MANIFEST, make_output_folder
from jibble_async.export.naming import named_fields
from jibble_async.export.sinks import FileFormat, file_format

__all__ = ["SetNames", "export"]

export: App = App(name="export")

_ALL = "all"
_NOT_PASSED_ON = frozenset({"since_last", "report", "common"})
_FOR_WHOLE_SETS = ("resume", "reconcile", "with_names", "report")
_NAMES = get_args(SetName)


def _to_file(_: object, tokens: Sequence[Token]) -> str:
    text = tokens[0].value
    if text.startswith("-") and text != "-":
        raise ValueError(f"{text} is no file: write ./{text} if it is meant to be one")
    # As it is: a slash at the end means a folder.
    return text


def _to_format(_: object, tokens: Sequence[Token]) -> FileFormat:
    try:
        return file_format(Path(), tokens[0].value)
    except ConfigurationError as error:
        raise ValueError(str(error)) from None


def _to_columns(_: object, tokens: Sequence[Token]) -> tuple[str, ...]:
    return tuple(each.strip() for token in tokens for each in token.value.split(","))


def _to_set_names(_: object, tokens: Sequence[Token]) -> tuple[str, ...]:
    names = [token.value.replace("-", "_") for token in tokens]
    for name in names:
        if name not in {*_NAMES, _ALL}:
            offered = ", ".join(each.replace("_", "-") for each in _NAMES)
            raise ValueError(f"nothing called {name} to export: there are {offered}, and all")
    return tuple(dict.fromkeys(names))


SetNames = Annotated[
    tuple[SetName | Literal["all"], ...],
    Parameter(converter=_to_set_names, consume_multiple=True, negative="", show_choices=False),
]
"""What a command line takes for sets, so that a shell completes them."""


@Parameter(name="*")
@dataclass(frozen=True)
class Target:
    """What every export takes.

    Attributes:
        out: The file to write; one of that name is replaced. - is standard output. A folder, with
            a slash at its end, gets files and a manifest.json; several sets need one.
        format: By default what the file's name ends in; jsonl in a folder.
        columns: The fields that are wanted, with commas between them.
        concurrency: Windows of days that are read at a time.
        include_archived: Export what was archived, deleted or removed, too.
        with_names: Add names beside the ids of people, projects and the like.
        spreadsheet_safe: In CSV, keep texts from being run as formulas, by a ' before them.
        give_up_after: Seconds that an outage may last.
        utf8_mark: In CSV, begin with what Excel needs to read names right; by default unless
            --no-spreadsheet-safe.
        secrets: Keep what opens a kiosk, such as people's PINs and cards.
        resume: Go on with what an interrupted export of the same had left.
        reconcile: Look for rows that were deleted for good meanwhile, in any case.
        since_last: A small file that keeps when the last time was: then only what changed since is
            exported, archived rows included; all the first time.
        report: A file for what was done, as JSON.
        common: What every command takes.
    """

    out: Annotated[str, Parameter(converter=_to_file, allow_leading_hyphen=True)]
    format: Annotated[FileFormat | None, Parameter(converter=_to_format)] = None
    columns: Annotated[tuple[str, ...] | None, Parameter(converter=_to_columns, negative="")] = None
    concurrency: int = 4
    include_archived: Flag = False
    with_names: Flag = False
    spreadsheet_safe: bool = True
    give_up_after: Annotated[float, Parameter(validator=Number(gte=0))] = 900
    utf8_mark: Annotated[bool | None, Parameter(show_default=False)] = None
    secrets: Flag = False
    resume: Flag = False
    reconcile: Flag = False
    since_last: Path | None = None
    report: Path | None = None
    common: Common = DEFAULTS

    def require_since_last_alone(self) -> None:
        """Refuse what an export of changes alone would not heed."""
        for name in _FOR_WHOLE_SETS:
            if getattr(self, name):
                option = name.replace("_", "-")
                raise ConfigurationError(f"--{option} is for whole sets, not for --since-last")

    def exporter(self, client: BaseClient[Any], extent: Extent, out: str, **more: Any) -> Exporter:
        """What exports one set."""
        named = self.with_names and named_fields(extent.raw_set(client).shape)
        options = self.options()
        options |= {"out": out, "with_names": bool(named), **more}
        return Exporter(client, extent.set, since=extent.since, until=extent.until, **options)

    def options(self, *but: str) -> dict[str, Any]:
        """What an export takes of it, but for some options."""
        left_out = {*_NOT_PASSED_ON, *but}
        return {name: value for name, value in vars(self).items() if name not in left_out}


@export.default
async def export_sets(
    sets: SetNames,
    *,
    days: Days = ANY_DAYS,
    timezone: str | None = None,
    target: Target,
) -> None:
    """Export sets of rows to a file or a folder that counts only when it is complete.

    Args:
        sets: Such as time-entries or people; or all.
        days: The days of rows that belong to days.
        timezone: Where people work, such as Europe/Berlin; the old API does not know.
        target: What every export takes.
    """
    days.require(all=False)
    if target.common.legacy and timezone is None and days != ANY_DAYS:
        raise ConfigurationError(
            "--since, --until and --period are working days, which the old API does not know: "
            "give --timezone, such as Europe/Berlin"
        )
    destination = destination_of(target.out, folders=True)
    is_one = len(sets) == 1 and _ALL not in sets
    if not is_one and not destination.is_folder:
        raise ConfigurationError(f"several sets need a folder: write {target.out}/")
    report_path = None if target.report is None else _report_path(target.report, destination)
    if target.since_last is not None:
        if not is_one or days != ANY_DAYS:
            raise ConfigurationError("--since-last is for one set, without any days")
        target.require_since_last_alone()
        await _export_since_last(sets[0], target)
        return
    around = days.around(now().date())
    async with connect_either(target.common, *around, timezone) as client:
        since, until = await days_of(client, days, timezone)
        extents = _extents(client, sets, since, until, target)
        if not is_one:
            make_output_folder(destination.path)
        with Bars(client, common=target.common) as bars:
            exporters: dict[str, Exporter] = {}
            for extent in extents:
                out = target.out if is_one else f"{target.out}/{extent.set}/"
                show = bars.new(extent.set)
                exporters[extent.set] = target.exporter(client, extent, out, on_progress=show)
            reports, errors = await _together(exporters)
    if len(errors) == 1 == len(exporters):
        raise errors[extents[0].set]
    if report_path is not None:
        _keep(report_path, reports, errors)
    with beside(destination):
        if target.common.form in {"json", "jsonl"}:
            each = [asdict(report) for report in reports.values()]
            show_json(each[0] if is_one else each, target.common.form)
        for what, report in reports.items():
            _show(report, target.common, None if is_one else what)
    for what, error in errors.items():
        say_error(error, what)
    # Of the old API nothing better can be said.
    doubtful = any(report.outcome is Outcome.NOT_PROVED for report in reports.values())
    if errors or (doubtful and not target.common.legacy):
        raise NotAllDoneError(exit_code_of_all(errors.values()))


async def _export_since_last(what: Any, target: Target) -> None:
    assert target.since_last is not None
    async with connect_either(target.common) as client:
        options = target.options(*_FOR_WHOLE_SETS, "include_archived")
        report = await export_since_last(client, what, state=target.since_last, **options)
    facts = {
        "file": str(report.path),
        "rows": report.rows if target.common.form else f"{report.rows:,}",
        "what": "the whole set" if report.whole else "what changed since the last time",
        "sha256": report.sha256,
    }
    show_facts(facts, target.common.form, id="file")


def _extents(
    client: BaseClient[Any],
    sets: Sequence[str],
    since: date | None,
    until: date | None,
    target: Target,
) -> list[Extent]:
    """What of each set is wanted; of all of them those that this API and these days allow."""
    if _ALL not in sets:
        names: Any = sets
        return [
            Extent(set=name, since=since, until=until, include_archived=target.include_archived)
            for name in names
        ]
    extents: list[Extent] = []
    for name in get_args(SetName):
        resource = getattr(client, name, None)
        if not getattr(resource, "exportable", False):
            continue
        has_days = getattr(resource, "spans", False)
        extent = Extent(
            set=name,
            since=since if has_days else None,
            until=until if has_days else None,
            include_archived=target.include_archived,
        )
        try:
            extent.raw_set(client)
        except ConfigurationError as error:
            complain(f"{name} left out: {error}")
        else:
            extents.append(extent)
    return extents


async def _together(
    exporters: dict[str, Exporter],
) -> tuple[dict[str, ExportReport], dict[str, JibbleError]]:
    """What each exporter did, or why it failed, which holds up no other one."""
    tasks = {what: asyncio.create_task(each.run()) for what, each in exporters.items()}
    try:
        await asyncio.wait(tasks.values())
    except asyncio.CancelledError as cancelled:
        for task in tasks.values():
            task.cancel()
        for task in tasks.values():
            try:
                await task
            except (JibbleError, asyncio.CancelledError) as ended:
                # A task that is asked in another way forgets the notes of its cancellation.
                for note in getattr(ended, "__notes__", ()):
                    cancelled.add_note(note)
        raise
    reports: dict[str, ExportReport] = {}
    errors: dict[str, JibbleError] = {}
    for what, task in tasks.items():
        try:
            reports[what] = task.result()
        except JibbleError as error:
            errors[what] = error
    return reports, errors


def _report_path(path: Path, out: Destination) -> Path:
    """Where the report goes, found out before anything is sent."""
    if out.is_folder:
        # The report may lie in it.
        make_output_folder(out.path)
    report = destination_of(path)
    is_manifest = report.path.name == MANIFEST and report.path.is_relative_to(out.path)
    if report.descriptor is not None or report.path == out.path or is_manifest:
        raise ConfigurationError(
            f"--report {path} can't be kept there: name a file that is none of the output"
        )
    return report.path


def _keep(path: Path, reports: dict[str, ExportReport], errors: dict[str, JibbleError]) -> None:
    done = [{"set": what, **asdict(report)} for what, report in reports.items()]
    failed = [{"set": what, "error": str(error)} for what, error in errors.items()]
    with PartFile(path) as part:
        part.write(f"{as_json(done + failed)}\n".encode())
        part.publish()


def _show(report: ExportReport, common: Common, what: str | None) -> None:
    say_removed(report.removed)
    if report.unknown_fields:
        names = ", ".join(f"{name} ({rows})" for name, rows in report.unknown_fields.items())
        complain(f"not in the file, for want of a column (rows): {names}")
    if common.form in {"json", "jsonl"}:
        return
    facts = {
        "set": what,
        "file": str(report.path),
        "rows": f"{report.rows:,}",
        "outcome": report.outcome.value,
        "because": report.reason,
        "size": f"{report.bytes:,} bytes, sha256 {report.sha256[:16]}…",
        "requests": f"{report.requests:,} for {report.pages:,} pages, {report.retries:,} retries",
        "time": f"{report.seconds:.1f} s; calls waited {report.throttled_seconds:.1f} s for quota",
    }
    if report.resumed_rows:
        facts["resumed"] = f"{report.resumed_rows:,} rows, {report.reread_pages:,} pages read again"
    if report.swept or report.dropped:
        facts["meanwhile"] = f"{report.swept:,} rows changed, {report.dropped:,} deleted for good"
    if report.moved > 0:
        facts["moved"] = f"rows, {report.moved} times, so a deleted one may be among them"
    show_facts(facts, common.form, id="file")
