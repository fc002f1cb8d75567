"""`jibble sync`: a local copy of sets, kept in step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from jibble_async.cli.connection import DEFAULTS, Common, Flag, connect_either
from jibble_async.cli.exit_codes import exit_code_of_all
from jibble_async.cli.export import SetNames
from jibble_async.cli.export_bars import Bars
from jibble_async.cli.output import NotAllDoneError, complain, say_error, show_json, show_rows
from jibble_async.export import ExportProgress, Outcome, SetName, Sync, SyncReport
from jibble_async.export.sync import Reconcile

__all__ = ["sync"]

_NUMBERS = ("rows", "changed", "deleted", "requests")
_COLUMNS = {name: name for name in ("set", "read", *_NUMBERS, "outcome")}


async def sync(
    sets: SetNames = ("all",),
    *,
    into: str,
    since: date | None = None,
    reconcile: Reconcile = "weekly",
    include_archived: Flag = False,
    secrets: Flag = False,
    concurrency: int = 4,
    give_up_after: Annotated[float, Parameter(validator=Number(gte=0))] = 900,
    common: Common = DEFAULTS,
) -> None:
    """Keep a local copy of sets in step.

    What changed since the last run is merged into it.

    Args:
        sets: Such as time-entries or people; by default all that need no days.
        into: A folder, for Parquet files, or a file that ends in .duckdb.
        since: The first day that is kept, of rows that belong to days.
        reconcile: How often all ids are looked through for rows that were deleted for good.
        include_archived: Keep what was archived, deleted or removed, too.
        secrets: Keep what opens a kiosk, such as people's PINs and cards.
        concurrency: Windows of days that are read at a time, where a set is read as a whole.
        give_up_after: Seconds that an outage may last.
        common: What every command takes.
    """
    wanted: Any = None if "all" in sets else sets
    async with connect_either(common) as client:
        with Bars(client, common=common) as bars:
            shown: dict[str, Callable[[ExportProgress], None]] = {}

            def show(what: SetName, progress: ExportProgress) -> None:
                if what not in shown:
                    shown[what] = bars.new(what)
                shown[what](progress)

            report = await Sync(
                client,
                into,
                sets=wanted,
                since=since,
                include_archived=include_archived,
                secrets=secrets,
                reconcile=reconcile,
                concurrency=concurrency,
                give_up_after=give_up_after,
                on_progress=show,
            ).run()
    _show(report, common)
    doubtful = any(each.outcome is Outcome.NOT_PROVED for each in report.sets)
    if report.failed or (doubtful and not common.legacy):
        raise NotAllDoneError(exit_code_of_all(report.failed.values()))


def _show(report: SyncReport, common: Common) -> None:
    rows = [
        {
            "set": each.set,
            "read": "whole" if each.whole else "changes",
            "rows": each.rows,
            "changed": each.changed,
            "deleted": each.dropped,
            "requests": each.requests,
            "outcome": each.outcome.value,
        }
        for each in report.sets
    ]
    if common.form == "json":
        failed = {what: str(error) for what, error in report.failed.items()}
        show_json({"sets": rows, "failed": failed})
    else:
        show_rows(rows, _COLUMNS, common.form, numbers=_NUMBERS, id="set")
    for what, error in report.failed.items():
        say_error(error, what)
    for each in report.sets:
        if each.reason:
            complain(f"{each.set}: {each.reason}")
