"""`jibble payroll`: the hours that people are paid for, as a workbook, a page or a table."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from cyclopts import Parameter
from cyclopts.validators import Number

from jibble_async.cli.connection import DEFAULTS, Common, connect
from jibble_async.cli.output import (
    beside,
    json_text,
    say_removed,
    show_facts,
    show_json,
    show_rows,
)
from jibble_async.cli.payroll_files import as_csv, as_data
from jibble_async.cli.payroll_page import payroll_page
from jibble_async.cli.payroll_reading import read
from jibble_async.cli.payroll_workbook import Paper, require_workbooks, workbook
from jibble_async.errors import ConfigurationError
from jibble_async.export.files.destinations import Destination, destination_of
from jibble_async.export.files.output import Output
from jibble_async.pages import require_templates
from jibble_async.pages.words import minutes_words, span_words
from jibble_async.payroll import (
    By,
    Payroll,
    Rates,
    Table,
    payroll,
    read_rates,
    tables,
    totals,
)
from jibble_async.query.days import require_span

__all__ = ["make_payroll"]

_TableName: TypeAlias = Literal[
    "sign", "amounts", "days", "odd", "lateness", "groups", "locations", "check"
]
_SUFFIXES = (".xlsx", ".csv", ".html", ".json")
_LONGEST = timedelta(days=366)
_COLUMNS = {
    "Name": "name",
    "Code": "code",
    "Since": "since",
    "Regular": "regular",
    "Overtime": "overtime",
    "Paid off": "paid_time_off",
    "Total": "total",
}
_TEXTS = frozenset({"Name", "Code", "Since"})
_TOTALS = "totals"


@dataclass(frozen=True)
class _Made:
    """A payroll of an organisation, or the totals of several, as tables.

    Attributes:
        name: The profile, or what else tells it from others; empty if it is the only one.
    """

    name: str
    title: str
    span: tuple[date, date]
    made: datetime
    tables: Sequence[Table]
    payroll: Payroll | None = None


async def make_payroll(
    *,
    since: date,
    until: date,
    out: Path | None = None,
    by: By = "month",
    grace: Annotated[int, Parameter(validator=Number(gte=0, lte=1440))] = 0,
    rates: Path | None = None,
    paper: Paper = "a4",
    table: Annotated[_TableName, Parameter(show_choices=False)] = "sign",
    common: Common = DEFAULTS,
) -> None:
    """Show or write the hours that people are paid for, and what is odd about them.

    Args:
        since: The first day, such as 2026-10-01.
        until: The last day, included.
        out: A .xlsx, .html, .csv or .json file to write; one of that name is replaced.
        by: What a line is for: each month, each of the pay-periods, or the whole.
        grace: Minutes that somebody may be late or leave early.
        rates: A CSV of person, rate, currency, and factors such as daily_overtime.
        paper: What it is printed on.
        table: What a .csv has, such as days, odd, lateness or amounts.
        common: What every command takes.
    """
    require_span(since, until)
    if until - since >= _LONGEST:
        raise ConfigurationError("a payroll is of a year at most: give --since and --until nearer")
    if table == "amounts" and rates is None:
        raise ConfigurationError("--table amounts needs --rates")
    paid = None if rates is None else _read_rates(rates)
    names = [""]
    files = {} if out is None else {name: _destination(out, name) for name in names}
    made = _now()
    results: list[_Made] = []
    async with connect(common, since, until) as client:
        for name, each in (("", client),):
            found = await read(each, since, until)
            done = await asyncio.to_thread(
                payroll,
                since,
                until,
                found.sheets,
                place=found.place,
                time_off=found.time_off,
                clockings=found.clockings,
                report=found.report,
                rates=paid,
                by=by,
                grace=timedelta(minutes=grace),
                now=made,
            )
            title = f"Payroll {found.organization}".strip()
            results.append(_Made(name, title, (since, until), made, tables(done), done))
    if len(results) > 1:
        named = {one.name: one.payroll for one in results if one.payroll is not None}
        title = "Totals of all organisations"
        results.append(_Made(_TOTALS, title, (since, until), made, totals(named)))
    if out is None:
        for one in results:
            _show(one, common)
        return
    facts: list[dict[str, Any]] = []
    for one in results:
        path = await _write(one, files[one.name], _maker(out, one, paper, table, common))
        facts.append({"file" if not common.json else "path": path, **_told(one)})
    with beside(next(iter(files.values()))):
        if common.json:
            show_json(facts if len(facts) > 1 else facts[0])
        else:
            for fact in facts:
                show_facts(_in_words(fact))


def _maker(out: Path, one: _Made, paper: Paper, table: str, common: Common) -> Callable[[], bytes]:
    """What makes the file, which takes its time."""
    match out.suffix.lower():
        case ".xlsx":
            about = span_words(*one.span)
            return lambda: workbook(one.tables, one.title, about, one.made, paper)
        case ".html":
            return lambda: payroll_page(
                one.payroll, one.tables, one.title, one.span, one.made, paper.upper()
            ).encode()
        case ".csv":
            chosen = next((each for each in one.tables if each.name == table), one.tables[0])
            return lambda: as_csv(chosen)
        case _:
            return lambda: f"{json_text(_data(one))}\n".encode()


async def _write(one: _Made, destination: Destination, make: Callable[[], bytes]) -> Path:
    async with Output(destination) as output:
        part = output.part
        await output.write(make)
        await output.run(part.publish)
    say_removed(output.removed)
    return part.path


def _data(one: _Made) -> dict[str, Any]:
    """A payroll for programs; see `as_data`."""
    return {
        "title": one.title,
        "since": one.span[0],
        "until": one.span[1],
        "made": one.made,
        **as_data(one.tables),
    }


def _told(one: _Made) -> dict[str, Any]:
    """What is said of a payroll when it is made."""
    if one.payroll is None:
        return {"what": one.title}
    found, hours = one.payroll, one.payroll.hours
    check = found.check
    sums: dict[str, Decimal] = {}
    for amount in found.amounts or ():
        sums[amount.currency] = sums.get(amount.currency, Decimal(0)) + amount.total
    return {
        "organization": one.title.removeprefix("Payroll "),
        "people": len({line.person_id for line in found.lines}),
        "hours": hours.total,
        "overtime": hours.overtime,
        "to be mended": len(found.oddities),
        "late or absent": len(found.deviations),
        "differs from the report": None if check is None else len(check.differences),
        **{name: str(total) for name, total in sorted(sums.items())},
    }


def _show(one: _Made, common: Common) -> None:
    if common.json:
        show_json(_data(one))
        return
    if one.payroll is not None:
        rows = [
            {
                "name": one.payroll.payees[line.person_id].name,
                "code": one.payroll.payees[line.person_id].code,
                "since": line.since,
                "regular": minutes_words(line.hours.regular),
                "overtime": minutes_words(line.hours.overtime),
                "paid_time_off": minutes_words(line.hours.paid_time_off),
                "total": minutes_words(line.hours.total),
            }
            for line in one.payroll.lines
        ]
        show_rows(rows, _COLUMNS, numbers=_COLUMNS.keys() - _TEXTS)
    show_facts(_in_words(_told(one)))


def _in_words(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts for people, with times as a workbook shows them."""
    return {
        name: minutes_words(value) if isinstance(value, timedelta) else value
        for name, value in facts.items()
    }


def _destination(out: Path, name: str) -> Destination:
    """Where a file goes, and whether it can be made, known before anything is asked."""
    suffix = out.suffix.lower()
    if suffix not in _SUFFIXES:
        raise ConfigurationError(
            f"{out.name!r} is no payroll: end it in {', '.join(_SUFFIXES[:-1])} or {_SUFFIXES[-1]}"
        )
    if suffix == ".xlsx":
        require_workbooks()
    elif suffix == ".html":
        require_templates()
    return destination_of(out.with_stem(f"{out.stem}-{name}") if name else out)


def _read_rates(path: Path) -> Rates:
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is not in UTF-8: save it as CSV UTF-8") from None
    return read_rates(text, path.name)


def _now() -> datetime:
    """The present moment; builds that are to be the same twice say which (SOURCE_DATE_EPOCH)."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if epoch.isascii() and epoch.isdigit() and len(epoch) < 12:
        return datetime.fromtimestamp(int(epoch), UTC)
    return datetime.now(UTC).replace(microsecond=0)
