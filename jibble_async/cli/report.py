"""`jibble report`: tracked time as bars in the terminal, as a table, or as a page."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

from cyclopts import App

from jibble_async.cli.connection import DEFAULTS, Common, connect
from jibble_async.cli.output import hours, show_bars, show_facts, show_json
from jibble_async.cli.report_html import page
from jibble_async.cli.report_lines import Line, as_csv, as_json, lines_of, total
from jibble_async.entities import GroupBy
from jibble_async.errors import ConfigurationError
from jibble_async.export.files import PartFile, output_path
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
    path = None if out is None else _path(out)
    outer = GroupBy(group_by.title())
    inner = None if sub_group_by is None else GroupBy(sub_group_by.title())
    async with connect(common, since, until) as client:
        # A report is one answer over all people, which may take its time.
        patient = client.with_options(timeout=None)
        rows = await patient.reports.tracked_time(
            since, until, group_by=outer, sub_group_by=inner
        ).collect()
    lines = lines_of(rows, outer, inner)
    if path is not None:
        is_table = path.suffix.lower() == ".csv"
        _write(
            path,
            as_csv(lines, outer, inner)
            if is_table
            else page(lines, since, until, outer, inner).encode(),
        )
        _show_written(path, lines, common)
    elif common.json:
        show_json({"since": str(since), "until": str(until), "rows": as_json(lines)})
    else:
        _show(lines, outer)


def _path(out: Path) -> Path:
    if out.suffix.lower() not in _SUFFIXES:
        raise ConfigurationError(f"{out.name!r} is no report: end it in {' or '.join(_SUFFIXES)}")
    return output_path(out)


def _write(path: Path, content: bytes) -> None:
    with PartFile(path) as file:
        file.write(content)
        file.publish()


def _show_written(path: Path, lines: list[Line], common: Common) -> None:
    if common.json:
        show_json({"path": str(path), "rows": len(lines)})
    else:
        show_facts({"file": str(path), "rows": f"{len(lines):,}", "hours": hours(total(lines))})


def _show(lines: list[Line], group_by: GroupBy) -> None:
    rows = [
        row
        for line in lines
        for row in (
            (line.name, line.time, False),
            *((part.name, part.time, True) for part in line.parts),
        )
    ]
    show_bars((group_by.value, "Hours"), rows)
    show_facts({"rows": f"{len(lines):,}", "hours": hours(total(lines))})
