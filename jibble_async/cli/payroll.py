"""`jibble payroll`: the hours that people are paid for, as a workbook, a page or a table."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from jibble_async.cli.connection import DEFAULTS, Common, Several, connect_profiles, setting_up
from jibble_async.cli.days import ANY_DAYS, Days, days_of, now
from jibble_async.cli.lookup import Lookup
from jibble_async.cli.output import (
    beside,
    complain,
    say,
    say_removed,
    show_facts,
    show_json,
    show_rows,
)
from jibble_async.cli.payroll_files import Made, TableName, data_of, maker
from jibble_async.cli.payroll_reading import read
from jibble_async.cli.payroll_workbook import Paper, require_workbooks
from jibble_async.errors import ConfigurationError
from jibble_async.export.files.destinations import Destination, destination_of
from jibble_async.export.files.output import Output
from jibble_async.pages import require_templates
from jibble_async.pages.words import minutes_words
from jibble_async.payroll import By, Payroll, Rates, payroll, read_rates, tables, totals

if TYPE_CHECKING:
    from jibble_async.client import JibbleClient

__all__ = ["make_payroll"]

_SUFFIXES = (".xlsx", ".html", ".csv", ".json")
_LONGEST = timedelta(days=366)
_COLUMNS = {
    "Name": "name",
    "Code": "code",
    "Since": "since",
    "Regular": "regular_seconds",
    "Overtime": "overtime_seconds",
    "Paid off": "paid_time_off_seconds",
    "Total": "total_seconds",
}
_TEXTS = frozenset({"Organization", "Name", "Code", "Since"})
_TOTALS = "totals"


@Parameter(name="*")
@dataclass(frozen=True)
class Paid:
    """How hours become a payroll.

    Attributes:
        by: A line for each month, pay-period, or the whole.
        grace: Minutes that one may be late or leave early.
        rates: A CSV: person,rate,currency and factors.
    """

    by: By = "month"
    grace: Annotated[int, Parameter(validator=Number(gte=0, lte=1440))] = 0
    rates: Path | None = None


_AS_IT_IS = Paid()


async def make_payroll(
    *,
    days: Days = ANY_DAYS,
    person: Several = (),
    group: Several = (),
    paid: Paid = _AS_IT_IS,
    out: Path | None = None,
    paper: Paper = "a4",
    table: TableName = "sign",
    common: Common = DEFAULTS,
) -> None:
    """Show or write what people are paid for, and what is odd about it.

    Args:
        days: Which days.
        person: Only theirs, by name, e-mail, code or id; repeatable.
        group: Only of the people of this group; repeatable.
        paid: How hours become a payroll.
        out: A .xlsx, .html, .csv or .json file to write instead.
        paper: What it is printed on.
        table: What a .csv has.
        common: What every command takes.
    """
    days.require()
    if table == "amounts" and paid.rates is None:
        raise ConfigurationError("--table amounts needs --rates")
    rates = None if paid.rates is None else _read_rates(paid.rates)
    several = len(common.profiles) > 1
    names = [*common.profiles, _TOTALS] if several else [""]
    if _TOTALS in common.profiles and several:
        raise ConfigurationError(f"a profile is called {_TOTALS}, as the file of all would be")
    files = {} if out is None else {name: _destination(out, name) for name in names}
    made: list[Made] = []
    async with connect_profiles(common, *days.around(now().date())) as clients:
        for name, client in clients:
            called = name if several else ""
            made.append(await _payroll(client, called, days, person, group, paid, rates))
    if rates is not None:
        _tell_unknown(paid.rates, made)
    if several:
        made.append(_all_of(made))
    if out is None:
        _show(made, common)
        return
    async with AsyncExitStack() as stack:
        outputs = [await stack.enter_async_context(Output(files[one.name])) for one in made]
        for one, output in zip(made, outputs, strict=True):
            await output.write(maker(out.suffix, one, paper, table))
        # Each is whole before any takes its name.
        for output in outputs:
            await output.run(output.part.publish)
    say_removed(each for output in outputs for each in output.removed)
    with beside(next(iter(files.values()))):
        _tell(
            [
                {"file": output.part.path, **_told(one)}
                for one, output in zip(made, outputs, strict=True)
            ],
            common,
        )


async def _payroll(
    client: JibbleClient,
    name: str,
    days: Days,
    person: Sequence[str],
    group: Sequence[str],
    paid: Paid,
    rates: Rates | None,
) -> Made:
    """The payroll of one organisation."""
    since, until = await days_of(client, days)
    assert since is not None
    assert until is not None
    if until - since >= _LONGEST:
        raise ConfigurationError("a payroll is of a year at most: name fewer days")
    lookup = Lookup(client, include_gone=True)
    people = await lookup.people(person, group)
    found = await read(client, since, until, people)
    moment = _now()
    done = await asyncio.to_thread(
        payroll,
        since,
        until,
        found.sheets,
        place=found.place,
        time_off=found.time_off,
        clockings=found.clockings,
        report=found.report,
        rates=rates,
        by=paid.by,
        grace=timedelta(minutes=paid.grace),
        now=moment,
    )
    return Made(
        name=name,
        title=f"Payroll {found.organization or name}".strip(),
        span=(since, until),
        at=moment,
        tables=tables(done),
        payroll=done,
    )


def _tell_unknown(source: Path | None, made: Sequence[Made]) -> None:
    """Say which rows of the rates are of nobody in any organisation, as after a slip in a code."""
    unknown = [one.payroll.unknown_rates for one in made if one.payroll is not None]
    names = [name for name in unknown[0] if all(name in each for each in unknown)]
    if names:
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        listed = ", ".join(map(repr, names[:3]))
        complain(f"{source} has rates of nobody that there is: {listed}{more}")


def _all_of(made: Sequence[Made]) -> Made:
    """What several payrolls come to."""
    return Made(
        name=_TOTALS,
        title="Totals of all organisations",
        span=(min(one.span[0] for one in made), max(one.span[1] for one in made)),
        at=max(one.at for one in made),
        tables=totals({one.name: one.payroll for one in made if one.payroll is not None}),
    )


def _show(made: Sequence[Made], common: Common) -> None:
    if common.form == "json":
        data = [data_of(one) for one in made]
        show_json(data if len(data) > 1 else data[0])
        return
    several = len(made) > 1
    rows = [row for one in made if one.payroll is not None for row in _rows(one, one.payroll)]
    if common.form is None or common.form == "table":
        # A sum of what stands under each other would not be that of the exact times.
        words = [name for name in _COLUMNS.values() if name.endswith("_seconds")]
        rows = [{**row, **{name: minutes_words(row[name]) for name in words}} for row in rows]
    columns = {"Organization": "organization", **_COLUMNS} if several else _COLUMNS
    show_rows(rows, columns, common.form, numbers=columns.keys() - _TEXTS, id="person_id")
    for one in made:
        if one.payroll is not None:
            facts = (f"{name} {value}" for name, value in _in_words(_told(one)).items() if value)
            say(", ".join(facts))
    if common.form == "table" or (common.form is None and sys.stdout.isatty()):
        say("--out july.xlsx has all of it: days, what is odd, who was late")


def _rows(one: Made, done: Payroll) -> list[dict[str, Any]]:
    return [
        {
            "organization": one.title.removeprefix("Payroll "),
            "person_id": line.person_id,
            "name": done.payees[line.person_id].name,
            "code": done.payees[line.person_id].code,
            "since": line.since,
            "until": line.until,
            "regular_seconds": line.hours.regular,
            "overtime_seconds": line.hours.overtime,
            "paid_time_off_seconds": line.hours.paid_time_off,
            "total_seconds": line.hours.total,
        }
        for line in done.lines
    ]


def _tell(facts: Sequence[dict[str, Any]], common: Common) -> None:
    """Say which files were written, and what of them somebody has to know."""
    if common.form in {"json", "jsonl"}:
        named = [{name.replace(" ", "_"): value for name, value in each.items()} for each in facts]
        show_json(named if len(named) > 1 else named[0], common.form)
        return
    for each in facts:
        show_facts(_in_words(each), common.form, id="file")


def _told(one: Made) -> dict[str, Any]:
    """What is said of a payroll when it is made."""
    if one.payroll is None:
        return {"what": one.title}
    found, hours = one.payroll, one.payroll.hours
    check = found.check
    return {
        "organization": one.title.removeprefix("Payroll "),
        "people": len({line.person_id for line in found.lines}),
        "hours": hours.total,
        "overtime": hours.overtime,
        "to be mended": len(found.oddities),
        "late or absent": len(found.deviations),
        "differs from the report": None if check is None else len(check.differences),
        **{name: str(total) for name, total in found.sums.items()},
    }


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
    with setting_up():
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
    """The present moment; who needs the same bytes twice says which (SOURCE_DATE_EPOCH)."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if epoch.isascii() and epoch.isdigit() and len(epoch) < 12:
        return datetime.fromtimestamp(int(epoch), UTC)
    return now(UTC).replace(microsecond=0)
