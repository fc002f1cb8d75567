"""What a payroll is made of, read from an organisation: each set once, however many people."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from jibble_async.cli.output import say
from jibble_async.core.pager import Pager
from jibble_async.entities import TimeEntry, TimeOff, Timesheet, TrackedTime
from jibble_async.errors import FeatureRestrictedError, PermissionDeniedError
from jibble_async.pairing import work_sessions
from jibble_async.payroll import Clockings, PayrollSheet, Workplace
from jibble_async.query.vocabulary import fields

if TYPE_CHECKING:
    from jibble_async.client import JibbleClient

__all__ = ["Read", "read"]

T = TypeVar("T")

_DAY = timedelta(days=1)
_CONCURRENCY = 4
# Entries that are held at a time, of which a person makes about so many a day.
_HELD = 150_000
_A_DAY = 8
_ASKED = 20
# No more of a person than is used: rows have what opens a kiosk, too.
_PERSON = (
    "full_name",
    "code",
    "email",
    "role",
    "status",
    "group_id",
    "schedule_id",
    "calendar_id",
    "pay_period_definition_id",
    "managers",
    "work_start_date",
    "removed_at",
)
_ENTRY = (
    "type",
    "status",
    "time",
    "local_time",
    "belongs_to_date",
    "person_id",
    "location_id",
)


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was read.

    Attributes:
        organization: What the organisation is called.
    """

    organization: str
    sheets: list[PayrollSheet]
    place: Workplace
    time_off: list[TimeOff]
    clockings: Clockings
    report: list[TrackedTime]


async def read(client: JibbleClient, since: date, until: date, only: Sequence[str] = ()) -> Read:
    """Read what a payroll is made of.

    Of schedules, holidays, locations and pay periods a plan may have nothing, or the key may not
    see them: then they are left out, and that is said.

    Args:
        client: Whom to ask.
        since: The first day.
        until: The last day, included.
        only: The ids of those whose hours are wanted; empty for everybody.

    Raises:
        JibbleError: As any call does.
    """
    wanted = frozenset(each.lower() for each in only)
    patient = client.with_options(timeout=None)
    sheets = patient.timesheets.list(
        since,
        period="Custom",
        end_date=until,
        person_ids=only,
        expand=["person"],
        concurrency=_CONCURRENCY,
    )
    people = client.people.list(include_removed=True, select=_PERSON, concurrency=_CONCURRENCY)
    try:
        async with asyncio.TaskGroup() as group:
            begun = group.create_task
            asked = {
                "locations": begun(_all(client.locations.list(include_archived=True), "locations")),
                "schedules": begun(_all(client.schedules.list(), "schedules")),
                "calendars": begun(_all(client.calendars.list(), "calendars")),
                "calendar_days": begun(
                    _all(client.calendar_days.list(since=since, until=until), "holidays")
                ),
                "pay_periods": begun(_all(client.pay_period_definitions.list(), "pay periods")),
                "people": begun(people.collect()),
                "groups": begun(client.groups.list(include_archived=True).collect()),
            }
            names = begun(client.organizations.list(select=["name"]).collect())
            time_off = begun(
                client.time_off.list(since=since, until=until, expand=["policy"]).collect()
            )
            report = begun(patient.reports.tracked_time(since, until, person_ids=only).collect())
            read_sheets = begun(_sheets(sheets))
    except BaseExceptionGroup as failed:
        # One failure ends all, and that one is told.
        raise failed.exceptions[0] from None
    place: dict[str, Any] = {name: task.result() for name, task in asked.items()}
    called = [each.name for each in names.result() if each.name]
    return Read(
        organization=called[0] if len(called) == 1 else "",
        sheets=read_sheets.result(),
        place=Workplace(**place),
        time_off=[each for each in time_off.result() if not wanted or each.person_id in wanted],
        clockings=await _clockings(client, since, until, wanted, len(read_sheets.result())),
        report=report.result(),
    )


async def _sheets(pager: Pager[Timesheet]) -> list[PayrollSheet]:
    return [PayrollSheet.of(sheet) async for sheet in pager]


async def _all(pager: Pager[T], what: str) -> list[T]:
    """The rows of a set that a payroll can do without; none if it may not be read."""
    try:
        return await pager.collect()
    except (FeatureRestrictedError, PermissionDeniedError) as error:
        say(f"without {what}, which may not be read: {error}")
        return []


async def _clockings(
    client: JibbleClient, since: date, until: date, wanted: frozenset[str], people: int
) -> Clockings:
    """What the entries say, read in windows, so that not all are held at a time."""
    length = max(1, _HELD // (_A_DAY * max(people, 1)))
    found = Clockings()
    # Of more people than fit into one request all entries are read, and theirs are kept.
    where = fields(TimeEntry).person_id.is_in(wanted) if 0 < len(wanted) <= _ASKED else None
    for first, last in _windows(since, until, length):
        # A night may have begun on the day before, or end on the one behind.
        entries = await client.time_entries.list(
            since=max(first, date.min + _DAY) - _DAY,
            until=min(last, date.max - _DAY) + _DAY,
            where=where,
            select=_ENTRY,
            concurrency=_CONCURRENCY,
        ).collect()
        if wanted:
            entries = [entry for entry in entries if entry.person_id in wanted]
        found.add(await asyncio.to_thread(work_sessions, entries), first, last)
    return found


def _windows(since: date, until: date, length: int) -> Iterable[tuple[date, date]]:
    for place in range(0, (until - since).days + 1, length):
        first = since + place * _DAY
        yield first, first + min((length - 1) * _DAY, until - first)
