"""`jibble list`: what there is, with the names and codes that other commands take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import Parameter, Token

from jibble_async.cli.connection import DEFAULTS, Common, Flag, connect_either
from jibble_async.cli.lookup import listed
from jibble_async.cli.output import show_rows
from jibble_async.entities import Person

__all__ = ["list_set"]

_SETS = (
    "activities",
    "calendars",
    "clients",
    "employment_types",
    "groups",
    "locations",
    "organizations",
    "pay_period_definitions",
    "people",
    "positions",
    "projects",
    "schedules",
    "time_off_policies",
)
_SHORT = {"policies": "time_off_policies", "pay_periods": "pay_period_definitions"}
_COLUMNS = {"Name": "name", "Email": "email", "Code": "code", "Status": "status", "Id": "id"}


def _to_set(_: object, tokens: Sequence[Token]) -> str:
    name = tokens[0].value.casefold().replace("-", "_")
    name = _SHORT.get(name, name)
    if name not in _SETS:
        offered = ", ".join(each.replace("_", "-") for each in (*_SETS, "policies"))
        raise ValueError(f"nothing called {tokens[0].value} to list: there are {offered}")
    return name


async def list_set(
    what: Annotated[str, Parameter(converter=_to_set)],
    *,
    archived: Flag = False,
    common: Common = DEFAULTS,
) -> None:
    """List projects, activities, locations, groups, policies ...

    Args:
        what: Such as projects; jibble list all names what there is.
        archived: List what was archived or removed, too.
        common: What every command takes.
    """
    async with connect_either(common) as client:
        found = listed(client, what, ("id", "full_name", *_COLUMNS.values()), gone=archived)
        rows = sorted([_facts(each) async for each in found], key=_place)
        known = getattr(client, what).entity.__struct_fields__
    columns = {head: name for head, name in _COLUMNS.items() if name == "name" or name in known}
    show_rows(rows, columns, common.form)


def _facts(row: Any) -> dict[str, Any]:
    facts = {name: getattr(row, name) for name in _COLUMNS.values() if hasattr(row, name)}
    return {**facts, "name": row.full_name if isinstance(row, Person) else row.name}


def _place(facts: dict[str, Any]) -> tuple[str, str]:
    return (facts["name"] or "").casefold(), facts["id"]
