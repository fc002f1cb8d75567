"""`jibble list`: what there is, with the names and codes that other commands take."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from cyclopts import Parameter

from jibble_async.cli.connection import DEFAULTS, Common, Flag, connect_either
from jibble_async.cli.lookup import listed
from jibble_async.cli.output import show_rows
from jibble_async.entities import Person

__all__ = ["list_set"]

_Set = Annotated[
    Literal[
        "activities",
        "calendars",
        "clients",
        "employment-types",
        "groups",
        "locations",
        "organizations",
        "pay-periods",
        "people",
        "policies",
        "positions",
        "projects",
        "schedules",
        "pay-period-definitions",
        "time-off-policies",
    ],
    Parameter(show_choices=False),
]
# Short for what the API calls by two words or three.
_LONG = {"policies": "time_off_policies", "pay-periods": "pay_period_definitions"}
_COLUMNS = {"Name": "name", "Email": "email", "Code": "code", "Status": "status", "Id": "id"}


async def list_set(
    what: _Set,
    /,
    *,
    archived: Flag = False,
    common: Common = DEFAULTS,
) -> None:
    """List projects, activities, locations, groups, policies ...

    Args:
        what: Such as projects, clients, pay-periods or schedules.
        archived: List what was archived or removed, too.
        common: What every command takes.
    """
    name = _LONG.get(what, what.replace("-", "_"))
    async with connect_either(common) as client:
        found = listed(client, name, ("id", "full_name", *_COLUMNS.values()), gone=archived)
        rows = sorted([_facts(each) async for each in found], key=_place)
        known = getattr(client, name).entity.__struct_fields__
    columns = {head: each for head, each in _COLUMNS.items() if each == "name" or each in known}
    if what == "people":
        # What a terminal has room for is their addresses and codes, which serve as well.
        del columns["Id"]
    show_rows(rows, columns, common.form)


def _facts(row: Any) -> dict[str, Any]:
    facts = {name: getattr(row, name) for name in _COLUMNS.values() if hasattr(row, name)}
    return {**facts, "name": row.full_name if isinstance(row, Person) else row.name}


def _place(facts: dict[str, Any]) -> tuple[str, str]:
    return (facts["name"] or "").casefold(), facts["id"]
