"""`jibble clock`: in, out, on a break, and how things stand."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from cyclopts import App, Parameter, Token
from jibble_legacy import LegacyClient

from jibble_async.cli.connection import DEFAULTS, Common, connect, connect_either
from jibble_async.cli.output import show_facts
from jibble_async.client import JibbleClient
from jibble_async.entities import EntryType, TimeEntry
from jibble_async.entities import Person as Somebody
from jibble_async.errors import ConfigurationError
from jibble_async.query.vocabulary import fields
from jibble_async.resources.time_entries import TimeEntries

__all__ = ["clock"]

clock: App = App(name="clock", help="Clock somebody in or out, or show how they stand.")

_STATES = {
    EntryType.IN: "at work",
    EntryType.OUT: "clocked out",
    EntryType.START_BREAK: "on a break",
}
_FIELDS = fields(Somebody)


def _to_moment(_: object, tokens: Sequence[Token]) -> datetime:
    text = tokens[0].value
    try:
        date.fromisoformat(text)
    except ValueError:
        with contextlib.suppress(ValueError):
            return datetime.fromisoformat(text)
    # A day alone would be its midnight, which is hardly when somebody came.
    raise ValueError(f'"{text}" is no moment: write it as 2026-10-05T09:00')


Moment = Annotated[datetime | None, Parameter(converter=_to_moment)]


@Parameter(name="*")
@dataclass(frozen=True)
class Punch:
    """What every punch takes.

    Attributes:
        person: Who, by id or e-mail address; by default whoever the credentials act for.
        at: When, such as 2026-10-05T09:00, on this clock unless it has an offset; by default now.
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
    activity_id: str | None = None,
    project_id: str | None = None,
    location_id: str | None = None,
    auto_clock_out_at: Moment = None,
    punch: Punch = _NOW,
) -> None:
    """Begin work, or end a break.

    Args:
        activity_id: The kind of work.
        project_id: What the work is for.
        location_id: Where it is done.
        auto_clock_out_at: When the server is to clock out by itself.
        punch: What every punch takes.
    """
    await _make(
        TimeEntries.clock_in,
        punch,
        activity_id=activity_id,
        project_id=project_id,
        location_id=location_id,
        auto_clock_out_at=_here(auto_clock_out_at),
    )


@clock.command(name="out")
async def clock_out(*, punch: Punch = _NOW) -> None:
    """End work."""
    await _make(TimeEntries.clock_out, punch)


@clock.command(name="break")
async def start_break(*, punch: Punch = _NOW) -> None:
    """Go on a break; clocking in ends it."""
    await _make(TimeEntries.start_break, punch)


@clock.command
async def status(*, person: str | None = None, common: Common = DEFAULTS) -> None:
    """Show somebody's latest entry.

    Args:
        person: Who, by id or e-mail address; by default whoever the credentials act for.
        common: What every command takes.
    """
    async with connect_either(common) as client:
        entry = await client.time_entries.latest(await person_id(client, person))
    _show(entry, common)


async def _make(method: Callable[..., Awaitable[TimeEntry]], punch: Punch, **more: Any) -> None:
    async with connect(punch.common) as client:
        who = await person_id(client, punch.person)
        entry = await method(client.time_entries, who, at=_here(punch.at), note=punch.note, **more)
    _show(entry, punch.common)


async def person_id(client: JibbleClient | LegacyClient, person: str | None) -> str:
    """The id of a person.

    Args:
        client: Whom to ask.
        person: An id, an e-mail address, or None for whoever the credentials act for.

    Raises:
        ConfigurationError: Nobody has the address, or the credentials don't say who acts.
    """
    if person is None:
        own_id = (await client.whoami()).person_id if isinstance(client, JibbleClient) else None
        if own_id is None:
            raise ConfigurationError("the credentials don't say who you are: give --person")
        return own_id
    if "@" not in person:
        return person
    if isinstance(client, JibbleClient):
        found: Somebody | None = await client.people.by_email(person)
    else:
        found = await client.people.list(where=_FIELDS.email == person).first()
    if found is None:
        raise ConfigurationError(f"nobody has the address {person}")
    return found.id


def _here(moment: datetime | None) -> datetime | None:
    return moment and moment.astimezone()


def _show(entry: TimeEntry | None, common: Common) -> None:
    facts: dict[str, Any] = {"state": "never clocked in"}
    if entry is not None:
        state = None if entry.type is None else _STATES.get(entry.type, str(entry.type))
        moment = entry.local_time or entry.time
        facts = {
            "state": state,
            "since": moment and moment.isoformat(" ", "seconds"),
            "day": entry.belongs_to_date and entry.belongs_to_date.isoformat(),
            "note": entry.note,
            "person id": entry.person_id,
            "entry id": entry.id,
        }
    show_facts(facts, json=common.json)
