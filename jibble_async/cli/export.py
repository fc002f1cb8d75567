"""`jibble export`: rows to a file, with a progress bar for people who watch."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, get_args

from cyclopts import App, Parameter, Token
from cyclopts.validators import Number
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task
from rich.table import Column
from rich.text import Text

from jibble_async.api.base_client import BaseClient
from jibble_async.cli.connection import DEFAULTS, Common, Flag, connect_either
from jibble_async.cli.legacy_limit import TellingWindow
from jibble_async.cli.output import beside, say, say_removed, show_facts, show_json
from jibble_async.errors import ConfigurationError
from jibble_async.export import Exporter, ExportProgress, ExportReport, Format, SetName
from jibble_async.export.destinations import destination_of
from jibble_async.query.days import require_span

__all__ = ["export"]

export: App = App(name="export", help="Export rows to a file, which appears only when complete.")


def _to_file(_: object, tokens: Sequence[Token]) -> Path:
    text = tokens[0].value
    if text.startswith("-") and text != "-":
        raise ValueError(f"{text} is no file: write ./{text} if it is meant to be one")
    return Path(text)


@Parameter(name="*")
@dataclass(frozen=True)
class Target:
    """What every export takes.

    Attributes:
        out: The file to write; one of that name is replaced. - is standard output.
        format: By default what the file's name ends in.
        concurrency: Pages in flight.
        include_archived: Export what was archived, deleted or removed, too.
        spreadsheet_safe: In CSV, keep texts from being run as formulas, by a ' before them.
        give_up_after: Seconds that an outage may last.
        utf8_mark: In CSV, begin with what Excel needs to read names right; by default unless
            --no-spreadsheet-safe.
        secrets: Keep what opens a kiosk, such as people's PINs and cards.
        common: What every command takes.
    """

    out: Annotated[Path, Parameter(converter=_to_file, allow_leading_hyphen=True)]
    format: Format | None = None
    concurrency: int = 4
    include_archived: Flag = False
    spreadsheet_safe: bool = True
    give_up_after: Annotated[float, Parameter(validator=Number(gte=0))] = 900
    utf8_mark: Annotated[bool | None, Parameter(show_default=False)] = None
    secrets: Flag = False
    common: Common = DEFAULTS


@export.command
async def time_entries(
    *,
    since: date | None = None,
    until: date | None = None,
    timezone: str | None = None,
    target: Target,
) -> None:
    """Export time entries.

    Args:
        since: The first working day, such as 2026-10-01.
        until: The last working day, included.
        timezone: Where people work, such as Europe/Berlin; the old API does not know.
        target: What every export takes.
    """
    require_span(since, until)
    if target.common.legacy and timezone is None and (since is not None or until is not None):
        raise ConfigurationError(
            "--since and --until are working days, which the old API does not know: give "
            "--timezone, such as Europe/Berlin"
        )
    await _export("time_entries", target, since, until, timezone)


def _command(what: SetName) -> None:
    async def export_all(*, target: Target) -> None:
        await _export(what, target)

    export.command(export_all, name=what, help=f"Export {what}.")


for _what in get_args(SetName):
    if _what != "time_entries":
        _command(_what)


async def _export(
    what: SetName,
    target: Target,
    since: date | None = None,
    until: date | None = None,
    timezone: str | None = None,
) -> None:
    destination = destination_of(target.out)
    async with connect_either(target.common, since, until, timezone) as client:
        with _bar(client) as show:
            report = await Exporter(
                client,
                what,
                out=target.out,
                since=since,
                until=until,
                format=target.format,
                concurrency=target.concurrency,
                include_archived=target.include_archived,
                spreadsheet_safe=target.spreadsheet_safe,
                utf8_mark=target.utf8_mark,
                secrets=target.secrets,
                give_up_after=target.give_up_after,
                on_progress=show,
            ).run()
    with beside(destination):
        _show(report, target.common)


def _show(report: ExportReport, common: Common) -> None:
    say_removed(report.removed)
    if report.unknown_fields:
        names = ", ".join(f"{name} ({rows})" for name, rows in report.unknown_fields.items())
        say(f"not in the file, for want of a column (rows): {names}")
    if common.json:
        show_json(asdict(report))
        return
    proof = (
        "as many as the server counts"
        if report.counted
        else "on pages that fit, of which the last is short"
    )
    facts = {
        "file": str(report.path),
        "rows": f"{report.rows:,}, {proof}",
        "size": f"{report.bytes:,} bytes, sha256 {report.sha256[:16]}…",
        "requests": f"{report.requests:,} for {report.pages:,} pages, {report.retries:,} retries",
        "time": f"{report.seconds:.1f} s; calls waited {report.throttled_seconds:.1f} s for quota",
    }
    if report.readings > 1:
        facts["readings"] = f"{report.readings}, because rows moved meanwhile"
    if report.moved > 0:
        facts["moved"] = f"rows, {report.moved} times, so a deleted one may be among them"
    show_facts(facts)


class _Figures(ProgressColumn):
    """Rows, rows a second, requests, seconds waited for the quota, and the quota as believed.

    While a request waits for the old API's quota, it is said how long that may take.
    """

    def __init__(self, window: TellingWindow | None, column: Column) -> None:
        super().__init__(column)
        self._window = window

    def render(self, task: Task) -> Text:
        notice = None if self._window is None else self._window.notice
        if notice is not None:
            return Text(notice)
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
def _bar(client: BaseClient[Any]) -> Generator[Callable[[ExportProgress], None]]:
    console = Console(stderr=True)
    limiters = client.stats.limiters.values()
    window = next((each for each in limiters if isinstance(each, TellingWindow)), None)
    if window is not None and console.is_terminal:
        window.tell = lambda _: None
    with Progress(
        BarColumn(bar_width=None),
        _Figures(window, Column(no_wrap=True)),
        console=console,
        expand=True,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task("", total=None, progress=None)

        def show(progress: ExportProgress) -> None:
            bar.update(task, total=progress.total, completed=progress.rows, progress=progress)

        yield show
