"""`jibble timeoff`: absences, asked for and decided."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Awaitable, Callable, Coroutine
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from cyclopts import App

from jibble_async.api.outcomes import ItemOutcome, ItemState
from jibble_async.cli.connection import DEFAULTS, Common, Flag, Several, connect
from jibble_async.cli.days import ANY_DAYS, Days, connect_days
from jibble_async.cli.lookup import Lookup, person_id
from jibble_async.cli.output import NotAllDoneError, complain, say, show_facts, show_rows
from jibble_async.entities import TimeOff, TimeOffStatus
from jibble_async.errors import ConfigurationError
from jibble_async.query.expressions import Expression, all_given
from jibble_async.query.vocabulary import fields
from jibble_async.resources.time_off import TimeOffRequests

if TYPE_CHECKING:
    from jibble_async.client import JibbleClient

__all__ = ["time_off"]

time_off: App = App(name="timeoff")

_ROW = fields(TimeOff)
_COLUMNS = {name.title(): name for name in ("person", "policy", "from", "to", "days", "status")}


@time_off.command(name="list")
async def list_(
    *,
    days: Days = ANY_DAYS,
    person: Several = (),
    group: Several = (),
    policy: Several = (),
    status: TimeOffStatus | None = None,
    common: Common = DEFAULTS,
) -> None:
    """List the time off that touches a span of days.

    Args:
        days: Which days.
        person: Only theirs, by name, e-mail, code or id; repeatable.
        group: Only of the people of this group; repeatable.
        policy: Only under this policy; repeatable.
        status: Only those with this status.
        common: What every command takes.
    """
    async with connect_days(common, days) as (client, span):
        rows = await _listed(client, span, person, group, policy, status)
    _show(rows, common)


@time_off.command
async def request(
    policy: str,
    start: str,
    end: str | None = None,
    *,
    person: str | None = None,
    note: str | None = None,
    common: Common = DEFAULTS,
) -> None:
    """Ask for time off: days such as 2026-08-03, or moments such as 2026-08-03T10:00.

    Args:
        policy: Under which policy, by name or id.
        start: The first day, or when it begins.
        end: The last day, included, by default the first; or when it ends.
        person: For whom, by name, e-mail, code or id; else who is asking.
        note: A note.
        common: What every command takes.
    """
    begin, finish = _day_or_moment(start), None if end is None else _day_or_moment(end)
    async with connect(common) as client:
        lookup = Lookup(client)
        who, under = await person_id(lookup, person), await lookup.id("policy", policy)
        made = await client.time_off.request(who, under, begin, finish, note=note)
    facts = {
        "id": made.id,
        "status": made.status,
        "person": lookup.name(who),
        "policy": lookup.name(under),
        "person id": who,
    }
    show_facts(facts, common.form, id="id")


def _decision(verb: str, purpose: str, decide: Callable[..., Awaitable[list[ItemOutcome]]]) -> None:
    # No coroutine yet while a person is asked: a signal would wait for the line that they type.
    def command(
        *ids: str,
        person: Several = (),
        days: Days = ANY_DAYS,
        yes: Flag = False,
        common: Common = DEFAULTS,
    ) -> Coroutine[Any, Any, None]:
        """Decide.

        Args:
            ids: The requests.
            person: Or what is pending of them, by name, code or the like.
            days: Only those that touch these days.
            yes: Don't ask; with --person, don't only show them.
            common: What every command takes.
        """
        if bool(ids) is bool(person):
            raise ConfigurationError(
                f"which ones? jibble timeoff {verb} ID ... or --person NAME, not both"
            )
        if person:
            return _decide_pending(verb, decide, person, days, yes, common)
        if days != ANY_DAYS:
            raise ConfigurationError("days go with --person: ids say already which ones")
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
    _show_outcomes(outcomes, common)


async def _decide_pending(
    verb: str,
    decide: Callable[..., Awaitable[list[ItemOutcome]]],
    person: tuple[str, ...],
    days: Days,
    yes: bool,
    common: Common,
) -> None:
    """Decide on what is pending of people; what it is, is seen before it is done."""
    async with connect_days(common, days) as (client, span):
        rows = await _listed(client, span, person, (), (), TimeOffStatus.PENDING)
        if not rows:
            raise ConfigurationError("nothing of theirs is pending: jibble timeoff list shows all")
        if not yes:
            _show(rows, common)
            complain(f"nothing was done: give --yes, too, to {verb} {len(rows)}")
            raise NotAllDoneError
        outcomes = await decide(client.time_off, *(row.id for row in rows))
    _show_outcomes(outcomes, common)


async def _listed(
    client: JibbleClient,
    span: tuple[date | None, date | None],
    person: tuple[str, ...],
    group: tuple[str, ...],
    policy: tuple[str, ...],
    status: TimeOffStatus | None,
) -> list[TimeOff]:
    lookup = Lookup(client, include_gone=True)
    conditions: list[Expression | None] = [None if status is None else _ROW.status == status]
    people = await lookup.people(person, group)
    if people:
        conditions.append(_ROW.person_id.is_in(people))
    if policy:
        conditions.append(_ROW.policy_id.is_in(await lookup.ids("policy", policy)))
    return await client.time_off.list(
        since=span[0],
        until=span[1],
        where=all_given(*conditions),
        expand=[_ROW.person.select("full_name"), _ROW.policy.select("name")],
        order_by=_ROW.start_date,
    ).collect()


def _show(rows: list[TimeOff], common: Common) -> None:
    show_rows([_facts(row) for row in rows], _COLUMNS, common.form, numbers=("Days",))


def _show_outcomes(outcomes: list[ItemOutcome], common: Common) -> None:
    rows = [
        {"id": each.id, "state": each.state, "error": str(each.error or "")} for each in outcomes
    ]
    show_rows(rows, {"Id": "id", "Outcome": "state"}, common.form)
    for row in rows:
        if row["error"]:
            complain(f"{row['id']}: {row['error']}")
    if any(each.state is not ItemState.DONE for each in outcomes):
        raise NotAllDoneError


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise ConfigurationError("nobody is there to be asked: give --yes")
    complain(f"{question} [y/N]")
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
