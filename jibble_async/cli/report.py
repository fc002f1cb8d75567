"""`jibble report`: tracked time as bars in the terminal, as a table, or as a page."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from jibble_async.cli.connection import DEFAULTS, Common, Several, setting_up
from jibble_async.cli.days import ANY_DAYS, Days, connect_span
from jibble_async.cli.lookup import Kind, Lookup
from jibble_async.cli.output import (
    beside,
    say_removed,
    show_bars,
    show_csv,
    show_facts,
    show_json,
    show_rows,
)
from jibble_async.cli.periods import Span
from jibble_async.cli.report_html import page
from jibble_async.cli.report_lines import Line, as_csv, as_json, lines_of, total, whole
from jibble_async.entities import GroupBy
from jibble_async.errors import ConfigurationError
from jibble_async.export.files.destinations import Destination, destination_of
from jibble_async.export.files.output import Output
from jibble_async.export.sinks.spreadsheets import UTF8_MARK
from jibble_async.pages import require_templates

__all__ = ["report"]

report: App = App(name="report")

_Grouping = Annotated[
    Literal["date", "member", "client", "project", "activity"],
    Parameter(metavar="WHAT", show_choices=False),
]
_KINDS: tuple[Kind, ...] = ("person", "group", "project", "activity", "client", "location")
_SUFFIXES = (".csv", ".html")


@Parameter(name="*")
@dataclass(frozen=True)
class Only:
    """What of it is reported on; each may be given several times.

    Attributes:
        person: Only theirs, by name, e-mail, code or id.
        group: Only of the people of this group.
        project: Only what was booked on this project.
        activity: Only what was booked on this activity.
        client: Only what was done for this client.
        location: Only what was clocked at this location.
    """

    person: Several = ()
    group: Several = ()
    project: Several = ()
    activity: Several = ()
    client: Several = ()
    location: Several = ()

    async def ids(self, lookup: Lookup) -> dict[str, tuple[str, ...]]:
        """The arguments of a report that say so."""
        return {f"{kind}_ids": await lookup.ids(kind, getattr(self, kind)) for kind in _KINDS}


_EVERYTHING = Only()


@report.command
async def tracked_time(
    *,
    days: Days = ANY_DAYS,
    group_by: _Grouping = "member",
    sub_group_by: _Grouping | None = None,
    only: Only = _EVERYTHING,
    out: Path | None = None,
    common: Common = DEFAULTS,
) -> None:
    """Show tracked time, added up by one thing or by two.

    Args:
        days: Which days.
        group_by: A row for each date, member, client, project or activity.
        sub_group_by: What the rows below it are about.
        only: What of it is reported on.
        out: A .csv or .html file to write instead, replacing one of that name.
        common: What every command takes.
    """
    days.require()
    destination = None if out is None else _destination(out)
    grouping = (GroupBy(group_by.title()), sub_group_by and GroupBy(sub_group_by.title()))
    if out is None or destination is None:
        span, lines = await _lines(common, days, only, *grouping)
        _show(lines, span, grouping, common)
        return
    async with Output(destination) as output:
        part = output.part
        span, lines = await _lines(common, days, only, *grouping)
        if out.suffix.lower() == ".csv":
            content = UTF8_MARK + as_csv(lines, *grouping)
        else:
            content = page(lines, *span, *grouping).encode()
        await output.run(lambda: part.write(content))
        await output.run(part.publish)
    say_removed(output.removed)
    with beside(destination):
        if common.form in {"json", "jsonl"}:
            show_json({"path": part.path, "rows": len(lines)}, common.form)
        else:
            show_facts({"file": part.path, **_sums(lines)}, common.form, id="file")


def _show(
    lines: list[Line], span: Span, grouping: tuple[GroupBy, GroupBy | None], common: Common
) -> None:
    """Print a report: with bars for people who look at it, else as a table."""
    form = common.form
    if form == "json":
        show_json({"since": span[0], "until": span[1], "rows": as_json(lines)})
    elif form == "csv":
        show_csv(as_csv(lines, *grouping).decode().replace("\r\n", "\n"))
    elif form == "table" or (form is None and sys.stdout.isatty()):
        bars: list[tuple[str, timedelta, bool]] = []
        for line in lines:
            bars.append((line.name, line.time, False))
            bars.extend((part.name, part.time, True) for part in line.parts)
        show_bars((grouping[0].value, "Hours"), bars)
        show_facts(_sums(lines), "table", id="rows")
    elif form is None and grouping[1] is not None:
        heads = {grouping[0].value: "name", grouping[1].value: "part", "Hours": "time"}
        parts = ((line.name, part) for line in lines for part in whole(line))
        show_rows(
            [{"name": name, "part": each.name, "time": each.time} for name, each in parts], heads
        )
    else:
        rows = [
            {**told, "time": line.time} for told, line in zip(as_json(lines), lines, strict=True)
        ]
        show_rows(rows, {grouping[0].value: "name", "Hours": "time"}, form)


def _destination(out: Path) -> Destination:
    if out.suffix.lower() not in _SUFFIXES:
        raise ConfigurationError(f"{out.name!r} is no report: end it in {' or '.join(_SUFFIXES)}")
    if out.suffix.lower() == ".html":
        with setting_up():
            require_templates()
    return destination_of(out)


def _sums(lines: list[Line]) -> dict[str, object]:
    return {"rows": f"{len(lines):,}", "hours": total(lines)}


async def _lines(
    common: Common, days: Days, only: Only, group_by: GroupBy, sub_group_by: GroupBy | None
) -> tuple[Span, list[Line]]:
    async with connect_span(common, days) as (client, span):
        # Hours outlast whoever worked them, and what they were booked on.
        ids: dict[str, Any] = await only.ids(Lookup(client, include_gone=True))
        # A report is one answer over all people, which may take its time.
        rows = await (
            client.with_options(timeout=None)
            .reports.tracked_time(*span, group_by=group_by, sub_group_by=sub_group_by, **ids)
            .collect()
        )
    return span, lines_of(rows, group_by, sub_group_by)
