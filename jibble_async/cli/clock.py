"""`jibble clock`: in, out, on a break, and how things stand."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from cyclopts import App, Parameter, Token

from jibble_async.cli.connection import DEFAULTS, Common, connect, connect_either
from jibble_async.cli.lookup import Kind, Lookup, person_id
from jibble_async.cli.output import show_facts
from jibble_async.entities import EntryType, TimeEntry
from jibble_async.resources.time_entries import TimeEntries

__all__ = ["clock"]

clock: App = App(name="clock")

_STATES = {
    EntryType.IN: "at work",
    EntryType.OUT: "clocked out",
    EntryType.START_BREAK: "on a break",
}


def _to_moment(_: object, tokens: Sequence[Token]) -> datetime:
    text = tokens[0].value
    try:
        date.fromisoformat(text)
    except ValueError:
        with contextlib.suppress(ValueError):
            return datetime.fromisoformat(text)
    # A day alone would be its midnight, which is hardly when somebody came.
    raise ValueError(f'"{text}" is no moment: write it as 2026-10-05T09:00')


Moment = Annotated[datetime | None, Parameter(converter=_to_moment, metavar="TIME")]


@Parameter(name="*")
@dataclass(frozen=True)
class Punch:
    """What every punch takes.

    Attributes:
        person: Who, by name, e-mail, code or id; else who is asking.
        at: When, such as 2026-10-05T09:00; an offset may follow.
        note: A note.
        common: What every command takes.
    """

    person: str | None = None
    at: Moment = None
    note: str | None = None
    common: Common = DEFAULTS


_NOW = Punch()


@clock.command(name="in")
async def clock_in(
    *,
    activity: str | None = None,
    project: str | None = None,
    location: str | None = None,
    auto_clock_out_at: Moment = None,
    punch: Punch = _NOW,
) -> None:
    """Begin work, or end a break.

    Args:
        activity: The kind of work, by name, code or id.
        project: What the work is for.
        location: Where it is done.
        auto_clock_out_at: When the server is to clock out by itself.
        punch: What every punch takes.
    """
    things: dict[Kind, str | None] = {
        "activity": activity,
        "project": project,
        "location": location,
    }
    at = _here(auto_clock_out_at)
    await _make(TimeEntries.clock_in, punch, things, auto_clock_out_at=at)


@clock.command(name="out")
async def clock_out(*, punch: Punch = _NOW) -> None:
    """End work."""
    await _make(TimeEntries.clock_out, punch, {})


@clock.command(name="break")
async def start_break(*, punch: Punch = _NOW) -> None:
    """Go on a break; clocking in ends it."""
    await _make(TimeEntries.start_break, punch, {})


@clock.command
async def status(*, person: str | None = None, common: Common = DEFAULTS) -> None:
    """Show somebody's latest entry.

    Args:
        person: Who, by name, e-mail, code or id; else who is asking.
        common: What every command takes.
    """
    async with connect_either(common) as client:
        lookup = Lookup(client)
        who = await person_id(lookup, person)
        entry = await client.time_entries.latest(who)
    _show(entry, lookup.name(who), common)


async def _make(
    method: Callable[..., Awaitable[TimeEntry]],
    punch: Punch,
    things: Mapping[Kind, str | None],
    **more: Any,
) -> None:
    async with connect(punch.common) as client:
        lookup = Lookup(client)
        who = await person_id(lookup, punch.person)
        for kind, text in things.items():
            more[f"{kind}_id"] = await lookup.optional(kind, text)
        entry = await method(client.time_entries, who, at=_here(punch.at), note=punch.note, **more)
    _show(entry, lookup.name(who), punch.common)


def _here(moment: datetime | None) -> datetime | None:
    return moment and moment.astimezone()


def _show(entry: TimeEntry | None, person: str | None, common: Common) -> None:
    facts: dict[str, Any] = {"state": "never clocked in", "person": person}
    if entry is not None:
        state = None if entry.type is None else _STATES.get(entry.type, str(entry.type))
        moment = entry.local_time or entry.time
        facts = {
            "state": state,
            "since": moment and moment.isoformat(" ", "seconds"),
            "day": entry.belongs_to_date and entry.belongs_to_date.isoformat(),
            "note": entry.note,
            # A name may have been typed in short.
            "person": person,
            "person id": entry.person_id,
            "entry id": entry.id,
        }
    show_facts(facts, common.form, id="entry id")
