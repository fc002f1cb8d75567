"""`jibble export`: rows to a file, with a progress bar for people who watch."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Generator
from dataclasses import asdict
from datetime import date
from pathlib import Path

from cyclopts import App
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task
from rich.table import Column
from rich.text import Text

from jibble_async.cli.connection import DEFAULTS, Common, Flag, connect
from jibble_async.cli.output import say, show_facts, show_json
from jibble_async.export import Exporter, ExportProgress, ExportReport, Format, SetName
from jibble_async.resources.time_tracking import entries_between

__all__ = ["export"]

export: App = App(name="export", help="Export rows to a file, which appears only when complete.")

_OTHERS: tuple[SetName, ...] = (
    "people",
    "activities",
    "clients",
    "groups",
    "locations",
    "organizations",
    "projects",
)


@export.command
async def time_entries(
    *,
    out: Path,
    since: date | None = None,
    until: date | None = None,
    format: Format | None = None,
    concurrency: int = 4,
    include_archived: Flag = False,
    common: Common = DEFAULTS,
) -> None:
    """Export time entries.

    Args:
        out: The file to write; one of that name is replaced.
        since: The first working day, such as 2026-10-01.
        until: The last working day, included.
        format: By default what the file's name ends in.
        concurrency: Pages in flight.
        include_archived: Export deleted entries, too.
        common: What every command takes.
    """
    entries_between(since, until)
    async with connect(common, since, until) as client:
        with _bar() as show:
            exporter = Exporter(
                client,
                "time_entries",
                out=out,
                since=since,
                until=until,
                format=format,
                concurrency=concurrency,
                include_archived=include_archived,
                on_progress=show,
            )
            report = await exporter.run()
    _show(report, common)


def _command(what: SetName) -> Callable[..., Awaitable[None]]:
    async def export_all(
        *,
        out: Path,
        format: Format | None = None,
        concurrency: int = 4,
        include_archived: Flag = False,
        common: Common = DEFAULTS,
    ) -> None:
        """Export a whole set.

        Args:
            out: The file to write; one of that name is replaced.
            format: By default what the file's name ends in.
            concurrency: Pages in flight.
            include_archived: Export archived or removed ones, too.
            common: What every command takes.
        """
        async with connect(common) as client:
            with _bar() as show:
                exporter = Exporter(
                    client,
                    what,
                    out=out,
                    format=format,
                    concurrency=concurrency,
                    include_archived=include_archived,
                    on_progress=show,
                )
                report = await exporter.run()
        _show(report, common)

    return export_all


for _what in _OTHERS:
    export.command(_command(_what), name=_what, help=f"Export {_what}.")


def _show(report: ExportReport, common: Common) -> None:
    if report.unknown_fields:
        names = ", ".join(f"{name} ({rows})" for name, rows in report.unknown_fields.items())
        say(f"not in the file, for want of a column (rows): {names}")
    if common.json:
        show_json({**asdict(report), "path": str(report.path)})
        return
    facts = {
        "file": str(report.path),
        "rows": f"{report.rows:,}, as many as the server counts",
        "size": f"{report.bytes:,} bytes, sha256 {report.sha256[:16]}…",
        "requests": f"{report.requests:,} for {report.pages:,} pages, {report.retries:,} retries",
        "time": f"{report.seconds:.1f} s; calls waited {report.throttled_seconds:.1f} s for quota",
    }
    if report.readings > 1:
        facts["readings"] = f"{report.readings}, because rows moved meanwhile"
    show_facts(facts)


class _Figures(ProgressColumn):
    """Rows, rows a second, requests, seconds waited for the quota, and the quota as believed."""

    def render(self, task: Task) -> Text:
        progress: ExportProgress | None = task.fields["progress"]
        if progress is None:
            return Text("connecting")
        total = "" if progress.total is None else f"/{progress.total:,}"
        rate = progress.rows / progress.seconds if progress.seconds else 0.0
        quota = "" if progress.quota is None else f" of {progress.quota:.3g}/s"
        again = "" if progress.reading == 1 else f", reading {progress.reading}"
        return Text(
            f"{progress.rows:,}{total} rows, {rate:,.0f}/s, {progress.requests:,} requests, "
            f"{progress.throttled_seconds:.0f} s for quota{quota}{again}"
        )


@contextlib.contextmanager
def _bar() -> Generator[Callable[[ExportProgress], None]]:
    console = Console(stderr=True)
    with Progress(
        BarColumn(bar_width=None),
        _Figures(Column(no_wrap=True)),
        console=console,
        expand=True,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task("", total=None, progress=None)

        def show(progress: ExportProgress) -> None:
            bar.update(task, total=progress.total, completed=progress.rows, progress=progress)

        yield show
