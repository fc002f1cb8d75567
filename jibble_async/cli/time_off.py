"""`jibble timeoff`: absences, asked for and decided."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Annotated

from cyclopts import App, Parameter

from jibble_async.api.outcomes import ItemOutcome, ItemState
from jibble_async.cli.clock import person_id
from jibble_async.cli.connection import DEFAULTS, Common, Flag, connect
from jibble_async.cli.output import say, show_facts, show_json, show_lines, show_table
from jibble_async.client import JibbleClient
from jibble_async.entities import TimeOff, TimeOffStatus
from jibble_async.errors import ConfigurationError
from jibble_async.query.vocabulary import fields

__all__ = ["NotAllDoneError", "time_off"]

time_off: App = App(name="timeoff", help="List, request and decide on time off.")

_ROW = fields(TimeOff)


class NotAllDoneError(Exception):
    """Something was not done that the command is for; what has been printed."""


@time_off.command(name="list")
async def list_(
    *,
    since: date | None = None,
    until: date | None = None,
    status: TimeOffStatus | None = None,
    ids: Flag = False,
    common: Common = DEFAULTS,
) -> None:
    """List the time off that touches a span of days.

    Args:
        since: The first day.
        until: The last day, included.
        status: Only those with this status.
        ids: Print ids and nothing else, for `jibble timeoff approve`.
        common: What every command takes.
    """
    async with connect(common) as client:
        rows = await client.time_off.list(
            since=since,
            until=until,
            where=None if status is None else _ROW.status == status,
            expand=[_ROW.person.select("full_name"), _ROW.policy.select("name")],
            order_by=_ROW.start_date,
        ).collect()
    names = ("person", "policy", "from", "to", "days", "status")
    if ids and common.json:
        show_json([row.id for row in rows])
    elif ids:
        show_lines(row.id for row in rows)
    elif common.json:
        facts = [dict(zip(names, _facts(row), strict=True)) for row in rows]
        show_json([{"id": row.id, **each} for row, each in zip(rows, facts, strict=True)])
    else:
        head = [name.capitalize() for name in names]
        show_table(head, [_cells(row) for row in rows], numbers=("Days",))


@time_off.command
async def request(
    policy_id: str,
    start: str,
    end: str | None = None,
    *,
    person: Annotated[str | None, Parameter(name="--person")] = None,
    note: str | None = None,
    common: Common = DEFAULTS,
) -> None:
    """Ask for time off: days such as 2026-08-03, or moments such as 2026-08-03T10:00.

    Args:
        policy_id: Under which policy.
        start: The first day, or when it begins.
        end: The last day, included, by default the first; or when it ends.
        person: For whom, by id or e-mail address; by default whoever the credentials act for.
        note: A note.
        common: What every command takes.
    """
    begin, finish = _day_or_moment(start), None if end is None else _day_or_moment(end)
    async with connect(common) as client:
        who = await person_id(client, person)
        made = await client.time_off.request(who, policy_id, begin, finish, note=note)
    facts = {"id": made.id, "status": str(made.status), "person id": who}
    if common.json:
        show_json({name.replace(" ", "_"): value for name, value in facts.items()})
    else:
        show_facts(facts)


@time_off.command
async def approve(*ids: str, yes: Flag = False, common: Common = DEFAULTS) -> None:
    """Grant requests.

    Args:
        ids: The requests.
        yes: Don't ask.
        common: What every command takes.
    """
    await _decide("approve", ids, lambda client: client.time_off.approve(*ids), yes, common)


@time_off.command
async def reject(*ids: str, yes: Flag = False, common: Common = DEFAULTS) -> None:
    """Refuse requests.

    Args:
        ids: The requests.
        yes: Don't ask.
        common: What every command takes.
    """
    await _decide("reject", ids, lambda client: client.time_off.reject(*ids), yes, common)


@time_off.command
async def cancel(*ids: str, yes: Flag = False, common: Common = DEFAULTS) -> None:
    """Withdraw requests.

    Args:
        ids: The requests.
        yes: Don't ask.
        common: What every command takes.
    """
    await _decide("cancel", ids, lambda client: client.time_off.cancel(*ids), yes, common)


async def _decide(
    verb: str,
    ids: tuple[str, ...],
    decide: Callable[[JibbleClient], Awaitable[list[ItemOutcome]]],
    yes: bool,
    common: Common,
) -> None:
    if not ids:
        raise ConfigurationError(f"which ones? jibble timeoff {verb} ID ...")
    if not yes:
        _ask(f"{verb} {len(ids)} request{'s' if len(ids) > 1 else ''}?")
    async with connect(common) as client:
        outcomes = await decide(client)
    rows = [(each.id, str(each.state), str(each.error or "")) for each in outcomes]
    if common.json:
        show_json([{"id": key, "state": state, "error": error} for key, state, error in rows])
    else:
        show_table(("Id", "Outcome"), [row[:2] for row in rows])
        for key, _, error in rows:
            if error:
                say(f"{key}: {error}")
    if any(each.state is not ItemState.DONE for each in outcomes):
        raise NotAllDoneError


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise ConfigurationError("nobody is there to be asked: give --yes")
    # The loop's handler would look at Ctrl-C only after the line has been read.
    of_loop = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        say(f"{question} [y/N]")
        answer = sys.stdin.readline()
    finally:
        signal.signal(signal.SIGINT, of_loop)
    if answer.strip().lower() not in {"y", "yes"}:
        say("nothing was done")
        raise NotAllDoneError


def _facts(row: TimeOff) -> tuple[str | float | None, ...]:
    person = row.person and row.person.full_name
    policy = row.policy and row.policy.name
    first, last = row.start_date or row.end_date, row.end_date or row.start_date
    return (
        person or row.person_id,
        policy or row.policy_id,
        None if first is None else first.isoformat(),
        None if last is None else last.isoformat(),
        row.duration,
        row.status,
    )


def _cells(row: TimeOff) -> list[str]:
    return [f"{fact:g}" if isinstance(fact, int | float) else fact or "" for fact in _facts(row)]


def _day_or_moment(text: str) -> date | datetime:
    # A day first: as a moment it would be midnight, in any of its spellings.
    with contextlib.suppress(ValueError):
        return date.fromisoformat(text)
    try:
        # Without an offset it is meant on this machine's clock.
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise ConfigurationError(
            f"{text!r} is no day such as 2026-08-03, nor a moment such as 2026-08-03T10:00"
        ) from None
