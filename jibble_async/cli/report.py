"""`jibble report`: tracked time as bars in the terminal, as a table, or as a page."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Literal

from cyclopts import App

from jibble_async.cli.connection import DEFAULTS, Common, connect
from jibble_async.cli.output import beside, say_removed, show_bars, show_facts, show_json
from jibble_async.cli.report_html import page
from jibble_async.cli.report_lines import Line, as_csv, as_json, lines_of, total
from jibble_async.entities import GroupBy
from jibble_async.errors import ConfigurationError
from jibble_async.export.files.destinations import Destination, destination_of
from jibble_async.export.files.output import Output
from jibble_async.export.sinks.spreadsheets import UTF8_MARK
from jibble_async.query.days import require_span

__all__ = ["report"]

report: App = App(name="report", help="Hours as the server adds them up.")

_Grouping = Literal["date", "member", "client", "project", "activity"]
_SUFFIXES = (".csv", ".html")


@report.command
async def tracked_time(
    *,
    since: date,
    until: date,
    group_by: _Grouping = "member",
    sub_group_by: _Grouping | None = None,
    out: Path | None = None,
    common: Common = DEFAULTS,
) -> None:
    """Show tracked time, added up by one thing or by two.

    Args:
        since: The first day, such as 2026-10-01.
        until: The last day, included.
        group_by: What a row is about.
        sub_group_by: What the rows below it are about.
        out: A .csv or .html file to write instead; one of that name is replaced. The page needs
            nothing but a browser.
        common: What every command takes.
    """
    require_span(since, until)
    destination = None if out is None else _destination(out)
    grouping = (GroupBy(group_by.title()), sub_group_by and GroupBy(sub_group_by.title()))
    if out is not None and destination is not None:
        async with Output(destination) as output:
            part = output.part
            lines = await _lines(common, since, until, *grouping)
            if out.suffix.lower() == ".csv":
                content = UTF8_MARK + as_csv(lines, *grouping)
            else:
                content = page(lines, since, until, *grouping).encode()
            await output.run(lambda: part.write(content))
            await output.run(part.publish)
        say_removed(output.removed)
        with beside(destination):
            if common.form in {"json", "jsonl"}:
                show_json({"path": part.path, "rows": len(lines)}, common.form)
            else:
                show_facts({"file": part.path, **_sums(lines)}, common.form, id="file")
        return
    lines = await _lines(common, since, until, *grouping)
    if common.form == "json":
        show_json({"since": since, "until": until, "rows": as_json(lines)})
        return
    bars: list[tuple[str, timedelta, bool]] = []
    for line in lines:
        bars.append((line.name, line.time, False))
        bars.extend((part.name, part.time, True) for part in line.parts)
    show_bars((grouping[0].value, "Hours"), bars)
    show_facts(_sums(lines), id="rows")


def _destination(out: Path) -> Destination:
    if out.suffix.lower() not in _SUFFIXES:
        raise ConfigurationError(f"{out.name!r} is no report: end it in {' or '.join(_SUFFIXES)}")
    return destination_of(out)


def _sums(lines: list[Line]) -> dict[str, object]:
    return {"rows": f"{len(lines):,}", "hours": total(lines)}


async def _lines(
    common: Common, since: date, until: date, group_by: GroupBy, sub_group_by: GroupBy | None
) -> list[Line]:
    async with connect(common, since, until) as client:
        # A report is one answer over all people, which may take its time.
        rows = await (
            client.with_options(timeout=None)
            .reports.tracked_time(since, until, group_by=group_by, sub_group_by=sub_group_by)
            .collect()
        )
    return lines_of(rows, group_by, sub_group_by)
