"""`jibble timeoff`: absences, asked for and decided."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Awaitable, Callable, Coroutine
from datetime import date, datetime
from typing import Any

from cyclopts import App

from jibble_async.api.outcomes import ItemOutcome, ItemState
from jibble_async.cli.clock import person_id
from jibble_async.cli.connection import DEFAULTS, Common, Flag, connect
from jibble_async.cli.output import (
    NotAllDoneError,
    say,
    show_facts,
    show_json,
    show_lines,
    show_rows,
)
from jibble_async.entities import TimeOff, TimeOffStatus
from jibble_async.errors import ConfigurationError
from jibble_async.query.vocabulary import fields
from jibble_async.resources.time_off import TimeOffRequests

__all__ = ["time_off"]

time_off: App = App(name="timeoff", help="List, request and decide on time off.")

_ROW = fields(TimeOff)
_COLUMNS = {name.title(): name for name in ("person", "policy", "from", "to", "days", "status")}


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
    if not ids:
        facts = [_facts(row) for row in rows]
        show_rows(facts, _COLUMNS, numbers=("Days",), json=common.json)
    elif common.json:
        show_json([row.id for row in rows])
    else:
        show_lines(row.id for row in rows)


@time_off.command
async def request(
    policy_id: str,
    start: str,
    end: str | None = None,
    *,
    person: str | None = None,
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
    show_facts({"id": made.id, "status": made.status, "person id": who}, json=common.json)


def _decision(verb: str, purpose: str, decide: Callable[..., Awaitable[list[ItemOutcome]]]) -> None:
    # No coroutine yet while a person is asked: a signal would wait for the line that they type.
    def command(
        *ids: str, yes: Flag = False, common: Common = DEFAULTS
    ) -> Coroutine[Any, Any, None]:
        """Decide.

        Args:
            ids: The requests.
            yes: Don't ask.
            common: What every command takes.
        """
        if not ids:
            raise ConfigurationError(f"which ones? jibble timeoff {verb} ID ...")
        if not yes:
            _ask(f"{verb} {len(ids)} request{'s' if len(ids) > 1 else ''}?")
        return _decide(decide, ids, common)

    time_off.command(command, name=verb, help=purpose)


_decision("approve", "Grant requests.", TimeOffRequests.approve)
_decision("reject", "Refuse requests.", TimeOffRequests.reject)
_decision("cancel", "Withdraw requests.", TimeOffRequests.cancel)


async def _decide(
    decide: Callable[..., Awaitable[list[ItemOutcome]]], ids: tuple[str, ...], common: Common
) -> None:
    async with connect(common) as client:
        outcomes = await decide(client.time_off, *ids)
    rows = [
        {"id": each.id, "state": each.state, "error": str(each.error or "")} for each in outcomes
    ]
    show_rows(rows, {"Id": "id", "Outcome": "state"}, json=common.json)
    for row in rows:
        if row["error"] and not common.json:
            say(f"{row['id']}: {row['error']}")
    if any(each.state is not ItemState.DONE for each in outcomes):
        raise NotAllDoneError


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise ConfigurationError("nobody is there to be asked: give --yes")
    say(f"{question} [y/N]")
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        say("nothing was done")
        raise NotAllDoneError


def _facts(row: TimeOff) -> dict[str, object]:
    return {
        "id": row.id,
        "person": (row.person and row.person.full_name) or row.person_id,
        "policy": (row.policy and row.policy.name) or row.policy_id,
        "from": row.start_date or row.end_date,
        "to": row.end_date or row.start_date,
        "days": row.duration,
        "status": row.status,
    }


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
